"""`[options.<id>]` → options: plain values, or the materials of a basis.

What can be read of an option is checked even where the rest of it cannot.
"""

from collections import Counter
from typing import Any, Final

from render_service.composition.definition import OptionDefinition
from render_service.composition.model import Option, Value
from render_service.composition.names import Names, spoken

_TAKEN: Final = ("view", "region", "width", "height", "format")
"""Keys of the query of `explain`, which also takes every option by its id."""


def read_options(pieces: dict[str, object], names: Names) -> None:
    """Read every option into `names`; one that cannot be read stays among the unread."""
    for option, piece in pieces.items():
        names.unread.add(option)
        if option in _TAKEN:
            problem = "is a key of the query of `explain` already; give the option another id"
            names.faults.add("options", option, problem)
        if (read := _read_option(option, piece, names)) is not None:
            names.options[option] = read
            names.unread.discard(option)


def _read_option(option: str, piece: object, names: Names) -> Option | None:
    table, faults = f"options.{option}", names.faults
    read = faults.read(piece, OptionDefinition, table)
    if "material" not in read or "values" not in read:
        return None
    ids = _value_ids(read, table, names)
    if not ids:
        return None
    # An unread default is no value, so that no rule can seem to forbid it.
    default: str = read.get("default", "")
    if default:
        faults.check_known(table, "default", default, ids, "one of the option's values")
    titles: dict[str, str] = read.get("titles", {})
    for value in titles:
        faults.check_known(f"{table}.titles", value, value, ids, "one of the values")
    known = names.materials.materials.get(read["material"] or "", {})
    values = []
    for value in ids:
        material = known.get(value)
        title = titles.get(value) or (material.title if material else spoken(value))
        values.append(Value(id=value, title=title, material=material))
    return Option(
        id=option,
        title=read.get("title") or spoken(option),
        basis=names.materials.bases.get(read["material"] or ""),
        values=tuple(values),
        default=default,
    )


def _value_ids(read: dict[str, Any], table: str, names: Names) -> list[str]:
    """The ids of the values, their faults noted; [] where they cannot be known."""
    faults = names.faults
    basis: str | None = read["material"]
    values: tuple[str, ...] | None = read["values"]
    if basis is None:
        if values is None:
            faults.add(table, "values", "list the values, or name the basis in `material`")
        ids = list(values or ())
        for value in ids:
            faults.check_id(table, value)
    else:
        bases = names.materials.bases
        if basis not in bases and "bases" in names.unread_materials:
            return []
        if not faults.check_known(table, "material", basis, bases, "a basis"):
            return []
        if f"materials.{basis}" in names.unread_materials:
            return []
        ids = _material_ids(basis, values, table, names)
    for value in sorted(value for value, times in Counter(ids).items() if times > 1):
        faults.add(table, "values", f"{value!r} is listed twice")
    return ids


def _material_ids(
    basis: str, values: tuple[str, ...] | None, table: str, names: Names
) -> list[str]:
    """The materials that `values` name, a family standing for its members; all where it is None."""
    known = names.materials.materials.get(basis, {})
    if values is None:
        if not known:
            names.faults.add(table, "material", f"there are no [materials.{basis}.<id>] to offer")
        return list(known)
    families = names.materials.families(basis)
    what = f"a material or family of {basis}"
    ids: list[str] = []
    for value in values:
        if value in families:
            ids.extend(families[value])
        elif names.faults.check_known(table, "values", value, (*known, *families), what):
            ids.append(value)
    return ids
