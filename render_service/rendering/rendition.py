"""A finished picture: its bytes, and what is needed to serve them.

The strong ETag is derived from the bytes, so it cannot disagree with them.
"""

import hashlib
from typing import Final

from msgspec import Struct

from render_service.formats import FACTS, Format

IMMUTABLE: Final = "public, max-age=31536000, immutable, no-transform"
"""The Cache-Control of a rendition, wherever it is served from: a year, the longest RFC 9111 caches
are expected to believe; see the contract with CDNs."""


class Rendition(Struct, frozen=True, kw_only=True):
    """A rendered file.

    Attributes:
        body: The encoded picture.
        format: Its format.
        width_px: Width in pixels.
        height_px: Height in pixels.
        etag: Strong entity tag, with its quotes: the first 32 hex digits of the body's SHA-256.
    """

    body: bytes
    format: Format
    width_px: int
    height_px: int
    etag: str

    @property
    def media_type(self) -> str:
        """As in Content-Type."""
        return FACTS[self.format].media_type


def make_rendition(body: bytes, file_format: Format, width_px: int, height_px: int) -> Rendition:
    """Return the rendition of `body`, its ETag derived."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Rendition(
        body=body, format=file_format, width_px=width_px, height_px=height_px, etag=etag
    )
