"""What the ground is graded to: a grey sweep, pure white, or only its shadow.

All three come from one trace, the ground under the ring over the bare ground. Grading is a factor
per pixel, the same for every metal, so it keeps the paint basis exact.
"""

import numpy as np

from compositions.studio.layers import Picture

_TOE = 0.03
KNEE, WHITE = 0.6, 3.0  # of the tone `studio`, compositions/materials.toml


def sweep(canvas_px: int) -> Picture:
    """Return the grey studio sweep, scene light [c, c]: bright behind the ring, darker around."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, canvas_px),) * 2, indexing="ij")
    distance = np.hypot(x * 0.80, (y - 0.10) * 0.88)
    grey = 0.40 + 0.27 * np.exp(-((distance / 0.95) ** 2.2))
    return (grey * (1.0 - 0.06 * y)).astype(np.float32)


def tone(light: Picture) -> Picture:
    """Return display light, 0..1: straight to the knee, then a rational shoulder to white."""
    slope = (WHITE - KNEE) / (1.0 - KNEE)
    u = np.clip((light - KNEE) / (WHITE - KNEE), 0.0, 1.0)
    return np.where(light <= KNEE, light, KNEE + (1 - KNEE) * slope * u / (1 + (slope - 1) * u))


def untone(display: Picture) -> Picture:
    """Return the scene light that `tone` turns into this display light."""
    slope = (WHITE - KNEE) / (1.0 - KNEE)
    v = np.clip((display - KNEE) / (1.0 - KNEE), 0.0, 1.0)
    return np.where(display <= KNEE, display, KNEE + (WHITE - KNEE) * v / (slope - (slope - 1) * v))


def graded(ratio: Picture, background: str) -> tuple[Picture, Picture]:
    """Return bands [c, c, 3] and coverage [c, c] of a whole ground, the ring not yet held out.

    Args:
        ratio: Shaded over bare ground at the three metal nodes, [c, c, 3].
        background: `studio`, `white` or `transparent`.
    """
    canvas_px = ratio.shape[0]
    if background == "studio":
        return ratio * sweep(canvas_px)[..., None], np.ones(ratio.shape[:2], np.float32)
    middle = ratio[..., 1]
    if background == "white":
        # On white the tone's shoulder would swallow the shadow, so the shading is what shows:
        # scene light is the inverse tone of it, and metals differ by the slope there.
        rise = 1e-3
        shown = 1.0 - _shadow(middle)
        base = untone(shown)
        slope = (base - untone(shown - rise)) / rise
        bands = base[..., None] + np.minimum(slope, 3.0)[..., None] * (ratio - middle[..., None])
        return np.clip(bands, 0.0, WHITE), np.ones(ratio.shape[:2], np.float32)
    return np.zeros_like(ratio), _shadow(middle)


def _shadow(ratio: Picture) -> Picture:
    """Return how much darker than bare the ground is, faint shades and grain let go to nothing."""
    shade = np.clip(1.0 - ratio, 0.0, 1.0)
    return shade * shade / (shade + _TOE)
