"""The tracer: one walk per sample, all twelve bands at once.

A path's throughput is kept as three metal factors (one per reflectance node) and the length that
it ran inside the centre stone, from which the four gem factors follow by Beer's law. So a single
trace gives the outer product of both bases, with identical noise in every band.

Each path is also told apart by what it met first and by whether it ever entered the centre stone.
Layers are a partition of the paths, so adding them up is exact: no hold-out can be wrong.
"""

from dataclasses import dataclass

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from compositions.studio import lights, surfaces
from compositions.studio.encounter import MAX_DEPTH, ground_glow, meet, open_ground
from compositions.studio.mesh import Part
from compositions.studio.sampling import Camera, Samples, eye_rays
from compositions.studio.scene import SHADE_HALF_MM, SHADE_SIDE, Stage

METAL_NODES = (0.30, 0.65, 1.00)
GEM_NODES = (0.03, 0.20, 0.55, 1.00)
REFERENCE_MM = 6.0  # the length over which a gem's transmittance is told

Pixels = NDArray[np.float32]


@dataclass(kw_only=True)
class Walk:
    """What a batch of paths came to, one entry per sample."""

    light: mi.Float
    metal: mi.Color3f
    inside_mm: mi.Float
    first: mi.UInt32
    entered: mi.Bool


@dataclass(kw_only=True)
class RingBands:
    """Sums over the samples of each pixel, as means: what the ring's two layers are made of.

    Attributes:
        band: Paths that met the shank first and never entered the centre stone, [n, 3 metals].
        band_cover: Share of samples that met the shank first, [n].
        stone: All other paths of the ring, [n, 4 gems, 3 metals].
        stone_cover: Share of samples that met stone or head first, [n].
        inside_mm: Mean length inside the centre stone, [n]; a statistic.
    """

    band: Pixels
    band_cover: Pixels
    stone: Pixels
    stone_cover: Pixels
    inside_mm: Pixels


def trace_ring(
    stage: Stage, camera: Camera, pixels: NDArray[np.uint32], samples_per_px: int, seed: int
) -> RingBands:
    """Trace pixels of the ring; samples that miss it count as nothing."""
    samples = Samples.of(pixels, samples_per_px, seed)
    walk = _walk(stage, eye_rays(camera, samples), samples, stop_at_ground=True, from_ground=False)
    on_shank = (walk.first == Part.SHANK.value) | (walk.first == Part.PAVE_STONE.value)
    on_stone = (walk.first == Part.HEAD.value) | (walk.first == Part.STONE.value)
    to_band = on_shank & ~walk.entered
    bands = [walk.light * walk.metal[k] for k in range(3)]
    absorbed = [dr.exp(walk.inside_mm * float(np.log(node) / REFERENCE_MM)) for node in GEM_NODES]
    columns = [dr.select(to_band, band, 0.0) for band in bands]
    columns += [dr.select(on_shank, 1.0, 0.0), dr.select(on_stone, 1.0, 0.0), walk.inside_mm]
    to_stone = (on_shank | on_stone) & ~to_band
    columns += [dr.select(to_stone, band * gem, 0.0) for gem in absorbed for band in bands]
    table = _pixel_means(columns, samples_per_px)
    return RingBands(
        band=table[:, :3],
        band_cover=table[:, 3],
        stone_cover=table[:, 4],
        inside_mm=table[:, 5],
        stone=table[:, 6:].reshape(-1, 4, 3),
    )


def trace_cover(
    stage: Stage, camera: Camera, pixels: NDArray[np.uint32], samples_per_px: int, seed: int
) -> Pixels:
    """Return the share of samples that meet the shank, and the head or stone, first, [n, 2]."""
    samples = Samples.of(pixels, samples_per_px, seed)
    si = stage.scene.ray_intersect(eye_rays(camera, samples), mi.RayFlags.Minimal, True)
    part = dr.gather(mi.UInt32, stage.part_of_face, si.prim_index, si.is_valid())
    on_shank = (part == Part.SHANK.value) | (part == Part.PAVE_STONE.value)
    on_stone = (part == Part.HEAD.value) | (part == Part.STONE.value)
    columns = [dr.select(on, mi.Float(1.0), 0.0) for on in (on_shank, on_stone)]
    return _pixel_means(columns, samples_per_px)


