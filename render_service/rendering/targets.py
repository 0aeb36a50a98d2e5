"""What calibrated pictures are to score, and what is never used to get there.

The rule: each number is a judgement, made on pictures, and stands here with its reason.
"""

from collections.abc import Mapping
from typing import Final

from render_service.composition.model import SizeClass
from render_service.formats import Format

TARGETS: Final[Mapping[SizeClass, float]] = {
    SizeClass.THUMBNAIL: 82,
    SizeClass.MIDDLE: 82,
    SizeClass.ZOOM: 82,
}
"""From 80 on SSIMULACRA2 calls a picture "very high quality: impossible to distinguish from the
original in a side-by-side comparison at 1:1"; two points of tolerance above that. AVIF's fixed
profile gives 82 to 84 on the demo. 85 is out of WebP's reach where 4:2:0 meets ruby."""

LEAST: Final[Mapping[Format, float]] = {
    Format.AVIF: 52,
    Format.WEBP: 75,
    Format.JPEG: 75,
}
"""Least quality that is used, though less would reach the target on white and on transparency: the
highlights of a band are smeared there before the score falls, which a jeweller sees (decision
record 0091 has the crops' figures)."""

TOLERANCE: Final = 2.0
"""Points that a picture may be off its target."""
