"""Triangle soup with parts: the one mesh that everything in the studio is traced as.

All objects share a single mesh, and a face's `Part` says what it is made of. So the tracer needs
no virtual calls: it reads the part of the face that was hit, and shades accordingly.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Part(IntEnum):
    """What a face belongs to; the class of a primary hit decides its layer."""

    GROUND = 0
    SHANK = 1
    HEAD = 2
    STONE = 3
    PAVE_STONE = 4


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A triangle mesh of one part.

    Attributes:
        points: Positions in millimetres, float[n, 3].
        normals: Unit shading normals at the points, outward, float[n, 3].
        faces: Point indices, counter-clockwise seen from outside, int[m, 3].
        part: What the faces belong to.
    """

    points: Floats
    normals: Floats
    faces: Ints
    part: Part

    def moved(self, rotation: Floats, offset_mm: Floats) -> "Piece":
        """Return the piece rotated about the origin by a 3×3 matrix, then shifted."""
        return Piece(
            points=self.points @ rotation.T + offset_mm,
            normals=self.normals @ rotation.T,
            faces=self.faces,
            part=self.part,
        )


def unit(vectors: Floats) -> Floats:
    """Return vectors scaled to length one along the last axis."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def grid_piece(points: Floats, *, close_rows: bool, part: Part, flip: bool = False) -> Piece:
    """Skin a grid of points, closed along its second axis, with smooth normals.

    Args:
        points: Positions, float[rows, columns, 3]; the columns wrap around.
        close_rows: Whether the last row meets the first.
        part: What the skin belongs to.
        flip: Turn the surface inside out.
    """
    rows, columns, _ = points.shape
    across = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    if close_rows:
        along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    else:
        along = np.gradient(points, axis=0)
    normals = unit(np.cross(across, along))
    i, j = np.meshgrid(
        np.arange(rows if close_rows else rows - 1), np.arange(columns), indexing="ij"
    )
    a = i * columns + j
    b = i * columns + (j + 1) % columns
    c = (i + 1) % rows * columns + (j + 1) % columns
    d = (i + 1) % rows * columns + j
    quads = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    if flip:
        normals, quads = -normals, quads[:, ::-1]
    return Piece(
        points=points.reshape(-1, 3), normals=normals.reshape(-1, 3), faces=quads, part=part
    )