def trace_ground(
    stage: Stage, camera: Camera, pixels: NDArray[np.uint32], samples_per_px: int, seed: int
) -> Pixels:
    """Trace the ground as the eye would see it through the ring: radiance, [n, 3 metals].

    The centre stone counts as half clear here: its colour in the ground is not worth four pages.
    """
    samples = Samples.of(pixels, samples_per_px, seed)
    rays = eye_rays(camera, samples)
    rays.o = rays(-rays.o.z / rays.d.z * (1.0 - 1e-6))
    walk = _walk(stage, rays, samples, stop_at_ground=False, from_ground=False)
    light = walk.light * dr.exp(walk.inside_mm * float(np.log(GEM_NODES[2]) / REFERENCE_MM))
    return _pixel_means([light * walk.metal[k] for k in range(3)], samples_per_px)


def trace_ground_shade(stage: Stage, samples_per_px: int, seed: int) -> Pixels:
    """Return how much of the open sky's light each spot of the ground gets, [side, side].

    The ring sees the ground by this map, taken under a ring of middling reflectance: one look-up
    instead of a noisy bounce.
    """
    side = SHADE_SIDE
    spots = np.arange(side * side, dtype=np.uint32)
    means = []
    for lot in np.array_split(spots, max(1, spots.size * samples_per_px >> 22)):
        samples = Samples.of(lot, samples_per_px, seed)
        row = samples.pixel // side
        step = 2 * SHADE_HALF_MM / side
        x = (mi.Float(samples.pixel - row * side) + 0.5) * step - SHADE_HALF_MM
        y = (mi.Float(row) + 0.5) * step - SHADE_HALF_MM
        numbers = samples.draw(mi.UInt32(0))
        up = mi.warp.square_to_cosine_hemisphere(mi.Point2f(numbers.x, numbers.y))
        walk = _walk(
            stage, mi.Ray3f(mi.Point3f(x, y, 1e-3), up), samples, stop_at_ground=False,
            from_ground=True,
        )  # fmt: skip
        means.append(_pixel_means([walk.light * walk.metal[1]], samples_per_px))
    open_light = open_ground() / surfaces.GROUND_ALBEDO
    return np.concatenate(means).reshape(side, side) / open_light


def _pixel_means(columns: list[mi.Float], samples_per_px: int) -> Pixels:
    """Return the mean of each column over the samples of each pixel, [n, columns]."""
    # All columns at once: whatever is left unevaluated would walk the paths again.
    dr.eval(*columns)
    means = [dr.block_sum(column, samples_per_px) / samples_per_px for column in columns]
    dr.eval(*means)
    return np.stack([column.numpy() for column in means], axis=-1)


@dr.syntax
def _walk(
    stage: Stage,
    ray: mi.Ray3f,
    samples: Samples,
    *,
    stop_at_ground: bool,
    from_ground: bool,
) -> Walk:
    """Follow every path to the light that it ends in."""
    f0 = mi.Color3f(*METAL_NODES)
    light, inside_mm, metal = mi.Float(0.0), mi.Float(0.0), mi.Color3f(1.0)
    first, depth = mi.UInt32(99), mi.UInt32(0)
    alive, inside, entered = mi.Bool(True), mi.Bool(False), mi.Bool(False)
    sees_pins, dull = mi.Bool(False), mi.Bool(from_ground)
    while dr.hint(alive, exclude=[stage, samples]):
        si = stage.scene.ray_intersect(ray, mi.RayFlags.ShadingFrame, False, alive)
        missed = alive & ~si.is_valid()
        light = dr.select(missed, lights.radiance(ray.d, sees_pins & ~dull), light)
        alive &= si.is_valid()
        part = dr.gather(mi.UInt32, stage.part_of_face, si.prim_index, alive)
        first = dr.select((depth == 0) & alive, part, first)
        inside_mm = dr.select(alive & inside, inside_mm + si.t, inside_mm)

        at_ground = alive & (part == Part.GROUND.value)
        settled = at_ground & (depth > 0)
        light = dr.select(settled, ground_glow(stage, si.p), light)
        if stop_at_ground:
            alive &= ~at_ground
        else:
            alive &= ~settled

        met = meet(stage, ray, si, part, samples.draw(depth + 1), depth)
        metal = dr.select(alive, metal * met.factor(f0), metal)
        dull |= alive & met.diffuse
        sees_pins |= alive & met.into_stone
        inside = dr.select(alive & met.is_centre, met.into_stone, inside)
        entered |= inside
        ray = si.spawn_ray(met.direction)
        depth += 1
        alive &= (depth < MAX_DEPTH) & (dr.max(metal) > 1e-4)
    return Walk(light=light, metal=metal, inside_mm=inside_mm, first=first, entered=entered)
