"""What a IIIF request comes to on a picture of a certain size: pixels, bounds, canonical spelling.

The rule: what is announced is finite and everything here is bounded. A request that is announced is
for everybody; any other costs whoever asks for it a signature.
"""

import math
from enum import StrEnum
from fractions import Fraction
from typing import Final

from msgspec import Struct

from render_service.errors import MalformedPath
from render_service.formats import FACTS
from render_service.planning.iiif import (
    FULL,
    MAX,
    SQUARE,
    TINTS,
    ImageRequest,
    Quality,
    Region,
    Size,
)
from render_service.planning.plan import Window
from render_service.planning.request import LADDER_PX, PartRequest, height_for, offered_widths

TILE_PX_MAX: Final = 512
"""Longest side of a tile: a screen is 6 to 24 of them, and one takes some 10 to 40 kB. Smaller ones
spend more on requests, larger ones show later."""


class IiifPolicy(StrEnum):
    """Who may ask for what is not announced."""

    FINITE = "finite"
    OPEN = "open"


class Canvas(Struct, frozen=True, kw_only=True):
    """The full image of the API, and what may be made of it.

    Attributes:
        width_px: Of the view's canvas.
        height_px: Likewise.
        pixels_max: Most pixels of one picture of it.
    """

    width_px: int
    height_px: int
    pixels_max: int

    @property
    def whole(self) -> Window:
        """All of it."""
        return Window(left_px=0, top_px=0, width_px=self.width_px, height_px=self.height_px)

    @property
    def side_max_px(self) -> int:
        """Longest side of a picture: that of the canvas, or the end of the ladder."""
        return max(self.width_px, self.height_px, LADDER_PX[-1])

    @property
    def area_max_px(self) -> int:
        """Most pixels of a picture, of the canvas's own size or scaled up."""
        return min(max(self.width_px * self.height_px, LADDER_PX[-1] ** 2), self.pixels_max)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of every picture of the whole that is announced, rising."""
        widths = {*offered_widths(self.width_px), self.width_px}
        ladder = {(w, height_for(w, self.width_px, self.height_px)) for w in widths}
        levels = {_level_size(self, scale) for scale in self.scale_factors}
        return tuple(sorted(ladder | levels))

    @property
    def scale_factors(self) -> tuple[int, ...]:
        """1, 2, 4 … up to the one at which a single tile shows all."""
        factors = [1]
        while max(self.width_px, self.height_px) > TILE_PX_MAX * factors[-1]:
            factors.append(2 * factors[-1])
        return tuple(factors)

    @property
    def tile_px(self) -> int:
        """Side of a tile: the longer side halved until it fits, so that no row ends in a sliver."""
        return -(-max(self.width_px, self.height_px) // self.scale_factors[-1])


class Part(Struct, frozen=True, kw_only=True):
    """A request held against its canvas.

    Attributes:
        request: What is to be drawn.
        quality: By the API's name, in canonical form.
    """

    request: PartRequest
    quality: Quality


def resolve_part(asked: ImageRequest, canvas: Canvas) -> Part:
    """Return what `asked` comes to on `canvas`.

    Raises:
        MalformedPath: The region is off the canvas, or the size is none the canvas has.
    """
    window = _window(asked.region, canvas)
    width_px, height_px = _size(asked.size, window, canvas)
    side_max_px = FACTS[asked.format].largest_side_px
    if max(width_px, height_px) > side_max_px:
        raise _refused(width_px, height_px, f"a side of at most {side_max_px} as {asked.format}")
    default = asked.quality in (Quality.DEFAULT, Quality.COLOR)
    return Part(
        request=PartRequest(
            window=window,
            width_px=width_px,
            height_px=height_px,
            format=asked.format,
            tint=TINTS[asked.quality],
            mirrored=asked.mirrored,
            quarter_turns=asked.quarter_turns,
        ),
        quality=Quality.DEFAULT if default else asked.quality,
    )


def is_announced(part: Part, canvas: Canvas) -> bool:
    """Return whether `info.json` announces the picture: one of the sizes, or a tile."""
    asked = part.request
    if part.quality is not Quality.DEFAULT or asked.mirrored or asked.quarter_turns:
        return False
    size = (asked.width_px, asked.height_px)
    if asked.window == canvas.whole and size in canvas.sizes:
        return True
    return any(_is_tile(asked.window, size, scale, canvas) for scale in canvas.scale_factors)


def build_part_path(part: Part, canvas: Canvas, *, spell_size: bool = False) -> str:
    """Return region, size, rotation, quality and format in canonical form, joined by slashes.

    Args:
        part: What is asked for.
        canvas: Of what.
        spell_size: Spell the size as `w,h` also where the canonical form is `max`, as viewers do
            for their tiles.
    """
    asked = part.request
    window, size = asked.window, (asked.width_px, asked.height_px)
    box = f"{window.left_px},{window.top_px},{window.width_px},{window.height_px}"
    larger = size[0] > window.width_px or size[1] > window.height_px
    spelled = f"{'^' * larger}{size[0]},{size[1]}"
    if not spell_size:
        for caret in ("", "^"):
            if size == _largest(window, canvas, upscaled=bool(caret)):
                spelled = f"{caret}{MAX}"
                break
    mirror = "!" if asked.mirrored else ""
    return (
        f"{FULL if window == canvas.whole else box}/{spelled}/"
        f"{mirror}{90 * asked.quarter_turns}/{part.quality}.{asked.format}"
    )


def _level_size(canvas: Canvas, scale: int) -> tuple[int, int]:
    return -(-canvas.width_px // scale), -(-canvas.height_px // scale)


def _is_tile(window: Window, size: tuple[int, int], scale: int, canvas: Canvas) -> bool:
    """Whether viewers compute this tile: IIIF Image API 3.0, implementation notes, section 3."""
    pitch = canvas.tile_px * scale
    return (
        window.left_px % pitch == 0
        and window.top_px % pitch == 0
        and window.width_px == min(pitch, canvas.width_px - window.left_px)
        and window.height_px == min(pitch, canvas.height_px - window.top_px)
        and size == (-(-window.width_px // scale), -(-window.height_px // scale))
    )


def _window(region: Region, canvas: Canvas) -> Window:
    """The region in pixels, cut at the canvas's edge."""
    wide, high = canvas.width_px, canvas.height_px
    if region.kind == FULL:
        return canvas.whole
    if region.kind == SQUARE:
        side = min(wide, high)
        return Window(
            left_px=(wide - side) // 2, top_px=(high - side) // 2, width_px=side, height_px=side
        )
    x, y, w, h = region.numbers
    if region.kind == "pct":
        x, y, w, h = x * wide / 100, y * high / 100, w * wide / 100, h * high / 100
    left, top = _round(x), _round(y)
    right, bottom = min(left + _round(w), wide), min(top + _round(h), high)
    if left >= right or top >= bottom:
        given = ",".join(str(_round(number)) for number in (x, y, w, h))
        raise MalformedPath("region", given, f"a part of the {wide} by {high} px that there are")
    return Window(left_px=left, top_px=top, width_px=right - left, height_px=bottom - top)


