"""PostgreSQL through asyncpg: units of work, and reads that may be stale.

The rule: whatever is written is one transaction, which holds whole or not at all; it is tried anew,
twice at most, only where it is certain that nothing of it was kept. Nothing is prepared by name and
nothing outlives a transaction, so PgBouncer may lend a connection for each (docs/database.md).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeVar

import asyncpg
from asyncpg import Connection, Pool
from asyncpg import exceptions as said

from render_service.errors import DatabaseUnavailable, OutcomeUnknown

_T = TypeVar("_T")

_ATTEMPTS: Final = 3
_PAUSE_S: Final = (0.05, 0.25)
"""Before the second and the third attempt, times one to two by chance: a failover of a managed
server takes seconds, and its clients' retries must not come all at once."""

_REPLICA_PATIENCE_S: Final = 0.05
"""How long a replica may take to catch up with a writer who reads; the primary is asked instead."""

_AGAIN: Final = (
    said.SerializationError,
    said.DeadlockDetectedError,
    said.AdminShutdownError,
    said.CrashShutdownError,
    said.CannotConnectNowError,
    said.TooManyConnectionsError,
    said.PostgresConnectionError,
    said.ReadOnlySQLTransactionError,
    said.InterfaceError,
    ConnectionError,
    OSError,
)
"""What ends a transaction so that nothing of it is kept, and may be otherwise a moment later. A
read-only one is that of a primary which is none any more."""


class Limits(NamedTuple):
    """Bounds of one process.

    Attributes:
        connections: To each server, at the most.
        wait_s: For a free connection, or a new one.
        statement_s: A statement may take; ended by the server, and by us a second later.
    """

    connections: int = 8
    wait_s: float = 1.0
    statement_s: float = 5.0


class Written(NamedTuple):
    """What came of a unit of work.

    Attributes:
        value: What it returned.
        position: Where the write-ahead log stood after it: who reads with it reads this, too.
    """

    value: object
    position: str


class Database:
    """One database: its primary, and a replica if there is one.

    Connections are made when they are needed, so a service starts while its database is away, and
    finds it again when it comes back, wherever it then is.
    """

    def __init__(self, url: str, replica_url: str = "", limits: Limits | None = None) -> None:
        """Name the servers; `url` may list several hosts with `target_session_attrs=read-write`."""
        self._limits = limits or Limits()
        self._primary = _Lazy(url, self._limits)
        self._replica = _Lazy(replica_url, self._limits) if replica_url else None

    async def write(self, work: Callable[[Connection], Awaitable[_T]]) -> tuple[_T, str]:
        """Run `work` in a transaction; return what it returns, and the position after it.

        It is run again from the start, twice at most, when the server ended it for a reason that
        passes; so it does nothing but ask the connection it is given.

        Raises:
            DatabaseUnavailable: There is no server that writes, or it is too slow.
            OutcomeUnknown: The connection broke while the transaction was being committed.
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
            work: Asks the connection that it is given.
            stale: A replica may answer.
            after: A position that the answer must not be older than.

        Raises:
            DatabaseUnavailable: No server answers, or it is too slow.
        """
        if stale and self._replica is not None:
            try:
                async with self._replica.lend() as connection:
                    if not after or await _caught_up(connection, after):
                        return await work(connection)
            except (*_AGAIN, TimeoutError, said.QueryCanceledError):
                pass  # a replica is a convenience: the primary has everything
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
                return await once()
            except _AGAIN as error:
                if isinstance(error, said.ReadOnlySQLTransactionError):
                    await self._primary.forget()
                if (pause_s := next(pauses, None)) is None:
                    raise DatabaseUnavailable(str(error) or type(error).__name__) from error
            except (TimeoutError, said.QueryCanceledError) as error:
                raise DatabaseUnavailable("It did not answer in time") from error
            # Not a secret: it only spreads attempts over time.
            await asyncio.sleep(pause_s * (1 + random.random()))  # noqa: S311

    async def _write_once(self, work: Callable[[Connection], Awaitable[_T]]) -> tuple[_T, str]:
        async with self._primary.lend() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                # A bound of this transaction alone: PgBouncer lends the connection to others next.
                await connection.execute(
                    f"SET LOCAL statement_timeout = {round(self._limits.statement_s * 1000)}"
                )
                value = await work(connection)
                position = await connection.fetchval("SELECT pg_current_wal_insert_lsn()::text")
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except (said.PostgresConnectionError, said.InterfaceError, OSError) as error:
                raise OutcomeUnknown from error
            return value, position

    async def _read_once(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        async with self._primary.lend() as connection:
            return await work(connection)


async def _caught_up(connection: Connection, position: str) -> bool:
    """Whether a replica has replayed its primary's log up to `position`, or does so at once."""
    deadline_s = asyncio.get_running_loop().time() + _REPLICA_PATIENCE_S
    while True:
        there = await connection.fetchval(
            "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", position
        )
        if there or asyncio.get_running_loop().time() > deadline_s:
            return bool(there)
        await asyncio.sleep(0.005)


class _Lazy:
    """A pool that is made when it is first needed."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url, self._limits = url, limits
        self._pool: Pool | None = None
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a connection; raises TimeoutError when none is free in time."""
        pool = await self._made()
        connection = await pool.acquire(timeout=self._limits.wait_s)
        try:
            yield connection
        finally:
            # What was cancelled in the middle is closed, not lent to the next one.
            await pool.release(connection, timeout=self._limits.wait_s)

    async def forget(self) -> None:
        """Make new connections from now on: the server is not what it was."""
        if self._pool is not None:
            await self._pool.expire_connections()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def _made(self) -> Pool:
        async with self._making:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._limits.connections,
                    timeout=self._limits.wait_s,
                    command_timeout=self._limits.statement_s + 1,
                    statement_cache_size=0,
                )
            return self._pool
