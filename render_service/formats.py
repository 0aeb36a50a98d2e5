"""The picture formats on offer, and the facts of each encoding.

Facts only: how a format is encoded is `pixels/encode.py`; which one a client gets is
`planning/negotiation.py`.
"""

from enum import StrEnum

from msgspec import Struct


class Format(StrEnum):
    """A picture format; the value is the file extension in URLs and stores."""

    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpg"
    PNG = "png"


class FormatFacts(Struct, frozen=True, kw_only=True):
    """What never changes about a format.

    Attributes:
        media_type: As in Content-Type.
        alpha: Whether it can hold transparency.
        largest_side_px: The longest side the format itself allows.
    """

    media_type: str
    alpha: bool
    largest_side_px: int


# Largest sides: WebP RFC 9649 section 2.5 (14 bits); JPEG ITU-T T.81 B.2.2 (16 bits, libjpeg
# 65,500); PNG 31 bits and AVIF 16 bits of libaom, both bounded here as JPEG is.
FACTS: dict[Format, FormatFacts] = {
    Format.AVIF: FormatFacts(media_type="image/avif", alpha=True, largest_side_px=65_500),
    Format.WEBP: FormatFacts(media_type="image/webp", alpha=True, largest_side_px=16_383),
    Format.JPEG: FormatFacts(media_type="image/jpeg", alpha=False, largest_side_px=65_500),
    Format.PNG: FormatFacts(media_type="image/png", alpha=True, largest_side_px=65_500),
}
