"""Connections to one PostgreSQL: made when they are needed, bounded, and lent one at a time.

The rule: making a pool asks nobody, so whoever starts while its database is away starts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
from asyncpg import Connection


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


class Pool:
    """Lends connections to the server at `url`. Owned by one event loop."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url, self._limits = url, limits
        self._pool: asyncpg.Pool | None = None
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            TimeoutError: None is free in time.
            OSError: None can be made; as `asyncpg.PostgresError` where the server says so.
        """
        pool = await self._made()
        connection = await pool.acquire(timeout=self._limits.wait_s)
        try:
            yield connection
        finally:
            # Whatever happens to it now, its work was done or not before: an error from here would
            # have done again what was kept. One that is gone does not even say that it is closed.
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                if connection.is_in_transaction():
                    # Ended in the middle, and not even rolled back: nobody gets this one again.
                    connection.terminate()
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await pool.release(connection, timeout=self._limits.wait_s)

    async def renew(self) -> None:
        """Make new connections from now on: the server is not what it was."""
        if self._pool is not None:
            await self._pool.expire_connections()

    async def close(self) -> None:
        """Close every connection, waiting for those that are lent."""
        if self._pool is not None:
            await self._pool.close()

    async def _made(self) -> asyncpg.Pool:
        async with self._making:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._limits.connections,
                    timeout=self._limits.wait_s,
                    command_timeout=self._limits.statement_s + 1,
                    # Nothing is set but for one transaction, so there is nothing to set back.
                    reset=_leave,
                    # PgBouncer lends another server's connection for the next transaction.
                    statement_cache_size=0,
                )
            return self._pool


async def _leave(_: Connection) -> None:
    """Do nothing to a connection that comes back."""
