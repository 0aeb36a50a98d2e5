"""Collecting what is wrong with a definition: every fault, each with its place.

A table is read field by field, and a table of entries entry by entry, so that one wrong key hides
neither its neighbours nor what they name.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from render_service.composition.definition import ID_PATTERN
from render_service.errors import Fault

_ID = re.compile(ID_PATTERN)
_AT = re.compile(r"^(?P<message>.*?)(?: - at `\$?(?P<path>.*?)`)?$", re.DOTALL)


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The fields of a kind of table by key; finding them out takes as long as reading a table."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


class Faults:
    """The faults of one file, gathered while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Fault] = []

    def add(self, table: str, key: str, problem: str) -> None:
        """Note that `key` of `table` has `problem`."""
        self.found.append(Fault(file=self.file, table=table, key=key, problem=problem))

    def read(self, piece: object, kind: type[msgspec.Struct], table: str) -> dict[str, Any]:
        """Return what could be read of `piece` as a `kind`: field → its value, or its default.

        A field that could not be read, or is missing, is noted under `table` and left out; of a
        table of entries only the entries that could not be read are.
        """
        if not isinstance(piece, dict):
            self.add(table, "", f"Expected a table, got {_kind(piece)}")
            return {}
        fields = _fields(kind)
        hint = f"keys here: {', '.join(fields)}"
        for key in piece:
            if key not in fields:
                self.add(table, key, f"is not a key of this table; {hint}")
        found = {}
        for key, field in fields.items():
            if key in piece:
                value = self._value(piece[key], field.type, table, key)
                if value is not msgspec.UNSET:
                    found[key] = value
            elif field.required:
                self.add(table, key, f"is missing; {hint}")
            else:
                made = field.default_factory
                found[key] = field.default if made is msgspec.NODEFAULT else made()
        return found

    def _value(self, value: object, kind: Any, table: str, key: str) -> Any:  # noqa: ANN401
        """Return `value` as a `kind`, which can be any type; UNSET with the fault noted."""
        entries = _entries(kind)
        if entries is not None and isinstance(value, dict) and value:
            read = {k: self._value(v, entries, table, f"{key}.{k}") for k, v in value.items()}
            return {k: v for k, v in read.items() if v is not msgspec.UNSET}
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            offered = _offered(kind)
            match = _AT.match(str(error))
            message, path = (match["message"], match["path"] or "") if match else (str(error), "")
            problem = f"{value!r} is not offered; {', '.join(offered)}" if offered else message
            self.add(table, key + path, problem.replace("`object`", "`table`"))
            return msgspec.UNSET

    def tables(self, raw: dict[str, Any], key: str, table: str) -> dict[str, Any]:
        """Return the sub-tables under `key`, ids checked; {} with a fault where it is no table."""
        found = raw.get(key, {})
        place = f"{table}.{key}" if table else key
        if not isinstance(found, dict):
            self.add(table, key, f"Expected tables `[{place}.<id>]`, got {_kind(found)}")
            return {}
        for name in found:
            self.check_id(place, name)
        return found

    def array(self, raw: dict[str, Any], key: str, table: str) -> list[Any]:
        """Return the array of tables under `key`; [] with a fault where it is none."""
        found = raw.get(key, [])
        if not isinstance(found, list):
            self.add(table, key, f"Expected an array of tables, got {_kind(found)}")
            return []
        return found

    def check_id(self, table: str, name: str) -> None:
        """Note a fault where `name` is not fit to be an id."""
        if not _ID.fullmatch(name) or len(name) > 64:
            self.add(
                table, name, "an id is lower-case letters, digits and single hyphens, 64 at most"
            )

    def check_known(
        self, table: str, key: str, given: str, offered: Iterable[str], what: str
    ) -> bool:
        """Return whether `given` is one of `offered`; note a fault naming them where not."""
        names = list(offered)
        if given in names:
            return True
        listed = ", ".join(names) if names else "there are none"
        self.add(table, key, f"{given!r} is not {what}; known: {listed}")
        return False


def _bare(kind: Any) -> Any:  # noqa: ANN401
    """The type without its annotations."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _entries(kind: Any) -> Any:  # noqa: ANN401
    """The type of the entries of a type of tables; None for any other type."""
    bare = _bare(kind)
    return get_args(bare)[1] if get_origin(bare) is dict else None


def _offered(kind: Any) -> list[str]:  # noqa: ANN401
    """What an enumeration offers, as it is written; nothing for any other type."""
    bare = _bare(kind)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return [str(member) for member in bare]
    return [str(value) for value in get_args(bare)] if get_origin(bare) is Literal else []


def _kind(value: object) -> str:
    return {list: "an array", dict: "a table", str: "text", bool: "a boolean"}.get(
        type(value), type(value).__name__
    )
