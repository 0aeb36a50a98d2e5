"""Rates in PostgreSQL: what counts now, and what ever did.

The rule: the rates of a key are changed together, so there is never a gap that
nobody wrote.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record
from asyncpg.exceptions import ExclusionViolationError

from render_service.errors import RatesOverlap
from render_service.products.rates import Rate

_log = logging.getLogger(__name__)

RATES: Final = """
SELECT kind, key, currency, amount, valid_from, valid_to, revision FROM shop.rate
WHERE coalesce(valid_to, 'infinity') > now()
"""

ALL_RATES: Final = """
SELECT kind, key, currency, amount, valid_from, valid_to, revision FROM shop.rate
ORDER BY kind, key COLLATE "C", currency, valid_from
"""

# Until the end of the transaction: reading goes on, and who else writes all of them waits.
HOLD_RATES: Final = "LOCK TABLE shop.rate IN SHARE ROW EXCLUSIVE MODE"

DROP_KEY: Final = """
DELETE FROM shop.rate WHERE kind = $1 AND key = $2 AND currency IS NOT DISTINCT FROM $3
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


async def keep_rates(connection: Connection, rates: Sequence[Rate]) -> list[str]:
    """Make the rates of each key in `rates` those given; others of that key are removed.

    Returns:
        For each, in the order of their beginnings: added, changed or same.

    Raises:
        RatesOverlap: Somebody else wrote a rate of a key at the same time.
    """
    # One that is shortened comes before the one that begins where it then ends.
    in_order = sorted(rates, key=lambda rate: rate.valid_from)
    await _drop_others(connection, in_order)
    return [await _keep_rate(connection, rate) for rate in in_order]


def readable(rows: Sequence[Record]) -> Iterator[Rate]:
    """Yield the rates of `rows`; one that cannot be read is left out, and logged."""
    for row in rows:
        try:
            yield msgspec.convert(dict(row), Rate)
        except msgspec.ValidationError as error:
            # What it prices has no price; everything else has its own.
            _log.error("the rate %s %s cannot be read: %s", row["kind"], row["key"], error)


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
