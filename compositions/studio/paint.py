"""Painting in numpy: how a service turns layers into a picture, for looks and for measuring.

Only what the studio needs to judge its art: the whole canvas, in floating point.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from compositions.studio import backdrop, encode
from compositions.studio.layers import Picture
from compositions.studio.mesh import Floats
from compositions.studio.tracer import GEM_NODES, METAL_NODES
from compositions.studio.views import VIEWS

_MATERIALS = Path(__file__).parents[1] / "materials.toml"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A configuration of the solitaire ring."""

    metal: str = "yellow-gold-18k"
    gem: str = "diamond"
    shape: str = "round"
    band: str = "plain"
    background: str = "studio"


@cache
def _materials() -> dict[str, dict[str, dict[str, object]]]:
    materials: dict[str, dict[str, dict[str, object]]]
    materials = tomllib.loads(_MATERIALS.read_text("utf-8"))["materials"]
    return materials


def metal_value(name: str) -> Floats:
    """Return a metal's F0, linear sRGB."""
    return np.array(_materials()["metal"][name]["value"], dtype=float)


def gem_value(name: str) -> Floats:
    """Return a gem's transmittance over the reference length, linear sRGB."""
    return np.array(_materials()["gem"][name]["value"], dtype=float)


def gem_family(name: str) -> str:
    """Return the family whose layers a gem is painted from."""
    return str(_materials()["gem"][name]["family"])


def weights(value: float, nodes: tuple[float, ...]) -> list[float]:
    """Return the Lagrange weights of `value` over `nodes`."""
    return [
        float(np.prod([(value - other) / (node - other) for other in nodes if other != node]))
        for node in nodes
    ]


def painted(light: Picture, metal: Floats, gem: Floats | None) -> Picture:
    """Return the linear RGB of bands [..., pages, 3]; one page wants no gem."""
    metal_rows = np.array([weights(float(f), METAL_NODES) for f in metal])
    if gem is None:
        return np.einsum("...m,cm->...c", light[..., 0, :], metal_rows)
    gem_rows = np.array([weights(float(t), GEM_NODES) for t in gem])
    return np.einsum("...gm,cg,cm->...c", light, gem_rows, metal_rows, optimize=True)


def compose(folder: Path, view: str, choice: Choice) -> Picture:
    """Return premultiplied linear RGBA of a whole canvas, [c, c, 4], put together by adding."""
    canvas_px = VIEWS[view].canvas_px
    family = gem_family(choice.gem)
    metal = metal_value(choice.metal)
    gem = None if family == "diamond" else gem_value(choice.gem)
    total = np.zeros((canvas_px, canvas_px, 4), dtype=np.float32)
    for name, with_gem in (
        (f"ground-{choice.background}-{choice.band}-{choice.shape}", None),
        (f"band-{choice.band}-{choice.shape}", None),
        (f"stone-{choice.shape}-{family}", gem),
    ):
        light, cover = encode.read_layer(folder / view / f"{name}.avif", canvas_px)
        total[..., :3] += painted(light, metal, with_gem)
        total[..., 3] += cover
    return total


def displayed(light: Picture) -> Picture:
    """Return 8-bit display levels, unrounded, of linear RGB."""
    y = np.clip(backdrop.tone(np.maximum(light, 0.0)), 0.0, 1.0)
    return 255 * np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
