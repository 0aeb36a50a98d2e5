"""Small layers, files and plans for tests of pixels; every one differs from the next on purpose."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from render_service.formats import Format
from render_service.pixels.raster import Raster, trim
from render_service.pixels.resample import Frame
from render_service.pixels.vips import pyvips
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import (
    ONE,
    Blend,
    EncodeProfile,
    Encoding,
    Output,
    Placement,
    RenderPlan,
    Tone,
)

PLAIN = Tone(exposure=ONE, knee=0, white=ONE)
"""No exposure, no shoulder: the sRGB transfer alone."""


def placement(
    asset: str = "0" * 64,
    *,
    left_px: int = 0,
    top_px: int = 0,
    width_px: int = 16,
    height_px: int = 16,
    pages: int = 1,
    bands: int = 3,
    encoding: Encoding = Encoding.LINEAR,
    blend: Blend = Blend.OVER,
    paint: Sequence[Sequence[int]] | None = None,
    ramp: tuple[tuple[int, int, int, int], ...] | None = None,
) -> Placement:
    rows = None if paint is None else tuple(tuple(row) for row in paint)
    return Placement(
        asset=asset,
        left_px=left_px,
        top_px=top_px,
        width_px=width_px,
        height_px=height_px,
        pages=pages,
        bands=bands,
        encoding=encoding,
        blend=blend,
        paint=rows,
        ramp=ramp,
    )


def plan(
    *placements: Placement,
    canvas: tuple[int, int] = (16, 16),
    size: tuple[int, int] | None = None,
    tone: Tone = PLAIN,
    alpha: bool = False,
    file_format: Format = Format.PNG,
    pipeline: int = PIPELINE_REVISION,
) -> RenderPlan:
    width_px, height_px = size or canvas
    return RenderPlan(
        pipeline=pipeline,
        canvas_width_px=canvas[0],
        canvas_height_px=canvas[1],
        placements=placements,
        tone=tone,
        alpha=alpha,
        output=Output(
            format=file_format,
            width_px=width_px,
            height_px=height_px,
            profile=EncodeProfile(quality=90, effort=2, chroma=444),
        ),
    )


def frame(canvas: tuple[int, int], size: tuple[int, int]) -> Frame:
    return Frame(
        canvas_width_px=canvas[0],
        canvas_height_px=canvas[1],
        width_px=size[0],
        height_px=size[1],
    )


def raster(
    light: NDArray[np.uint16] | Sequence[object],
    alpha: NDArray[np.uint16] | Sequence[object] | int = ONE,
    left_px: int = 0,
    top_px: int = 0,
) -> Raster:
    """A trimmed raster of [height, width, bands] light and its coverage (one number for all)."""
    pixels = np.array(light, np.uint16)
    cover = np.empty(pixels.shape[:2], np.uint16)
    cover[...] = alpha
    return trim(pixels, cover, left_px, top_px)


def flat(colour: tuple[int, int, int], alpha: int = ONE, side_px: int = 16) -> Raster:
    return raster(np.broadcast_to(np.array(colour, np.uint16), (side_px, side_px, 3)), alpha)


def noise(seed: int, height: int, width: int, bands: int, most: int = 65535) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(0, most, (height, width, bands), np.uint16, True)


def image(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> pyvips.Image:
    """An image whose interpretation is the usual one for its type and bands."""
    deep = pixels.dtype == np.uint16
    grey = pixels.shape[2] < 3
    kinds = {
        (True, True): "grey16",
        (True, False): "rgb16",
        (False, True): "b-w",
        (False, False): "srgb",
    }
    kind = kinds[deep, grey]
    height, width, bands = pixels.shape
    packed = np.ascontiguousarray(pixels).tobytes()
    made = pyvips.Image.new_from_memory(packed, width, height, bands, "ushort" if deep else "uchar")
    return made.copy(interpretation=kind)


def png(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    return image(pixels).pngsave_buffer(bitdepth=8 * pixels.dtype.itemsize)


def tiff_pages(pages: Sequence[NDArray[np.uint16]]) -> bytes:
    """A TIFF of real pages."""
    stacked = image(np.concatenate(list(pages)))
    return stacked.tiffsave_buffer(page_height=pages[0].shape[0])
