"""`materials.toml` → bases, materials and tones, with every number in range.

Numbers are refused here rather than clipped later: a material out of range is a typing error, and
painting would still draw something. What is wrong here does not stop a composition from being read:
every name that is defined is there, whatever is wrong with its numbers.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

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
from render_service.composition.names import spoken
from render_service.composition.parse import parse_toml
from render_service.errors import Fault, InvalidCatalogue

FILE = "materials.toml"

_COLOUR = re.compile(COLOUR_PATTERN)

# Largest values: F0 of gold in linear sRGB is 1.059, outside the gamut on purpose
# (docs/decisions/0002-paint-basis.md); nothing transmits more light than it is given.
_LARGEST = {Law.REFLECTANCE: 1.2, Law.TRANSMITTANCE: 1.0}

_NO_TONE = ToneCurve(exposure=1, knee=0, white=1)
"""Stands for a tone with faults, until they are raised."""

Ramp = tuple[tuple[float, float, float, float], ...]


class MaterialsRead(Struct, frozen=True, kw_only=True):
    """What could be read of `materials.toml`.

    Attributes:
        materials: Bases and materials; to draw with only where there are no faults.
        tones: View transforms by id, likewise.
        unread: Of `bases`, `tones` and `materials.<basis>`, those that may hold more than was read.
        faults: Everything wrong with the file.
    """

    materials: Materials
    tones: dict[str, ToneCurve]
    unread: frozenset[str]
    faults: tuple[Fault, ...]


NOTHING_READ = MaterialsRead(
    materials=Materials(bases={}, materials={}),
    tones={},
    unread=frozenset({"bases", "tones"}),
    faults=(),
)
"""What is known of the materials where the file is not there, or is not TOML."""


def parse_materials(data: bytes) -> tuple[Materials, dict[str, ToneCurve]]:
    """Return the materials and the tones that `data` defines.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    found = read_materials(data)
    if found.faults:
        raise InvalidCatalogue(found.faults)
    return found.materials, found.tones


def read_materials(data: bytes) -> MaterialsRead:
    """Return what can be read of `data`, and everything wrong with it."""
    faults = Faults(FILE)
    raw = parse_toml(data, faults)
    if faults.found:
        return replace(NOTHING_READ, faults=tuple(faults.found))
    return read_materials_document(raw, faults)


def read_materials_document(raw: dict[str, Any], faults: Faults) -> MaterialsRead:
    """Return what can be read of a document that is no text any more, and everything wrong."""
    faults.read({**raw, "bases": {}, "materials": {}, "tones": {}}, MaterialsDefinition, "")
    # A table under a misspelt name may hold what a composition asks for.
    known = {field.encode_name for field in fields(MaterialsDefinition)}
    unread = {"bases", "tones"} if not raw.keys() <= known else set()
    laws: dict[str, Law | None] = {}
    bases = _read_bases(raw, laws, faults)
    materials: dict[str, dict[str, Material]] = {basis: {} for basis in bases}
    tables = faults.tables(raw, "materials", "")
    for basis in tables:
        if "bases" in unread or faults.check_known("materials", basis, basis, bases, "a basis"):
            materials[basis] = _read_materials(tables, basis, laws.get(basis), unread, faults)
    lost = any(basis not in bases for basis in tables) or not isinstance(
        raw.get("materials", {}), dict
    )
    if lost or "bases" in unread:
        unread |= {f"materials.{basis}" for basis in bases}
    tones = _read_tones(raw, faults)
    unread |= {key for key in ("bases", "tones") if not isinstance(raw.get(key, {}), dict)}
    return MaterialsRead(
        materials=Materials(bases=bases, materials=materials),
        tones=tones,
        unread=frozenset(unread),
        faults=tuple(faults.found),
    )


