"""Addresses of the IIIF Image API 3.0, in both directions: path ↔ what it asks for.

Pure spelling, as `url.py` is for `/r/`: a path is read without a catalogue, and what its words
come to on a picture of a certain size is `iiif_part.py`. Numbers are read exactly, as fractions,
and have so few digits that no arithmetic on them is work.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from msgspec import Struct

from render_service.errors import FormatNotOffered, MalformedPath, UnknownIdentifier
from render_service.formats import Format
from render_service.planning.plan import Tint

IIIF_PREFIX: Final = "/iiif/3/"
INFO: Final = "info.json"
FULL: Final = "full"
SQUARE: Final = "square"
MAX: Final = "max"

_SEPARATOR: Final = "~"
_ID: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_IDENTIFIER: Final = re.compile(
    rf"({_ID})~({_ID})~([0-9a-f]{{10}})~(-|{_ID}={_ID}(?:,{_ID}={_ID})*)", re.ASCII
)
# Five digits: more pixels than any format of ours can be wide.
_INTEGER: Final = r"([0-9]{1,5})"
_DECIMAL: Final = r"([0-9]{1,5}(?:\.[0-9]{1,10})?|\.[0-9]{1,10})"
_REGION: Final = re.compile(",".join([_INTEGER] * 4), re.ASCII)
_REGION_PCT: Final = re.compile("pct:" + ",".join([_DECIMAL] * 4), re.ASCII)
_SIZE: Final = re.compile(rf"(\^?)(!?){_INTEGER}?,{_INTEGER}?", re.ASCII)
_SIZE_PCT: Final = re.compile(rf"(\^?)pct:{_DECIMAL}", re.ASCII)
_ROTATION: Final = re.compile(rf"(!?){_DECIMAL}", re.ASCII)

_REGIONS: Final = "full, square, x,y,w,h or pct:x,y,w,h, numbers of at most 5 digits"
_SIZES: Final = "max, w, or ,h or w,h or !w,h or pct:n, ^ before any to scale up; at most 5 digits"
_ROTATIONS: Final = "0, 90, 180 or 270, ! before it to mirror"


class Quality(StrEnum):
    """Qualities of the API, by its own names."""

    DEFAULT = "default"
    COLOR = "color"
    GRAY = "gray"
    BITONAL = "bitonal"


TINTS: Final[dict[Quality, Tint]] = {
    Quality.DEFAULT: Tint.COLOUR,
    Quality.COLOR: Tint.COLOUR,
    Quality.GRAY: Tint.GRAY,
    Quality.BITONAL: Tint.BITONAL,
}


class Identifier(Struct, frozen=True, kw_only=True):
    """An image of the API: one configuration of one version of a view.

    Attributes:
        composition: Composition id.
        view: View id.
        version: Ten hex digits, the version of the view.
        selection: (option, value) pairs in the order given, no option twice.
    """

    composition: str
    view: str
    version: str
    selection: tuple[tuple[str, str], ...]


class Region(NamedTuple):
    """A region as asked for: `full`, `square`, `px` or `pct`, the last two with x, y, w and h."""

    kind: str
    numbers: tuple[Fraction, ...] = ()


class Size(NamedTuple):
    """A size as asked for.

    Attributes:
        kind: `max`, `wh` (both exact, or the other following), `box` (within both) or `pct`.
        upscaled: Whether `^` allows more pixels than the region has.
        width: Pixels, or percents; None where it follows the height.
        height: Pixels; None where it follows the width.
    """

    kind: str
    upscaled: bool
    width: Fraction | None = None
    height: Fraction | None = None


class ImageRequest(Struct, frozen=True, kw_only=True):
    """The words of an image request, read but not yet held against a picture."""

    region: Region
    size: Size
    mirrored: bool
    quarter_turns: int
    quality: Quality
    format: Format


def parse_identifier(given: str) -> Identifier:
    """Return what an identifier names.

    Raises:
        UnknownIdentifier: It is no identifier of ours.
    """
    match = _IDENTIFIER.fullmatch(given)
    if match is None:
        raise UnknownIdentifier(given)
    composition, view, version, configuration = match.groups()
    pairs = [] if configuration == "-" else configuration.split(",")
    selection = [(pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs]
    if len(dict(selection)) != len(selection):
        raise UnknownIdentifier(given)
    return Identifier(
        composition=composition, view=view, version=version, selection=tuple(selection)
    )


def build_identifier(identifier: Identifier) -> str:
    """Return the identifier's text; no character of it needs to be percent-encoded."""
    configuration = ",".join(f"{option}={value}" for option, value in identifier.selection)
    parts = (identifier.composition, identifier.view, identifier.version, configuration or "-")
    return _SEPARATOR.join(parts)


def parse_image_request(segments: Sequence[str]) -> ImageRequest:
    """Return what region, size, rotation, and quality with format ask for.

    Args:
        segments: The four path segments after the identifier, percent-decoded.

    Raises:
        MalformedPath: One is not of the API's form; names it.
        FormatNotOffered: Its format is none of ours.
    """
    region, size, rotation, file = segments
    mirrored, quarter_turns = _parse_rotation(rotation)
    quality, dot, extension = file.partition(".")
    if not dot:
        raise MalformedPath("quality and format", file, "{quality}.{format}, e.g. default.jpg")
    return ImageRequest(
        region=_parse_region(region),
        size=_parse_size(size),
        mirrored=mirrored,
        quarter_turns=quarter_turns,
        quality=_parse_quality(quality),
        format=_parse_format(extension),
    )


def _parse_region(given: str) -> Region:
    if given in (FULL, SQUARE):
        return Region(given)
    for kind, pattern in (("px", _REGION), ("pct", _REGION_PCT)):
        if match := pattern.fullmatch(given):
            return Region(kind, tuple(map(Fraction, match.groups())))
    raise MalformedPath("region", given, _REGIONS)


def _parse_size(given: str) -> Size:
    if given.removeprefix("^") == MAX:
        return Size(MAX, upscaled=given != MAX)
    if match := _SIZE_PCT.fullmatch(given):
        return Size("pct", upscaled=bool(match[1]), width=Fraction(match[2]))
    match = _SIZE.fullmatch(given)
    if match is None:
        raise MalformedPath("size", given, _SIZES)
    upscaled, confined, *sides = match.groups()
    width, height = (None if side is None else Fraction(side) for side in sides)
    given_sides = [side for side in (width, height) if side is not None]
    if not given_sides or (confined and len(given_sides) < 2) or 0 in given_sides:
        raise MalformedPath("size", given, _SIZES)
    return Size("box" if confined else "wh", bool(upscaled), width, height)


def _parse_rotation(given: str) -> tuple[bool, int]:
    match = _ROTATION.fullmatch(given)
    turns = Fraction(match[2]) / 90 if match else Fraction(-1)
    if match is None or turns.denominator != 1 or turns > 4:
        raise MalformedPath("rotation", given, _ROTATIONS)
    return bool(match[1]), int(turns) % 4


def _parse_quality(given: str) -> Quality:
    try:
        return Quality(given)
    except ValueError:
        raise MalformedPath("quality", given, ", ".join(Quality)) from None


def _parse_format(given: str) -> Format:
    try:
        return Format(given)
    except ValueError:
        raise FormatNotOffered(given, [str(name) for name in Format]) from None
