"""Placements → canvas: the order of operations, in one visible list.

The rule: what happens to a picture, and in which order, is `draw` and nothing else. Everything up
to the tone is exact integer arithmetic in linear light that saturates and never wraps.

The canvas is drawn a few rows at a time, through all layers and the tone, so that a strip stays in
the processor's cache; a pass over the whole picture for every operation costs three times as much.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from render_service.pixels.finish import Canvas as Canvas
from render_service.pixels.finish import finish
from render_service.pixels.raster import Pixels, Raster
from render_service.pixels.tone import tone_table
from render_service.planning.plan import ONE, Blend, Placement, RenderPlan

# 128 rows of 1024 pixels. Fewer pay for more calls, more fall out of the cache: strips of 16, 32,
# 64, 128, 256 and 1024 rows take 15.0, 12.5, 11.5, 10.8, 10.8 and 12.5 ms for the made-up ring of
# `benchmarks.pictures` (1 MiB of L2).
_STRIP_PIXELS: Final = 128 * 1024

_MOST: Final = 65535

# Up to one pixel in so many is partly covered where a layer hides what is below pixel by pixel.
_FEW: Final = 16

_PIXEL: Final = np.dtype("V6")
"""Three samples as one."""


def draw(plan: RenderPlan, tile: Callable[[Placement], Raster]) -> Canvas:
    """Return the picture of a plan before encoding.

    Args:
        plan: What to draw; already checked against the limits.
        tile: Returns a placement's layer, painted, on the output's grid.
    """
    layers = [(_BLENDS[p.blend], tile(p)) for p in plan.placements]
    width, height = plan.output.width_px, plan.output.height_px
    table = tone_table(plan.tone)
    canvas = np.empty((height, width, 4 if plan.alpha else 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    strip = _Strip.of(rows, width, plan.alpha)
    for top in range(0, height, rows):
        out = canvas[top : top + rows]
        strip.clear()
        for blend, layer in layers:
            _lay(strip, top, len(out), blend, layer)
        if plan.alpha:
            _straighten(strip)
        _tone(strip, table, out)
    return finish(canvas, plan.output)


class _Strip(Struct, kw_only=True, eq=False):
    """Some rows of the canvas while they are drawn.

    Attributes:
        light: [rows, width, 3], premultiplied; 16384 is 1.0.
        alpha: [rows, width], 0..16384; None on an opaque canvas, which is black where nothing lies.
        room: Scratch for as many 16-bit samples as `light`. Scratch is allocated once: an array
            of this size is a fresh mapping each time, and faulting it in costs more than using it.
        factor: Likewise.
        wide: Scratch for as many 32-bit samples.
        spare: Scratch for as many 16-bit samples as `alpha`.
        blank: Nothing was drawn since it was cleared.
    """

    light: Pixels
    alpha: Pixels | None
    room: Pixels
    factor: Pixels
    wide: NDArray[np.uint32]
    spare: Pixels
    blank: bool = True

    @classmethod
    def of(cls, rows: int, width: int, alpha: bool) -> "_Strip":
        """Return a strip of a canvas's width."""
        samples = rows * width * 3
        return cls(
            light=np.empty((rows, width, 3), np.uint16),
            alpha=np.empty((rows, width), np.uint16) if alpha else None,
            room=np.empty(samples, np.uint16),
            factor=np.empty(samples, np.uint16),
            wide=np.empty(samples, np.uint32),
            spare=np.empty(rows * width, np.uint16),
        )

    def clear(self) -> None:
        """Make it nothing again."""
        self.light.fill(0)
        if self.alpha is not None:
            self.alpha.fill(0)
        self.blank = True


class _Meeting(Struct, frozen=True, kw_only=True, eq=False):
    """Where a layer meets a strip; all arrays are of one height and width.

    Attributes:
        light: The strip's light, written to.
        alpha: The strip's coverage, written to; None on an opaque canvas.
        layer: The layer's light.
        cover: The layer's coverage.
        room: Scratch of the shape of `light`.
        factor: Likewise.
        wide: Likewise, in 32 bits.
        spare: Scratch of the shape of `cover`.
        blank: Nothing lies below.
    """

    light: Pixels
    alpha: Pixels | None
    layer: Pixels
    cover: Pixels
    room: Pixels
    factor: Pixels
    wide: NDArray[np.uint32]
    spare: Pixels
    blank: bool


def _lay(
    strip: _Strip, top: int, rows: int, blend: Callable[[_Meeting], None], layer: Raster
) -> None:
    """Blend the rows of a layer that fall on a strip; nothing is done for the others."""
    first = max(top, layer.top_px)
    last = min(top + rows, layer.top_px + layer.height_px)
    left = max(0, layer.left_px)
    right = min(strip.light.shape[1], layer.left_px + layer.width_px)
    if first >= last or left >= right:
        return
    here = (slice(first - top, last - top), slice(left, right))
    there = (
        slice(first - layer.top_px, last - layer.top_px),
        slice(left - layer.left_px, right - layer.left_px),
    )
    light, cover = strip.light[here], layer.alpha[there]
    blend(
        _Meeting(
            light=light,
            alpha=None if strip.alpha is None else strip.alpha[here],
            layer=layer.light[there],
            cover=cover,
            room=strip.room[: light.size].reshape(light.shape),
            factor=strip.factor[: light.size].reshape(light.shape),
            wide=strip.wide[: light.size].reshape(light.shape),
            spare=strip.spare[: cover.size].reshape(cover.shape),
            blank=strip.blank,
        )
    )
    strip.blank = False


def _over(at: _Meeting) -> None:
    """The layer, and what is below as far as the layer does not cover it."""
    if at.blank:
        at.light[...] = at.layer
    else:
        _hide(at)
        _saturating_add(at.light, at.layer, at.room)
    if at.alpha is not None:
        _cover(at.alpha, at.cover)


