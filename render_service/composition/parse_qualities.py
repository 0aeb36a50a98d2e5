"""`encoding.toml` → the qualities of a composition, every name and width in it checked.

The rule: a table is complete (every width of its class) and names only what its pictures show, so
that a quality is never a guess.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from render_service.composition.definition import (
    CorrectionDefinition,
    EncodingDefinition,
    MeasuredDefinition,
    QualityTableDefinition,
)
from render_service.composition.faults import Faults
from render_service.composition.model import Composition, Correction, QualityTable, SizeClass, View
from render_service.composition.names import Names
from render_service.composition.parse import parse_toml
from render_service.composition.qualities import CALIBRATED, WIDEST_PX, options_in
from render_service.errors import InvalidCatalogue
from render_service.formats import Format

ENCODING_FILE: Final = "encoding.toml"

_MEASURED: Final = {
    "date": "",
    "metric": "-",
    "encoders": "-",
    "seed": 0,
    "samples": 0,
    "views": {},
}
"""A `[measured]` without faults, to stand for the one that is read apart."""


class Calibrated(NamedTuple):
    """A composition with its qualities, and what they were measured on."""

    composition: Composition
    measured: MeasuredDefinition


class _Place(NamedTuple):
    """Where a table is, and what it is of."""

    table: str
    view: View
    region: str | None


def parse_qualities(
    composition: Composition, data: bytes, names: Names, offered: Mapping[str, tuple[int, ...]]
) -> Calibrated:
    """Return `composition` with the qualities that `data` defines.

    Args:
        composition: What they are of.
        data: The bytes of `encoding.toml`.
        names: The options of the composition, with faults of this file's own.
        offered: `view` or `view:region` → the widths it is offered at.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    faults = names.faults
    raw = parse_toml(data, faults)
    if faults.found:
        raise InvalidCatalogue(faults.found)
    measured = _read_measured(raw, composition, faults)
    tables: dict[tuple[object, ...], QualityTable] = {}
    for index, piece in enumerate(faults.array(raw, "tables", "")):
        table = _read_table(f"tables[{index}]", piece, composition, names, offered)
        if table is None:
            continue
        place = (table.view, table.region, table.format, table.size)
        if place in tables:
            said = " ".join(str(part) for part in place if part is not None)
            faults.add(f"tables[{index}]", "", f"{said} has a table already; keep one of them")
        tables[place] = table
    if faults.found or measured is None:
        raise InvalidCatalogue(faults.found)
    return Calibrated(replace(composition, qualities=tuple(tables.values())), measured)


def _read_measured(
    raw: dict[str, Any], composition: Composition, faults: Faults
) -> MeasuredDefinition | None:
    """Return `[measured]`, or None with its faults noted, and those of the keys beside it."""
    head = {**raw, "tables": []}
    if "measured" in head:
        # Its keys are told by its own name, below.
        head["measured"] = _MEASURED
    faults.read(head, EncodingDefinition, "")
    read = faults.read(raw.get("measured", _MEASURED), MeasuredDefinition, "measured")
    for view in read.get("views", ()):
        faults.check_known("measured", "views", view, composition.views, "a view")
    return None if faults.found else MeasuredDefinition(**read)


def _read_table(
    table: str,
    piece: object,
    composition: Composition,
    names: Names,
    offered: Mapping[str, tuple[int, ...]],
) -> QualityTable | None:
    """Return the table, or None with its faults noted."""
    faults = names.faults
    if not isinstance(piece, dict):
        faults.add(table, "", "Expected a table")
        return None
    read = faults.read({**piece, "corrections": []}, QualityTableDefinition, table)
    view_id, region = read.get("view"), read.get("region")
    if not ({"format", "size"} <= read.keys()) or view_id is None:
        return None
    if not faults.check_known(table, "view", view_id, composition.views, "a view"):
        return None
    view = composition.views[view_id]
    if region is not None and not faults.check_known(
        table, "region", region, view.regions, f"a region of {view_id}"
    ):
        return None
    if read["format"] not in CALIBRATED:
        faults.check_known(
            table, "format", str(read["format"]), map(str, CALIBRATED), "a format with a quality"
        )
    place = _Place(table, view, region)
    name = view_id if region is None else f"{view_id}:{region}"
    return QualityTable(
        view=view_id,
        region=region,
        format=Format(read["format"]),
        size=read["size"],
        widths=_read_widths(read.get("widths", {}), read["size"], offered[name], place, faults),
        offsets=_read_offsets(read.get("offsets", {}), place, names),
        corrections=_read_corrections(piece, place, names),
        least=_tenths(read.get("least", 1)),
    )


def _read_widths(
    given: Mapping[str, float],
    size: SizeClass,
    offered: tuple[int, ...],
    place: _Place,
    faults: Faults,
) -> dict[int, int]:
    """Every width of the class → its quality in tenths."""
    bounds = [0, *(widest or offered[-1] for widest in WIDEST_PX.values())]
    number = list(WIDEST_PX).index(size)
    wanted = [width for width in offered if bounds[number] < width <= bounds[number + 1]]
    known = [str(width) for width in wanted]
    for width in given:
        faults.check_known(place.table, "widths", width, known, f"a {size} width of it")
    for width in known:
        if given and width not in given:
            faults.add(place.table, f"widths.{width}", "is missing; every width has a quality")
    return {width: _tenths(given[str(width)]) for width in wanted if str(width) in given}


def _read_offsets(
    given: Mapping[str, Mapping[str, float]], place: _Place, names: Names
) -> dict[str, dict[str, int]]:
    shown = options_in(place.view, place.region)
    offsets = {}
    for option, steps in given.items():
        if _shows(option, shown, f"offsets.{option}", place, names.faults):
            values = names.options[option].ids
            for value in steps:
                names.faults.check_known(
                    place.table, f"offsets.{option}", value, values, f"a value of {option}"
                )
            offsets[option] = {value: _tenths(step) for value, step in steps.items()}
    return offsets


def _read_corrections(piece: dict[str, Any], place: _Place, names: Names) -> tuple[Correction, ...]:
    shown = options_in(place.view, place.region)
    corrections = []
    for index, entry in enumerate(names.faults.array(piece, "corrections", place.table)):
        table = f"{place.table}.corrections[{index}]"
        read = names.faults.read(entry, CorrectionDefinition, table)
        at = place._replace(table=table)
        given: dict[str, Any] = read.get("when", {})
        known = {o: c for o, c in given.items() if _shows(o, shown, "when", at, names.faults)}
        when = names.condition(known, table, "when")
        if "add" in read:
            corrections.append(Correction(when=when, tenths=_tenths(read["add"])))
    return tuple(corrections)


def _shows(option: str, shown: tuple[str, ...], key: str, place: _Place, faults: Faults) -> bool:
    name = place.view.id if place.region is None else f"{place.view.id}:{place.region}"
    return faults.check_known(place.table, key, option, shown, f"an option that {name} shows")


def _tenths(given: float) -> int:
    return round(10 * given)
