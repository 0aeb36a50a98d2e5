"""TIFF files as containers: where the last of what their directories point at ends.

The rule: a TIFF has no end of its own, so its end is that of the last byte that some directory
accounts for; no directory is read twice, and no more of them than a layer may have pages.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from render_service.errors import FileRefused, RefusedFor

DIRECTORIES_MAX: Final = 64
"""A layer has six pages at most; each may have an EXIF directory and a few smaller copies."""

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of each field type: TIFF 6.0 section 2, and 13 (IFD) of its supplement."""
_BIG_SIZES: Final = _SIZES | {16: 8, 17: 8, 18: 8}
_STRIPS: Final = ((273, 279), (324, 325))
"""Offsets and byte counts, of strips and of tiles."""
_BELOW: Final = (330, 34665, 34853)
"""Directories below one: SubIFDs, EXIF, GPS."""
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


class _Shape(NamedTuple):
    """How a file's numbers are written: TIFF 6.0, or BigTIFF."""

    order: str
    length: str
    offset: str
    sizes: dict[int, int]


class _Field(NamedTuple):
    tag: int
    type: int
    length: int
    at: int
    size: int


def walk_tiff(data: bytes) -> int:
    """Return where the last of a TIFF ends that its directories account for.

    Raises:
        FileRefused: It has too many directories, or goes in circles.
        ValueError: It points behind its end.
    """
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] in (b"*\0", b"\0*"):
        shape, first = _Shape(order, "H", "I", _SIZES), 4
    else:
        shape, first = _Shape(order, "Q", "Q", _BIG_SIZES), 8
    end, seen = 8, set[int]()
    waiting = [*_numbers(data, first, shape.offset, 1, shape)]
    while waiting:
        if (at := waiting.pop()) == 0:
            continue
        if at in seen or len(seen) >= DIRECTORIES_MAX:
            raise FileRefused(
                RefusedFor.PAGES,
                f"It has more than {DIRECTORIES_MAX} pages, or pages that follow one another in a "
                "circle; save its pages as files of their own.",
            )
        seen.add(at)
        reached, following = _read_directory(data, at, shape)
        end = max(end, reached)
        waiting += following
    return end


def _read_directory(data: bytes, at: int, shape: _Shape) -> tuple[int, list[int]]:
    """Return where the last of a directory ends, and the directories that it points at."""
    fields = list(_fields(data, at, shape))
    after = at + struct.calcsize("<" + shape.length) + len(fields) * _entry_bytes(shape)
    following = list(_numbers(data, after, shape.offset, 1, shape))
    end = after + struct.calcsize("<" + shape.offset)
    values = {}
    for field in fields:
        end = max(end, field.at + field.size)
        if field.tag in (*_BELOW, *(tag for pair in _STRIPS for tag in pair)):
            values[field.tag] = list(_values(data, field, shape))
    for tag in _BELOW:
        following += values.get(tag, [])
    for offsets, counts in _STRIPS:
        pieces = zip(values.get(offsets, []), values.get(counts, []), strict=True)
        end = max([end, *(start + size for start, size in pieces)])
    if end > len(data):
        raise ValueError("a directory points behind the end of the file")
    return end, following


def _fields(data: bytes, at: int, shape: _Shape) -> Iterator[_Field]:
    (count,) = _numbers(data, at, shape.length, 1, shape)
    entry_bytes = _entry_bytes(shape)
    if count * entry_bytes > len(data):
        raise ValueError("a directory is longer than the file")
    room = struct.calcsize("<" + shape.offset)
    first = at + struct.calcsize("<" + shape.length)
    for start in range(first, first + count * entry_bytes, entry_bytes):
        tag, kind = _numbers(data, start, "H", 2, shape)
        (length,) = _numbers(data, start + 4, shape.offset, 1, shape)
        size = length * shape.sizes.get(kind, 1)
        value_at = start + 4 + room
        if size > room:
            (value_at,) = _numbers(data, value_at, shape.offset, 1, shape)
        if value_at + size > len(data):
            raise ValueError("a field points behind the end of the file")
        yield _Field(tag, kind, length, value_at, size)


def _values(data: bytes, field: _Field, shape: _Shape) -> tuple[int, ...]:
    if field.type not in _NUMBERS:
        raise ValueError("an offset is no number")
    return _numbers(data, field.at, _NUMBERS[field.type], field.length, shape)


def _entry_bytes(shape: _Shape) -> int:
    return 4 + 2 * struct.calcsize("<" + shape.offset)


def _numbers(data: bytes, at: int, letter: str, count: int, shape: _Shape) -> tuple[int, ...]:
    spelled = f"{shape.order}{count}{letter}"
    if at + struct.calcsize(spelled) > len(data):
        raise ValueError("the file ends before a number does")
    found: tuple[int, ...] = struct.unpack_from(spelled, data, at)
    return found
