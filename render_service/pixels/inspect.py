"""What an uploaded picture is, and whether all of it can be decoded.

The rule: what the header says is judged before a pixel is decoded, and nothing is accepted before
the last one was. Meant for a process that may die of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from render_service.errors import AssetFailure, AssetTooLarge, FileRefused, RefusedFor
from render_service.pixels.decode import decode
from render_service.pixels.files import open_file
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.photo import MODELS, read_photo
from render_service.pixels.vips import pyvips, translating
from render_service.planning.plan import Blend, Encoding, Placement

LAYER_PAGES_MAX: Final = 6
LAYER_BANDS_MAX: Final = 7
"""A basis has at most six nodes, outside (pages) and inside (bands, and alpha)."""

LAYER_MODELS: Final = ("srgb", "rgb16", "b-w", "grey16", "multiband")
"""Colour models of a layer; libvips calls bands without colours multiband."""

PHOTO_SIDES_MAX: Final = 8
"""A photograph is at most so many times as long as wide: panoramas are 3 to 1."""

_FULL_BITS: Final = {"uchar": 8, "ushort": 16}
_ITS_NAME: Final = "the file"


class Header(Struct, frozen=True, kw_only=True):
    """What a picture file is, by its header; the attributes are those of `assets.model.Facts`."""

    width_px: int
    height_px: int
    pages: int
    bands: int
    bits: int
    colour: str
    has_profile: bool
    orientation: int


def inspect_layer(data: bytes, limits: DecodeLimits) -> Header:
    """Return what a layer file is, having decoded all of it as a picture would be drawn from it.

    Raises:
        FileRefused: It can be no layer, or is damaged.
    """
    image = _open(data, limits)
    header = _header(image)
    if header.orientation != 1:
        raise FileRefused(
            RefusedFor.TURNED,
            f"It is to be turned as it is shown (EXIF orientation {header.orientation}), and "
            "layers are drawn as they are stored; save it upright.",
        )
    if header.pages > LAYER_PAGES_MAX:
        raise FileRefused(
            RefusedFor.PAGES,
            f"It has {header.pages} pages; a layer has one for each node of its basis, at most "
            f"{LAYER_PAGES_MAX}.",
        )
    _check_colour(header, LAYER_MODELS)
    if header.bands > LAYER_BANDS_MAX:
        raise FileRefused(
            RefusedFor.COLOUR,
            f"It has {header.bands} channels; a layer has at most {LAYER_BANDS_MAX}, the last of "
            "them alpha.",
        )
    with _decoding():
        _check_scans(data)
        if header.pages == 1 and header.colour != "multiband":
            decode(data, _as_drawn(header), limits, _ITS_NAME)
        else:
            image.avg()
    return header


def inspect_photo(data: bytes, limits: DecodeLimits) -> Header:
    """Return what a photograph is, having decoded all of it as it will be shown.

    Raises:
        FileRefused: It can be no photograph, or is damaged.
    """
    header = _header(_open(data, limits))
    if header.pages > 1:
        raise FileRefused(
            RefusedFor.PAGES, f"It has {header.pages} pages; a photograph is one picture."
        )
    _check_colour(header, tuple(MODELS))
    if header.bands - MODELS[header.colour] not in (0, 1):
        raise FileRefused(
            RefusedFor.COLOUR,
            f"It has {header.bands} channels; {header.colour} has {MODELS[header.colour]}, and "
            "alpha may be one more. Flatten it as you export it.",
        )
    sides = sorted((header.width_px, header.height_px))
    if sides[1] > PHOTO_SIDES_MAX * sides[0]:
        raise FileRefused(
            RefusedFor.PIXELS,
            f"It is {header.width_px} by {header.height_px} pixels; a photograph is at most "
            f"{PHOTO_SIDES_MAX} times as long as wide.",
        )
    with _decoding():
        _check_scans(data)
        read_photo(data, limits).avg()
    return header


def _check_scans(data: bytes) -> None:
    """Refuse a JPEG whose coded data do not fill it: its decoder fills the rest with grey."""
    if data.startswith(b"\xff\xd8\xff"):
        pyvips.Image.jpegload_buffer(data, access="sequential", fail_on="warning").avg()


def _open(data: bytes, limits: DecodeLimits) -> pyvips.Image:
    with _decoding():
        image = open_file(data, limits, _ITS_NAME)
    pixels = image.width * image.height
    if pixels > limits.max_pixels:
        raise _too_many(f"{image.width} by {image.height}", limits)
    if image.format not in _FULL_BITS:
        raise FileRefused(
            RefusedFor.DEPTH,
            f"Its samples are of type {image.format}; save it with 8 or 16 bits a channel.",
        )
    return image


def _header(image: pyvips.Image) -> Header:
    pages = _number(image, "n-pages", 1)
    height_px = _number(image, "page-height", image.height)
    return Header(
        width_px=image.width,
        height_px=height_px,
        pages=pages,
        bands=image.bands,
        bits=_FULL_BITS[str(image.format)],
        colour=str(image.interpretation),
        has_profile=image.get_typeof("icc-profile-data") != 0,
        orientation=_number(image, "orientation", 1),
    )


def _number(image: pyvips.Image, name: str, otherwise: int) -> int:
    return int(str(image.get(name))) if image.get_typeof(name) else otherwise


def _check_colour(header: Header, taken: tuple[str, ...]) -> None:
    if header.colour not in taken:
        raise FileRefused(
            RefusedFor.COLOUR,
            f"Its colours are {header.colour}; taken are {', '.join(taken)}. Export it as RGB.",
        )


def _as_drawn(header: Header) -> Placement:
    """A placement that draws the file as it is."""
    return Placement(
        asset=_ITS_NAME,
        left_px=0,
        top_px=0,
        width_px=header.width_px,
        height_px=header.height_px,
        pages=1,
        bands=3,
        encoding=Encoding.SRGB,
        blend=Blend.OVER,
        paint=None,
        ramp=None,
    )


def _too_many(found: str, limits: DecodeLimits) -> FileRefused:
    millions = limits.max_pixels // 1_000_000
    return FileRefused(
        RefusedFor.PIXELS,
        f"It is {found} pixels; at most {millions} million are taken. Scale it down.",
    )


@contextmanager
def _decoding() -> Iterator[None]:
    """What fails while a file is read becomes the reason why it is refused."""
    try:
        with translating(_damaged):
            yield
    except AssetTooLarge as error:
        raise FileRefused(RefusedFor.PIXELS, f"It {error.reason}; scale it down.") from error
    except AssetFailure as error:
        if isinstance(error.__cause__, pyvips.Error):
            raise _damaged(str(error.__cause__.message)) from error
        raise FileRefused(RefusedFor.COLOUR, f"It {error.reason}.") from error
    except MemoryError as error:
        raise FileRefused(
            RefusedFor.TOO_MUCH, "It takes more memory to open than any picture of ours may."
        ) from error


def _damaged(said: str) -> FileRefused:
    return FileRefused(
        RefusedFor.DAMAGED,
        f"It is damaged or cut short ({said[:200]}). Send it again, or export it anew.",
    )
