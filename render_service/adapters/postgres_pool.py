"""Connections to one PostgreSQL: made when they are needed, bounded, and lent one at a time.

The rule: making a pool asks nobody, so whoever starts while its database is away starts. Of several
hosts each gets its own time, so one that is silent costs a wait and not the database.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg import Connection
from asyncpg.exceptions import CannotConnectNowError, TargetServerAttributeNotMatched

from render_service.errors import InvalidSetting
from render_service.telemetry import instruments


class Limits(NamedTuple):
    """Bounds of one process.

    Attributes:
        connections: To each server, at the most.
        wait_s: For a free connection, and again for a new one to each host.
        statement_s: A statement may take; ended by the server, and by us a second later.
    """

    connections: int = 8
    wait_s: float = 1.0
    statement_s: float = 5.0


class PoolBusy(Exception):
    """Every connection is lent, and none came back in time: the database itself may be well."""


class Pool:
    """Lends connections to the server at `url`. Owned by one event loop."""

    def __init__(self, url: str, limits: Limits, name: str) -> None:
        """Name the server, and the pool as it is counted under.

        Raises:
            InvalidSetting: The URL cannot be read.
        """
        self._hosts, self._limits, self._name = split_hosts(url), limits, name
        self._pool: asyncpg.Pool | None = None
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            PoolBusy: None is free in time.
            OSError: None can be made; as `asyncpg.PostgresError` where the server says so.
        """
        pool = await self._made()
        asked_s = time.perf_counter()
        try:
            connection = await pool.acquire(timeout=self._limits.wait_s * (len(self._hosts) + 1))
        except TimeoutError as error:
            if pool.get_size() == pool.get_max_size() and not pool.get_idle_size():
                instruments.database_timeouts.add(1, self._name)
                raise PoolBusy from error
            raise
        lent_s = time.perf_counter()
        instruments.database_wait.record(lent_s - asked_s, self._name)
        try:
            yield connection
        finally:
            instruments.database_use.record(time.perf_counter() - lent_s, self._name)
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
                    self._hosts[0],
                    connect=self._connect,
                    min_size=0,
                    max_size=self._limits.connections,
                    command_timeout=self._limits.statement_s + 1,
                    # Nothing is set but for one transaction, so there is nothing to set back.
                    reset=_leave,
                    # PgBouncer lends another server's connection for the next transaction.
                    statement_cache_size=0,
                )
            return self._pool

    async def _connect(self, _: str, **words: Any) -> Connection:  # noqa: ANN401  # asyncpg's own
        """Connect to the first host that will have us, the one that had us last before others."""
        failed: Exception | None = None
        for host in tuple(self._hosts):
            try:
                connection = await asyncpg.connect(host, timeout=self._limits.wait_s, **words)
            except (OSError, CannotConnectNowError, TargetServerAttributeNotMatched) as error:
                failed = error
                continue
            self._hosts = [host, *(other for other in self._hosts if other != host)]
            return connection
        raise failed or OSError("there is no host")


def split_hosts(url: str) -> list[str]:
    """Return the URL of each host that `url` names.

    Raises:
        InvalidSetting: It cannot be read. It is not shown: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        user, at, hosts = parts.netloc.rpartition("@")
        found = [
            urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")
        ]
        for one in found:
            # A colon, slash or hash in a password ends up here.
            _ = urlsplit(one).port
    except ValueError as error:
        raise InvalidSetting(
            "A URL of the database cannot be read: what is special in its password must be "
            "percent-encoded (`/` as %2F, `#` as %23, `:` as %3A, `@` as %40)."
        ) from error
    return found


async def _leave(_: Connection) -> None:
    """Do nothing to a connection that comes back."""
