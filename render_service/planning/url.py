"""Paths of pictures, in both directions: path ↔ what it asks for.

Pure spelling: a path is read without a catalogue, and `parse_image_path(build_image_path(x)) == x`
for every x that can be spelled. Whether a spelling is the canonical one is decided by building the
path of the planned picture and comparing.
"""

import re
from typing import Final

from msgspec import Struct

from render_service.errors import FormatNotOffered, MalformedPath
from render_service.formats import Format

IMAGE_PREFIX: Final = "/r/"
ALIAS_PREFIX: Final = "/img/"
PREVIEW_PREFIX: Final = "/d/"
AUTO: Final = "auto"

PATH_LENGTH_MAX: Final = 2000
"""Characters of a path; CDNs and clients hold at least 2,048 of a URL."""

_IMAGE_FORM = "/r/{composition}/{view}/{version}/{configuration}/{width}.{ext}"
_ALIAS_FORM = "/img/{composition}/{view}/{width}.{ext}"
_PREVIEW_FORM = "/d/{token}/{view}/{configuration}/{width}.{ext}"
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_VERSION = re.compile(r"[0-9a-f]{10}", re.ASCII)
_WIDTH = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_NO_OPTIONS = "-"


class ImagePath(Struct, frozen=True, kw_only=True):
    """An immutable picture, as its path names it.

    Attributes:
        composition: Composition id.
        view: View id.
        region: Region of the view, or None for all of it.
        version: Ten hex digits, the version of the view.
        selection: (option, value) pairs in the order given, no option twice.
        width_px: Width of the picture.
        format: Format of the picture.
    """

    composition: str
    view: str
    region: str | None
    version: str
    selection: tuple[tuple[str, str], ...]
    width_px: int
    format: Format


class AliasPath(Struct, frozen=True, kw_only=True):
    """A living alias, as its path names it; its options are in the query.

    Attributes:
        composition: Composition id.
        view: View id.
        region: Region of the view, or None for all of it.
        width_px: Width asked for, not yet rounded to the ladder.
        format: Format of the picture; None leaves it to `Accept`.
    """

    composition: str
    view: str
    region: str | None
    width_px: int
    format: Format | None


class PreviewPath(Struct, frozen=True, kw_only=True):
    """A picture of a draft, as its path names it; whose draft it is, its token says.

    Attributes:
        view: View id.
        region: Region of the view, or None for all of it.
        selection: (option, value) pairs in the order given, no option twice.
        width_px: Width of the picture.
        format: Format of the picture.
    """

    view: str
    region: str | None
    selection: tuple[tuple[str, str], ...]
    width_px: int
    format: Format


def parse_image_path(path: str) -> ImagePath:
    """Return what the percent-decoded `path` asks for.

    Raises:
        MalformedPath: It is not of the form; names the part.
        FormatNotOffered: Its extension is no format of ours.
    """
    parts = _split(path, 7, _IMAGE_FORM)
    view, region = _parse_view(parts[3])
    width_px, extension = _parse_file(parts[6])
    return ImagePath(
        composition=_matched(_ID, "composition", parts[2], "an id"),
        view=view,
        region=region,
        version=_matched(_VERSION, "version", parts[4], "ten hex digits in lower case"),
        selection=_parse_selection(parts[5]),
        width_px=width_px,
        format=_parse_format(extension, list(Format)),
    )


def build_image_path(image: ImagePath) -> str:
    """Return the path of `image`, its selection in the order it has."""
    shown = build_view(image.view, image.region)
    return f"{IMAGE_PREFIX}{image.composition}/{shown}/{image.version}/{_build_file(image)}"


def parse_preview_path(path: str) -> PreviewPath:
    """Return what the percent-decoded `path` asks for.

    Raises:
        MalformedPath: It is not of the form; names the part.
        FormatNotOffered: Its extension is no format of ours.
    """
    parts = _split(path, 6, _PREVIEW_FORM)
    view, region = _parse_view(parts[3])
    width_px, extension = _parse_file(parts[5])
    return PreviewPath(
        view=view,
        region=region,
        selection=_parse_selection(parts[4]),
        width_px=width_px,
        format=_parse_format(extension, list(Format)),
    )


def build_preview_path(token: str, image: ImagePath) -> str:
    """Return the path of `image` in the preview that `token` opens."""
    shown = build_view(image.view, image.region)
    return f"{PREVIEW_PREFIX}{token}/{shown}/{_build_file(image)}"


def parse_alias_path(path: str) -> AliasPath:
    """Return what the percent-decoded alias `path` asks for.

    Raises:
        MalformedPath: It is not of the form; names the part.
        FormatNotOffered: Its extension is neither a format of ours nor `auto`.
    """
    parts = _split(path, 5, _ALIAS_FORM)
    view, region = _parse_view(parts[3])
    width_px, extension = _parse_file(parts[4])
    return AliasPath(
        composition=_matched(_ID, "composition", parts[2], "an id"),
        view=view,
        region=region,
        width_px=width_px,
        format=None if extension == AUTO else _parse_format(extension, [*Format, AUTO]),
    )


def build_alias_path(alias: AliasPath) -> str:
    """Return the path of `alias`, without its query."""
    view = build_view(alias.view, alias.region)
    return f"{ALIAS_PREFIX}{alias.composition}/{view}/{alias.width_px}.{alias.format or AUTO}"


def build_view(view: str, region: str | None) -> str:
    """Return `view` or `view:region`, as paths spell it."""
    return view if region is None else f"{view}:{region}"


def _build_file(image: ImagePath) -> str:
    configuration = ",".join(f"{option}={value}" for option, value in image.selection)
    return f"{configuration or _NO_OPTIONS}/{image.width_px}.{image.format}"


def _split(path: str, count: int, form: str) -> list[str]:
    parts = path.split("/") if len(path) <= PATH_LENGTH_MAX else []
    if len(parts) != count:
        raise MalformedPath("form", path, f"{form}, at most {PATH_LENGTH_MAX} characters")
    return parts


def _matched(pattern: re.Pattern[str], part: str, given: str, expected: str) -> str:
    if pattern.fullmatch(given) is None:
        raise MalformedPath(part, given, expected)
    return given


def _parse_view(part: str) -> tuple[str, str | None]:
    view, colon, region = part.partition(":")
    expected = "{view} or {view}:{region}, each an id"
    _matched(_ID, "view", view, expected)
    return view, _matched(_ID, "view", region, expected) if colon else None


def _parse_selection(part: str) -> tuple[tuple[str, str], ...]:
    if part == _NO_OPTIONS:
        return ()
    expected = "option=value pairs joined by commas, each option once, or - for none"
    selection: dict[str, str] = {}
    for pair in part.split(","):
        option, equals, value = pair.partition("=")
        spelled = equals and _ID.fullmatch(option) and _ID.fullmatch(value)
        if not spelled or option in selection:
            raise MalformedPath("configuration", part, expected)
        selection[option] = value
    return tuple(selection.items())


def _parse_file(part: str) -> tuple[int, str]:
    width, dot, extension = part.partition(".")
    if not dot:
        raise MalformedPath("file", part, "{width}.{extension}")
    return int(_matched(_WIDTH, "width", width, "a number of pixels, e.g. 800")), extension


def _parse_format(extension: str, offered: list[str]) -> Format:
    try:
        return Format(extension)
    except ValueError:
        raise FormatNotOffered(extension, [str(name) for name in offered]) from None
