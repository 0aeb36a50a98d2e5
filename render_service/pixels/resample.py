"""Raster → Raster at output scale, in integer arithmetic.

The rule: no weight is negative and the weights of a pixel sum to exactly 1. So a highlight twenty
times brighter than its surroundings draws no dark ring around itself, layers that partition a
picture still add up to it, and a trimmed tile gives the very pixels that its full canvas would.

The kernel is the cubic Hermite 1 - 3x² + 2x³ over one output pixel to either side: as sharp as
Mitchell, without its negative lobes; docs/decisions/0005-integer-pixels.md has the figures.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from render_service.pixels.raster import Pixels, Raster, trim
from render_service.planning.plan import ONE, Placement, RenderPlan, Window

Floats = NDArray[np.float64]

# Output pixels per block. A block is a dense matrix, so small ones waste less on zeros and large
# ones keep BLAS busy: 4, 8, 16, 32 and 64 take 39, 20, 12, 11 and 16 ms for a stone of 380 by 330
# px and twelve bands at 1600 → 800, and 12, 7, 6, 8 and 12 ms at 1600 → 320.
_BLOCK = 16


class Frame(Struct, frozen=True, kw_only=True):
    """What an output pixel covers: pixel i of w spans canvas [x + i·S/w, x + (i+1)·S/w).

    x and S are the window's left edge and width; without a window 0 and the canvas's width.

    Attributes:
        canvas_width_px: Width of the canvas, in layer pixels.
        canvas_height_px: Likewise.
        width_px: w, in output pixels.
        height_px: Likewise.
        window: The part of the canvas that is shown; None is all of it.
    """

    canvas_width_px: int
    canvas_height_px: int
    width_px: int
    height_px: int
    window: Window | None = None

    @property
    def shown(self) -> Window:
        """The part of the canvas that is shown."""
        return self.window or Window(
            left_px=0,
            top_px=0,
            width_px=self.canvas_width_px,
            height_px=self.canvas_height_px,
        )

    @property
    def is_unscaled(self) -> bool:
        """Whether an output pixel is a pixel of the canvas."""
        shown = self.shown
        return (shown.width_px, shown.height_px) == (self.width_px, self.height_px)


def frame_of(plan: RenderPlan) -> Frame:
    """Return the frame that a plan draws in."""
    return Frame(
        canvas_width_px=plan.canvas_width_px,
        canvas_height_px=plan.canvas_height_px,
        width_px=plan.output.width_px,
        height_px=plan.output.height_px,
        window=plan.window,
    )


def resample(raster: Raster, placement: Placement, frame: Frame) -> Raster:
    """Return what is shown of a layer, at output scale, trimmed, on the output's grid.

    What is off the canvas is cut before, so it never bleeds in; the weights of pixels at the
    canvas's edge are shared among those inside it. The work is that of the pixels shown: a window
    of a large layer costs what it would of a small one.

    Args:
        raster: As decoded, on the grid of the layer file.
        placement: Where the file lies on the canvas.
        frame: The canvas, the part of it that is shown, and the output's size.
    """
    shown = frame.shown
    raster = _on_canvas(raster, placement, frame)
    if not raster.alpha.size:
        return raster
    if frame.is_unscaled:
        return raster if frame.window is None else crop(raster, shown)
    rows = _Axis.of(
        frame.canvas_height_px,
        _Span(shown.top_px, shown.height_px, frame.height_px),
        raster.top_px,
        raster.height_px,
    )
    columns = _Axis.of(
        frame.canvas_width_px,
        _Span(shown.left_px, shown.width_px, frame.width_px),
        raster.left_px,
        raster.width_px,
    )
    if not rows.length or not columns.length:
        return Raster.empty(raster.bands)
    light = _scaled(raster.light, rows, columns)
    alpha = _scaled(raster.alpha[..., np.newaxis], rows, columns)[..., 0]
    return trim(light, alpha, columns.start, rows.start)


def crop(raster: Raster, window: Window) -> Raster:
    """Return what of `raster` lies in `window` of its grid, trimmed, on the window's own grid."""
    left, top = raster.left_px - window.left_px, raster.top_px - window.top_px
    columns = slice(max(0, -left), max(0, min(raster.width_px, window.width_px - left)))
    rows = slice(max(0, -top), max(0, min(raster.height_px, window.height_px - top)))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return Raster.empty(raster.bands)
    return trim(
        raster.light[rows, columns].copy(),
        raster.alpha[rows, columns].copy(),
        left + columns.start,
        top + rows.start,
    )


def _on_canvas(raster: Raster, placement: Placement, frame: Frame) -> Raster:
    """The raster on the canvas's grid, cut to the canvas."""
    left, top = raster.left_px + placement.left_px, raster.top_px + placement.top_px
    moved = replace(raster, left_px=left, top_px=top)
    right, bottom = left + raster.width_px, top + raster.height_px
    wide, high = frame.canvas_width_px, frame.canvas_height_px
    if left >= 0 and top >= 0 and right <= wide and bottom <= high:
        return moved
    return crop(moved, Window(left_px=0, top_px=0, width_px=wide, height_px=high))


