"""The desk: who writes products and rates, in PostgreSQL, one transaction for each request.

The rule: what a caller believes is looked at under a lock, in the transaction that changes it; so
of two who change the same revision one succeeds, and the other is told what it is now.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.idempotency_table import Answer, Once, answer_once
from render_service.adapters.postgres import Database
from render_service.adapters.product_events import (
    CREATED,
    DELETED,
    UPDATED,
    tell_of,
    tell_of_rates,
)
from render_service.adapters.product_table import GET, stored_in
from render_service.adapters.rate_table import (
    ALL_RATES,
    DROP_KEY,
    HOLD_RATES,
    keep_rates,
    readable,
)
from render_service.composition.definition import ID_PATTERN
from render_service.errors import ChangedMeanwhile, ProductExists, UnknownProduct
from render_service.products.model import Product, Status
from render_service.products.ports import Expected, Stored, etag_of
from render_service.products.rates import Rate

CREATE: Final = """
INSERT INTO shop.product (id, document) VALUES ($1, $2::jsonb) ON CONFLICT (id) DO NOTHING
RETURNING id, document, revision, updated_at
"""

EVERY: Final = """
SELECT id, document, revision, updated_at FROM shop.product WHERE id > $1 ORDER BY id LIMIT 500
"""

HOLD: Final = """
SELECT id, document, revision, updated_at FROM shop.product WHERE id = $1 FOR UPDATE
"""

CHANGE: Final = """
UPDATE shop.product SET document = $2::jsonb, revision = revision + 1, updated_at = now()
WHERE id = $1 AND document <> $2::jsonb
RETURNING id, document, revision, updated_at
"""


class Desk:
    """Writes products and rates, and reads them as they are kept."""

    def __init__(self, database: Database) -> None:
        self._database = self.database = database

    async def every_product(self) -> AsyncIterator[Product]:
        """Yield every product by its id; each is as it is when its turn comes.

        Raises:
            ProductUnreadable: One was written by a release that knows more.
            DatabaseUnavailable: It cannot be asked.
        """
        after = ""
        while rows := await self._after(after):
            for row in rows:
                yield stored_in(row).product
            after = rows[-1]["id"]

    async def _after(self, product_id: str) -> Sequence[Record]:
        return list(
            await self._database.read(lambda connection: connection.fetch(EVERY, product_id))
        )

    async def read(self, product_id: str) -> Stored:
        """Return a product whatever its status, as it is kept now.

        Raises:
            UnknownProduct: There is none of that id.
            ProductUnreadable: It was written by a release that knows more.
            DatabaseUnavailable: It cannot be asked.
        """
        row = None
        if re.fullmatch(ID_PATTERN, product_id):
            row = await self._database.read(lambda connection: connection.fetchrow(GET, product_id))
        if row is None:
            raise UnknownProduct(product_id)
        return stored_in(row)

    async def create(
        self, product: Product, by: str, once: Once | None, answer: Callable[[Stored], Answer]
    ) -> tuple[Answer, str]:
        """Write a product that is not there, and return what `answer` makes of it.

        `by` is the name of the caller, here and below: events tell it.

        Returns:
            The answer, or the one that the same request had before; and the position after it.

        Raises:
            ProductExists: It is there.
            StillRunning, KeyReused: As `answer_once`.
            DatabaseUnavailable, OutcomeUnknown: As `Database.write`.
        """

        async def work(connection: Connection) -> Answer:
            async def effect() -> Answer:
                return answer(await _create(connection, product, by))

            return await answer_once(connection, once, effect)

        return await self._database.write(work)

    async def put(self, product: Product, expected: Expected, by: str) -> tuple[Stored, bool, str]:
        """Make a product what `product` says.

        Returns:
            The product, whether it is new, and the position after the write.

        Raises:
            ChangedMeanwhile: It is not what is expected.
            DatabaseUnavailable, OutcomeUnknown: As `Database.write`.
        """

        async def work(connection: Connection) -> tuple[Stored, bool]:
            if expected.nothing:
                row = await connection.fetchrow(CREATE, product.id, _document(product))
                if row is not None:
                    return await _told(connection, CREATED, row, by), True
            held = await _hold(connection, product.id, expected)
            return await _change(connection, held, product, UPDATED, by), False

        (stored, is_new), position = await self._database.write(work)
        return stored, is_new, position

    async def archive(self, product_id: str, expected: Expected, by: str) -> tuple[Stored, str]:
        """Take a product off sale for good; its document stays.

        Raises:
            UnknownProduct: That is no id.
            ChangedMeanwhile: It is not what is expected.
            ProductUnreadable: It was written by a release that knows more.
            DatabaseUnavailable, OutcomeUnknown: As `Database.write`.
        """
        if not re.fullmatch(ID_PATTERN, product_id):
            raise UnknownProduct(product_id)

        async def work(connection: Connection) -> Stored:
            held = await _hold(connection, product_id, expected)
            archived = msgspec.structs.replace(stored_in(held).product, status=Status.ARCHIVED)
            return await _change(connection, held, archived, DELETED, by)

        return await self._database.write(work)

    async def read_rates(self) -> Sequence[Rate]:
        """Return every rate there ever was, in one order.

        Raises:
            DatabaseUnavailable: It cannot be asked.
        """
        return await self._database.read(_all_rates)

    async def put_rates(
        self, rates: Sequence[Rate], expected: Callable[[Sequence[Rate]], bool], by: str
    ) -> tuple[Sequence[Rate], str]:
        """Make the rates there are those given.

        Args:
            rates: None of them overlap.
            expected: Whether what is there is what the caller believes.
            by: The name of the caller.

        Returns:
            The rates, as they are kept, and the position after the write.

        Raises:
            ChangedMeanwhile: They are not what is expected.
            DatabaseUnavailable, OutcomeUnknown: As `Database.write`.
        """

        async def work(connection: Connection) -> Sequence[Rate]:
            await connection.execute(HOLD_RATES)
            there = await _all_rates(connection)
            if not expected(there):
                raise ChangedMeanwhile("The list of rates", None)
            wanted = {(rate.kind, rate.key, rate.currency) for rate in rates}
            for key in {(rate.kind, rate.key, rate.currency) for rate in there} - wanted:
                await connection.execute(DROP_KEY, *key)
            await keep_rates(connection, rates)
            kept = await _all_rates(connection)
            if changed := len({*kept} ^ {*there}):
                await tell_of_rates(connection, changed, by)
            return kept

        return await self._database.write(work)


async def _create(connection: Connection, product: Product, by: str) -> Stored:
    row = await connection.fetchrow(CREATE, product.id, _document(product))
    if row is None:
        there = await connection.fetchrow(GET, product.id)
        raise ProductExists(product.id, there["revision"])
    return await _told(connection, CREATED, row, by)


async def _told(connection: Connection, topic: str, row: Record, by: str) -> Stored:
    stored = stored_in(row)
    await tell_of(connection, topic, stored, by)
    return stored


async def _hold(connection: Connection, product_id: str, expected: Expected) -> Record:
    """Return a product's row, which nobody else changes until the end of the transaction."""
    row = await connection.fetchrow(HOLD, product_id)
    revision = row["revision"] if row else None
    if row is None or not expected.holds(revision):
        now = None if revision is None else etag_of(revision)
        raise ChangedMeanwhile(f"The product {product_id[:80]}", now)
    return row


async def _change(
    connection: Connection, held: Record, product: Product, topic: str, by: str
) -> Stored:
    row = await connection.fetchrow(CHANGE, product.id, _document(product))
    # What is as it was is no event.
    return stored_in(held) if row is None else await _told(connection, topic, row, by)


async def _all_rates(connection: Connection) -> Sequence[Rate]:
    return list(readable(await connection.fetch(ALL_RATES)))


def _document(product: Product) -> str:
    return msgspec.json.encode(product).decode()
