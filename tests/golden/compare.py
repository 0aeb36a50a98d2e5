"""Canvases held against the goldens of the pipeline's revision: exactly, pixel by pixel.

A golden is never written by a test; `python -m tests.golden.make` writes them, on purpose.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from render_service.pixels.limits import Limits
from render_service.pixels.offline import render_canvas
from render_service.pixels.vips import pyvips
from render_service.planning.key import PIPELINE_REVISION
from tests.golden.scenes import Scene

FOLDER: Final = Path(__file__).parent / f"r{PIPELINE_REVISION}"


def canvas_of(scene: Scene) -> NDArray[np.uint8]:
    return render_canvas(scene.plan, scene.files.__getitem__, Limits())


def write(canvas: NDArray[np.uint8], path: Path) -> None:
    height, width, bands = canvas.shape
    image = pyvips.Image.new_from_memory(canvas.tobytes(), width, height, bands, "uchar")
    image.copy(interpretation="srgb").pngsave(str(path), keep=0)


def difference(canvas: NDArray[np.uint8], golden: Path) -> str | None:
    """Say how a canvas differs from its golden, or None; write the canvas beside it if it does."""
    if not golden.exists():
        return f"{golden.name} is missing; look at it, then `python -m tests.golden.make`."
    held = pyvips.Image.pngload(str(golden)).numpy()
    if held.shape == canvas.shape and np.array_equal(held, canvas):
        return None
    actual = golden.with_suffix(".actual.png")
    write(canvas, actual)
    if held.shape != canvas.shape:
        return f"{golden.name} is {held.shape}, drawn was {canvas.shape}; see {actual.name}."
    apart = np.abs(held.astype(int) - canvas)
    y, x, band = (int(at) for at in np.unravel_index(apart.argmax(), apart.shape))
    return (
        f"{golden.name} differs in {int((apart.max(axis=2) > 0).sum())} of {apart[..., 0].size} "
        f"pixels; worst at column {x}, row {y}, band {band}: golden {held[y, x, band]}, drawn "
        f"{canvas[y, x, band]}; see {actual.name}. If the change is meant, raise "
        "PIPELINE_REVISION and run `python -m tests.golden.make`."
    )
