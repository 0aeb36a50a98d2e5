"""Random numbers and eye rays: the same for every trace of the same pixel and seed.

All renders of a set must share their noise, or painting, which subtracts bands, would amplify it.
So every number is a pure function of pixel, sample, bounce and seed, never of how the work was
cut into batches. The truth asks for the same numbers.
"""

from dataclasses import dataclass, replace

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from compositions.studio.mesh import Floats, unit

_GOLDEN = 0.6180339887
_FILTER_SIGMA_PX = 0.38  # a Gaussian pixel, a little softer than a box


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A long lens looking at a point.

    Attributes:
        azimuth_deg: Where it stands around the ring; 0 = on -y.
        elevation_deg: How high it stands.
        target_mm: What it looks at, world frame.
        distance_mm: How far away it stands.
        field_mm: Width of what it sees at the target.
        canvas_px: Width and height of the picture.
    """

    azimuth_deg: float
    elevation_deg: float
    target_mm: tuple[float, float, float]
    distance_mm: float
    field_mm: float
    canvas_px: int

    def at(self, canvas_px: int) -> "Camera":
        """Return the same camera with another number of pixels."""
        return replace(self, canvas_px=canvas_px)

    def project(self, point_mm: tuple[float, float, float]) -> tuple[float, float]:
        """Return where a point of the world falls on the canvas, in pixels."""
        eye, right, down, forward = self.frame()
        seen = np.array(point_mm) - eye
        scale = self.canvas_px * self.distance_mm / self.field_mm / float(seen @ forward)
        half = self.canvas_px / 2
        return half + float(seen @ right) * scale, half + float(seen @ down) * scale

    def frame(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return eye position, right, down and forward vectors."""
        azimuth, elevation = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        level = np.cos(elevation)
        back = np.array([np.sin(azimuth) * level, -np.cos(azimuth) * level, np.sin(elevation)])
        right = unit(np.cross(-back, [0.0, 0.0, 1.0]))
        down = np.cross(-back, right)
        return np.array(self.target_mm) + back * self.distance_mm, right, down, -back


@dataclass(kw_only=True)
class Samples:
    """A batch of samples: `samples_per_px` consecutive entries for each pixel."""

    pixel: mi.UInt32
    index: mi.UInt32
    samples_per_px: int
    seed: mi.UInt32

    @classmethod
    def of(cls, pixels: NDArray[np.uint32], samples_per_px: int, seed: int) -> "Samples":
        """Return all samples of some pixels, given by their index on the canvas."""
        flat = dr.arange(mi.UInt32, len(pixels) * samples_per_px)
        count = dr.opaque(mi.UInt32, samples_per_px)
        which = flat // count
        return cls(
            pixel=dr.gather(mi.UInt32, mi.UInt32(pixels), which),
            index=flat - which * count,
            samples_per_px=samples_per_px,
            seed=dr.opaque(mi.UInt32, seed),
        )

    def draw(self, dimension: mi.UInt32) -> mi.Point3f:
        """Return three numbers in [0, 1), well spread over the samples of one pixel.

        A shuffled and scrambled (0, 2)-sequence, with a Kronecker sequence as the third.
        """
        first, second = mi.sample_tea_32(self.pixel, self.seed * 977 + dimension, 4)
        shuffled = mi.permute_kensler(self.index, self.samples_per_px, first ^ (second >> 7))
        offset = mi.Float(second ^ (first << 11)) * 2.0**-32
        third = mi.Float(shuffled) * _GOLDEN + offset
        return mi.Point3f(
            mi.radical_inverse_2(shuffled, first),
            mi.sobol_2(shuffled, second),
            dr.minimum(third - dr.floor(third), 0.99999994),
        )


def eye_rays(camera: Camera, samples: Samples) -> mi.Ray3f:
    """Return one ray per sample, spread over its pixel by the pixel filter."""
    eye, right, down, forward = camera.frame()
    numbers = samples.draw(mi.UInt32(0))
    jitter = mi.warp.square_to_std_normal(mi.Point2f(numbers.x, numbers.y)) * _FILTER_SIGMA_PX
    width = dr.opaque(mi.UInt32, camera.canvas_px)
    row = samples.pixel // width
    column = samples.pixel - row * width
    step = camera.field_mm / camera.canvas_px / camera.distance_mm
    x = (mi.Float(column) + 0.5 + jitter.x - camera.canvas_px / 2) * step
    y = (mi.Float(row) + 0.5 + jitter.y - camera.canvas_px / 2) * step
    towards = dr.normalize(_opaque(forward) + _opaque(right) * x + _opaque(down) * y)
    return mi.Ray3f(mi.Point3f(_opaque(eye)), towards)


def _opaque(vector: Floats) -> mi.Vector3f:
    return mi.Vector3f(*(dr.opaque(mi.Float, float(value)) for value in vector))
