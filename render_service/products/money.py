"""Money: whole minor units of a currency, exact until it is rounded, and rounded once.

No float ever holds an amount. What is not whole yet is a rational of two integers, and becomes
whole half to even, so that no direction is favoured over many lines.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

AMOUNT_MAX: Final = 10**10
"""The largest amount that a rate or a charge may have, in minor units: 100 million euros. With the
other bounds of a product (`rules.py`) every total stays below 2^63, a bigint of PostgreSQL."""


class Currency(StrEnum):
    """A currency that prices may be in, by its code of ISO 4217."""

    AED = "AED"
    AUD = "AUD"
    BHD = "BHD"
    BRL = "BRL"
    CAD = "CAD"
    CHF = "CHF"
    CNY = "CNY"
    CZK = "CZK"
    DKK = "DKK"
    EUR = "EUR"
    GBP = "GBP"
    HKD = "HKD"
    HUF = "HUF"
    ILS = "ILS"
    INR = "INR"
    JPY = "JPY"
    KRW = "KRW"
    KWD = "KWD"
    MXN = "MXN"
    NOK = "NOK"
    NZD = "NZD"
    PLN = "PLN"
    SAR = "SAR"
    SEK = "SEK"
    SGD = "SGD"
    THB = "THB"
    TRY = "TRY"
    USD = "USD"
    ZAR = "ZAR"


DIGITS: Final[Mapping[Currency, int]] = {
    **dict.fromkeys(Currency, 2),
    Currency.BHD: 3,
    Currency.JPY: 0,
    Currency.KRW: 0,
    Currency.KWD: 3,
}
"""Digits after the point: the minor unit of ISO 4217:2015, table A.1."""


class Towards(StrEnum):
    """Which of the prices on offer an amount between two becomes."""

    UP = "up"
    NEAREST = "nearest"
    DOWN = "down"


class Rounding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The endings that prices have: every multiple of `to_minor`, less `less_minor`.

    To 50.00 less 1.00 gives 49.00, 99.00, …, 1,849.00. An amount goes to such an ending, so `up`
    never gives less than was asked for: 1,850.00 becomes 1,899.00.

    Attributes:
        to_minor: Distance between two endings, in minor units; 1 leaves every amount as it is.
        mode: Up, to the nearest, or down. Midway between two, the even multiple is the nearest.
        less_minor: How far each ending lies below its multiple, in minor units; below `to_minor`.
    """

    to_minor: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)] = 1
    mode: Towards = Towards.NEAREST
    less_minor: Annotated[int, Meta(ge=0, lt=AMOUNT_MAX)] = 0

    def apply(self, amount_minor: int) -> int:
        """Return the ending that `amount_minor` becomes; 0 where it would lie below zero."""
        shifted = amount_minor + self.less_minor
        if self.mode is Towards.UP:
            multiple = -(-shifted // self.to_minor)
        elif self.mode is Towards.DOWN:
            multiple = shifted // self.to_minor
        else:
            multiple = divide(shifted, self.to_minor)
        return max(0, multiple * self.to_minor - self.less_minor)


def divide(numerator: int, denominator: int) -> int:
    """Return the whole number nearest to the quotient; midway between two, the even one.

    Args:
        numerator: Of either sign.
        denominator: Above zero.
    """
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole % 2 == 1))


def spell_decimal(units: int, digits: int) -> str:
    """Return `units` × 10^-`digits` as it is written, exactly, without zeros at the end."""
    whole, rest = divmod(abs(units), 10**digits)
    behind = str(rest).rjust(digits, "0").rstrip("0") if digits and rest else ""
    return ("-" if units < 0 else "") + str(whole) + (f".{behind}" if behind else "")


def spell_number(amount_minor: int, currency: Currency) -> str:
    """Return an amount as `1849.00`, with all digits that the currency has."""
    digits = DIGITS[currency]
    whole, rest = divmod(abs(amount_minor), 10**digits)
    behind = f".{rest:0{digits}d}" if digits else ""
    return f"{'-' if amount_minor < 0 else ''}{whole}{behind}"


def spell_amount(amount_minor: int, currency: Currency) -> str:
    """Return an amount as `1849.00 EUR`, for people who read logs and tables."""
    return f"{spell_number(amount_minor, currency)} {currency}"
