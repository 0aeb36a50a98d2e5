"""Rates: what metals, stones and taxes cost, from an instant until another.

At every instant a key has at most one rate in a currency: whoever looks one up gets that one or an
error, never a guess. Amounts are whole numbers, so metals are stated by the kilogram: silver at
0.95 a gram is 95 minor units, where one step is 1 % of the price, and 95,000 a kilogram.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from render_service.errors import RateInOtherCurrency, RateMissing, RatesOverlap
from render_service.products.money import AMOUNT_MAX, Currency
from render_service.products.spelling import RateKey, misspelt

TAX_MAX_BP = 10_000
"""The largest tax, in basis points: as much as the price."""

FIRST_YEAR = 1970
LAST_YEAR = 2999
"""Rates begin and end within these: what never ends has no end."""

Instant = Annotated[datetime, Meta(tz=True, description="UTC, RFC 3339.")]


class RateKind(StrEnum):
    """What a rate is the price of."""

    METAL = "metal"
    STONE = "stone"
    TAX = "tax"


class Rate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What something costs for a while.

    Attributes:
        kind: A metal, a stone or a tax.
        key: What of it: an alloy, a gem with shape and grade, a tax class.
        currency: Of the amount; None for a tax, which is a share.
        amount: Metals in minor units per kilogram of the alloy; stones in minor units per carat;
            taxes in basis points.
        valid_from: The first instant at which it counts, UTC.
        valid_to: The first at which it does not any more; None while no end is known.
        revision: Raised with every change of the rate, so that a quote can name what it used.
    """

    kind: RateKind
    key: RateKey
    currency: Currency | None = None
    amount: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    valid_from: Instant
    valid_to: Instant | None = None
    revision: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 1

    def __post_init__(self) -> None:
        """Refuse what no single field can say: msgspec reports it with the place.

        Raises:
            ValueError: The fields do not fit each other.
        """
        if problem := misspelt("key", self.key):
            raise ValueError(f"The key {self.key!r} {problem}")
        taxed = self.kind is RateKind.TAX
        if taxed != (self.currency is None):
            raise ValueError("A metal or stone rate has a currency, and a tax has none")
        if taxed and self.amount > TAX_MAX_BP:
            raise ValueError(f"A tax is at most {TAX_MAX_BP} basis points, not {self.amount}")
        for instant in (self.valid_from, self.valid_to):
            if instant is not None and instant.utcoffset() != timedelta(0):
                raise ValueError(f"{instant.isoformat()} is not in UTC")
            if instant is not None and not FIRST_YEAR <= instant.year <= LAST_YEAR:
                raise ValueError(
                    f"{instant.isoformat()} is not within the years {FIRST_YEAR} to {LAST_YEAR}"
                )
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is not later than valid_from")


class Rates:
    """The rates there are, found by kind, key, currency and instant.

    Args:
        rates: In any order.

    Raises:
        RatesOverlap: Two of one kind, key and currency are valid at the same instant.
    """

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates: dict[tuple[RateKind, str], dict[Currency | None, list[Rate]]] = {}
        for rate in sorted(rates, key=lambda rate: rate.valid_from):
            row = self._rates.setdefault((rate.kind, rate.key), {}).setdefault(rate.currency, [])
            if row and (row[-1].valid_to is None or row[-1].valid_to > rate.valid_from):
                revisions = (row[-1].revision, rate.revision)
                raise RatesOverlap(rate.kind.value, rate.key, rate.valid_from, revisions)
            row.append(rate)

    def find(self, kind: RateKind, key: str, currency: Currency | None, at: datetime) -> Rate:
        """Return the rate that is valid at an instant.

        Args:
            kind: A metal, a stone or a tax.
            key: What of it.
            currency: In which it is needed; None for a tax.
            at: The instant, aware of its zone.

        Raises:
            RateMissing: None is, in any currency.
            RateInOtherCurrency: One is, but only in others.
        """
        at = _utc(at)
        rows = self._rates.get((kind, key), {})
        if (found := _valid(rows.get(currency, []), at)) is not None:
            return found
        others = sorted(str(other) for other, row in rows.items() if _valid(row, at) is not None)
        if others and currency is not None:
            raise RateInOtherCurrency(kind.value, key, at, str(currency), others)
        raise RateMissing(kind.value, key, at, self._told(kind, rows.get(currency, [])))

    def _told(self, kind: RateKind, row: list[Rate]) -> str:
        """What there is instead of a rate that is missing, as the end of a sentence."""
        if row:
            spans = "; ".join(map(_span, row[-5:]))
            return f"it is known {spans}"
        keys = sorted(key for other, key in self._rates if other is kind)
        more = f" and {len(keys) - 20} more" if len(keys) > 20 else ""
        return f"keys known: {', '.join(keys[:20])}{more}" if keys else f"no {kind} rate is known"


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("An instant needs its zone; a naive time is a different one on each host")
    return at.astimezone(UTC)


def _valid(row: list[Rate], at: datetime) -> Rate | None:
    """Return the rate of `row`, which rises and does not overlap, that is valid at `at`."""
    index = bisect_right(row, at, key=lambda rate: rate.valid_from) - 1
    if index < 0:
        return None
    found = row[index]
    return found if found.valid_to is None or at < found.valid_to else None


def _span(rate: Rate) -> str:
    start = rate.valid_from.isoformat().replace("+00:00", "Z")
    end = rate.valid_to.isoformat().replace("+00:00", "Z") if rate.valid_to else ""
    return f"from {start} until {end}" if end else f"from {start} on"
