"""The goldsmith's part: shank, prongs, rails, and the seats that pavé stones sit in.

Everything is in millimetres. The ring's axis is y and its centre the origin of this module; the
stone points to +z. Surfaces are swept grids with smooth normals; where parts join, they run into
one another as solder joints do, so nothing floats.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from compositions.studio.mesh import Floats, Part, Piece, grid_piece, unit

INNER_RADIUS_MM = 8.35  # ISO 8653 size 52.5 (US 6)
THICKNESS_MM = 1.75
OUTER_RADIUS_MM = INNER_RADIUS_MM + THICKNESS_MM
WIDTH_BOTTOM_MM = 2.10
WIDTH_TOP_MM = 1.90


@dataclass(frozen=True, kw_only=True)
class Pave:
    """A row of small stones along both shoulders.

    Attributes:
        start_deg: Angle from the top to the first stone's centre.
        step_deg: Angle between neighbours.
        count: Stones on each side.
        radius_mm: Girdle radius.
        sunk_mm: How far the girdle lies below the bare shank's outer surface.
    """

    start_deg: float = 22.5
    step_deg: float = 7.75
    count: int = 9
    radius_mm: float = 0.62
    sunk_mm: float = 0.12

    def angles(self) -> Floats:
        """Return the stones' angles from the top, in radians, both sides."""
        side = np.radians(self.start_deg + self.step_deg * np.arange(self.count))
        return np.concatenate([-side[::-1], side])

    def gaps(self) -> Floats:
        """Return the angles between stones, where beads stand, both sides."""
        side = np.radians(self.start_deg + self.step_deg * (np.arange(self.count + 1) - 0.5))
        return np.concatenate([-side[::-1], side])


def _profile(columns: int) -> Floats:
    """Return a comfort-fit section, evenly spaced: float[columns, 2] of (out, side) in ±1.

    A superellipse, a little flatter inside the ring (exponent 2.35) than outside (2.25), with its
    seam in the middle of the inside.
    """
    turn = np.linspace(-np.pi, np.pi, 8001)
    exponent = 2.3 - 0.05 * np.tanh(3.0 * np.cos(turn))
    out = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / exponent)
    side = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / exponent)
    length = np.append(0.0, np.cumsum(np.hypot(np.diff(out), np.diff(side))))
    even = np.linspace(0.0, length[-1], columns, endpoint=False)
    return np.stack([np.interp(even, length, out), np.interp(even, length, side)], axis=-1)


def _smoothstep(low: float, high: float, x: Floats) -> Floats:
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def shank(pave: Pave | None = None) -> Piece:
    """Return the band, with seats cut into its shoulders where pavé stones go."""
    rows, columns = (720, 128) if pave is None else (2600, 176)
    angle = np.linspace(-np.pi, np.pi, rows, endpoint=False)
    profile = _profile(columns)
    if pave is not None:
        angle = _denser(angle, pave)
    width = WIDTH_BOTTOM_MM + (WIDTH_TOP_MM - WIDTH_BOTTOM_MM) * (0.5 + 0.5 * np.cos(angle))
    side = profile[None, :, 1] * width[:, None] / 2
    radius = INNER_RADIUS_MM + THICKNESS_MM / 2 * (1.0 + profile[None, :, 0]) + 0.0 * side
    if pave is not None:
        outside = np.broadcast_to(profile[None, :, 0] > 0, radius.shape)
        cut = np.minimum(radius, _seat_floor(pave, angle[:, None], side))
        radius = np.where(outside, cut, radius)
    points = np.stack(
        [radius * np.sin(angle)[:, None], side, radius * np.cos(angle)[:, None]], axis=-1
    )
    return grid_piece(points, close_rows=True, part=Part.SHANK)


def _denser(angle: Floats, pave: Pave) -> Floats:
    """Return as many angles, five times denser where the seats are."""
    reach = np.radians(pave.start_deg + pave.step_deg * (pave.count + 0.5))
    begin = np.radians(pave.start_deg - pave.step_deg)
    near = (np.abs(angle) > begin) & (np.abs(angle) < reach)
    mass = np.cumsum(np.where(near, 5.0, 1.0))
    return np.interp(np.linspace(mass[0], mass[-1], len(angle)), mass, angle)


def _seat_floor(pave: Pave, angle: Floats, side: Floats) -> Floats:
    """Return the radius that the cutter leaves at each angle and side: a channel with seats.

    The channel is flat and as wide as the stones; each seat is a cone that clears the stone's
    pavilion by 0.05 mm and catches its girdle at the rim.
    """
    first, last = (
        np.radians(pave.start_deg),
        np.radians(pave.start_deg + pave.step_deg * (pave.count - 1)),
    )
    margin = pave.radius_mm * 1.18 / OUTER_RADIUS_MM
    along = _smoothstep(-0.035, 0.0, np.abs(angle) - first + margin)
    along = along * _smoothstep(-0.035, 0.0, last + margin - np.abs(angle))
    across = 1.0 - _smoothstep(pave.radius_mm + 0.02, pave.radius_mm + 0.10, np.abs(side))
    floor = OUTER_RADIUS_MM + 0.30 - (0.30 + pave.sunk_mm) * along * across
    nearest = pave.angles()[np.argmin(np.abs(angle - pave.angles()), axis=-1)][:, None]
    distance = np.hypot((angle - nearest) * OUTER_RADIUS_MM, side)
    rim = 0.955 * pave.radius_mm
    seat = 0.12 * _smoothstep(-0.05, 0.0, rim - distance) + np.maximum(rim - distance, 0.0) * 0.95
    return floor - seat


