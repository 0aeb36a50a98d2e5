"""Conditional and partial requests, RFC 9110: pure decisions, no sending.

What cannot be understood is ignored, as the standard says, never refused: a client that spells a
precondition wrongly gets the whole picture.
"""

import re
from typing import Final, NamedTuple

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
# 18 digits: more than any length has, and a number Python reads in no time.
_RANGE: Final = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class Span(NamedTuple):
    """Bytes `first` to `last` of a body, both included."""

    first: int
    last: int


class Unsatisfiable(NamedTuple):
    """A range that begins behind the body's end."""


def is_current(if_none_match: str, etag: str) -> bool:
    """Return whether the client holds `etag`, by weak comparison (RFC 9110 section 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return etag in _TAG.findall(if_none_match)


def pick_range(
    range_: str | None, if_range: str | None, etag: str, size_bytes: int
) -> Span | Unsatisfiable | None:
    """Return the part to send, or None for the whole.

    Several ranges get the whole, which the standard allows. `If-Range` holds only for the same
    strong tag; a date never does, as there is no Last-Modified.
    """
    if range_ is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(range_.strip())
    if match is None:
        return None
    return _span(match[1], match[2], size_bytes)


def _span(first: str, last: str, size_bytes: int) -> Span | Unsatisfiable | None:
    if not first:
        if not last:
            return None
        return (
            Span(max(0, size_bytes - int(last)), size_bytes - 1) if int(last) else Unsatisfiable()
        )
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        return Unsatisfiable()
    return Span(int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1)
