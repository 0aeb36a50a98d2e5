"""Two pictures → where they differ, for a person to look at.

A difference is for eyes only: nothing that is served is made here.
"""

from typing import Final, NamedTuple

import numpy as np

from render_service.pixels.compose import Canvas

GAIN: Final = 8
"""A difference of 4 levels, which nobody sees, becomes 32, which everybody does."""


class Difference(NamedTuple):
    """Where two pictures differ.

    Attributes:
        canvas: [height, width, 3], grey where they are equal, brighter or darker by 8 times the
            difference where they are not.
        share: Share of the pixels that differ at all, 0..1.
        worst: The largest difference of a channel, in 8-bit levels.
    """

    canvas: Canvas
    share: float
    worst: int


def differ(before: Canvas, after: Canvas) -> Difference | None:
    """Return where two canvases of three bands differ; None where their sizes do."""
    if before.shape != after.shape:
        return None
    signed = after.astype(np.int16) - before.astype(np.int16)
    shown = np.clip(128 + GAIN * signed, 0, 255).astype(np.uint8)
    different = (signed != 0).any(axis=-1)
    return Difference(shown, float(different.mean()), int(np.abs(signed).max()))


def flatten(canvas: Canvas) -> Canvas:
    """Return a canvas of three bands: one with alpha as if it lay on white."""
    if canvas.shape[2] == 3:
        return canvas
    alpha = canvas[..., 3:].astype(np.uint16)
    flat = (canvas[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return flat.astype(np.uint8)
