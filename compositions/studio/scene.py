"""A ring on the ground, ready to trace: shapes, heads and bands put together.

World frame: millimetres, z up, the ground at z = 0, the ring's axis along y. The centre stone of
every shape sits over the top of the shank with its long axis along the finger.
"""

from dataclasses import dataclass

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from compositions.studio import metalwork, stones
from compositions.studio.mesh import Floats, Part, Piece
from compositions.studio.metalwork import Claw, Pave

SHAPES = ("round", "oval", "emerald-cut")
BANDS = ("plain", "pave")
GIRDLE_Z_MM = metalwork.OUTER_RADIUS_MM + 3.15
CENTRE_Z_MM = metalwork.OUTER_RADIUS_MM
SHADE_HALF_MM = 45.0  # the ground's shade map reaches this far from the ring
SHADE_SIDE = 256
_GROUND_HALF_MM = 4000.0
_ROUND_MM = 3.25
_OVAL_MM = (2.95, 3.95)
_EMERALD_MM = (2.75, 3.75)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A scene that can be traced.

    Attributes:
        scene: The Mitsuba scene; it holds one mesh and no emitter.
        part_of_face: `Part` per face.
        index: Refractive index of the centre stone.
        shade: Light on the ground around the ring, over that on open ground.
    """

    scene: mi.Scene
    part_of_face: mi.UInt32
    index: float
    shade: mi.Texture2f | None

    def ground_shade(self, p: mi.Point3f) -> mi.Float:
        """Return how much light spots of the ground get, 1 = under the open sky."""
        if self.shade is None:
            return mi.Float(1.0)
        place = mi.Point2f(p.x, p.y) / (2.0 * SHADE_HALF_MM) + 0.5
        return self.shade.eval(place)[0]


def build_stage(
    shape: str,
    band: str,
    family: str,
    *,
    shade: NDArray[np.float32] | None = None,
    ring: bool = True,
) -> Stage:
    """Return the ring of a shape and band with a stone of a family; or the bare ground.

    Args:
        shape: Cut of the centre stone.
        band: `plain` or `pave`.
        family: Whose refractive index the centre stone has.
        shade: Light on the ground over open ground, [side, side]; None = open everywhere.
        ring: False leaves only the ground.
    """
    pieces = ring_pieces(shape, band) if ring else []
    pieces.append(_ground())
    counts = np.cumsum([0] + [len(piece.points) for piece in pieces[:-1]])
    mesh = mi.Mesh(
        "ring",
        vertex_count=sum(len(piece.points) for piece in pieces),
        face_count=sum(len(piece.faces) for piece in pieces),
        has_vertex_normals=True,
    )
    values = mi.traverse(mesh)
    values["vertex_positions"] = _flat([piece.points for piece in pieces])
    values["vertex_normals"] = _flat([piece.normals for piece in pieces])
    faces = np.concatenate([p.faces + n for p, n in zip(pieces, counts, strict=True)])
    values["faces"] = mi.UInt32(faces.astype(np.uint32).ravel())
    values.update()
    part = np.concatenate([np.full(len(piece.faces), int(piece.part)) for piece in pieces])
    return Stage(
        scene=mi.load_dict({"type": "scene", "mesh": mesh}),
        part_of_face=mi.UInt32(part.astype(np.uint32)),
        index=stones.FAMILIES[family],
        shade=None if shade is None else mi.Texture2f(mi.TensorXf(shade[..., None])),
    )


def ring_pieces(shape: str, band: str) -> list[Piece]:
    """Return all meshes of a ring, in world coordinates."""
    pave = Pave() if band == "pave" else None
    pieces = [metalwork.shank(pave), *_head(shape)]
    pieces.append(_stone(shape).moved(np.eye(3), np.array([0.0, 0.0, GIRDLE_Z_MM])))
    if pave is not None:
        pieces += metalwork.pave_beads(pave)
        pieces += [_pave_stone(pave, float(angle)) for angle in pave.angles()]
    return [piece.moved(np.eye(3), np.array([0.0, 0.0, CENTRE_Z_MM])) for piece in pieces]


def _flat(arrays: list[Floats]) -> mi.Float:
    return mi.Float(np.concatenate(arrays).astype(np.float32).ravel())


def _ground() -> Piece:
    reach = _GROUND_HALF_MM
    points = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float) * reach
    normals = np.broadcast_to([0.0, 0.0, 1.0], points.shape)
    return Piece(
        points=points, normals=normals, faces=np.array([[0, 1, 2], [0, 2, 3]]), part=Part.GROUND
    )


def _pave_stone(pave: Pave, angle: float) -> Piece:
    stone = stones.brilliant(pave.radius_mm, stones.DIAMOND_PAVILION_DEG, Part.PAVE_STONE)
    up = np.array([np.sin(angle), 0.0, np.cos(angle)])
    right = np.array([np.cos(angle), 0.0, -np.sin(angle)])
    turn = np.stack([right, [0.0, 1.0, 0.0], up], axis=-1)
    return stone.moved(turn, up * (metalwork.OUTER_RADIUS_MM - pave.sunk_mm - 0.02))


def _stone(shape: str) -> Piece:
    pavilion = stones.PAVILION_DEG
    if shape == "round":
        return stones.brilliant(_ROUND_MM, pavilion)
    if shape == "oval":
        return stones.oval(*_OVAL_MM, pavilion)
    return stones.emerald_cut(*_EMERALD_MM, steepen_deg=0.75)


def _head(shape: str) -> list[Piece]:
    """Return prongs, gallery rail and base collar of a shape."""
    turn = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    if shape == "round":
        claws = [
            Claw(azimuth=np.pi / 6 + k * np.pi / 3, girdle_mm=_ROUND_MM, crown_slope=0.66)
            for k in range(6)
        ]
        gallery = circle * 2.62
    elif shape == "oval":
        claws = [_oval_claw(sx, sy) for sx in (1, -1) for sy in (1, -1)]
        gallery = circle * (np.array(_OVAL_MM) - 0.62)
    else:
        claws = [_corner_claw(sx, sy) for sx in (1, -1) for sy in (1, -1)]
        squircle = np.sign(circle) * np.abs(circle) ** 0.40
        gallery = _even(squircle * (np.array(_EMERALD_MM) - 0.42))
    pieces = [metalwork.prong(claw, GIRDLE_Z_MM) for claw in claws]
    pieces.append(metalwork.rail(gallery, GIRDLE_Z_MM - 1.18, 0.24, 0.30))
    collar = _even(circle * [1.10, 1.06])
    pieces.append(metalwork.rail(collar, metalwork.OUTER_RADIUS_MM + 0.22, 0.30, 0.40))
    return pieces


def _oval_claw(side_x: int, side_y: int) -> Claw:
    turn = np.radians(47.0)
    at = np.array([_OVAL_MM[0] * np.cos(turn) * side_x, _OVAL_MM[1] * np.sin(turn) * side_y])
    reach = float(np.hypot(*at))
    return Claw(
        azimuth=float(np.arctan2(at[1], at[0])), girdle_mm=reach, crown_slope=0.66, radius_mm=0.40
    )


def _corner_claw(side_x: int, side_y: int) -> Claw:
    cut = stones.EMERALD_CORNER * _EMERALD_MM[0] / 2
    at = np.array([(_EMERALD_MM[0] - cut) * side_x, (_EMERALD_MM[1] - cut) * side_y])
    return Claw(
        azimuth=float(np.arctan2(at[1], at[0])),
        girdle_mm=float(np.hypot(*at)),
        crown_slope=0.80,
        reach_mm=0.50,
        radius_mm=0.40,
    )


def _even(outline: Floats) -> Floats:
    """Return a closed outline resampled at equal steps."""
    closed = np.concatenate([outline, outline[:1]])
    length = np.append(0.0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T)))
    steps = np.linspace(0, length[-1], len(outline), endpoint=False)
    return np.stack([np.interp(steps, length, closed[:, k]) for k in (0, 1)], axis=-1)
