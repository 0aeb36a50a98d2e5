"""Kinds of settings: what the declaration of one says, and how its text is read.

Each function returns a dataclass field, so that a setting is one line: its default, unit, range and
meaning, and nothing else anywhere.
"""

import math
import re
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

_Number = TypeVar("_Number", int, float)
_Choice = TypeVar("_Choice", bound=StrEnum)


class Knob(Struct, frozen=True, kw_only=True):
    """What a field says of its setting.

    Attributes:
        unit: The unit of the value, or what the text is.
        range: What is allowed, in words.
        meaning: What the setting does.
        default: The default in words.
        parse: Text to value; raises ValueError for what is not allowed.
        secret: The value is never shown.
    """

    unit: str
    range: str
    meaning: str
    default: str
    parse: Callable[[str], object]
    secret: bool = False


def number(
    value: _Number, unit: str, low: _Number, high: _Number, meaning: str, *, default: str = ""
) -> _Number:
    """A whole number or a decimal one, as `value` is, from `low` to `high`, both allowed."""
    kind = type(value)

    def parse(given: str) -> _Number:
        # Python would also take 8_0, " 80" and digits of other scripts.
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", given, re.ASCII) is None:
            raise ValueError(given)
        parsed = kind(given)
        if not (math.isfinite(parsed) and low <= parsed <= high):
            raise ValueError(given)
        return parsed

    knob = Knob(
        unit=unit,
        range=f"{low} to {high}" + ("" if kind is int else ", decimals allowed"),
        meaning=meaning,
        default=default or str(value),
        parse=parse,
    )
    return field(default=value, metadata={"knob": knob})


def text(
    value: str, unit: str, pattern: str, in_words: str, meaning: str, *, secret: bool = False
) -> str:
    """A text that matches `pattern` whole; `in_words` says the pattern."""

    def parse(given: str) -> str:
        if re.fullmatch(pattern, given) is None:
            raise ValueError(given)
        return given

    knob = Knob(
        unit=unit, range=in_words, meaning=meaning, default=value, parse=parse, secret=secret
    )
    return field(default=value, metadata={"knob": knob})


def folder(value: str, meaning: str) -> Path:
    """A folder; one that is relative starts at the working directory."""

    def parse(given: str) -> Path:
        if not given or "\0" in given:
            raise ValueError(given)
        return Path(given)

    knob = Knob(unit="folder", range="a path", meaning=meaning, default=value, parse=parse)
    return field(default=Path(value), metadata={"knob": knob})


def choice(value: _Choice, meaning: str) -> _Choice:
    """One member of an enumeration, in letters of either case."""
    kind = type(value)
    offered = ", ".join(kind)

    def parse(given: str) -> _Choice:
        return kind(given.lower())

    knob = Knob(unit="name", range=offered, meaning=meaning, default=value.value, parse=parse)
    return field(default=value, metadata={"knob": knob})
