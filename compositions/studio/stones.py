"""Cut stones as the intersection of their facet planes: true facets, flat to the last bit.

Every facet is a half-space and the stone is what they all contain, as a cutter makes it. Stones
stand with the table up (+z) and the middle of the girdle at z = 0.

Proportions: round brilliant after the GIA "excellent" range (table 57 %, crown 34.5°, star 50 %,
lower halves 77 %, medium girdle); pavilion angles after M. Tolkowsky, Diamond Design, 1919, and
G. and M. Vargas, Faceting for Amateurs: below the critical angle a stone shows a window.
"""

import numpy as np
from scipy.spatial import HalfspaceIntersection

from compositions.studio.mesh import Floats, Part, Piece, unit

EMERALD_CORNER = 0.40  # what is cut off each side, of half the width
_TABLE = 0.57
_STAR_LENGTH = 0.50
_LOWER_HALF_LENGTH = 0.77
_GIRDLE_HALF = 0.018
_GIRDLE_SIDES = 96


# Refractive indices at 589 nm (B. W. Anderson, Gem Testing), by family: gems that share an index
# share a set of renders.
FAMILIES = {"diamond": 2.42, "corundum": 1.77, "beryl": 1.58, "quartz": 1.54}
# One cut for all families: band and ground are shared, so the outline must be. It lies between
# what suits diamond (40.75) and what suits quartz (43).
PAVILION_DEG = 41.5
DIAMOND_PAVILION_DEG = 40.75


def polyhedron(planes: Floats, part: Part, scale: Floats) -> Piece:
    """Return the solid inside all planes, each facet a flat fan of triangles.

    Args:
        planes: Rows (nx, ny, nz, -distance), outward unit normals; the origin is inside.
        part: What the facets belong to.
        scale: Stretch per axis, in millimetres per unit.
    """
    corners = HalfspaceIntersection(planes, np.zeros(3)).intersections
    corners = np.unique(np.round(corners, 6), axis=0)
    points, normals, faces, count = [], [], [], 0
    for plane in planes:
        on = corners[np.abs(corners @ plane[:3] + plane[3]) < 4e-6]
        if len(on) < 3:
            continue
        normal = unit(plane[:3] / scale)
        polygon = _wound(on * scale, normal)
        points.append(polygon)
        normals.append(np.broadcast_to(normal, polygon.shape))
        fan = np.arange(1, len(on) - 1)
        faces.append(np.stack([np.zeros_like(fan), fan, fan + 1], axis=-1) + count)
        count += len(on)
    return Piece(
        points=np.concatenate(points),
        normals=np.concatenate(normals),
        faces=np.concatenate(faces),
        part=part,
    )


def _wound(polygon: Floats, normal: Floats) -> Floats:
    """Return a convex polygon's corners in counter-clockwise order about its normal."""
    centre = polygon.mean(axis=0)
    right = unit(np.cross(normal, [0.3, 0.5, 0.81]))
    spokes = polygon - centre
    angle = np.arctan2(spokes @ np.cross(normal, right), spokes @ right)
    return polygon[np.argsort(angle)]


def _through(p: Floats, q: Floats, r: Floats) -> Floats:
    """Return the outward plane through three points."""
    normal = unit(np.cross(q - p, r - p))
    distance = float(normal @ p)
    sign = 1.0 if distance > 0 else -1.0
    return np.append(sign * normal, -sign * distance)


def _at(azimuth: float, radius: float, z: float) -> Floats:
    return np.array([radius * np.cos(azimuth), radius * np.sin(azimuth), z])


