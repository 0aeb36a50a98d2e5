"""The documents of a draft → the composition that they describe, and everything wrong with them.

The rule: as a catalogue in a folder is read, and within bounds: a draft is written by a program, so
what one may cost is known before anything is counted out.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from render_service.composition.catalogue import Catalogue, asset_names, choices_of
from render_service.composition.faults import Faults
from render_service.composition.model import Composition, Layer, QualityTable
from render_service.composition.names import Names
from render_service.composition.parse import read_composition
from render_service.composition.parse_materials import FILE as MATERIALS_FILE
from render_service.composition.parse_materials import read_materials_document
from render_service.composition.qualities import options_in
from render_service.drafts.model import Document, Documents
from render_service.errors import Fault
from render_service.planning.request import offered_widths

FAULTS_TOLD: Final = 200
"""Nobody reads more at once."""

MOST: Final = {"options": 100, "forbid": 1000, "views": 50}
"""Options, rules and views of one composition: ten times what a large ring has."""

VALUES_MAX: Final = 1000
"""Values of an option."""

LAYERS_MAX: Final = 20_000
"""Layers of all views together."""

FILES_MAX: Final = 100_000
"""Names that the layers of a draft may come to, with repeats: half a second of counting."""

RULES_TRIED_MAX: Final = 5_000_000
"""Rules tried while they are counted."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a draft comes to.

    Attributes:
        catalogue: Its composition, with the digests of all its layer files; None with faults.
        faults: At most `FAULTS_TOLD` of what is wrong.
        count: How many faults there are.
        unfitting: Calibrated qualities of the release it began with that fit it no more.
    """

    catalogue: Catalogue | None
    faults: tuple[Fault, ...]
    count: int
    unfitting: int


class _SomeFaults(Faults):
    """Faults that are counted beyond those that are told."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.count = 0

    def add(self, table: str, key: str, problem: str) -> None:
        self.count += 1
        if len(self.found) < FAULTS_TOLD:
            super().add(table, key, problem[:1000])


def read_documents(composition: str, documents: Documents) -> Reading:
    """Return what `documents` come to as the composition of that id. Takes up to a second."""
    of_materials = _SomeFaults(MATERIALS_FILE)
    of_definition = _SomeFaults(f"{composition}/composition.toml")
    _check_counts(documents, of_definition)
    if of_definition.found:
        return _reading(None, of_materials, of_definition)
    materials = read_materials_document(dict(documents.materials), of_materials)
    names = Names(of_definition, materials.materials, materials.unread)
    found = read_composition(composition, dict(documents.definition), materials.tones, names)
    if found is None or of_materials.found or of_definition.found:
        return _reading(None, of_materials, of_definition)
    wanted = _wanted(found, documents.assets, of_definition)
    if of_definition.found:
        return _reading(None, of_materials, of_definition)
    kept = tuple(table for table in documents.qualities if _fits(table, found))
    catalogue = Catalogue(
        compositions={composition: replace(found, qualities=kept)}, assets={composition: wanted}
    )
    unfitting = len(documents.qualities) - len(kept)
    return Reading(catalogue=catalogue, faults=(), count=0, unfitting=unfitting)


def _reading(catalogue: Catalogue | None, *faults: _SomeFaults) -> Reading:
    told = tuple(fault for one in faults for fault in one.found)[:FAULTS_TOLD]
    return Reading(
        catalogue=catalogue, faults=told, count=sum(one.count for one in faults), unfitting=0
    )


def _check_counts(documents: Documents, faults: Faults) -> None:
    """Note what there is too much of: telling what is wrong with each would take too long."""
    definition = documents.definition
    for key, most in MOST.items():
        _check_count(definition, key, most, faults)
    for table in ("bases", "materials", "tones"):
        _check_count(documents.materials, table, MOST["options"], faults)
    for basis, known in _tables(documents.materials, "materials"):
        _check_count({basis: known}, basis, VALUES_MAX, faults)
    for option, piece in _tables(definition, "options"):
        if isinstance(piece, dict):
            _check_count(piece, "values", VALUES_MAX, faults, f"options.{option}")
    views = [piece for _, piece in _tables(definition, "views") if isinstance(piece, dict)]
    layers = sum(len(view["layers"]) for view in views if isinstance(view.get("layers"), list))
    if layers > LAYERS_MAX:
        faults.add("views", "layers", f"there are {layers} layers; at most {LAYERS_MAX} are drawn")


def _tables(document: Document, key: str) -> Iterator[tuple[str, object]]:
    found = document.get(key)
    yield from found.items() if isinstance(found, dict) else ()


def _check_count(document: Document, key: str, most: int, faults: Faults, table: str = "") -> None:
    found = document.get(key)
    if isinstance(found, dict | list) and len(found) > most:
        faults.add(table, key, f"has {len(found)} entries; at most {most} are read")


def _wanted(composition: Composition, assets: Mapping[str, str], faults: Faults) -> dict[str, str]:
    """Return file name → digest of every layer file; note each that the draft does not have."""
    layers = [
        (f"views.{view.id}.layers[{index}]", layer)
        for view in composition.views.values()
        for index, layer in enumerate(view.layers)
    ]
    names = sum(_combinations(composition, layer) for _, layer in layers)
    if names > FILES_MAX or names * len(composition.rules) > RULES_TRIED_MAX:
        faults.add("views", "layers", f"they come to {names} files; at most {FILES_MAX} are read")
        return {}
    wanted: dict[str, str] = {}
    missing: set[str] = set()
    for table, layer in layers:
        for name in asset_names(composition, layer):
            if name in assets:
                wanted[name] = assets[name]
            elif name not in missing:
                missing.add(name)
                faults.add(
                    table, "asset", f"the draft has no layer file {name}; PUT …/assets/{name}"
                )
    return wanted


def _combinations(composition: Composition, layer: Layer) -> int:
    return math.prod(len(values) for values in choices_of(composition, layer).values())


def _fits(table: QualityTable, composition: Composition) -> bool:
    """Whether a table of qualities is of what the composition shows: no quality is guessed."""
    view = composition.views.get(table.view)
    if view is None or (table.region is not None and table.region not in view.regions):
        return False
    if not set(table.widths) <= set(offered_widths(view.frame(table.region)[2])):
        return False
    shown = options_in(view, table.region)
    named = [*table.offsets.items(), *(pair for c in table.corrections for pair in c.when.items())]
    return all(
        option in shown and set(values) <= set(composition.options[option].ids)
        for option, values in named
    )
