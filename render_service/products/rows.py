"""Products as rows of a file: JSON lines, and CSV with a column for each field.

The rule: what is spelt here is read back as the same product. In CSV a cell is the text itself
where the field is one, and JSON where it is nested; an empty cell is a field that is left out.
"""

import csv
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from render_service.errors import FieldFault, InvalidProduct
from render_service.products.model import Product
from render_service.products.parse import PRODUCT_BYTES_MAX


class RowFormat(StrEnum):
    """How rows are spelt, by media type."""

    CSV = "text/csv"
    JSON_LINES = "application/x-ndjson"


class Row(Struct, frozen=True, kw_only=True):
    """A row of a file.

    Attributes:
        line: Of the file, from 1, where it begins.
        raw: The document, JSON already decoded; None where it cannot be read.
        faults: Why not.
    """

    line: int
    raw: object | None = None
    faults: tuple[FieldFault, ...] = ()


COLUMNS: Final = tuple(field.encode_name for field in msgspec.structs.fields(Product))
"""Of CSV: the fields of a product, in their order."""

TEXTS: Final = frozenset({"id", "composition", "status", "language", "title", "text", "sku"})
"""Columns that hold the text itself; every other one holds JSON."""

_BOM: Final = "\ufeff"


class RowReader:
    """Reads rows from lines, one after the other.

    Args:
        format_: How they are spelt.
    """

    def __init__(self, format_: RowFormat) -> None:
        self._format = format_
        self._header: Sequence[str] | None = None
        self._forget()
        self._line = 0
        # A cell may hold the longest field that a product has; the module's own bound is 128 KiB.
        csv.field_size_limit(PRODUCT_BYTES_MAX)

    def take(self, line: bytes) -> Row | None:
        """Return the row that ends with `line`, None where none does.

        Raises:
            InvalidProduct: The file cannot be read on: its head names no columns, or a row does not
                end.
        """
        self._line += 1
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            self._forget()
            return Row(line=self._line, faults=_broken(f"is not UTF-8: {error}").faults)
        text = text.removeprefix(_BOM) if self._line == 1 else text
        if self._format is RowFormat.JSON_LINES:
            return _read_json(self._line, text)
        self._begun.append(text)
        # Counted as it comes: a cell of a million short lines is joined once.
        self._begun_length += len(text)
        self._quotes += text.count('"')
        if self._quotes % 2:
            if self._begun_length > 2 * PRODUCT_BYTES_MAX:
                raise _broken(f"has a quoted cell from line {self._begun_at} on that does not end")
            return None
        begun_at, record = self._begun_at, "".join(self._begun)
        self._forget()
        return self._read_record(begun_at, record)

    def end(self) -> Row | None:
        """Return the row that the file ends within, as one that cannot be read."""
        if not self._begun:
            return None
        return Row(
            line=self._begun_at, faults=_broken("has a quoted cell that does not end").faults
        )

    def _forget(self) -> None:
        """Begin anew: what was read is a row, or none."""
        self._begun: list[str] = []
        self._begun_length = self._quotes = 0

    @property
    def _begun_at(self) -> int:
        return self._line - len(self._begun) + 1

    def _read_record(self, line: int, record: str) -> Row | None:
        try:
            cells = next(csv.reader([record], strict=True), [])
        except csv.Error as error:
            return Row(line=line, faults=_broken(f"is no row of CSV: {error}").faults)
        if not any(cells):
            return None
        if self._header is None:
            self._header = _checked_header(cells)
            return None
        return _read_cells(line, self._header, cells)


def spell_header() -> bytes:
    """Return the head of a CSV file."""
    return _spell_record(COLUMNS)


def spell_row(product: Product, format_: RowFormat) -> bytes:
    """Return `product` as a row, its line end included."""
    if format_ is RowFormat.JSON_LINES:
        return msgspec.json.encode(product) + b"\n"
    fields = msgspec.to_builtins(product)
    cells = (
        fields[name] if name in TEXTS else msgspec.json.encode(fields[name]).decode()
        for name in COLUMNS
    )
    return _spell_record(cells)


def _spell_record(cells: Iterator[str] | Sequence[str]) -> bytes:
    # Quoted without exception (RFC 4180): a text may hold commas, quotes and line ends.
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (",".join(quoted) + "\r\n").encode()


def _read_json(line: int, text: str) -> Row | None:
    if not text.strip():
        return None
    try:
        return Row(line=line, raw=msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Row(line=line, faults=_broken(f"is not JSON: {error}").faults)


def _checked_header(cells: Sequence[str]) -> Sequence[str]:
    unknown = [name for name in cells if name not in COLUMNS]
    twice = [name for name in cells if cells.count(name) > 1]
    for name in [*unknown, *twice]:
        problem = "is a column twice" if name in twice else "is no column"
        fault = FieldFault(field="", given=name[:200], problem=problem, offered=COLUMNS)
        raise InvalidProduct([fault])
    return tuple(cells)


def _read_cells(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, and the head names {len(header)} columns"
        return Row(line=line, faults=_broken(problem).faults)
    raw: dict[str, object] = {}
    faults = []
    for name, cell in zip(header, cells, strict=True):
        if not cell:
            continue
        if name in TEXTS:
            raw[name] = cell
            continue
        try:
            raw[name] = msgspec.json.decode(cell)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            problem = f"is not JSON: {error}"
            faults.append(FieldFault(field=name, given=cell[:200], problem=problem))
    return Row(line=line, faults=tuple(faults)) if faults else Row(line=line, raw=raw)


def _broken(problem: str) -> InvalidProduct:
    return InvalidProduct([FieldFault(field="", given="", problem=problem)])
