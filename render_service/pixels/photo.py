"""A photograph as it was taken → the picture that is shown: upright, sRGB, and nothing beside it.

The rule: what is made here once, lossless, is a layer file like any other, so everything that is
drawn from it takes the route of every picture; nothing about a photograph is known further down.
"""

import math
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from render_service.pixels.files import open_file
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.tone import linear_to_srgb, srgb_to_linear
from render_service.pixels.vips import pyvips

MODELS: Final = {"srgb": 3, "rgb16": 3, "b-w": 1, "grey16": 1, "cmyk": 4}
"""Colour models of a photograph, as libvips calls them → their bands without alpha."""

THUMB_PX: Final = 64
"""Longest side of what focus and colour are found on: libvips scales to 32 for attention itself."""

_COMPRESSION: Final = 6
"""zlib's default: of the masters tried, 9 takes three times as long for 1 % less."""

_NOTHING: Final = 0


class Master(Struct, frozen=True, kw_only=True):
    """A photograph made ready.

    Attributes:
        data: A PNG, 8 bits a channel, sRGB, upright, without metadata.
        width_px: Its width.
        height_px: Its height.
        alpha: Whether it is transparent anywhere.
        thumb: [height][width] of R, G, B, on white where it is transparent.
        colour: Its dominant colour, as `#rrggbb`.
        focus: Shares of width and height at which most of it happens.
    """

    data: bytes
    width_px: int
    height_px: int
    alpha: bool
    thumb: list[list[list[int]]]
    colour: str
    focus: tuple[float, float]


def read_photo(data: bytes, limits: DecodeLimits) -> pyvips.Image:
    """Return a photograph as 8-bit sRGB, or sRGB with alpha, upright; pixels are not decoded yet.

    Raises:
        AssetTooLarge: It is over a limit.
        AssetUndecodable: It is no picture.
        pyvips.Error: It is damaged.
    """
    image = open_file(data, limits, "the photograph")
    bands = MODELS[str(image.interpretation)]
    colour = image.extract_band(0, n=bands)
    if image.get_typeof("icc-profile-data"):
        # Relative, with black mapped to black: what print and wide gamuts hold beyond sRGB is cut
        # to it, and no hue inside of it moves.
        colour = colour.icc_transform(
            "srgb", embedded=True, intent="relative", black_point_compensation=True, depth=8
        )
    elif image.interpretation == "cmyk":
        colour = colour.icc_transform("srgb", input_profile="cmyk", intent="relative", depth=8)
    else:
        colour = _eight_bits(colour)
        if bands == 1:
            colour = colour.colourspace("srgb")
    shown = colour.copy(interpretation="srgb")
    if image.bands > bands:
        shown = shown.bandjoin(_eight_bits(image.extract_band(bands)))
    return shown.copy(interpretation="srgb").autorot()


def make_master(data: bytes, limits: DecodeLimits, *, width_max_px: int, pixels_max: int) -> Master:
    """Return a photograph made ready, scaled down where it is larger than any picture of it.

    Args:
        data: A file that passed its check.
        limits: As in its check.
        width_max_px: The widest picture on offer.
        pixels_max: Of the largest canvas.

    Raises:
        AssetTooLarge, AssetUndecodable, pyvips.Error: As `read_photo`.
    """
    image = read_photo(data, limits).copy_memory()
    if image.bands == 4 and image.extract_band(3).min() == 255:
        image = image.extract_band(0, n=3)
    scale = min(
        1.0,
        width_max_px / image.width,
        math.sqrt(pixels_max / (image.width * image.height)),
    )
    if scale < 1:
        # A millionth of a pixel: the widest rung is met exactly, and no limit is passed.
        wide, high = (math.floor(side * scale + 1e-6) for side in (image.width, image.height))
        image = _scaled(image, wide, high)
    thumb = _thumb(image)
    return Master(
        data=image.pngsave_buffer(compression=_COMPRESSION, keep=_NOTHING),
        width_px=image.width,
        height_px=image.height,
        alpha=image.bands == 4,
        thumb=_array(thumb).tolist(),
        colour=_dominant(_array(thumb)),
        focus=_attention(thumb),
    )


def _eight_bits(image: pyvips.Image) -> pyvips.Image:
    if image.format == "ushort":
        # 65535 is 257 × 255: rounded, not cut.
        return (image / 257).rint().cast("uchar")
    return image


def _scaled(image: pyvips.Image, width_px: int, height_px: int) -> pyvips.Image:
    """Scale in linear light, associated with alpha: as pictures are scaled (pixels/resample.py)."""
    light = image.extract_band(0, n=3).maplut(_linear_table())
    if image.bands == 4:
        cover = image.extract_band(3)
        light = (light * cover / 255).bandjoin(cover * 257).cast("ushort")
    light = light.resize(width_px / image.width, vscale=height_px / image.height, kernel="lanczos3")
    if image.bands < 4:
        return light.maplut(_display_table()).copy(interpretation="srgb")
    cover = light.extract_band(3)
    # Nothing has no colour; 1 in its place divides it into nothing again.
    straight = light.extract_band(0, n=3) * 65535 / (cover > 0).ifthenelse(cover, 1)
    shown = straight.cast("ushort").maplut(_display_table())
    return shown.bandjoin((cover / 257).rint().cast("uchar")).copy(interpretation="srgb")


def _thumb(image: pyvips.Image) -> pyvips.Image:
    scale = THUMB_PX / max(image.width, image.height)
    wide, high = (max(1, round(side * scale)) for side in (image.width, image.height))
    small = _scaled(image, wide, high) if scale < 1 else image
    return small.flatten(background=[255, 255, 255]) if small.bands == 4 else small


def _dominant(thumb: NDArray[np.uint8]) -> str:
    """The mean of the fullest of 512 cells of colour: 3 bits each of R, G and B."""
    pixels = thumb.reshape(-1, 3)
    cells = (pixels >> 5).astype(np.int64) @ np.array([64, 8, 1])
    fullest = pixels[cells == np.bincount(cells).argmax()]
    red, green, blue = np.rint(fullest.mean(axis=0)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _attention(thumb: pyvips.Image) -> tuple[float, float]:
    """The point that libvips finds most worth looking at: edges, saturation, skin."""
    side = min(thumb.width, thumb.height)
    # With what is asked for beside the picture, pyvips returns both; its stubs know only one.
    both: Any = thumb.smartcrop(
        side, side, interesting="attention", attention_x=True, attention_y=True
    )
    _, found = both
    across = (found["attention_x"] + 0.5) / thumb.width
    down = (found["attention_y"] + 0.5) / thumb.height
    return round(min(across, 1.0), 3), round(min(down, 1.0), 3)


def _array(image: pyvips.Image) -> NDArray[np.uint8]:
    memory = np.frombuffer(image.write_to_memory(), np.uint8)
    return memory.reshape(image.height, image.width, image.bands)


def _linear_table() -> pyvips.Image:
    """8-bit display values → linear light in 1/65535."""
    light = np.rint(65535 * srgb_to_linear(np.arange(256) / 255)).astype(np.uint16)
    return pyvips.Image.new_from_memory(light.tobytes(), 256, 1, 1, "ushort")


def _display_table() -> pyvips.Image:
    """Linear light in 1/65535 → 8-bit display values."""
    shown = np.rint(255 * linear_to_srgb(np.arange(65536) / 65535)).astype(np.uint8)
    return pyvips.Image.new_from_memory(shown.tobytes(), 65536, 1, 1, "uchar")
