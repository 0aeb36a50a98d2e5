"""Bases and materials: how one neutral render becomes every metal and gem.

A basis names the nodes at which the scene was rendered, and the law by which a pixel depends on
the value between them. A pixel's radiance is a polynomial in the metal's F0 (each bounce multiplies
by an affine function of F0) and, to within the measured error, in the gem's transmittance; so a
material is a matrix of Lagrange weights over the rendered bands, and painting is exact.
The measurements are in `docs/decisions/0002-paint-basis.md`.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import product

from msgspec import Struct

RGB = tuple[float, float, float]


class Law(StrEnum):
    """What a basis's nodes are.

    REFLECTANCE: reflectance at normal incidence, F0, linear.
    TRANSMITTANCE: exp(-σ·d0), the light left after the reference length of the stone.
    GRADIENT: none; its materials map luminance to a colour ramp, for photographed layers.
    """

    REFLECTANCE = "reflectance"
    TRANSMITTANCE = "transmittance"
    GRADIENT = "gradient"


class Basis(Struct, frozen=True, kw_only=True):
    """The nodes at which layers were rendered: one band of a layer per node."""

    id: str
    law: Law
    nodes: tuple[float, ...]


class Material(Struct, frozen=True, kw_only=True):
    """A metal, a gem or a ramp.

    Attributes:
        id: As in URLs.
        title: For people.
        family: What it shares its renders with (gems of one refractive index); None for none.
        value: Linear sRGB value under the basis's law; None for a gradient.
        stops: (luminance, linear R, G, B) rising in luminance; empty but for a gradient.
        swatch: `#rrggbb` for a button.
    """

    id: str
    title: str
    family: str | None
    value: RGB | None
    stops: tuple[tuple[float, float, float, float], ...]
    swatch: str


class Materials(Struct, frozen=True, kw_only=True):
    """All bases, and the materials of each, by id, in the order of the file."""

    bases: Mapping[str, Basis]
    materials: Mapping[str, Mapping[str, Material]]

    def families(self, basis: str) -> dict[str, tuple[str, ...]]:
        """Return family → ids of its materials, in the order of the file."""
        found: dict[str, tuple[str, ...]] = {}
        for material in self.materials.get(basis, {}).values():
            if material.family is not None:
                found[material.family] = (*found.get(material.family, ()), material.id)
        return found


def weights(value: float, nodes: Sequence[float]) -> list[float]:
    """Return the Lagrange weights of `value`: their dot with the bands at `nodes` interpolates."""
    return [
        math.prod((value - other) / (node - other) for other in nodes if other != node)
        for node in nodes
    ]


def paint_matrix(painted: Sequence[tuple[Basis, Material]]) -> tuple[tuple[float, ...], ...]:
    """Return rows R, G, B over the bands of a layer painted by the outer product of `painted`.

    Args:
        painted: (basis, material) pairs, outermost (pages) first, innermost (bands) last; none of
            them a gradient.

    Returns:
        Three rows of Π len(nodes) weights, the innermost basis varying fastest.
    """
    rows = []
    for channel in range(3):
        factors = [weights(_value(material)[channel], basis.nodes) for basis, material in painted]
        rows.append(tuple(math.prod(combination) for combination in product(*factors)))
    return tuple(rows)


def linear_to_srgb(linear: float) -> float:
    """Return the sRGB transfer of `linear`, both clipped to 0..1 (IEC 61966-2-1)."""
    x = min(max(linear, 0.0), 1.0)
    return 12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055


def srgb_to_linear(encoded: float) -> float:
    """Return the light that the sRGB value `encoded`, 0..1, stands for (IEC 61966-2-1)."""
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def swatch_of(linear: RGB) -> str:
    """Return `#rrggbb` for a linear sRGB colour, clipped to the gamut."""
    return "#" + "".join(f"{round(255 * linear_to_srgb(c)):02x}" for c in linear)


def _value(material: Material) -> RGB:
    if material.value is None:
        raise ValueError(f"{material.id} is a gradient, which has no place in a product of bases")
    return material.value
