"""Ring sizes: the inner circumference in millimetres (ISO 8653), to a tenth.

A size has one spelling, a decimal string: `52`, `52.5`. A JSON number would be a binary fraction in
most programs, and `52.0` a second name of the same ring. Reckoned with are whole tenths.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from render_service.errors import FieldFault
from render_service.products.money import spell_decimal

SIZES_MAX: Final = 500
"""Sizes a product may have: every tenth of a millimetre of the 35 between a child's and a giant's
ring, and room."""

SIZE_PATTERN: Final = r"^(0|[1-9][0-9]{0,2})(\.[1-9])?$"

Millimetres = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=5,
        extra_json_schema={"pattern": SIZE_PATTERN},
        description="Millimetres as a decimal string, with a digit after the point only where it "
        "is not zero: 52, 52.5.",
    ),
]

_SPELT = re.compile(SIZE_PATTERN, re.ASCII)


class Sizes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ring sizes a product is made in: inner circumference, from one to another by steps.

    Attributes:
        from_mm: The smallest.
        to_mm: The largest, a whole number of steps above the smallest.
        step_mm: From one size to the next.
        base_mm: The size that weights are stated for, and that is meant where none is named; one of
            those on offer.
    """

    from_mm: Millimetres
    to_mm: Millimetres
    step_mm: Millimetres
    base_mm: Millimetres

    @property
    def tenths(self) -> range:
        """Every size on offer, in tenths of a millimetre, rising; needs sound fields."""
        start, end = parse_tenths(self.from_mm), parse_tenths(self.to_mm)
        return range(start, end + 1, parse_tenths(self.step_mm))

    @property
    def base_tenths(self) -> int:
        """The base size in tenths of a millimetre; needs a sound field."""
        return parse_tenths(self.base_mm)

    def __str__(self) -> str:
        return f"{self.from_mm} to {self.to_mm} mm in steps of {self.step_mm}"


def is_size(text: str) -> bool:
    """Return whether `text` is a size as it is spelt, and above zero."""
    return _SPELT.fullmatch(text) is not None and text != "0"


def parse_tenths(text: str) -> int:
    """Return the tenths of a millimetre that `text` says.

    Raises:
        ValueError: It is not spelt as a size.
    """
    if not is_size(text):
        raise ValueError(f"{text[:80]!r} is no size; sizes are spelt as 52 or 52.5")
    whole, _, tenth = text.partition(".")
    return 10 * int(whole) + int(tenth or 0)


def spell_tenths(tenths: int) -> str:
    """Return the one spelling of a size."""
    return spell_decimal(tenths, 1)


def size_faults(sizes: Sizes) -> Iterator[FieldFault]:
    """Yield what is wrong with the sizes of a product."""
    fields = {
        "from_mm": sizes.from_mm,
        "to_mm": sizes.to_mm,
        "step_mm": sizes.step_mm,
        "base_mm": sizes.base_mm,
    }
    misspelt = {name: text for name, text in fields.items() if not is_size(text)}
    for name, text in misspelt.items():
        yield _fault(name, text, "is no size; sizes are above zero and spelt as 52 or 52.5")
    if misspelt:
        return
    start, end, step = map(parse_tenths, (sizes.from_mm, sizes.to_mm, sizes.step_mm))
    if end < start:
        yield _fault("to_mm", sizes.to_mm, f"is below the smallest size, {sizes.from_mm}")
    elif (end - start) % step:
        problem = f"is not a whole number of steps of {sizes.step_mm} above {sizes.from_mm}"
        yield _fault("to_mm", sizes.to_mm, problem)
    elif len(sizes.tenths) > SIZES_MAX:
        problem = f"makes {len(sizes.tenths)} sizes; at most {SIZES_MAX} are offered"
        yield _fault("step_mm", sizes.step_mm, problem)
    elif sizes.base_tenths not in sizes.tenths:
        yield _fault("base_mm", sizes.base_mm, f"is not on offer; sizes are {sizes}")


def _fault(name: str, given: str, problem: str) -> FieldFault:
    return FieldFault(field=f"sizes.{name}", given=given, problem=problem)
