"""What is done to a picture after its tone: its colour is kept or not, it is mirrored and turned.

The rule: each step is what the plan's output says and nothing else, and a picture for which it
says nothing comes back untouched.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from render_service.pixels.tone import linear_to_srgb, srgb_to_linear
from render_service.planning.plan import Output, Tint

Canvas = NDArray[np.uint8]
"""[height, width, 3], or 4 with straight alpha: sRGB display values, C-contiguous."""

# Luminance of linear sRGB, IEC 61966-2-1: 0.2126, 0.7152, 0.0722, in shares of 65535 that add up.
_LUMINANCE: Final = (13933, 46871, 4731)

_MIDDLE: Final = 128
"""Display value from which a pixel of two tones is white: half of what is shown, not of the light,
as an eye parts light from dark."""


def finish(canvas: Canvas, output: Output) -> Canvas:
    """Return the picture in the colours and the position that `output` asks for."""
    if output.tint is not Tint.COLOUR:
        canvas = _gray(canvas, bitonal=output.tint is Tint.BITONAL)
    if output.mirrored:
        canvas = canvas[:, ::-1]
    # numpy turns counter-clockwise.
    return np.ascontiguousarray(np.rot90(canvas, -output.quarter_turns))


def _gray(canvas: Canvas, *, bitonal: bool) -> Canvas:
    """The luminance of each pixel in all three bands; coverage stays as it is."""
    light = np.zeros(canvas.shape[:2], np.uint32)
    for band, share in enumerate(_LUMINANCE):
        light += _linear_table()[canvas[..., band]] * np.uint32(share) // 65535
    shown = _display_table()[light]
    if bitonal:
        shown = np.where(shown >= _MIDDLE, np.uint8(255), np.uint8(0))
    gray = canvas.copy()
    gray[..., :3] = shown[..., np.newaxis]
    return gray


@lru_cache(maxsize=1)
def _linear_table() -> NDArray[np.uint32]:
    """Display value → linear light in 1/65535."""
    return np.rint(65535 * srgb_to_linear(np.arange(256) / 255)).astype(np.uint32)


@lru_cache(maxsize=1)
def _display_table() -> NDArray[np.uint8]:
    """Linear light in 1/65535 → display value."""
    return np.rint(255 * linear_to_srgb(np.arange(65536) / 65535)).astype(np.uint8)
