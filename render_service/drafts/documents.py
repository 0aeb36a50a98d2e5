"""What may be kept as a document of a draft: JSON of bounded size and depth, whatever it says.

The rule: what it means is looked at later and may be wrong for now; what would cost anybody more
than a document of a catalogue does is refused before it is kept.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from render_service.drafts.model import Document, Documents
from render_service.errors import DraftTooLarge

DOCUMENT_BYTES_MAX: Final = 4 * 2**20
"""10,000 layers of 200 bytes are 2 MB; nobody draws a ring of more."""

ASSETS_MAX: Final = 20_000
"""Layer files of one draft: those of 10,000 layers, twice."""

DEPTH_MAX: Final = 12
"""A condition of a layer is the deepest there is: views, a view, layers, a layer, when, an option
and its values."""

KEY_LENGTH_MAX: Final = 200
TEXT_LENGTH_MAX: Final = 1000
"""The longest text of a definition has 500 characters, the longest name 200."""

NUMBER_MAX: Final = 2**53
"""Beyond it JSON has no whole numbers that every program reads alike (RFC 8259 section 6)."""

VALUES_MAX: Final = 500_000
"""Values of one document, tables and arrays among them: 20,000 layers of 20."""

_TOLD: Final = 20
"""Faults of spelling told of a document."""


def check_document(given: object, field: str) -> list[tuple[str, str]]:
    """Return (field, problem) of what stands in the way of keeping `given`; nothing where it can.

    Args:
        given: What was read of JSON or TOML.
        field: What it is called.
    """
    if not isinstance(given, dict):
        return [(field, f"expected an object, got {_kind(given)}")]
    faults = []
    for number, fault in enumerate(_walk(given, field, 1)):
        if number == VALUES_MAX:
            return [(field, f"has over {VALUES_MAX} values")]
        if fault is not None:
            faults.append(fault)
        if len(faults) == _TOLD:
            break
    return faults


def check_size(documents: Documents) -> None:
    """Refuse documents that are larger together than what is kept.

    Raises:
        DraftTooLarge: They are.
    """
    size_bytes = len(encode(documents.definition)) + len(encode(documents.materials))
    if size_bytes > DOCUMENT_BYTES_MAX:
        raise DraftTooLarge("bytes of documents", size_bytes, DOCUMENT_BYTES_MAX)
    if len(documents.assets) > ASSETS_MAX:
        raise DraftTooLarge("layer files", len(documents.assets), ASSETS_MAX)


def encode(document: Document) -> bytes:
    """Return `document` as JSON; the same document is the same bytes, its keys in their order."""
    return msgspec.json.encode(document)


def _walk(value: Any, place: str, depth: int) -> Iterator[tuple[str, str] | None]:  # noqa: ANN401
    """Yield a fault or None for each value, those inside of it after it."""
    if not isinstance(value, dict | list):
        yield _fault(value, place)
        return
    if depth > DEPTH_MAX:
        yield place, f"is nested more than {DEPTH_MAX} deep"
        return
    yield None
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(key, str) and (len(key) > KEY_LENGTH_MAX or "\0" in key):
            yield place, f"the key {key[:40]!r}… has over {KEY_LENGTH_MAX} characters, or NUL"
        else:
            under = f"{place}.{key}" if isinstance(key, str) else f"{place}[{key}]"
            yield from _walk(below, under, depth + 1)


def _fault(value: object, place: str) -> tuple[str, str] | None:
    if isinstance(value, str) and (len(value) > TEXT_LENGTH_MAX or "\0" in value):
        return place, f"expected at most {TEXT_LENGTH_MAX} characters, and no NUL"
    if isinstance(value, int | float) and not abs(value) <= NUMBER_MAX:
        return place, f"expected a number of at most {NUMBER_MAX}"
    return None


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null"}.get(type(value), "a number")