class _Span(NamedTuple):
    """What is shown along one axis: canvas [start, start + length) in `output` pixels."""

    start: int
    length: int
    output: int


class _Block(Struct, frozen=True, kw_only=True, eq=False):
    """Some output pixels as a matrix over some source pixels.

    Attributes:
        outputs: Output pixels, counted from the first one of the axis's tile.
        sources: Source pixels, counted from the tile's first one.
        weights: [outputs, sources] integers, as float64 for BLAS.
    """

    outputs: slice
    sources: slice
    weights: Floats


class _Axis(Struct, frozen=True, kw_only=True, eq=False):
    """How a tile is scaled along one axis.

    Attributes:
        start: First output pixel that the tile reaches.
        length: Output pixels that the tile reaches.
        blocks: The matrix, in blocks along its diagonal.
    """

    start: int
    length: int
    blocks: tuple[_Block, ...]

    @classmethod
    def of(cls, canvas: int, span: _Span, offset: int, length: int) -> "_Axis":
        """Return the scaling of source pixels [offset, offset + length) of the canvas."""
        firsts, weights = _weights(canvas, span)
        taps = weights.shape[1]
        reached = np.flatnonzero((firsts + taps > offset) & (firsts < offset + length))
        if not len(reached):
            return cls(start=0, length=0, blocks=())
        start, stop = int(reached[0]), int(reached[-1]) + 1
        blocks = []
        for at in range(start, stop, _BLOCK):
            these = slice(at, min(at + _BLOCK, stop))
            low, high = int(firsts[at]), int(firsts[these.stop - 1]) + taps
            dense = np.zeros((these.stop - at, high - low))
            for row, first in enumerate(firsts[these]):
                dense[row, first - low : first - low + taps] = weights[at + row]
            inside = slice(max(low, offset), min(high, offset + length))
            blocks.append(
                _Block(
                    outputs=slice(at - start, these.stop - start),
                    sources=slice(inside.start - offset, inside.stop - offset),
                    weights=np.ascontiguousarray(dense[:, inside.start - low : inside.stop - low]),
                )
            )
        return cls(start=start, length=stop - start, blocks=tuple(blocks))


@lru_cache(maxsize=128)
def _weights(canvas: int, span: _Span) -> tuple[NDArray[np.int64], Floats]:
    """Return each output pixel's first source pixel and its weights in 1/16384, [output, taps].

    A weight outside the canvas is 0 and its first pixel may lie outside; each row sums to 16384.
    """
    step = span.length / span.output
    reach = max(1.0, step)
    centres = span.start + (np.arange(span.output) + 0.5) * step
    firsts = np.floor(centres - reach + 0.5).astype(np.int64)
    taps = int(np.ceil(2 * reach)) + 1
    sources = firsts[:, np.newaxis] + np.arange(taps)
    x = np.minimum(np.abs(sources + 0.5 - centres[:, np.newaxis]) / reach, 1.0)
    shares = np.where((sources >= 0) & (sources < canvas), 1 - 3 * x**2 + 2 * x**3, 0.0)
    shares *= ONE / shares.sum(axis=1, keepdims=True)
    weights = np.floor(shares + 0.5)
    # What rounding left over goes to the largest weight, where it is the smallest change.
    rows = np.arange(span.output)
    weights[rows, weights.argmax(axis=1)] += ONE - weights.sum(axis=1)
    weights.setflags(write=False)
    firsts.setflags(write=False)
    return firsts, weights


def _scaled(pixels: Pixels, rows: _Axis, columns: _Axis) -> Pixels:
    """Return [rows.length, columns.length, bands] of [height, width, bands], rounded half up once.

    Sums of integers below 2^53 are exact in float64 in any order: a sample is below 2^16 and each
    axis multiplies by at most 2^14, so both passes stay below 2^44.
    """
    width, bands = pixels.shape[1:]
    out = np.empty((rows.length, columns.length, bands), np.uint16)
    for block in rows.blocks:
        source = pixels[block.sources].reshape(-1, width * bands).astype(np.float64)
        height = len(block.weights)
        down = (block.weights @ source).reshape(height, width, bands)
        across = np.ascontiguousarray(down.transpose(1, 0, 2)).reshape(width, height * bands)
        for part in columns.blocks:
            exact = part.weights @ across[part.sources]
            exact += ONE * ONE / 2
            exact *= 1 / (ONE * ONE)
            # Casting cuts towards zero, which is down: nothing here is negative.
            scaled = exact.reshape(-1, height, bands).transpose(1, 0, 2)
            out[block.outputs, part.outputs] = scaled.astype(np.uint16)
    return out