def _size(size: Size, window: Window, canvas: Canvas) -> tuple[int, int]:
    """Width and height of the picture, within every bound."""
    if size.kind == MAX:
        return _largest(window, canvas, upscaled=size.upscaled)
    width, height = _scaled(size, window)
    if width < 1 or height < 1:
        raise _refused(width, height, "at least 1 by 1 px")
    if not size.upscaled and _exceeds(size, window, width, height):
        raise _refused(
            width,
            height,
            f"at most the region's {window.width_px} by {window.height_px} px, or ^ to scale up",
        )
    side, area = canvas.side_max_px, canvas.area_max_px
    if max(width, height) > side or width * height > area:
        raise _refused(width, height, f"sides of at most {side} px, {area} pixels in all")
    return width, height


def _scaled(size: Size, window: Window) -> tuple[int, int]:
    """What the words come to, whether or not it may be."""
    wide, high = window.width_px, window.height_px
    if size.kind == "pct":
        share = (size.width or Fraction(0)) / 100
        return _round(share * wide), _round(share * high)
    width, height = int(size.width or 0), int(size.height or 0)
    if not height:
        return width, height_for(width, wide, high)
    if not width:
        return height_for(height, high, wide), height
    if size.kind == "box":
        if width * high <= height * wide:
            return width, height_for(width, wide, high)
        return height_for(height, high, wide), height
    return width, height


def _exceeds(size: Size, window: Window, width: int, height: int) -> bool:
    """Whether the picture would have more pixels than the region, along either side.

    The validator of the API wants a box around the whole region refused without `^`, like any
    other size above it.
    """
    if size.kind == "pct" and size.width is not None and size.width > 100:
        return True
    return width > window.width_px or height > window.height_px


def _largest(window: Window, canvas: Canvas, *, upscaled: bool) -> tuple[int, int]:
    """The largest picture of the region in its proportions."""
    wide, high = window.width_px, window.height_px
    side, area = canvas.side_max_px, canvas.area_max_px
    # Along the longer side; the area bounds it by a square root, whole pixels below.
    longer = max(wide, high)
    most = min(side, math.isqrt(area * longer * longer // (wide * high)))
    if not upscaled:
        most = min(most, longer)
    return max(1, wide * most // longer), max(1, high * most // longer)


def _round(number: Fraction) -> int:
    """Half up."""
    return math.floor(number + Fraction(1, 2))


def _refused(width: int, height: int, expected: str) -> MalformedPath:
    return MalformedPath("size", f"{width},{height}", expected)
