"""One meeting of a path with the scene: what it met, where it goes on, and what it loses.

Both tracers, the one that makes layers and the one that makes truth, walk by these steps; how
they carry light along is their own.
"""

from dataclasses import dataclass

import drjit as dr
import mitsuba as mi

from compositions.studio import lights, surfaces
from compositions.studio.mesh import Part
from compositions.studio.scene import Stage

MAX_DEPTH = 16  # of 24, it keeps 99 % of a diamond's light and takes two thirds of the time
_PAVE_INDEX = 2.42
_FIRST_REFLECTED = 0.25  # share of samples that follow the shine of a facet that the eye sees
_open_ground: list[float] = []


@dataclass(kw_only=True)
class Encounter:
    """Where a path goes from a surface.

    Attributes:
        direction: The new direction.
        weight: What all materials lose alike.
        schlick: (1 - cos)^5 at metal.
        is_metal: Whether the surface is metal.
        is_centre: Whether it is the centre stone's.
        into_stone: Whether the path goes on inside a stone of any kind.
        diffuse: Whether it bounced off the ground's matt body.
    """

    direction: mi.Vector3f
    weight: mi.Float
    schlick: mi.Float
    is_metal: mi.Bool
    is_centre: mi.Bool
    into_stone: mi.Bool
    diffuse: mi.Bool

    def factor(self, f0: mi.Color3f) -> mi.Color3f:
        """Return what multiplies a path, were the metal's reflectance `f0`."""
        reflectance = f0 + (1.0 - f0) * self.schlick
        return dr.select(self.is_metal, reflectance, mi.Color3f(1.0)) * self.weight


def meet(
    stage: Stage, ray: mi.Ray3f, si: mi.SurfaceInteraction3f, part: mi.UInt32, numbers: mi.Point3f,
    depth: mi.UInt32,
) -> Encounter:  # fmt: skip
    """Return how paths go on from where they hit."""
    is_ground = part == Part.GROUND.value
    is_metal = (part == Part.SHANK.value) | (part == Part.HEAD.value)
    is_centre = part == Part.STONE.value
    pair = mi.Point2f(numbers.x, numbers.y)
    from_inside = dr.dot(ray.d, si.n) > 0.0
    facing = dr.select(from_inside, -si.n, si.n)
    metal = surfaces.meet_metal(ray.d, si.sh_frame.n, facing, pair)
    index = dr.select(is_centre, dr.opaque(mi.Float, stage.index), _PAVE_INDEX)
    reflected = dr.select(depth == 0, _FIRST_REFLECTED, mi.Float(0.0))
    stone = surfaces.meet_stone(ray.d, si.n, index, numbers.z, reflected)
    ground = surfaces.meet_ground(ray.d, pair)
    direction = dr.select(is_metal, metal.direction, stone.direction)
    weight = dr.select(is_metal, metal.weight, stone.weight)
    return Encounter(
        direction=dr.select(is_ground, ground.direction, direction),
        weight=dr.select(is_ground, ground.weight, weight),
        schlick=metal.schlick,
        is_metal=is_metal,
        is_centre=is_centre,
        into_stone=~is_metal & ~is_ground & (stone.transmitted ^ from_inside),
        diffuse=is_ground & ground.diffuse,
    )


def ground_glow(stage: Stage, p: mi.Point3f) -> mi.Float:
    """Return the radiance of a spot of the ground, as the ring sees it."""
    return open_ground() * surfaces.light_pool(p) * stage.ground_shade(p)


def open_ground() -> float:
    """Return the radiance of the ground where nothing shades it, its gloss left out."""
    if not _open_ground:
        _open_ground.append(lights.ground_irradiance_over_pi() * surfaces.GROUND_ALBEDO)
    return _open_ground[0]
