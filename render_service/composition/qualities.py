"""Calibrated qualities: the quality at which a picture is encoded, by what it shows.

The rule: a quality is looked up from what is planned and nothing else, in integers, so that the
plan and its key hold it. What no layer of the picture depends on cannot change it, or equal
pictures would have two keys.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from render_service.composition.model import (
    Composition,
    Layer,
    QualityTable,
    SizeClass,
    View,
    satisfied,
)
from render_service.formats import Format

CALIBRATED: Final = (Format.AVIF, Format.WEBP, Format.JPEG)
"""Formats that have a quality: PNG is lossless."""

WIDEST_PX: Final[dict[SizeClass, int | None]] = {
    SizeClass.THUMBNAIL: 320,
    SizeClass.MIDDLE: 800,
    SizeClass.ZOOM: None,
}
"""Widest picture of each class: a tile of a list or an avatar; what stands in a page, half a screen
on a dense one (as `render` makes where no width is given); what is opened to be looked at."""

QUALITY_MIN: Final = 1
QUALITY_MAX: Final = 100
"""libvips' scale of `Q`, for every format that has one."""

_WEBP_KNEE_TENTHS: Final = 750
_WEBP_FINER: Final = 3


class Picture(Struct, frozen=True, kw_only=True):
    """What a quality is looked up for: a view or a region of it, in one format.

    Attributes:
        view: The view.
        region: A region of it, or None.
        format: The format of the file.
    """

    view: View
    region: str | None
    format: Format


def size_class(width_px: int) -> SizeClass:
    """Return the class of a picture of that width."""
    for size, widest_px in WIDEST_PX.items():
        if widest_px is None or width_px <= widest_px:
            return size
    raise AssertionError("the last class has no end")


def quality_of(
    composition: Composition,
    picture: Picture,
    width_px: int,
    configuration: Mapping[str, str],
) -> int | None:
    """Return the calibrated quality, 1 to 100; None where the picture has none at that width."""
    view, region = picture.view, picture.region
    for table in composition.qualities:
        place = (table.view, table.region, table.format)
        if place == (view.id, region, picture.format) and width_px in table.widths:
            counted = counted_options(view, region, configuration)
            level = table.widths[width_px] + _added(table, configuration, counted)
            return encoder_quality(picture.format, max(level, table.least))
    return None


def encoder_quality(file_format: Format, tenths: int) -> int:
    """Return the encoder's quality at a level in tenths: rounded half up, held to 1 to 100.

    Levels are qualities, but for WebP below 75: there libwebp takes a third of its usual step for
    each (`QualityToCompression` of quant_enc.c), and a level is three of them. So a level more
    is much the same gain anywhere, which sums need.
    """
    below = _WEBP_KNEE_TENTHS - tenths
    if file_format is Format.WEBP and below > 0:
        tenths = _WEBP_KNEE_TENTHS - _WEBP_FINER * below
    return min(max((tenths + 5) // 10, QUALITY_MIN), QUALITY_MAX)


def level_of(file_format: Format, quality: int) -> float:
    """Return the level of a quality, as `encoder_quality` takes it, and not in tenths."""
    below = _WEBP_KNEE_TENTHS / 10 - quality
    if file_format is Format.WEBP and below > 0:
        return quality + below - below / _WEBP_FINER
    return float(quality)


def counted_options(
    view: View, region: str | None, configuration: Mapping[str, str]
) -> frozenset[str]:
    """Return the options that reach what is drawn of `view`, or of a region, in `configuration`.

    That is what chooses its layers, and what names or paints those that are drawn: another value of
    any other option draws the same.
    """
    counted: set[str] = set()
    for layer in layers_in(view, region):
        counted.update(layer.when)
        if satisfied(layer.when, configuration):
            counted.update((*layer.names, *layer.paint))
    return frozenset(counted)


def options_in(view: View, region: str | None) -> tuple[str, ...]:
    """Return the options that some picture of the view, or of the region, depends on, in order."""
    used = {option for layer in layers_in(view, region) for option in layer.options}
    return tuple(option for option in view.options if option in used)


def layers_in(view: View, region: str | None) -> Iterable[Layer]:
    """Yield the layers that lie in the view, or in the region, at least in part, bottom first."""
    left, top, width, height = view.frame(region)
    for layer in view.layers:
        x, y, wide, high = layer.at or view.frame(None)
        across = x < left + width and left < x + wide
        if across and y < top + height and top < y + high:
            yield layer


def _added(table: QualityTable, configuration: Mapping[str, str], counted: frozenset[str]) -> int:
    """What the values of the configuration add, in tenths."""
    total = sum(
        by_value.get(configuration[option], 0)
        for option, by_value in table.offsets.items()
        if option in counted
    )
    return total + sum(
        correction.tenths
        for correction in table.corrections
        if counted.issuperset(correction.when) and satisfied(correction.when, configuration)
    )
