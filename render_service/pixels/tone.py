"""Linear light → 8-bit display values: the plan's view transform and the sRGB transfer, as a table.

The rule: tone is applied once, after everything else, and as one look-up, so what a layer looks
like never depends on what lies above it.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from render_service.planning.plan import ONE, Tone

Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def tone_table(tone: Tone) -> NDArray[np.uint8]:
    """Return the display value of every 16-bit linear one: [65536], read-only, rising.

    Exposure and shoulder as the docstring of `Tone` has them, then the transfer function of
    IEC 61966-2-1, to 0..255, rounded half up.
    """
    x = np.arange(65536, dtype=np.float64) / ONE
    display = linear_to_srgb(_shoulder(x * (tone.exposure / ONE), tone))
    table = np.floor(255 * display + 0.5).astype(np.uint8)
    table.setflags(write=False)
    return table


def _shoulder(x: Floats, tone: Tone) -> Floats:
    """The identity up to the knee, then a hyperbola that reaches 1 at white; 1 beyond."""
    knee, white = tone.knee / ONE, tone.white / ONE
    u = np.clip((x - knee) / (white - knee), 0.0, 1.0)
    s = (white - knee) / (1 - knee)
    bent = knee + (1 - knee) * s * u / (1 + (s - 1) * u)
    return np.where(x <= knee, x, bent)


def linear_to_srgb(light: Floats) -> Floats:
    """Return display values 0..1 of linear light 0..1 (IEC 61966-2-1)."""
    bright = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, bright)


def srgb_to_linear(display: Floats) -> Floats:
    """Return linear light 0..1 of display values 0..1 (IEC 61966-2-1)."""
    bright = ((np.maximum(display, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(display <= 0.04045, display / 12.92, bright)
