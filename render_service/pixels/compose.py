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

from render_service.pixels.blends import BLENDS, MOST, Meeting
from render_service.pixels.finish import Canvas as Canvas
from render_service.pixels.finish import finish
from render_service.pixels.raster import Pixels, Raster
from render_service.pixels.tone import tone_table
from render_service.planning.plan import ONE, Placement, RenderPlan

# 128 rows of 1024 pixels. Fewer pay for more calls, more fall out of the cache: strips of 16, 32,
# 64, 128, 256 and 1024 rows take 15.0, 12.5, 11.5, 10.8, 10.8 and 12.5 ms for the made-up ring of
# `benchmarks.pictures` (1 MiB of L2).
_STRIP_PIXELS: Final = 128 * 1024


def draw(plan: RenderPlan, tile: Callable[[Placement], Raster]) -> Canvas:
    """Return the picture of a plan before encoding.

    Args:
        plan: What to draw; already checked against the limits.
        tile: Returns a placement's layer, painted, on the output's grid.
    """
    layers = [(BLENDS[p.blend], tile(p)) for p in plan.placements]
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


def _lay(
    strip: _Strip, top: int, rows: int, blend: Callable[[Meeting], None], layer: Raster
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
        Meeting(
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
    pixels[partly] = np.minimum(straight, MOST)


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
