"""`[options.<id>]` → options: plain values, or the materials of a basis."""

from render_service.composition.definition import OptionDefinition
from render_service.composition.model import Option, Value
from render_service.composition.names import Names, spoken


def read_options(pieces: dict[str, object], names: Names) -> None:
    """Read every option into `names`; one that cannot be read stays among the unread."""
    for option, piece in pieces.items():
        names.unread.add(option)
        if (read := _read_option(option, piece, names)) is not None:
            names.options[option] = read
            names.unread.discard(option)


def _read_option(option: str, piece: object, names: Names) -> Option | None:
    table, faults = f"options.{option}", names.faults
    read = faults.convert(piece, OptionDefinition, table)
    if read is None:
        return None
    ids = _value_ids(read, table, names)
    if not ids:
        return None
    faults.check_known(table, "default", read.default, ids, "one of the option's values")
    for value in read.titles:
        faults.check_known(f"{table}.titles", value, value, ids, "one of the values")
    known = names.materials.materials.get(read.material or "", {})
    values = []
    for value in ids:
        material = known.get(value)
        title = read.titles.get(value) or (material.title if material else spoken(value))
        values.append(Value(id=value, title=title, material=material))
    return Option(
        id=option,
        title=read.title or spoken(option),
        basis=names.materials.bases.get(read.material or ""),
        values=tuple(values),
        default=read.default,
    )


def _value_ids(read: OptionDefinition, table: str, names: Names) -> list[str]:
    faults = names.faults
    if read.material is None:
        if read.values is None:
            faults.add(table, "values", "list the values, or name the basis in `material`")
        ids = list(read.values or ())
        for value in ids:
            faults.check_id(table, value)
    else:
        if not faults.check_known(
            table, "material", read.material, names.materials.bases, "a basis"
        ):
            return []
        ids = _material_ids(read.material, read.values, table, names)
    for value in sorted({v for v in ids if ids.count(v) > 1}):
        faults.add(table, "values", f"{value!r} is listed twice")
    return ids


def _material_ids(
    basis: str, values: tuple[str, ...] | None, table: str, names: Names
) -> list[str]:
    """The materials that `values` name, a family standing for its members; all where it is None."""
    known = names.materials.materials.get(basis, {})
    if values is None:
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