def brilliant_planes(pavilion_deg: float) -> Floats:
    """Return the 57 facets and the girdle of a round brilliant of radius one.

    The angles of mains are given; stars and halves follow from the points that they share with
    the mains, so every junction is a true meet point.
    """
    crown, pavilion, eighth = np.tan(np.radians(34.5)), np.tan(np.radians(pavilion_deg)), np.pi / 8
    table_edge = _TABLE * np.cos(eighth)
    star_radius = table_edge + _STAR_LENGTH * (1.0 - table_edge)
    lower_radius = 1.0 - _LOWER_HALF_LENGTH
    table_z = _GIRDLE_HALF + crown * (1.0 - _TABLE)
    star_z = _GIRDLE_HALF + crown * (1.0 - star_radius * np.cos(eighth))
    lower_z = -_GIRDLE_HALF - pavilion * (1.0 - lower_radius * np.cos(eighth))
    planes = [np.array([0.0, 0.0, 1.0, -table_z])]
    for k in range(8):
        main = k * 2 * eighth
        half = main + eighth
        star, lower = _at(half, star_radius, star_z), _at(half, lower_radius, lower_z)
        planes += [
            _main(main, crown, 1.0),
            _main(main, pavilion, -1.0),
            _through(star, _at(main, _TABLE, table_z), _at(main + 2 * eighth, _TABLE, table_z)),
        ]
        for side in (main, main + 2 * eighth):
            top, bottom = _GIRDLE_HALF, -_GIRDLE_HALF
            planes += [
                _through(star, _at(side, 1.0, top), _at(half, 1.0, top)),
                _through(lower, _at(side, 1.0, bottom), _at(half, 1.0, bottom)),
            ]
    for k in range(_GIRDLE_SIDES):
        azimuth = k * 2 * np.pi / _GIRDLE_SIDES
        planes.append(np.array([np.cos(azimuth), np.sin(azimuth), 0.0, -0.9995]))
    return np.array(planes)


def _main(azimuth: float, slope: float, side: float) -> Floats:
    """Return a main facet that meets the girdle at `azimuth`; side 1 is crown, -1 pavilion."""
    normal = unit(np.array([slope * np.cos(azimuth), slope * np.sin(azimuth), side]))
    return np.append(normal, -float(normal @ _at(azimuth, 1.0, side * _GIRDLE_HALF)))


def brilliant(radius_mm: float, pavilion_deg: float, part: Part = Part.STONE) -> Piece:
    """Return a round brilliant."""
    return polyhedron(brilliant_planes(pavilion_deg), part, np.full(3, radius_mm))


def oval(half_x_mm: float, half_y_mm: float, pavilion_deg: float) -> Piece:
    """Return an oval brilliant: the round one stretched, depth taken from the short axis.

    Stretching is the accepted construction of an oval; the depth keeps the pavilion angle of the
    short axis a little shallow and that of the long axis steep enough to return light.
    """
    short, long = sorted((half_x_mm, half_y_mm))
    depth = 0.80 * short + 0.20 * long
    return polyhedron(
        brilliant_planes(pavilion_deg), Part.STONE, np.array([half_x_mm, half_y_mm, depth])
    )


def emerald_cut(half_x_mm: float, half_y_mm: float, steepen_deg: float = 0.0) -> Piece:
    """Return an emerald cut: table, three steps each side of the girdle, cut corners.

    Step angles and the equal spacing of steps: J. Sinkankas, Gem Cutting, standard step cut.

    Args:
        half_x_mm: Half the outline along x.
        half_y_mm: Half the outline along y.
        steepen_deg: Added to the pavilion angles, for a lower refractive index.
    """
    short = min(half_x_mm, half_y_mm)
    corner = EMERALD_CORNER * short
    girdle = 0.02 * short
    crown = ((49.0, 0.12), (38.0, 0.13), (26.0, 0.13))
    pavilion = tuple((angle + steepen_deg, 1 / 3) for angle in (54.0, 46.0, 39.0))
    diagonal = (half_x_mm + half_y_mm - corner) / np.sqrt(2)
    sides = [(0.0, half_x_mm), (0.5, half_y_mm), (1.0, half_x_mm), (1.5, half_y_mm)]
    sides += [(quarter / 2 + 0.25, diagonal) for quarter in range(4)]
    planes = []
    for half_turns, distance in sides:
        azimuth = half_turns * np.pi
        # Corner steps are inset less, so that the corners run on towards the keel.
        inset = 1.0 if distance != diagonal else 0.80
        outward = np.array([np.cos(azimuth), np.sin(azimuth)])
        planes.append(np.array([*outward, 0.0, -distance]))
        for side, steps in ((1.0, crown), (-1.0, pavilion)):
            radius, height = distance, girdle
            for angle_deg, run in steps:
                rise = short * run * np.tan(np.radians(angle_deg))
                normal = unit(np.array([rise, short * run * inset]))
                planes.append(
                    np.array(
                        [*(outward * normal[0]), side * normal[1], -(normal @ [radius, height])]
                    )
                )
                radius, height = radius - short * run * inset, height + rise
            if side > 0 and half_turns == 0.0:
                table_z = height
    planes.append(np.array([0.0, 0.0, 1.0, -table_z]))
    return polyhedron(np.array(planes), Part.STONE, np.ones(3))
