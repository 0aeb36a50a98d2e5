"""Products and rates in PostgreSQL.

The rule: a product is its document; whatever is listed or sorted by is generated from it by the
database, and a revision counts only changes that changed something.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record
from asyncpg.exceptions import ExclusionViolationError

from render_service.adapters.postgres import Database
from render_service.composition.definition import ID_PATTERN
from render_service.errors import RatesOverlap, UnknownProduct
from render_service.products.model import Product
from render_service.products.ports import Kept, Page, Place, Sort, Stored
from render_service.products.rates import Rate, Rates

GET: Final = """
SELECT document, revision, updated_at FROM shop.product WHERE id = $1
"""

LIST_BY_CHANGE: Final = """
SELECT document, revision, updated_at FROM shop.product
WHERE status = 'active' AND (updated_at, id) < ($1, $2)
ORDER BY updated_at DESC, id DESC LIMIT $3
"""

LIST_BY_TITLE: Final = """
SELECT document, revision, updated_at FROM shop.product
WHERE status = 'active' AND (title COLLATE "C", id) > ($1, $2)
ORDER BY title COLLATE "C", id LIMIT $3
"""

RATES: Final = """
SELECT kind, key, currency, amount, valid_from, valid_to, revision FROM shop.rate
"""

KEEP_PRODUCT: Final = """
INSERT INTO shop.product AS held (id, document) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE
SET document = excluded.document, revision = held.revision + 1, updated_at = now()
WHERE held.document <> excluded.document
RETURNING revision
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

_STATEMENTS: Final = {Sort.UPDATED: LIST_BY_CHANGE, Sort.TITLE: LIST_BY_TITLE}
# asyncpg's spelling of `infinity`: behind every instant.
_BEFORE_ALL: Final[dict[Sort, str | datetime]] = {
    Sort.UPDATED: datetime.max.replace(tzinfo=UTC),
    Sort.TITLE: "",
}


class ProductTable:
    """Implements `ProductStore`; reads that show products may be answered by a replica."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, product_id: str) -> Stored:
        row = None
        if re.fullmatch(ID_PATTERN, product_id):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET, product_id), stale=True
            )
        if row is None:
            raise UnknownProduct(product_id)
        return _stored(row)

    async def list_active(self, sort: Sort, limit: int, after: Place | None) -> Page:
        value = _BEFORE_ALL[sort]
        if after is not None:
            value = after.instant if sort is Sort.UPDATED else after.value
        where = (value, after.id if after else "")
        rows = await self._database.read(
            lambda connection: connection.fetch(_STATEMENTS[sort], *where, limit + 1), stale=True
        )
        items = [_stored(row) for row in rows[:limit]]
        return Page(items=items, next=_place(sort, items[-1]) if len(rows) > limit else None)

    async def read_rates(self) -> Rates:
        rows = await self._database.read(lambda connection: connection.fetch(RATES))
        return Rates(msgspec.convert(dict(row), Rate) for row in rows)

    async def keep(self, products: Sequence[Product], rates: Sequence[Rate]) -> Kept:
        async def work(connection: Connection) -> list[str]:
            found = [await _keep_product(connection, product) for product in products]
            # Those that end come first: what begins as another ends finds the place free.
            in_order = sorted(rates, key=lambda rate: (rate.valid_to is None, rate.valid_from))
            return found + [await _keep_rate(connection, rate) for rate in in_order]

        found, _ = await self._database.write(work)
        return Kept(
            added=found.count("added"), changed=found.count("changed"), same=found.count("same")
        )


async def _keep_product(connection: Connection, product: Product) -> str:
    document = msgspec.json.encode(product).decode()
    revision = await connection.fetchval(KEEP_PRODUCT, product.id, document)
    return {None: "same", 1: "added"}.get(revision, "changed")


async def _keep_rate(connection: Connection, rate: Rate) -> str:
    row: list[Any] = [rate.kind, rate.key, rate.currency, rate.amount]
    try:
        is_new = await connection.fetchval(
            KEEP_RATE, *row, rate.valid_from, rate.valid_to, rate.revision
        )
    except ExclusionViolationError as error:
        raise RatesOverlap(rate.kind, rate.key, rate.valid_from, (rate.revision, 0)) from error
    return {None: "same", True: "added", False: "changed"}[is_new]


def _stored(row: Record) -> Stored:
    return Stored(
        product=msgspec.json.decode(row["document"], type=Product),
        revision=row["revision"],
        updated=row["updated_at"],
    )


def _place(sort: Sort, last: Stored) -> Place:
    value = last.updated.isoformat() if sort is Sort.UPDATED else last.product.title
    return Place(sort=sort, value=value, id=last.product.id)
