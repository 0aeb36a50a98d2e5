"""Definition bytes → Composition, with every name in it checked.

A file either becomes a composition whose references all hold, or an InvalidCatalogue that lists
everything wrong with it. Files are looked at elsewhere: this module never touches the disk.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from render_service.composition.definition import CompositionDefinition, RuleDefinition
from render_service.composition.faults import Faults
from render_service.composition.materials import Materials
from render_service.composition.model import Composition, Rule, ToneCurve, View, satisfied
from render_service.composition.names import Names
from render_service.composition.parse_options import read_options
from render_service.composition.parse_views import read_view
from render_service.errors import InvalidCatalogue

_NO_TONE = ToneCurve(exposure=1, knee=0, white=1)


def parse_toml(data: bytes, faults: Faults) -> dict[str, Any]:
    """Return the TOML document, or {} with its fault noted."""
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        faults.add("", "", f"this is not UTF-8 text ({error.reason} at byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        faults.add("", "", f"this is not TOML: {error}")
    return {}


def parse_composition(
    composition: str, data: bytes, materials: Materials, tones: Mapping[str, ToneCurve]
) -> Composition:
    """Return the composition that `data` defines.

    Args:
        composition: Its id, the name of its folder.
        data: The bytes of `composition.toml`.
        materials: What its options may be made of.
        tones: The view transforms it may name.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    faults = Faults(f"{composition}/composition.toml")
    raw = parse_toml(data, faults)
    found = None if faults.found else read_composition(composition, raw, materials, tones, faults)
    if faults.found or found is None:
        raise InvalidCatalogue(faults.found)
    return found


def read_composition(
    composition: str,
    raw: dict[str, Any],
    materials: Materials,
    tones: Mapping[str, ToneCurve],
    faults: Faults,
) -> Composition | None:
    """Return the composition in the document `raw`, its faults noted; None where it has no head."""
    faults.check_id("", composition)
    bare = {**raw, "options": {}, "forbid": [], "views": {}}
    head = faults.convert(bare, CompositionDefinition, "")
    names = Names(faults, materials)
    read_options(faults.tables(raw, "options", ""), names)
    rules = _read_rules(raw, names)
    views = _read_views(raw, names)
    if head is None:
        return None
    faults.check_known("", "tone", head.tone, tones, "a tone of materials.toml")
    return Composition(
        id=composition,
        title=head.title,
        tone=tones.get(head.tone, _NO_TONE),
        options=names.options,
        rules=tuple(rules),
        views=views,
    )


def _read_rules(raw: dict[str, Any], names: Names) -> list[Rule]:
    defaults = {option.id: option.default for option in names.options.values()}
    rules = []
    for index, piece in enumerate(names.faults.array(raw, "forbid", "")):
        table = f"forbid[{index}]"
        read = names.faults.convert(piece, RuleDefinition, table)
        if read is None:
            continue
        rule = Rule(all=names.condition(read.all, table, "all"), reason=read.reason)
        if rule.all and satisfied(rule.all, defaults):
            problem = f"it forbids the default configuration {defaults}"
            names.faults.add(table, "all", problem)
        rules.append(rule)
    return rules


def _read_views(raw: dict[str, Any], names: Names) -> dict[str, View]:
    views = {}
    for view, piece in names.faults.tables(raw, "views", "").items():
        if (read := read_view(view, piece, names)) is not None:
            views[view] = read
    if not raw.get("views"):
        names.faults.add("", "views", "there is no view; write at least one [views.<id>]")
    return views
