"""Collecting what is wrong with a definition: every fault, each with its place.

A file is converted piece by piece, so that one wrong key does not hide the next one.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from render_service.composition.definition import ID_PATTERN
from render_service.errors import Fault

T = TypeVar("T", bound=msgspec.Struct)

_ID = re.compile(ID_PATTERN)
_AT = re.compile(r"^(?P<message>.*?)(?: - at `(?:key in )?\$?\.?(?P<path>.*?)`)?$", re.DOTALL)


class Faults:
    """The faults of one file, gathered while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Fault] = []

    def add(self, table: str, key: str, problem: str) -> None:
        """Note that `key` of `table` has `problem`."""
        self.found.append(Fault(file=self.file, table=table, key=key, problem=problem))

    def convert(self, piece: object, kind: type[T], table: str) -> T | None:
        """Return `piece` as a `kind`, or None with the fault noted under `table`."""
        try:
            return msgspec.convert(piece, kind)
        except msgspec.ValidationError as error:
            match = _AT.match(str(error))
            message, path = (match["message"], match["path"] or "") if match else (str(error), "")
            known = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
            hint = (
                f"; keys here: {known}"
                if "unknown field" in message or "missing" in message
                else ""
            )
            self.add(table, path, message.replace("Object", "the table", 1) + hint)
            return None

    def tables(self, raw: dict[str, Any], key: str, table: str) -> dict[str, Any]:
        """Return the sub-tables under `key`, ids checked; {} with a fault where it is no table."""
        found = raw.get(key, {})
        if not isinstance(found, dict):
            self.add(table, key, f"Expected tables `[{key}.<id>]`, got {_kind(found)}")
            return {}
        for name in found:
            self.check_id(table or key, name)
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
        if not _ID.match(name) or len(name) > 64:
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


def _kind(value: object) -> str:
    return {list: "an array", dict: "a table", str: "text", bool: "a boolean"}.get(
        type(value), type(value).__name__
    )
