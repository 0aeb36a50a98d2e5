"""Raster: the part of a layer that is not nothing, and where it lies.

Light and coverage are premultiplied linear 16-bit integers in which 16384 is 1.0. A raster is
shared between threads and kept for reuse, so its arrays are read-only.
"""

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Pixels = NDArray[np.uint16]


class Raster(Struct, frozen=True, kw_only=True, eq=False):
    """A trimmed tile; its grid is that of the stage which made it.

    Decoding gives pixels of the layer file's own grid, resampling those of the output's, painting
    those of the output's with three bands of light.

    Attributes:
        light: [height, width, bands], C-contiguous, premultiplied, 0..65535 (16384 is 1.0). A
            layer's pages follow each other as bands.
        alpha: [height, width], C-contiguous, 0..16384. Coverage lies apart from light because a
            picture without transparency never reads it where layers are added.
        left_px: Column of the first pixel on the grid.
        top_px: Row of the first pixel on the grid.
    """

    light: Pixels
    alpha: Pixels
    left_px: int
    top_px: int

    @property
    def height_px(self) -> int:
        """Rows of the tile."""
        return int(self.light.shape[0])

    @property
    def width_px(self) -> int:
        """Columns of the tile."""
        return int(self.light.shape[1])

    @property
    def bands(self) -> int:
        """Bands of light, alpha apart."""
        return int(self.light.shape[2])

    @property
    def size_bytes(self) -> int:
        """What the tile occupies in memory."""
        return self.light.nbytes + self.alpha.nbytes

    @classmethod
    def empty(cls, bands: int) -> Self:
        """Return the raster of nothing at all."""
        return cls(
            light=_frozen(np.zeros((0, 0, bands), np.uint16)),
            alpha=_frozen(np.zeros((0, 0), np.uint16)),
            left_px=0,
            top_px=0,
        )


def trim(light: Pixels, alpha: Pixels, left_px: int, top_px: int) -> Raster:
    """Return the raster of the smallest box that holds every non-zero pixel.

    Args:
        light: [height, width, bands], C-contiguous; the raster's own from here on.
        alpha: [height, width], likewise.
        left_px: Column of the first pixel on the caller's grid.
        top_px: Row, likewise.
    """
    height, width, bands = light.shape
    rows = _span(light.max(axis=(1, 2), initial=0) | alpha.max(axis=1, initial=0))
    light, alpha = light[rows], alpha[rows]
    columns = _span(
        light.max(axis=0, initial=0).max(axis=1, initial=0) | alpha.max(axis=0, initial=0)
    )
    if columns.stop == 0:
        return Raster.empty(bands)
    light, alpha = light[:, columns], alpha[:, columns]
    if light.shape[:2] != (height, width):
        # A slice would keep the whole picture in memory, and `size_bytes` would not say so.
        light, alpha = light.copy(), alpha.copy()
    return Raster(
        light=_frozen(light),
        alpha=_frozen(alpha),
        left_px=left_px + columns.start,
        top_px=top_px + rows.start,
    )


def _span(most: Pixels) -> slice:
    """The slice from the first non-zero entry to the last; empty at 0 where there is none."""
    where = np.flatnonzero(most)
    return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 0)


def _frozen(pixels: Pixels) -> Pixels:
    """The same array, read-only."""
    pixels.setflags(write=False)
    return pixels
