"""What keeps products and rates, as the rest of the package sees it."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from render_service.composition.definition import ID_PATTERN, Id
from render_service.errors import UnknownProduct
from render_service.products.model import Product
from render_service.products.rates import Rate, Rates


class Stored(Struct, frozen=True, kw_only=True):
    """A product as it is kept.

    Attributes:
        product: As it was checked when it was written.
        revision: Counts its changes, from 1.
        updated: When it was changed last, UTC.
    """

    product: Product
    revision: int
    updated: datetime


class Sort(StrEnum):
    """What a list is ordered by; its id decides between equals, so no two are.

    RELEVANCE: How well it answers a search, the best first; only of a list that is searched.
    """

    UPDATED = "-updated"
    TITLE = "title"
    RELEVANCE = "relevance"


class Place(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of a list ended: the next begins behind it.

    Attributes:
        sort: Of the list.
        value: The last product's title, the instant of its change in ISO 8601, or its rank.
        id: Its id.
    """

    sort: Sort
    value: Annotated[str, Meta(max_length=1000)]
    id: Id

    def check(self) -> None:
        """Refuse what no list of ours ends with, whoever made it.

        Raises:
            ValueError, OverflowError: It is no such place.
        """
        if "\0" in self.value or re.fullmatch(ID_PATTERN, self.id) is None:
            raise ValueError("no list ends there")
        if self.sort is Sort.UPDATED:
            _ = self.instant
        if self.sort is Sort.RELEVANCE and not math.isfinite(float(self.value)):
            raise ValueError(f"{self.value!r} is no rank")

    @property
    def instant(self) -> datetime:
        """The value of a list by change, aware of its zone.

        Raises:
            ValueError, OverflowError: It is none.
        """
        found = datetime.fromisoformat(self.value)
        if found.tzinfo is None:
            raise ValueError(f"{self.value!r} has no zone")
        return found.astimezone(UTC)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which part of the list of active products is wanted.

    Attributes:
        sort: Their order.
        limit: At most so many, from 1.
        after: Where the page before ended; its sort is this one's. None is the beginning.
        composition: Only those that it draws; None is all.
        search: Only those that these words are about, misspelt or not; None is all.
        language: Of the words, a BCP 47 tag: it decides which endings are alike.
    """

    sort: Sort
    limit: int
    after: Place | None = None
    composition: str | None = None
    search: str | None = None
    language: str | None = None


class Page(Struct, frozen=True, kw_only=True):
    """A part of a list.

    Attributes:
        items: At most as many as were asked for.
        next: Where it ended; None at the end of the list.
    """

    items: Sequence[Stored]
    next: Place | None


class Kept(Struct, frozen=True, kw_only=True):
    """What came of writing products and rates: how many were new, changed, or as they were."""

    added: int
    changed: int
    same: int


class NoProducts:
    """The store of a service without a database: implements what is read of `ProductStore`."""

    is_away = False

    async def get(self, product_id: str, *, stale: bool = True) -> Stored:
        """There is none."""
        raise UnknownProduct(product_id)

    async def list_active(self, wanted: Wanted) -> Page:
        """There are none."""
        return Page(items=(), next=None)

    async def read_rates(self) -> Rates:
        """There are none."""
        return Rates(())


class ProductReader(Protocol):
    """Where products and rates are read."""

    @property
    def is_away(self) -> bool:
        """Whether it could not be asked, the last time."""
        ...

    async def get(self, product_id: str, *, stale: bool = True) -> Stored:
        """Return a product, whatever its status; it may be seconds old where `stale`.

        Raises:
            UnknownProduct: There is none of that id.
            ProductUnreadable: What is kept is of another release's shape.
            DatabaseUnavailable: It cannot be asked.
        """
        ...

    async def list_active(self, wanted: Wanted) -> Page:
        """Return active products; what cannot be read is left out, and logged.

        Raises:
            DatabaseUnavailable: It cannot be asked.
        """
        ...

    async def read_rates(self) -> Rates:
        """Return the rates that count now or will; they may be seconds old.

        Raises:
            DatabaseUnavailable: It cannot be asked.
        """
        ...


class ProductStore(ProductReader, Protocol):
    """Keeps products and rates."""

    async def keep(self, products: Sequence[Product], rates: Sequence[Rate]) -> Kept:
        """Write products and rates, all of them or none; what is there already keeps its revision.

        The rates of a key are then those given: others that it had are removed.

        Raises:
            RatesOverlap: Somebody else wrote a rate of a key at the same time.
            DatabaseUnavailable: It cannot be asked; nothing was written.
            OutcomeUnknown: The connection broke at the end.
        """
        ...