def _read_bases(
    raw: dict[str, Any], laws: dict[str, Law | None], faults: Faults
) -> dict[str, Basis]:
    """Return every basis that is named, and note its law in `laws`: None where it is unread."""
    bases = {}
    for name, piece in faults.tables(raw, "bases", "").items():
        table = f"bases.{name}"
        read = faults.read(piece, BasisDefinition, table)
        law: Law | None = read.get("law")
        nodes: tuple[float, ...] | None = read.get("nodes")
        if law is Law.GRADIENT and nodes:
            faults.add(table, "nodes", "a gradient has no nodes; leave them out")
        elif law in _LARGEST and nodes is not None and not _rising(nodes, 2, 0.001, _LARGEST[law]):
            faults.add(
                table,
                "nodes",
                f"{list(nodes)} must be 2 to 6 rising numbers from 0.001 to {_LARGEST[law]}",
            )
        laws[name] = law
        bases[name] = Basis(id=name, law=law or Law.REFLECTANCE, nodes=nodes or ())
    return bases


def _read_materials(
    tables: dict[str, Any], basis: str, law: Law | None, unread: set[str], faults: Faults
) -> dict[str, Material]:
    materials = {}
    if not isinstance(tables[basis], dict):
        unread.add(f"materials.{basis}")
    for name, piece in faults.tables(tables, basis, "materials").items():
        table = f"materials.{basis}.{name}"
        read = faults.read(piece, MaterialDefinition, table)
        if "family" not in read:
            unread.add(f"materials.{basis}")
        materials[name] = _material(name, read, law, table, faults)
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
    name: str, read: dict[str, Any], law: Law | None, table: str, faults: Faults
) -> Material:
    """Return the material; without numbers and swatch where they cannot be used."""
    value: RGB | None = None
    stops: Ramp = ()
    sound = law is not None and "value" in read and "stops" in read
    if sound and law is Law.GRADIENT:
        stops = _read_stops(read, table, faults)
        sound = bool(stops)
    elif sound and law is not None:
        value = _read_value(read, law, table, faults)
        sound = value is not None
    return Material(
        id=name,
        title=read.get("title") or spoken(name),
        family=read.get("family"),
        value=value,
        stops=stops,
        swatch=swatch_of(_seen(law, value, stops)) if sound else "",
    )


def _read_stops(read: dict[str, Any], table: str, faults: Faults) -> Ramp:
    given: tuple[tuple[float, str], ...] = read["stops"] or ()
    stops = tuple((at, *_linear(colour)) for at, colour in given if _COLOUR.fullmatch(colour))
    rising = len(stops) == len(given) and _rising([stop[0] for stop in stops], 2, 0.0, 1.0)
    if rising and read["value"] is None:
        return stops
    faults.add(table, "stops", 'give 2 or more rising [luminance 0..1, "#rrggbb"] and no value')
    return ()


def _read_value(read: dict[str, Any], law: Law, table: str, faults: Faults) -> RGB | None:
    value: RGB | None = read["value"]
    if value is None or read["stops"] is not None:
        faults.add(table, "value", f"a material of law {law} has `value` = [R, G, B] and no stops")
        return None
    if not all(0 <= v <= _LARGEST[law] for v in value):
        faults.add(
            table, "value", f"{list(value)}: each of R, G, B is 0 to {_LARGEST[law]} ({law})"
        )
        return None
    return value


def _seen(law: Law | None, value: RGB | None, stops: Ramp) -> RGB:
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
        read = faults.read(piece, ToneDefinition, f"tones.{name}")
        tones[name] = ToneCurve(**read) if len(read) == len(fields(ToneDefinition)) else _NO_TONE
    return tones


def _rising(values: Sequence[float], fewest: int, smallest: float, largest: float) -> bool:
    ordered = all(a < b for a, b in pairwise(values))
    return len(values) >= fewest and ordered and smallest <= values[0] and values[-1] <= largest


def _linear(colour: str) -> RGB:
    """`#rrggbb` → linear light; the pattern has been checked."""
    red, green, blue = (srgb_to_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return (red, green, blue)
