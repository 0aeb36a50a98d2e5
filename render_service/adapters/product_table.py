"""Products and rates in PostgreSQL.

The rule: a product is its document; whatever is listed or sorted by is generated from it by the
database, and a revision counts only changes that changed something.
"""

import logging
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record
from asyncpg.exceptions import ExclusionViolationError

from render_service.adapters.postgres import Database
from render_service.composition.definition import ID_PATTERN
from render_service.errors import ProductUnreadable, RatesOverlap, UnknownProduct
from render_service.products.model import Product
from render_service.products.ports import Kept, Page, Place, Sort, Stored, Wanted
from render_service.products.rates import Rate, Rates

_log = logging.getLogger(__name__)

GET: Final = """
SELECT id, document, revision, updated_at FROM shop.product WHERE id = $1
"""

# Of the lists $4 and $5 are null where they are not asked for; the planner knows it each time, as
# nothing is prepared.
LIST_BY_CHANGE: Final = """
SELECT id, document, revision, updated_at, updated_at AS place FROM shop.product
WHERE status = 'active' AND ($4::text IS NULL OR composition = $4)
    AND ($5::text IS NULL OR search @@ shop.query($5, $6) OR shop.fold($5) <% words)
    AND (updated_at, id) < ($1, $2)
ORDER BY updated_at DESC, id DESC LIMIT $3
"""

LIST_BY_TITLE: Final = """
SELECT id, document, revision, updated_at, title AS place FROM shop.product
WHERE status = 'active' AND ($4::text IS NULL OR composition = $4)
    AND ($5::text IS NULL OR search @@ shop.query($5, $6) OR shop.fold($5) <% words)
    AND (title COLLATE "C", id) > ($1, $2)
ORDER BY title COLLATE "C", id LIMIT $3
"""

LIST_BY_RANK: Final = """
SELECT id, document, revision, updated_at, place FROM (
    SELECT id, document, revision, updated_at, (ts_rank(search, shop.query($5, $6))
        + word_similarity(shop.fold($5), words))::float8 AS place
    FROM shop.product
    WHERE status = 'active' AND ($4::text IS NULL OR composition = $4)
        AND (search @@ shop.query($5, $6) OR shop.fold($5) <% words)
) found
WHERE place < $1 OR (place = $1 AND id > $2)
ORDER BY place DESC, id LIMIT $3
"""

RATES: Final = """
SELECT kind, key, currency, amount, valid_from, valid_to, revision FROM shop.rate
WHERE coalesce(valid_to, 'infinity') > now()
"""

KEEP_PRODUCT: Final = """
INSERT INTO shop.product AS held (id, document) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE
SET document = excluded.document, revision = held.revision + 1, updated_at = now()
WHERE held.document <> excluded.document
RETURNING revision
"""

DROP_RATES: Final = """
DELETE FROM shop.rate
WHERE kind = $1 AND key = $2 AND currency IS NOT DISTINCT FROM $3 AND valid_from <> ALL ($4)
"""

KEEP_RATE: Final = """
INSERT INTO shop.rate AS held (kind, key, currency, amount, valid_from, valid_to, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, key, coalesce(currency, ''), valid_from) DO UPDATE
SET amount = excluded.amount, valid_to = excluded.valid_to,
    revision = greatest(held.revision + 1, excluded.revision)
WHERE (held.amount, held.valid_to) IS DISTINCT FROM (excluded.amount, excluded.valid_to)
RETURNING xmax = 0 AS is_new
"""

IS_EMPTY: Final = """
SELECT NOT EXISTS (SELECT FROM shop.product) AND NOT EXISTS (SELECT FROM shop.rate)
"""

RATES_KEPT_S: Final = 5.0
"""How old the rates may be that a process prices by. Those to come are among them, so a rate that
was written ahead counts from its very instant."""

_STATEMENTS: Final = {
    Sort.UPDATED: LIST_BY_CHANGE,
    Sort.TITLE: LIST_BY_TITLE,
    Sort.RELEVANCE: LIST_BY_RANK,
}
# asyncpg's spelling of `infinity`: behind every instant.
_BEFORE_ALL: Final[dict[Sort, str | datetime | float]] = {
    Sort.UPDATED: datetime.max.replace(tzinfo=UTC),
    Sort.TITLE: "",
    Sort.RELEVANCE: math.inf,
}


