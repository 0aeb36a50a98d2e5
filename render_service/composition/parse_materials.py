"""`materials.toml` → bases, materials and tones, with every number in range.

Numbers are refused here rather than clipped later: a material out of range is a typing error, and
painting would still draw something.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from render_service.composition.definition import (
    COLOUR_PATTERN,
    BasisDefinition,
    MaterialDefinition,
    MaterialsDefinition,
    ToneDefinition,
)
from render_service.composition.faults import Faults
from render_service.composition.materials import (
    RGB,
    Basis,
    Law,
    Material,
    Materials,
    srgb_to_linear,
    swatch_of,
)
from render_service.composition.model import ToneCurve
from render_service.composition.parse import parse_toml
from render_service.errors import InvalidCatalogue

FILE = "materials.toml"

_COLOUR = re.compile(COLOUR_PATTERN)

# Largest values: F0 of gold in linear sRGB is 1.059, outside the gamut on purpose
# (docs/decisions/0002-paint-basis.md); nothing transmits more light than it is given.
_LARGEST = {Law.REFLECTANCE: 1.2, Law.TRANSMITTANCE: 1.0}


def parse_materials(data: bytes) -> tuple[Materials, dict[str, ToneCurve]]:
    """Return the materials and the tones that `data` defines.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    faults = Faults(FILE)
    raw = parse_toml(data, faults)
    if not faults.found:
        faults.convert({**raw, "bases": {}, "materials": {}, "tones": {}}, MaterialsDefinition, "")
    bases = _read_bases(raw, faults)
    materials = {basis: _read_materials(raw, basis, bases, faults) for basis in bases}
    for basis in faults.tables(raw, "materials", ""):
        faults.check_known("materials", basis, basis, bases, "a basis")
    tones = _read_tones(raw, faults)
    if faults.found:
        raise InvalidCatalogue(faults.found)
    return Materials(bases=bases, materials=materials), tones


def _read_bases(raw: dict[str, Any], faults: Faults) -> dict[str, Basis]:
    bases = {}
    for name, piece in faults.tables(raw, "bases", "").items():
        table = f"bases.{name}"
        read = faults.convert(piece, BasisDefinition, table)
        if read is None:
            continue
        nodes = read.nodes
        if read.law is Law.GRADIENT and nodes:
            faults.add(table, "nodes", "a gradient has no nodes; leave them out")
        if read.law is not Law.GRADIENT and not _rising(nodes, 2, 0.001, _LARGEST[read.law]):
            faults.add(
                table,
                "nodes",
                f"{list(nodes)} must be 2 to 6 rising numbers from 0.001 to {_LARGEST[read.law]}",
            )
        bases[name] = Basis(id=name, law=read.law, nodes=nodes)
    return bases


def _read_materials(
    raw: dict[str, Any], basis: str, bases: dict[str, Basis], faults: Faults
) -> dict[str, Material]:
    pieces = faults.tables(raw, "materials", "").get(basis, {})
    materials = {}
    for name, piece in faults.tables({"materials": pieces}, "materials", "").items():
        table = f"materials.{basis}.{name}"
        read = faults.convert(piece, MaterialDefinition, table)
        if read is not None:
            materials[name] = _material(name, read, bases[basis].law, table, faults)
    for material in materials.values():
        other = materials.get(material.family or "")
        if other is not None and other.family != material.family:
            faults.add(
                f"materials.{basis}.{material.id}",
                "family",
                f"{material.family!r} is also the id of a material outside the family",
            )
    return materials


def _material(
    name: str, read: MaterialDefinition, law: Law, table: str, faults: Faults
) -> Material:
    stops: tuple[tuple[float, float, float, float], ...] = ()
    if law is Law.GRADIENT:
        stops = tuple(
            (at, *_linear(colour)) for at, colour in read.stops or () if _COLOUR.match(colour)
        )
        if len(stops) != len(read.stops or ()) or not _rising([s[0] for s in stops], 2, 0.0, 1.0):
            faults.add(
                table, "stops", 'give 2 or more rising [luminance 0..1, "#rrggbb"] and no value'
            )
    elif read.value is None or read.stops is not None:
        faults.add(table, "value", f"a material of law {law} has `value` = [R, G, B] and no stops")
    elif not all(0 <= v <= _LARGEST[law] for v in read.value):
        faults.add(
            table, "value", f"{list(read.value)}: each of R, G, B is 0 to {_LARGEST[law]} ({law})"
        )
    if faults.found:
        return Material(id=name, title=read.title, family=None, value=None, stops=(), swatch="")
    return Material(
        id=name,
        title=read.title,
        family=read.family,
        value=read.value,
        stops=stops,
        swatch=swatch_of(_seen(law, read.value, stops)),
    )


def _seen(law: Law, value: RGB | None, stops: tuple[tuple[float, float, float, float], ...]) -> RGB:
    """Return the linear colour that stands for a material on a button.

    A gem: the light it lets through. A metal: after two reflections in a studio of luminance 0.75,
    which is how polished metal reads; F0 alone is paler than any ring. A ramp: its middle.
    """
    if value is None:
        return stops[len(stops) // 2][1:]
    if law is Law.TRANSMITTANCE:
        return value
    red, green, blue = (0.75 * v * v for v in value)
    return (red, green, blue)


def _read_tones(raw: dict[str, Any], faults: Faults) -> dict[str, ToneCurve]:
    tones = {}
    for name, piece in faults.tables(raw, "tones", "").items():
        read = faults.convert(piece, ToneDefinition, f"tones.{name}")
        if read is not None:
            tones[name] = ToneCurve(exposure=read.exposure, knee=read.knee, white=read.white)
    return tones


def _rising(values: Sequence[float], fewest: int, smallest: float, largest: float) -> bool:
    ordered = all(a < b for a, b in pairwise(values))
    return len(values) >= fewest and ordered and smallest <= values[0] and values[-1] <= largest


def _linear(colour: str) -> RGB:
    """`#rrggbb` → linear light; the pattern has been checked."""
    red, green, blue = (srgb_to_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return (red, green, blue)
