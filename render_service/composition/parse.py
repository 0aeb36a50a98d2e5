"""Definition bytes → Composition, with every name in it checked.

A file either becomes a composition whose references all hold, or an InvalidCatalogue that lists
everything wrong with it. Files are looked at elsewhere: this module never touches the disk.
"""

import tomllib
from collections.abc import Collection, Mapping
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
"""Stands for a tone with faults, until they are raised."""


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
    composition: str,
    data: bytes,
    materials: Materials,
    tones: Mapping[str, ToneCurve],
    *,
    unread: Collection[str] = (),
) -> Composition:
    """Return the composition that `data` defines.

    Args:
        composition: Its id, the name of its folder.
        data: The bytes of `composition.toml`.
        materials: What its options may be made of.
        tones: The view transforms it may name.
        unread: Places of `materials.toml` that could not be read: what it names there may exist.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    faults = Faults(f"{composition}/composition.toml")
    raw = parse_toml(data, faults)
    names = Names(faults, materials, unread)
    found = None if faults.found else read_composition(composition, raw, tones, names)
    if faults.found or found is None:
        raise InvalidCatalogue(faults.found)
    return found


def read_composition(
    composition: str, raw: dict[str, Any], tones: Mapping[str, ToneCurve], names: Names
) -> Composition | None:
    """Return the composition in the document `raw`; None where it lacks a title or a tone.

    Every fault is noted in `names.faults`; where there is one, what is returned is not to be used.
    """
    faults = names.faults
    faults.check_id("", composition)
    bare = {**raw, "options": {}, "forbid": [], "views": {}}
    head = faults.read(bare, CompositionDefinition, "")
    tone: str | None = head.get("tone")
    if tone is not None and "tones" not in names.unread_materials:
        faults.check_known("", "tone", tone, tones, "a tone of materials.toml")
    read_options(faults.tables(raw, "options", ""), names)
    rules = _read_rules(raw, names)
    views = _read_views(raw, names)
    if tone is None or "title" not in head:
        return None
    return Composition(
        id=composition,
        title=head["title"],
        tone=tones.get(tone, _NO_TONE),
        options=names.options,
        rules=tuple(rules),
        views=views,
    )


def _read_rules(raw: dict[str, Any], names: Names) -> list[Rule]:
    defaults = {option.id: option.default for option in names.options.values()}
    rules = []
    for index, piece in enumerate(names.faults.array(raw, "forbid", "")):
        table, before = f"forbid[{index}]", len(names.faults.found)
        read = names.faults.read(piece, RuleDefinition, table)
        given: dict[str, Any] = read.get("all", {})
        condition = names.condition(given, table, "all")
        # With a part of it unread, a rule forbids more than it says.
        whole = len(names.faults.found) == before and len(condition) == len(given)
        if whole and satisfied(condition, defaults):
            problem = f"it forbids the default configuration {defaults}"
            names.faults.add(table, "all", problem)
        rules.append(Rule(all=condition, reason=read.get("reason", "")))
    return rules


def _read_views(raw: dict[str, Any], names: Names) -> dict[str, View]:
    views = {}
    for view, piece in names.faults.tables(raw, "views", "").items():
        if (read := read_view(view, piece, names)) is not None:
            views[view] = read
    if raw.get("views", {}) == {}:
        names.faults.add("", "views", "there is no view; write at least one [views.<id>]")
    return views
