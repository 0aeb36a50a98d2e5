"""Products and rates in PostgreSQL.

The rule: a product is its document; whatever is listed or sorted by is generated from it by the
database, and a revision counts only changes that changed something.
"""

import logging
import math
import re
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.postgres import Database
from render_service.adapters.product_events import CREATED, UPDATED, tell_of
from render_service.adapters.product_lists import count_facets, list_rows, place_of
from render_service.adapters.rate_table import RATES, keep_rates, readable
from render_service.composition.definition import ID_PATTERN
from render_service.errors import ProductUnreadable, UnknownProduct
from render_service.products.model import Product
from render_service.products.ports import Facet, Kept, Page, Stored, Wanted
from render_service.products.rates import Rate, Rates

_log = logging.getLogger(__name__)

GET: Final = """
SELECT id, document, revision, updated_at FROM shop.product WHERE id = $1
"""

KEEP_PRODUCT: Final = """
INSERT INTO shop.product AS held (id, document) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE
SET document = excluded.document, revision = held.revision + 1, updated_at = now()
WHERE held.document <> excluded.document
RETURNING id, document, revision, updated_at
"""

IS_EMPTY: Final = """
SELECT NOT EXISTS (SELECT FROM shop.product) AND NOT EXISTS (SELECT FROM shop.rate)
"""

IMPORTER: Final = "import"
"""Whom events name for what a command wrote."""

RATES_KEPT_S: Final = 5.0
"""How old the rates may be that a process prices by. Those to come are among them, so a rate that
was written ahead counts from its very instant."""


class ProductTable:
    """Implements `ProductStore`; reads that show products may be answered by a replica."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rates = Rates(())
        self._rates_until_s = -math.inf

    @property
    def is_away(self) -> bool:
        return self._database.is_away

    async def get(self, product_id: str, *, stale: bool = True, after: str = "") -> Stored:
        row = None
        if re.fullmatch(ID_PATTERN, product_id):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET, product_id), stale=stale, after=after
            )
        if row is None:
            raise UnknownProduct(product_id)
        return stored_in(row)

    async def list_products(self, wanted: Wanted) -> Page:
        rows = await self._database.read(
            lambda connection: list_rows(connection, wanted), stale=True, after=wanted.not_before
        )
        shown, items = rows[: wanted.limit], []
        for row in shown:
            try:
                items.append(stored_in(row))
            except ProductUnreadable as error:
                _log.error("%s %s", error, error.reason)
        has_more = len(rows) > wanted.limit
        return Page(items=items, next=place_of(wanted.sort, shown[-1]) if has_more else None)

    async def count_facets(self, wanted: Wanted, facets: Sequence[str]) -> Sequence[Facet]:
        return await self._database.read(
            lambda connection: count_facets(connection, wanted, facets),
            stale=True,
            after=wanted.not_before,
        )

    async def read_rates(self) -> Rates:
        if time.monotonic() >= self._rates_until_s:
            rows = await self._database.read(lambda connection: connection.fetch(RATES))
            self._rates = Rates(readable(rows))
            self._rates_until_s = time.monotonic() + RATES_KEPT_S
        return self._rates

    async def is_empty(self) -> bool:
        """Return whether nothing was ever written."""
        return bool(await self._database.read(lambda connection: connection.fetchval(IS_EMPTY)))

    async def keep(self, products: Sequence[Product], rates: Sequence[Rate]) -> Kept:
        async def work(connection: Connection) -> list[str]:
            found = [await keep_product(connection, product, IMPORTER) for product in products]
            return found + await keep_rates(connection, rates)

        found, _ = await self._database.write(work)
        self._rates_until_s = -math.inf
        return Kept(
            added=found.count("added"), changed=found.count("changed"), same=found.count("same")
        )


async def keep_product(connection: Connection, product: Product, by: str) -> str:
    """Make a product what `product` says, whatever it is, and tell of it.

    Returns:
        added, changed or same.
    """
    document = msgspec.json.encode(product).decode()
    row = await connection.fetchrow(KEEP_PRODUCT, product.id, document)
    if row is None:
        return "same"
    stored = stored_in(row)
    is_new = stored.revision == 1
    await tell_of(connection, CREATED if is_new else UPDATED, stored, by)
    return "added" if is_new else "changed"


def stored_in(row: Record) -> Stored:
    """Return a product as it is kept.

    Raises:
        ProductUnreadable: It was written by a release that knows more, or by hand.
    """
    try:
        product = msgspec.json.decode(row["document"], type=Product)
    except msgspec.ValidationError as error:
        raise ProductUnreadable(row["id"], str(error)) from error
    return Stored(product=product, revision=row["revision"], updated=row["updated_at"])