class ProductTable:
    """Implements `ProductStore`; reads that show products may be answered by a replica."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rates = Rates(())
        self._rates_until_s = -math.inf

    @property
    def is_away(self) -> bool:
        return self._database.is_away

    async def get(self, product_id: str, *, stale: bool = True) -> Stored:
        row = None
        if re.fullmatch(ID_PATTERN, product_id):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET, product_id), stale=stale
            )
        if row is None:
            raise UnknownProduct(product_id)
        return _stored(row)

    async def list_active(self, wanted: Wanted) -> Page:
        sort, after, limit = wanted.sort, wanted.after, wanted.limit
        values = (
            _BEFORE_ALL[sort] if after is None else _value(after),
            "" if after is None else after.id,
            limit + 1,
            wanted.composition,
            wanted.search,
            wanted.language,
        )
        rows = await self._database.read(
            lambda connection: connection.fetch(_STATEMENTS[sort], *values), stale=True
        )
        shown, items = rows[:limit], []
        for row in shown:
            try:
                items.append(_stored(row))
            except ProductUnreadable as error:
                _log.error("%s %s", error, error.reason)
        return Page(items=items, next=_place(sort, shown[-1]) if len(rows) > limit else None)

    async def read_rates(self) -> Rates:
        if time.monotonic() >= self._rates_until_s:
            rows = await self._database.read(lambda connection: connection.fetch(RATES))
            self._rates = Rates(_readable(rows))
            self._rates_until_s = time.monotonic() + RATES_KEPT_S
        return self._rates

    async def is_empty(self) -> bool:
        """Return whether nothing was ever written."""
        return bool(await self._database.read(lambda connection: connection.fetchval(IS_EMPTY)))

    async def keep(self, products: Sequence[Product], rates: Sequence[Rate]) -> Kept:
        async def work(connection: Connection) -> list[str]:
            found = [await _keep_product(connection, product) for product in products]
            # One that is shortened comes before the one that begins where it then ends.
            in_order = sorted(rates, key=lambda rate: rate.valid_from)
            await _drop_others(connection, in_order)
            return found + [await _keep_rate(connection, rate) for rate in in_order]

        found, _ = await self._database.write(work)
        self._rates_until_s = -math.inf
        return Kept(
            added=found.count("added"), changed=found.count("changed"), same=found.count("same")
        )


async def _keep_product(connection: Connection, product: Product) -> str:
    document = msgspec.json.encode(product).decode()
    revision = await connection.fetchval(KEEP_PRODUCT, product.id, document)
    return {None: "same", 1: "added"}.get(revision, "changed")


async def _drop_others(connection: Connection, rates: Sequence[Rate]) -> None:
    """Remove what the keys of `rates` have beside them."""
    starts = defaultdict[tuple[str, str, str | None], list[datetime]](list)
    for rate in rates:
        starts[rate.kind, rate.key, rate.currency].append(rate.valid_from)
    for key, instants in starts.items():
        await connection.execute(DROP_RATES, *key, instants)


async def _keep_rate(connection: Connection, rate: Rate) -> str:
    row: list[Any] = [rate.kind, rate.key, rate.currency, rate.amount]
    try:
        is_new = await connection.fetchval(
            KEEP_RATE, *row, rate.valid_from, rate.valid_to, rate.revision
        )
    except ExclusionViolationError as error:
        raise RatesOverlap(
            rate.kind, rate.key, rate.valid_from, (rate.revision, rate.revision)
        ) from error
    return {None: "same", True: "added", False: "changed"}[is_new]


def _stored(row: Record) -> Stored:
    """Return a product as it is kept.

    Raises:
        ProductUnreadable: It was written by a release that knows more, or by hand.
    """
    try:
        product = msgspec.json.decode(row["document"], type=Product)
    except msgspec.ValidationError as error:
        raise ProductUnreadable(row["id"], str(error)) from error
    return Stored(product=product, revision=row["revision"], updated=row["updated_at"])


def _readable(rows: Sequence[Record]) -> Iterator[Rate]:
    for row in rows:
        try:
            yield msgspec.convert(dict(row), Rate)
        except msgspec.ValidationError as error:
            # What it prices has no price; everything else has its own.
            _log.error("the rate %s %s cannot be read: %s", row["kind"], row["key"], error)


def _place(sort: Sort, last: Record) -> Place:
    place = last["place"]
    value = place.isoformat() if sort is Sort.UPDATED else str(place)
    return Place(sort=sort, value=value, id=last["id"])


def _value(place: Place) -> str | datetime | float:
    """Return what a place holds, as the statement of its sort compares it."""
    if place.sort is Sort.UPDATED:
        return place.instant
    return float(place.value) if place.sort is Sort.RELEVANCE else place.value
