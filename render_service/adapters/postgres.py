"""PostgreSQL through asyncpg: units of work, and reads that may be stale.

The rule: whatever is written is one transaction, which holds whole or not at all; it is tried anew,
twice at most, only where it is certain that nothing of it was kept. Nothing is prepared by name and
nothing outlives a transaction, so PgBouncer may lend a connection for each (docs/database.md).
"""

import asyncio
import contextlib
import logging
import math
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from asyncpg import Connection
from asyncpg import exceptions as said

from render_service.adapters.migrations import read_lacking
from render_service.adapters.postgres_pool import Limits, Pool, PoolBusy
from render_service.errors import DatabaseUnavailable, OutcomeUnknown, SchemaBehind

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

_PAUSE_S: Final = (0.05, 0.25)
"""Before the second and the third attempt, times one to two by chance: a failover of a managed
server takes seconds, and its clients' retries must not come all at once."""

_REPLICA_PATIENCE_S: Final = 0.05
"""How long a replica may take to catch up with a writer who reads; the primary is asked instead."""

_POSITION: Final = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")

_SLOW: Final = (TimeoutError, said.QueryCanceledError)
"""It would be as slow again."""

_BROKEN: Final = (
    said.AdminShutdownError,
    said.CrashShutdownError,
    said.IdleInTransactionSessionTimeoutError,
    said.PostgresConnectionError,
    said.InterfaceError,
    OSError,
)
"""The connection is gone: before COMMIT nothing was kept, during COMMIT nobody knows."""

_AGAIN: Final = (
    said.SerializationError,
    said.DeadlockDetectedError,
    said.CannotConnectNowError,
    said.TooManyConnectionsError,
    said.TargetServerAttributeNotMatched,
    said.ReadOnlySQLTransactionError,
    *_BROKEN,
)
"""What ends a transaction so that nothing of it is kept, and may be otherwise a moment later. A
read-only one is that of a primary which is none any more."""

_REFUSED: Final = (
    said.InvalidAuthorizationSpecificationError,
    said.InvalidCatalogNameError,
    said.InsufficientPrivilegeError,
    said.ClientConfigurationError,
)
"""What no attempt mends."""

_REPLICA_PAUSE_S: Final = 5.0
"""A replica that failed is left alone: each look at one that is silent takes a second."""