def pave_beads(pave: Pave) -> list[Piece]:
    """Return the beads that hold the small stones: a pair in every gap."""
    beads = []
    for angle in pave.gaps():
        for side_mm in (-0.40, 0.40):
            radius = OUTER_RADIUS_MM - pave.sunk_mm + 0.03
            centre = np.array([radius * np.sin(angle), side_mm, radius * np.cos(angle)])
            beads.append(sphere(centre, 0.20, Part.SHANK))
    return beads


def sphere(centre: Floats, radius_mm: float, part: Part) -> Piece:
    """Return a ball."""
    polar = np.linspace(0.004, np.pi - 0.004, 24)[:, None]
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[None, :]
    normals = np.stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn],
        axis=-1,
    )
    piece = grid_piece(normals * radius_mm, close_rows=False, part=part, flip=True)
    return Piece(
        points=normals.reshape(-1, 3) * radius_mm + centre,
        normals=normals.reshape(-1, 3),
        faces=piece.faces,
        part=part,
    )


def tube(path: Floats, radius_mm: Floats, part: Part, sides: int = 48) -> Piece:
    """Return a rod along a path lying in one vertical plane, its last end a hemisphere.

    Args:
        path: Centre line, float[n, 3].
        radius_mm: Radius at each point of the path.
        part: What it belongs to.
        sides: Points around.
    """
    direction = unit(path[-1] - path[-2])
    polar = np.linspace(0.05, np.pi / 2 - 0.002, 16)
    cap = path[-1] + np.outer(np.sin(polar) * radius_mm[-1], direction)
    path = np.concatenate([path, cap])
    radius_mm = np.concatenate([radius_mm, np.cos(polar) * radius_mm[-1]])
    tangent = unit(np.gradient(path, axis=0))
    outward = unit(path[-1] * [1.0, 1.0, 0.0] + [1e-9, 0.0, 0.0])
    level = unit(np.cross([0.0, 0.0, 1.0], outward))
    normal = unit(np.cross(np.broadcast_to(level, tangent.shape), tangent))
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    ring = np.cos(turn) * normal[:, None, :] + np.sin(turn) * level
    points = path[:, None, :] + ring * radius_mm[:, None, None]
    return grid_piece(points, close_rows=False, part=part, flip=True)


def rail(outline: Floats, height_mm: float, half_out_mm: float, half_up_mm: float) -> Piece:
    """Return a closed gallery wire of elliptical section that follows an outline.

    Args:
        outline: Centre line in the plane, float[n, 2], counter-clockwise.
        height_mm: Height of the centre line.
        half_out_mm: Half the section's width.
        half_up_mm: Half the section's height.
    """
    along = unit(np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0))
    outward = np.stack([along[:, 1], -along[:, 0]], axis=-1)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[None, :]
    flat = outline[:, None, :] + outward[:, None, :] * (np.cos(turn) * half_out_mm)[..., None]
    up = np.broadcast_to(height_mm + half_up_mm * np.sin(turn), flat.shape[:2])
    points = np.concatenate([flat, up[..., None]], axis=-1)
    return grid_piece(points, close_rows=True, part=Part.HEAD, flip=True)


@dataclass(frozen=True, kw_only=True)
class Claw:
    """Where a prong meets the stone, and how thick it is.

    Attributes:
        azimuth: Direction of the prong, radians.
        girdle_mm: Distance of the girdle in that direction.
        crown_slope: Rise of the crown per millimetre inwards there.
        reach_mm: How far the tip lies inside the girdle.
        radius_mm: Radius at the girdle.
    """

    azimuth: float
    girdle_mm: float
    crown_slope: float
    reach_mm: float = 0.62
    radius_mm: float = 0.37


def prong(claw: Claw, girdle_z_mm: float) -> Piece:
    """Return one prong: rooted in the shank, opening to the girdle, clawed over the crown."""
    r, g, rise = claw.radius_mm, claw.girdle_mm, claw.crown_slope
    foot_z = OUTER_RADIUS_MM - 0.45
    lean = np.arctan(rise)
    over = np.array([np.sin(lean), np.cos(lean)]) * 0.62 * r
    tip = np.array([g - claw.reach_mm, girdle_z_mm + rise * claw.reach_mm + 0.05]) + over
    stations = np.array(
        [
            [0.38, foot_z],
            [0.92, foot_z + 0.85],
            [0.70 * g + 0.10, girdle_z_mm - 1.45],
            [0.935 * g + 0.14, girdle_z_mm - 0.62],
            [g + 0.19, girdle_z_mm - 0.02],
            [g + 0.02, girdle_z_mm + 0.40 + 0.1 * rise],
            tip,
        ]
    )
    length = np.append(0.0, np.cumsum(np.hypot(*np.diff(stations, axis=0).T)))
    fine = np.linspace(0.0, length[-1], 90)
    line = CubicSpline(length, stations)(fine)
    thickness = PchipInterpolator(length, r * np.array([0.75, 0.95, 1.0, 1.0, 1.0, 1.0, 0.95]))
    outward = np.array([np.cos(claw.azimuth), np.sin(claw.azimuth)])
    path = np.column_stack([line[:, :1] * outward, line[:, 1]])
    return tube(path, thickness(fine), Part.HEAD)
