"""The seal of a stored rendition: what a reader needs to believe the bytes that a store gives back.

A store holds the picture itself and, beside it, this seal: 56 bytes of facts about the picture and
a checksum over the key and these facts. Whatever is cut short, changed, or kept under another's
name does not agree with its seal, and is a miss.
"""

import hashlib
import re
import struct
import zlib
from typing import Final

from render_service.formats import Format
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition, make_rendition

_KEY: Final = re.compile(r"[0-9a-f]{64}\.(?:avif|webp|jpg|png)")

# Magic, width, height, length of the picture, its SHA-256; then the CRC-32 of the key and these.
_FACTS: Final = struct.Struct(">4sIIQ32s")
_CRC: Final = struct.Struct(">I")
_MAGIC: Final = b"RSR1"

SEAL_BYTES: Final = _FACTS.size + _CRC.size
"""The length of every seal."""


def store_name(key: RenderKey) -> str:
    """Return the name of a rendition in every store: `renditions/{first two hex}/{key}`.

    Raises:
        ValueError: It is no render key, and must not become a path.
    """
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"{key!r} is no render key")
    return f"renditions/{key[:2]}/{key}"


def make_seal(key: RenderKey, rendition: Rendition) -> bytes:
    """Return the seal of `rendition` under `key`."""
    digest = hashlib.sha256(rendition.body).digest()
    size_bytes = len(rendition.body)
    facts = _FACTS.pack(_MAGIC, rendition.width_px, rendition.height_px, size_bytes, digest)
    return facts + _CRC.pack(zlib.crc32(key.encode() + facts))


def unseal(key: RenderKey, body: bytes, seal: bytes) -> Rendition | None:
    """Return the rendition of `body`, or None unless every byte is what was put under `key`."""
    facts, crc = seal[: _FACTS.size], seal[_FACTS.size :]
    if len(seal) != SEAL_BYTES or zlib.crc32(key.encode() + facts) != _CRC.unpack(crc)[0]:
        return None
    magic, width_px, height_px, size_bytes, digest = _FACTS.unpack(facts)
    if (magic, size_bytes) != (_MAGIC, len(body)) or hashlib.sha256(body).digest() != digest:
        return None
    return make_rendition(body, Format(key.rpartition(".")[2]), width_px, height_px)


def unseal_joined(key: RenderKey, data: bytes) -> Rendition | None:
    """Return the rendition of a picture followed by its seal, as `unseal` does."""
    return unseal(key, data[:-SEAL_BYTES], data[-SEAL_BYTES:])
