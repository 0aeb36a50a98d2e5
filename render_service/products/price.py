"""What a price is: lines, a total that is their sum, the tax in it, and the rates it used.

It can be shown to anybody: what the jeweller pays, and what is put on top, can be read from none of
it.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from render_service.products.money import Currency
from render_service.products.rates import RateKind


class LineKind(StrEnum):
    """What a line of a price is for."""

    METAL = "metal"
    STONES = "stones"
    CHARGE = "charge"
    ROUNDING = "rounding"
    TAX = "tax"


class Unit(StrEnum):
    """What a line's quantity counts."""

    GRAM = "g"
    CARAT = "ct"
    EACH = "each"
    PERCENT = "percent"


class RateUsed(Struct, frozen=True, kw_only=True):
    """Which rate a price used; its amount is the jeweller's.

    Attributes:
        kind: As the rate's.
        key: Likewise.
        revision: Likewise.
        valid_from: Likewise, UTC.
    """

    kind: RateKind
    key: str
    revision: int
    valid_from: datetime


class Line(Struct, frozen=True, kw_only=True):
    """One line of a price.

    Attributes:
        kind: What it is for.
        title: For people.
        quantity: How much of it, a decimal string, exact; None for rounding.
        unit: What `quantity` counts; None for rounding.
        amount_minor: In minor units of the price's currency; below zero only for rounding.
        rate: Key of the rate it used; None where there was none.
    """

    kind: LineKind
    title: str
    quantity: str | None
    unit: Unit | None
    amount_minor: int
    rate: str | None


class Tax(Struct, frozen=True, kw_only=True):
    """The tax of a price.

    Attributes:
        tax_class: Key of its rate.
        rate_bp: In basis points of what is taxed.
        amount_minor: Contained in the total either way.
        included: Whether lines hold it; otherwise it has a line of its own.
    """

    tax_class: str
    rate_bp: int
    amount_minor: int
    included: bool


class Price(Struct, frozen=True, kw_only=True):
    """What a configuration costs.

    Attributes:
        currency: Of every amount.
        lines: In the order of the product's parts, then rounding, then tax; they sum to the total.
        total_minor: What is paid, tax included.
        tax: What of it is tax.
        rates: The rates used, each once, in the order of their use.
    """

    currency: Currency
    lines: tuple[Line, ...]
    total_minor: int
    tax: Tax
    rates: tuple[RateUsed, ...]