class Database:
    """One database: its primary, and a replica if there is one. Owned by one event loop.

    Connections are made when they are needed, so a service starts while its database is away, and
    finds it again when it comes back, wherever it then is.

    Attributes:
        is_away: Whether it could not be asked, the last time.
    """

    def __init__(self, url: str, replica_url: str = "", limits: Limits | None = None) -> None:
        """Name the servers; `url` may list several hosts with `target_session_attrs=read-write`."""
        self._limits = limits or Limits()
        self._primary = Pool(url, self._limits, "primary")
        self._replica = Pool(replica_url, self._limits, "replica") if replica_url else None
        self._replica_from_s = -math.inf
        self._is_current = False
        self.is_away = False

    async def write(self, work: Callable[[Connection], Awaitable[_T]]) -> tuple[_T, str]:
        """Run `work` in a transaction; return what it returns, and the position after it.

        It is run again from the start, twice at most, when the server ended it for a reason that
        passes; so it does nothing but ask the connection it is given.

        Returns:
            What `work` returned, and where the write-ahead log then stood: who reads `after` it
            reads this, too.

        Raises:
            DatabaseUnavailable: There is no server that writes, or it is too slow.
            OutcomeUnknown: The connection broke while the transaction was being committed.
            SchemaBehind: The database lacks migrations.
        """
        return await self._attempt(lambda: self._write_once(work))

    async def read(
        self,
        work: Callable[[Connection], Awaitable[_T]],
        *,
        stale: bool = False,
        after: str = "",
    ) -> _T:
        """Run `work`, which writes nothing.

        Args:
            work: Asks the connection that it is given; it may be run again from the start.
            stale: A replica may answer.
            after: A position that the answer must not be older than, from `write`.

        Raises:
            DatabaseUnavailable: No server answers, or it is too slow.
            SchemaBehind: The database lacks migrations.
        """
        if stale and self._replica is not None and time.monotonic() >= self._replica_from_s:
            # A replica is a convenience: the primary has everything, migrations among it.
            try:
                async with self._replica.lend() as connection:
                    if not after or await _has_caught_up(connection, after):
                        return await work(connection)
            except (said.PostgresError, said.InterfaceError, OSError, PoolBusy) as error:
                _log.warning("the replica cannot be used: %s", error)
                self._replica_from_s = time.monotonic() + _REPLICA_PAUSE_S
        return await self._attempt(lambda: self._read_once(work))

    async def close(self) -> None:
        """Close every connection."""
        await self._primary.close()
        if self._replica is not None:
            await self._replica.close()

    async def _attempt(self, once: Callable[[], Awaitable[_T]]) -> _T:
        pauses = iter(_PAUSE_S)
        while True:
            try:
                value = await once()
            except PoolBusy as error:
                raise DatabaseUnavailable("all connections are in use") from error
            except (*_SLOW, *_REFUSED) as error:
                raise self._away(_told(error)) from error
            except _AGAIN as error:
                if isinstance(error, said.ReadOnlySQLTransactionError):
                    await self._primary.renew()
                if (pause_s := next(pauses, None)) is None:
                    raise self._away(str(error) or type(error).__name__) from error
            else:
                self._back()
                return value
            # Not a secret: it only spreads attempts over time.
            await asyncio.sleep(pause_s * (1 + random.random()))  # noqa: S311

    def _away(self, reason: str) -> DatabaseUnavailable:
        if not self.is_away:
            _log.warning("the database cannot be used: %s", reason)
        self.is_away = True
        return DatabaseUnavailable(reason)

    def _back(self) -> None:
        if self.is_away:
            _log.warning("the database is back")
        self.is_away = False

    async def _write_once(self, work: Callable[[Connection], Awaitable[_T]]) -> tuple[_T, str]:
        async with self._primary.lend() as connection:
            await self._check_schema(connection)
            transaction = connection.transaction()
            await transaction.start()
            try:
                # A bound of this transaction alone: PgBouncer lends the connection to others next.
                limit_ms = round(self._limits.statement_s * 1000)
                await connection.execute(f"SET LOCAL statement_timeout = {limit_ms}")
                value = await work(connection)
                position = await connection.fetchval("SELECT pg_current_wal_insert_lsn()::text")
            except BaseException:
                # Where the connection is gone, so is the transaction.
                with contextlib.suppress(*_BROKEN):
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except _BROKEN as error:
                raise OutcomeUnknown from error
            return value, str(position)

    async def _read_once(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        async with self._primary.lend() as connection:
            await self._check_schema(connection)
            return await work(connection)

    async def _check_schema(self, connection: Connection) -> None:
        """Once it has been seen to be current it stays so: migrations only go forwards."""
        if not self._is_current:
            if lacking := await read_lacking(connection):
                raise SchemaBehind(lacking)
            self._is_current = True


def _told(error: Exception) -> str:
    return "it did not answer in time" if isinstance(error, _SLOW) else str(error)


async def _has_caught_up(connection: Connection, position: str) -> bool:
    """Whether a replica has replayed its primary's log up to `position`, or does so at once."""
    if _POSITION.fullmatch(position) is None:
        return False
    deadline_s = asyncio.get_running_loop().time() + _REPLICA_PATIENCE_S
    while True:
        # What was promoted meanwhile is no replica: it has written on from there by itself.
        there = await connection.fetchval(
            "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::text::pg_lsn", position
        )
        if there or asyncio.get_running_loop().time() > deadline_s:
            return bool(there)
        await asyncio.sleep(0.005)
