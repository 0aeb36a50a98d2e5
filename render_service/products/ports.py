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
from render_service.products.model import Product, Status
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


class Expected(Struct, frozen=True, kw_only=True):
    """What a caller believes of a thing that is to be changed.

    Attributes:
        revisions: It is at one of these; empty where `anything` or `nothing` says it.
        anything: It is there, whatever it is.
        nothing: It is not there.
    """

    revisions: frozenset[int] = frozenset()
    anything: bool = False
    nothing: bool = False

    def holds(self, revision: int | None) -> bool:
        """Return whether it is so of what is at `revision`, None for what is not there."""
        if revision is None:
            return self.nothing
        return self.anything or revision in self.revisions


def etag_of(revision: int) -> str:
    """Return the strong ETag of what is at `revision`."""
    return f'"{revision}"'


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
    """Which part of the list of products is wanted.

    Attributes:
        sort: Their order.
        limit: At most so many, from 1.
        after: Where the page before ended; its sort is this one's. None is the beginning.
        composition: Only those that it draws; None is all.
        search: Only those that these words are about, misspelt or not; None is all.
        language: Of the words, a BCP 47 tag: it decides which endings are alike.
        status: Only those that have it.
        attributes: (name, values): only those that have one of the values, for each name. At most
            one of a name.
        not_before: A position that the list is not older than, as a write answered with; "" where
            it may be seconds old.
    """

    sort: Sort
    limit: int
    after: Place | None = None
    composition: str | None = None
    search: str | None = None
    language: str | None = None
    status: Status = Status.ACTIVE
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    not_before: str = ""


class FacetValue(Struct, frozen=True, kw_only=True):
    """A value of an attribute, and how many of the products counted have it."""

    value: str
    products: int


class Facet(Struct, frozen=True, kw_only=True):
    """The values that the products of a list have of one attribute.

    Attributes:
        attribute: Its name.
        values: Those that most have first, at most 50. What the list asks of this attribute itself
            is left aside, so that they say what else could be asked for.
        counted: How many products were looked at.
        complete: Whether those were all; else they are the newest.
    """

    attribute: str
    values: list[FacetValue]
    counted: int
    complete: bool


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

    async def get(self, product_id: str, *, stale: bool = True, after: str = "") -> Stored:
        """There is none."""
        raise UnknownProduct(product_id)

    async def list_products(self, wanted: Wanted) -> Page:
        """There are none."""
        return Page(items=(), next=None)

    async def count_facets(self, wanted: Wanted, facets: Sequence[str]) -> Sequence[Facet]:
        """Nothing has any."""
        return [Facet(attribute=name, values=[], counted=0, complete=True) for name in facets]

    async def read_rates(self) -> Rates:
        """There are none."""
        return Rates(())


class ProductReader(Protocol):
    """Where products and rates are read."""

    @property
    def is_away(self) -> bool:
        """Whether it could not be asked, the last time."""
        ...

    async def get(self, product_id: str, *, stale: bool = True, after: str = "") -> Stored:
        """Return a product, whatever its status; it may be seconds old where `stale`.

        `after` is a position that it is not older than, as a write answered with.

        Raises:
            UnknownProduct: There is none of that id.
            ProductUnreadable: What is kept is of another release's shape.
            DatabaseUnavailable: It cannot be asked.
        """
        ...

    async def list_products(self, wanted: Wanted) -> Page:
        """Return products; what cannot be read is left out, and logged.

        Raises:
            DatabaseUnavailable: It cannot be asked.
        """
        ...

    async def count_facets(self, wanted: Wanted, facets: Sequence[str]) -> Sequence[Facet]:
        """Return the values of the attributes `facets` that the products of a list have.

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
