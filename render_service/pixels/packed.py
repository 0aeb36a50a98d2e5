"""Raster ↔ bytes that can be mapped: what a store of rasters keeps.

The rule: a raster is unpacked only where every byte is what was packed, and its pixels are then
those very bytes, not a copy: processes that map one file share one copy in memory.

64 bytes say what follows: magic, height, width and bands, place on the grid, the CRC-32 of the
pixels, and the CRC-32 of the raster's name and all that. Light comes next, then coverage, both as
`Raster` has them, in the byte order of the machine: a store is this machine's own.
"""

import struct
import zlib
from typing import Final

import numpy as np

from render_service.pixels.raster import Raster

_FACTS: Final = struct.Struct("=4sIIIiiI")
_CRC: Final = struct.Struct("=I")
_MAGIC: Final = b"RSP1"
_HEAD_BYTES: Final = 64
_SAMPLE_BYTES: Final = 2


def pack(name: str, raster: Raster) -> tuple[bytes | memoryview, ...]:
    """Return the parts of `raster` as bytes, for no other name; the pixels are not copied."""
    light, alpha = raster.light.data.cast("B"), raster.alpha.data.cast("B")
    facts = _FACTS.pack(
        _MAGIC,
        raster.height_px,
        raster.width_px,
        raster.bands,
        raster.left_px,
        raster.top_px,
        zlib.crc32(alpha, zlib.crc32(light)),
    )
    head = facts + _CRC.pack(zlib.crc32(name.encode() + facts))
    return head.ljust(_HEAD_BYTES, b"\0"), light, alpha


def unpack(name: str, packed: memoryview) -> Raster | None:
    """Return the raster in `packed`, which it keeps alive; None unless it was packed as `name`.

    Reads every byte once.
    """
    head = packed[:_HEAD_BYTES]
    facts, crc = bytes(head[: _FACTS.size]), head[_FACTS.size : _FACTS.size + _CRC.size]
    if len(head) < _HEAD_BYTES or zlib.crc32(name.encode() + facts) != _CRC.unpack(crc)[0]:
        return None
    magic, height, width, bands, left_px, top_px, pixels_crc = _FACTS.unpack(facts)
    samples = height * width * bands
    pixels = packed[_HEAD_BYTES:]
    if magic != _MAGIC or len(pixels) != _SAMPLE_BYTES * (samples + height * width):
        return None
    if zlib.crc32(pixels) != pixels_crc:
        return None
    light = np.frombuffer(pixels, np.uint16, samples).reshape(height, width, bands)
    alpha = np.frombuffer(pixels, np.uint16, height * width, _SAMPLE_BYTES * samples)
    return Raster(light=light, alpha=alpha.reshape(height, width), left_px=left_px, top_px=top_px)