def _hide(at: _Meeting) -> None:
    """Leave of what is below as much as the layer does not cover.

    A surface covers all or nothing but for its edges. What it hides is blacked out in runs of
    pixels, which are one sample of six bytes for numpy, and only edges are multiplied. Glass
    and shadows are multiplied throughout, which takes three times as long.
    """
    # Nothing covered is 65535 here, and fails the comparison as what is covered wholly does.
    np.subtract(at.cover, 1, out=at.spare)
    edges = np.flatnonzero(at.spare < ONE - 1)
    if edges.size > at.cover.size // _FEW:
        _keep(at.cover, at.factor, at.spare)
        _scale(at.light, at.factor, at.wide)
        return
    rows, columns = np.divmod(edges, at.cover.shape[1])
    products = at.light[rows, columns].astype(np.uint32)
    products *= (ONE - at.cover[rows, columns])[:, np.newaxis]
    at.light[rows, columns] = _rounded(products)
    pixels = at.light.view(_PIXEL)[..., 0]
    np.copyto(pixels, np.zeros(pixels.shape[1], _PIXEL), where=at.cover == ONE)


def _add(at: _Meeting) -> None:
    """The light of both, and the coverage of both: parts of a picture put together again."""
    if at.blank:
        at.light[...] = at.layer
    else:
        _saturating_add(at.light, at.layer, at.room)
    if at.alpha is not None:
        # At most 2·16384, so it cannot wrap.
        np.add(at.alpha, at.cover, out=at.alpha)
        np.minimum(at.alpha, ONE, out=at.alpha)


def _multiply(at: _Meeting) -> None:
    """What is below, filtered by the layer where it covers; where nothing is below, the layer.

    The multiply of W3C Compositing and Blending Level 1, section 10.1.2, premultiplied:
    Cs·Cb + Cs·(1 - αb) + Cb·(1 - αs).
    """
    if at.alpha is not None:
        _keep(at.alpha, at.factor, at.spare)
        bare = np.multiply(at.layer, at.factor, dtype=np.uint32)
    _keep(at.cover, at.factor, at.spare)
    if int(at.layer.max()):  # a shadow has no light of its own
        _saturating_add(at.factor, at.layer, at.room)
    _scale(at.light, at.factor, at.wide)
    if at.alpha is not None:
        _saturating_add(at.light, _rounded(bare).astype(np.uint16), at.room)
        _cover(at.alpha, at.cover)


_BLENDS: Final[dict[Blend, Callable[[_Meeting], None]]] = {
    Blend.OVER: _over,
    Blend.ADD: _add,
    Blend.MULTIPLY: _multiply,
}


def _cover(alpha: Pixels, cover: Pixels) -> None:
    """Lay one coverage over another: αs + αb·(1 - αs)."""
    below = alpha.astype(np.uint32)
    below *= ONE - cover
    np.add(_rounded(below), cover, out=alpha, casting="unsafe")


def _keep(cover: Pixels, factor: Pixels, spare: Pixels) -> None:
    """Write 1 - coverage for all three bands; a broadcast would make loops of length three."""
    np.subtract(ONE, cover, out=spare)
    for band in range(3):
        factor[..., band] = spare


def _scale(light: Pixels, factor: Pixels, wide: NDArray[np.uint32]) -> None:
    """Multiply light by a factor in 1/16384, in place; saturates.

    65535² + 8192 is below 2^32, so 32 bits hold every product.
    """
    np.multiply(light, factor, out=wide, dtype=np.uint32)
    _rounded(wide)
    if int(factor.max()) > ONE:
        np.minimum(wide, _MOST, out=wide)
    light[...] = wide


def _rounded(products: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Divide by 16384 in place, rounding half up."""
    products += ONE // 2
    products >>= 14
    return products


def _saturating_add(light: Pixels, more: Pixels, room: Pixels) -> None:
    """Add in place; what would pass 65535 is 65535. A sample has room for its complement."""
    np.invert(light, out=room)
    np.minimum(room, more, out=room)
    np.add(light, room, out=light)


def _straighten(strip: _Strip) -> None:
    """Divide light by coverage, in linear light, so that tone meets the colour of the surface.

    Light without coverage (a glow over nothing) has no straight form and becomes nothing. Only
    what is partly covered is gathered and divided: edges and shadows.
    """
    alpha = strip.alpha
    if alpha is None or int(alpha.min()) == ONE:
        return
    covered = strip.factor.reshape(strip.light.shape)
    for band in range(3):
        np.minimum(alpha, 1, out=covered[..., band])
    strip.light *= covered
    pixels, flat = strip.light.reshape(-1, 3), alpha.ravel()
    partly = np.flatnonzero((flat > 0) & (flat < ONE))
    cover = flat[partly, np.newaxis].astype(np.float64)
    # Exact: the dividend is an integer below 2^31, and a quotient that is no integer is further
    # than 2^-15 from one.
    straight = np.floor((pixels[partly] * float(ONE) + np.floor(cover / 2)) / cover)
    pixels[partly] = np.minimum(straight, _MOST)


def _tone(strip: _Strip, table: NDArray[np.uint8], out: Canvas) -> None:
    """Write the display values of a strip."""
    rows = len(out)
    if strip.alpha is None:
        # `clip` writes straight into `out`; the default mode goes through a copy.
        np.take(table, strip.light[:rows], out=out, mode="clip")
        return
    shown = np.take(table, strip.light[:rows], mode="clip")
    for band in range(3):
        out[..., band] = shown[..., band]
    # 255·16384 + 8192 needs 22 bits.
    out[..., 3] = (strip.alpha[:rows].astype(np.uint32) * 255 + ONE // 2) // ONE
