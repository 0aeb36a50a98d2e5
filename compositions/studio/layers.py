"""From traces to layers: which pixels to trace, and how the paths are shared out.

The ring is divided by paths, not by cutting pictures: `band` holds the paths that met the shank
and stayed out of the centre stone, `stone` everything else, glow on the shank included. Their sum
is the undivided ring, and one minus their coverage is exactly what is left of the ground.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from compositions.studio import tracer, work
from compositions.studio.sampling import Camera
from compositions.studio.scene import Stage, build_stage
from compositions.studio.views import VIEWS
from compositions.studio.work import Arrays, Quality

Picture = NDArray[np.float32]

# Seen from the band, a coloured stone is much like another; its layer is traced with this one.
BAND_FAMILY = "corundum"
_GLOW_FULL_PX, _GLOW_END_PX = 60.0, 200.0
_COVER_MARGIN_PX = 2
_SHADE_SAMPLES = 256
_CONTACT_HALF = (0.30, 0.16)  # of the fine trace around the point of contact, canvas widths
_CONTACT_BLUR_PX = 1.0
# Sigma in pixels of the half-resolution ground, and where it fades in, in canvas widths.
_GROUND_BLURS = ((2.2, 0.0, 0.0), (5.0, 0.015, 0.07), (11.0, 0.05, 0.18), (20.0, 0.15, 0.35))


@dataclass(kw_only=True)
class Cover:
    """Where the ring is on the canvas, bool[canvas, canvas], a margin included."""

    shank: NDArray[np.bool_]
    head: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Traces:
    """The traces of one quality, made when first asked for."""

    folder: Path
    quality: Quality

    def cover(self, view: str, shape: str, band: str) -> Cover:
        """Return where the ring of a shape and band is."""
        camera = VIEWS[view]

        def make() -> Arrays:
            stage = build_stage(shape, band, BAND_FAMILY)
            pixels = np.arange(camera.canvas_px**2, dtype=np.uint32)
            lots = [
                tracer.trace_cover(stage, camera, lot, self.quality.cover, self.quality.seed)
                for lot in work.batches(pixels, self.quality.cover)
            ]
            table = np.concatenate(lots).reshape(camera.canvas_px, camera.canvas_px, 2)
            return {"cover": table}

        table = work.remember(self._path(view, "cover", shape, band), make)["cover"]
        grow = np.ones((2 * _COVER_MARGIN_PX + 1,) * 2, dtype=bool)
        shank, head = (ndimage.binary_dilation(table[..., k] > 0, grow) for k in (0, 1))
        return Cover(shank=shank, head=head)

    def shade(self) -> Picture:
        """Return the light on the ground around the ring, the same for all shapes."""

        def make() -> Arrays:
            stage = build_stage("round", "plain", BAND_FAMILY)
            light = tracer.trace_ground_shade(stage, _SHADE_SAMPLES, self.quality.seed)
            return {"shade": ndimage.gaussian_filter(light, 1.0, mode="nearest")}

        return work.remember(self._path("shade"), make)["shade"]

    def glow_window(self, view: str, shape: str) -> Picture:
        """Return how much of the stone's light on the shank its layer keeps: 1 near, 0 far."""
        distance = ndimage.distance_transform_edt(~self.cover(view, shape, "plain").head)
        t = np.clip((_GLOW_END_PX - distance) / (_GLOW_END_PX - _GLOW_FULL_PX), 0.0, 1.0)
        window: Picture = (t * t * (3.0 - 2.0 * t)).astype(np.float32)
        return window

    def stone(self, view: str, shape: str, family: str) -> Arrays:
        """Return `light` [c, c, 4 gems, 3 metals] and `cover` [c, c] of stone, head and glow."""
        cover = self.cover(view, shape, "plain")
        mask = cover.head | (cover.shank & (self.glow_window(view, shape) > 0))

        def make() -> Arrays:
            stage = build_stage(shape, "plain", family, shade=self.shade())
            samples_per_px = self.quality.stone[view]
            return self._ring(stage, view, mask, samples_per_px, f"{view} {shape} {family}")

        stored = work.remember(self._path(view, "stone", shape, family), make)
        light = _spread(mask, stored["stone"])
        return {"light": light, "cover": _spread(mask, stored["stone_cover"])}

    def band(self, view: str, shape: str, band: str) -> Arrays:
        """Return `light` [c, c, 3 metals] and `cover` [c, c] of the shank.

        Beyond the glow's window, what little light came through the stone stays here, seen
        through a stone of middling depth of colour.
        """
        mask = self.cover(view, shape, band).shank

        def make() -> Arrays:
            stage = build_stage(shape, band, BAND_FAMILY, shade=self.shade())
            traced = self._ring(
                stage, view, mask, self.quality.band[view], f"{view} {shape} {band}"
            )
            far = (1.0 - self.glow_window(view, shape)[mask]) * (traced["stone_cover"] == 0)
            light = traced["band"] + far[:, None] * traced["stone"][:, 2]
            return {"light": light, "cover": traced["band_cover"]}

        stored = work.remember(self._path(view, "band", shape, band), make)
        return {name: _spread(mask, values) for name, values in stored.items()}

    def ground(self, view: str, shape: str) -> Picture:
        """Return the ground over the bare ground, [c, c, 3 metals]: 1 where nothing shades it."""
        camera = VIEWS[view].at(VIEWS[view].canvas_px // 2)
        everywhere = np.ones((camera.canvas_px,) * 2, dtype=bool)
        near = _contact_weight(camera)
        wide = self._ground(view, shape, everywhere, self.quality.ground, "wide")
        # The shadow at the point of contact is fine and the same under every stone.
        fine = self._ground(view, "round", near > 0, self.quality.contact, "near")
        fine = ndimage.gaussian_filter(fine, (_CONTACT_BLUR_PX, _CONTACT_BLUR_PX, 0.0))
        ratio = _smoothed(wide, camera)
        ratio = ratio + near[..., None] * (fine - ratio)
        return ndimage.zoom(ratio, (2, 2, 1), order=3, grid_mode=True, mode="nearest")

    def _ground(
        self, view: str, shape: str, mask: NDArray[np.bool_], samples_per_px: int, title: str
    ) -> Picture:
        """Return the ground over the bare ground where masked, 1 elsewhere, at half resolution."""
        camera = VIEWS[view].at(mask.shape[0])

        def make() -> Arrays:
            stage = build_stage(shape, "plain", BAND_FAMILY, shade=self.shade())
            pixels = np.flatnonzero(mask).astype(np.uint32)
            lots = [
                tracer.trace_ground(stage, camera, lot, samples_per_px, self.quality.seed)
                for lot in _progress(pixels, samples_per_px, f"{view} {shape} ground {title}")
            ]
            return {"light": np.concatenate(lots)}

        light = work.remember(self._path(view, "ground", shape, title), make)["light"]
        picture = np.ones((*mask.shape, 3), dtype=np.float32)
        picture[mask] = light.reshape(-1, 3) / bare_ground(view, mask.shape[0])[mask][:, None]
        return picture

    def _ring(
        self, stage: Stage, view: str, mask: NDArray[np.bool_], samples_per_px: int, title: str
    ) -> Arrays:
        pixels = np.flatnonzero(mask).astype(np.uint32)
        lots = [
            tracer.trace_ring(stage, VIEWS[view], lot, samples_per_px, self.quality.seed)
            for lot in _progress(pixels, samples_per_px, title)
        ]
        return {
            name: np.concatenate([getattr(lot, name) for lot in lots])
            for name in ("band", "band_cover", "stone", "stone_cover", "inside_mm")
        }

    def _path(self, *words: str) -> Path:
        return self.folder / self.quality.name / f"{'-'.join(words)}.npz"


def _contact_weight(camera: Camera) -> Picture:
    """Return where the fine trace of the ground counts: 1 at the point of contact, 0 far off."""
    y, x = np.indices((camera.canvas_px,) * 2) + 0.5
    contact_x, contact_y = camera.project((0.0, 0.0, 0.0))
    across = (x - contact_x) / (_CONTACT_HALF[0] * camera.canvas_px)
    along = (y - contact_y) / (_CONTACT_HALF[1] * camera.canvas_px)
    t = np.clip((1.0 - np.hypot(across, along)) / 0.5, 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def _smoothed(ratio: Picture, camera: Camera) -> Picture:
    """Return a ground freed of grain: shadows are soft except where the ring touches it.

    A fixed Gaussian, so that it means the same to every band: narrow at the point of contact,
    wider away from it.
    """
    y, x = np.indices(ratio.shape[:2])
    contact_x, contact_y = camera.project((0.0, 0.0, 0.0))
    distance = np.hypot(x + 0.5 - contact_x, y + 0.5 - contact_y) / camera.canvas_px
    smooth = ratio
    for sigma_px, begin, end in _GROUND_BLURS:
        share = np.clip((distance - begin) / max(end - begin, 1e-6), 0.0, 1.0)[..., None]
        blurred = ndimage.gaussian_filter(ratio, (sigma_px, sigma_px, 0.0), mode="nearest")
        smooth = smooth + share**2 * (3.0 - 2.0 * share) * (blurred - smooth)
    return smooth.astype(np.float32)


@cache
def bare_ground(view: str, canvas_px: int) -> Picture:
    """Return the radiance of the ground with no ring on it, smoothed by a cubic in x and y."""
    camera = VIEWS[view].at(canvas_px)
    stage = build_stage("round", "plain", BAND_FAMILY, ring=False)
    steps = np.linspace(0, canvas_px - 1, 48).astype(np.uint32)
    pixels = (steps[:, None] * canvas_px + steps[None, :]).ravel()
    light = tracer.trace_ground(stage, camera, pixels, 1024, 3)[:, 1]
    y, x = np.meshgrid(*(np.linspace(-1, 1, canvas_px),) * 2, indexing="ij")
    terms = [x**i * y**j for i in range(4) for j in range(4 - i)]
    table = np.stack([term.ravel()[pixels] for term in terms], axis=-1)
    factors = np.linalg.lstsq(table, light, rcond=None)[0]
    return np.tensordot(factors, np.stack(terms), axes=1).astype(np.float32)


def _progress(
    pixels: NDArray[np.uint32], samples_per_px: int, title: str
) -> "tqdm[NDArray[np.uint32]]":
    lots = list(work.batches(pixels, samples_per_px))
    return tqdm(lots, desc=title, unit="lot", mininterval=5.0)


def _spread(mask: NDArray[np.bool_], values: Picture) -> Picture:
    """Return values of the masked pixels laid out on the canvas, zero elsewhere."""
    picture = np.zeros((*mask.shape, *values.shape[1:]), dtype=np.float32)
    picture[mask] = values
    return picture
