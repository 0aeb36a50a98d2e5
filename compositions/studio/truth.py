"""Ground truth: a plain path tracer in real metals and gems, to hold the painted layers against.

It shares the scene, the surfaces and the random numbers with the studio's tracer, and nothing
else: its throughput is ordinary RGB, a metal multiplies by its own reflectance, a gem absorbs by
its own coefficient segment by segment, and no path is told apart from another. No layer is read.

Ring and ground take different numbers of samples. A path that starts on the ground is traced with
16 times as many, for the ground is a grainy diffuser and its layer is smooth.
"""

from dataclasses import asdict, dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from compositions.studio import lights, paint, work
from compositions.studio.backdrop import sweep
from compositions.studio.encounter import MAX_DEPTH, ground_glow, meet
from compositions.studio.layers import Picture, bare_ground
from compositions.studio.mesh import Floats, Part
from compositions.studio.paint import Choice
from compositions.studio.sampling import Samples, eye_rays
from compositions.studio.scene import Stage, build_stage
from compositions.studio.tracer import REFERENCE_MM
from compositions.studio.views import VIEWS
from compositions.studio.work import Quality

_GROUND_SAMPLES = 16


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of the canvas, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def pixels(self, canvas_px: int) -> NDArray[np.uint32]:
        """Return the indices of its pixels on the canvas."""
        y, x = np.mgrid[self.top : self.top + self.height, self.left : self.left + self.width]
        return (y * canvas_px + x).astype(np.uint32).ravel()

    def of(self, canvas: Picture) -> Picture:
        """Return this part of a whole canvas."""
        return canvas[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Subject:
    """A configuration, a part of a view, and what its error is measured on.

    Attributes:
        view: Whose canvas.
        kind: `metal` and `gem` count only pixels inside metal or stone, `undivided` all.
        crop: Which part.
        choice: Which configuration.
    """

    view: str
    kind: str
    crop: Crop
    choice: Choice

    def title(self) -> str:
        """Return a short name that tells subjects apart."""
        words = [self.view, self.kind, *asdict(self.choice).values(), str(self.crop.left)]
        return " ".join(words)

    def entry(self) -> dict[str, object]:
        """Return how `truth.json` lists it."""
        name = self.title().replace(" ", "-")
        listed: dict[str, object] = {
            "file": f"{name}.png",
            "view": self.view,
            "selection": asdict(self.choice),
            "left_px": self.crop.left,
            "top_px": self.crop.top,
            "width_px": self.crop.width,
            "height_px": self.crop.height,
            "kind": self.kind,
        }
        return listed if self.kind == "undivided" else {**listed, "mask": f"{name}-mask.png"}

    @classmethod
    def of(cls, entry: dict[str, Any]) -> "Subject":
        """Return what an entry of `truth.json` lists."""
        sides = (entry[f"{side}_px"] for side in ("left", "top", "width", "height"))
        crop = Crop(**dict(zip(("left", "top", "width", "height"), sides, strict=True)))
        return cls(entry["view"], entry["kind"], crop, Choice(**entry["selection"]))


@dataclass(frozen=True, kw_only=True)
class Material:
    """A metal's F0 and a gem's absorption per millimetre, linear sRGB."""

    f0: Floats
    sigma: Floats


@dataclass(kw_only=True)
class Direct:
    """A direct render of a crop.

    Attributes:
        light: Scene light, linear sRGB, [height, width, 3].
        ring: Share of samples that met the ring first, [height, width].
        stone: Share that met the centre stone first, [height, width].
    """

    light: Picture
    ring: Picture
    stone: Picture


def render(subject: Subject, shade: Picture, quality: Quality) -> Direct:
    """Return a direct render: undivided, on the grey sweep, in real colours."""
    view, choice, crop = subject.view, subject.choice, subject.crop
    canvas_px = VIEWS[view].canvas_px
    stage = build_stage(choice.shape, choice.band, paint.gem_family(choice.gem), shade=shade)
    material = Material(
        f0=paint.metal_value(choice.metal),
        sigma=-np.log(paint.gem_value(choice.gem)) / REFERENCE_MM,
    )
    samples = (quality.stone if subject.kind == "gem" else quality.band)[view]
    pixels = crop.pixels(canvas_px)
    ring = _means(stage, view, pixels, material, (samples, quality.seed), ground=False)
    light, ring_share, stone_share = ring[:, :3], ring[:, 3], ring[:, 4]
    bare = ring_share < 1.0
    if subject.kind == "undivided" and bare.any():
        many = quality.band[view] * _GROUND_SAMPLES
        rest = _means(stage, view, pixels[bare], material, (many, quality.seed + 1), ground=True)
        seen = rest[:, :3] / np.maximum(1.0 - rest[:, 3:4], 1.0 / many)
        grading = (sweep(canvas_px) / bare_ground(view, canvas_px)).ravel()[pixels[bare]]
        light[bare] += (1.0 - ring_share[bare])[:, None] * grading[:, None] * seen
    size = (crop.height, crop.width)
    return Direct(
        light=light.reshape(*size, 3),
        ring=ring_share.reshape(size),
        stone=stone_share.reshape(size),
    )


def _means(
    stage: Stage,
    view: str,
    pixels: NDArray[np.uint32],
    material: Material,
    count_and_seed: tuple[int, int],
    *,
    ground: bool,
) -> Picture:
    """Return mean R, G, B, share of ring and share of stone per pixel, [n, 5].

    Args:
        stage: The scene.
        view: Whose camera.
        pixels: Indices on the canvas.
        material: The metal and the gem.
        count_and_seed: Samples per pixel, a power of two, and their seed.
        ground: True follows only paths that start on the ground, False only the others.
    """
    samples_per_px, seed = count_and_seed
    f0, sigma = mi.Color3f(material.f0.tolist()), mi.Color3f(material.sigma.tolist())
    rows = []
    for lot in work.batches(pixels, samples_per_px):
        samples = Samples.of(lot, samples_per_px, seed)
        rays = eye_rays(VIEWS[view], samples)
        light, first = _trace(stage, rays, samples, f0, sigma, ground)
        on_ring = dr.select(first == Part.GROUND.value, mi.Float(0.0), 1.0)
        on_stone = dr.select(first == Part.STONE.value, mi.Float(1.0), 0.0)
        columns = [light[0], light[1], light[2], on_ring, on_stone]
        dr.eval(columns)
        rows.append(np.stack([dr.block_sum(c, samples_per_px).numpy() for c in columns], axis=-1))
    return np.concatenate(rows) / samples_per_px


@dr.syntax
def _trace(
    stage: Stage, ray: mi.Ray3f, samples: Samples, f0: mi.Color3f, sigma: mi.Color3f, ground: bool
) -> tuple[mi.Color3f, mi.UInt32]:
    """Return the light along each path and the part that it met first."""
    light, throughput = mi.Color3f(0.0), mi.Color3f(1.0)
    first, depth = mi.UInt32(Part.GROUND.value), mi.UInt32(0)
    alive, in_stone, saw_stone, dull = mi.Bool(True), mi.Bool(False), mi.Bool(False), mi.Bool(False)
    while dr.hint(alive, exclude=[stage, samples]):
        si = stage.scene.ray_intersect(ray, mi.RayFlags.ShadingFrame, False, alive)
        escaped = alive & ~si.is_valid()
        shone = lights.radiance(ray.d, saw_stone & ~dull)
        light = dr.select(escaped, throughput * shone, light)
        alive &= si.is_valid()
        throughput = dr.select(alive & in_stone, throughput * dr.exp(-sigma * si.t), throughput)
        part = dr.gather(mi.UInt32, stage.part_of_face, si.prim_index, alive)
        first = dr.select((depth == 0) & alive, part, first)
        on_ground = part == Part.GROUND.value
        lit = alive & on_ground & (depth > 0)
        light = dr.select(lit, throughput * ground_glow(stage, si.p), light)
        if ground:
            alive &= on_ground ^ (depth > 0)
        else:
            alive &= ~on_ground

        met = meet(stage, ray, si, part, samples.draw(depth + 1), depth)
        throughput = dr.select(alive, throughput * met.factor(f0), throughput)
        dull |= alive & met.diffuse
        saw_stone |= alive & met.into_stone
        in_stone = dr.select(alive & met.is_centre, met.into_stone, in_stone)
        ray = si.spawn_ray(met.direction)
        depth += 1
        alive &= (depth < MAX_DEPTH) & (dr.max(throughput) > 1e-4)
    return light, first
