"""Migrations: SQL files in `schema/`, applied in order, each in a transaction with its ledger row.

The rule: a file that was released is never changed; what is to be different is another file. A
process that migrates holds a lock of the database, so however many begin at once, one of them
applies and the others find it done. pogo-core reads, orders and applies (docs/decisions/
0112-migrations.md); the lock and the errors are ours.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from asyncpg import Connection
from pogo_core.error import BadMigrationError
from pogo_core.util import migrate as pogo
from pogo_core.util import sql as ledger

from render_service.adapters.postgres_pool import split_hosts
from render_service.errors import DatabaseUnavailable, MigrationFailed

_QUIET: Final = logging.getLogger(f"{__name__}.pogo")
"""pogo-core warns of every migration that it applies; who calls us says what was applied."""
_QUIET.setLevel(logging.ERROR)

SCHEMA: Final = "shop"
"""Where our tables are: a database may hold others' beside them."""

FOLDER: Final = Path(__file__).parent / "schema"

_LOCK: Final = 0x72656E646572
"""An advisory lock of the database: `render` in ASCII."""

_CONNECT_S: Final = 10.0

_LOCK_TIMEOUT: Final = "5s"
"""A table that is busy for longer is not waited for: whoever comes after us would wait, too."""

_LEDGER: Final = """
SELECT migration_id FROM public._pogo_migration WHERE schema_name = $1
"""


def list_migrations() -> list[str]:
    """Return the names of all migrations, in order."""
    return sorted(file.stem for file in FOLDER.glob("*.sql"))


async def read_lacking(connection: Connection) -> list[str]:
    """Return the names of the migrations that the database lacks, in order."""
    try:
        rows = await connection.fetch(_LEDGER, SCHEMA)
    except asyncpg.UndefinedTableError:
        rows = []
    applied = {row["migration_id"] for row in rows}
    return [name for name in list_migrations() if name not in applied]


async def find_lacking(url: str) -> list[str]:
    """Return the names of the migrations that the database at `url` lacks, in order.

    Raises:
        DatabaseUnavailable: It cannot be reached.
        InvalidSetting: The URL cannot be read.
    """
    async with _connected(url) as connection:
        return await read_lacking(connection)


async def migrate(url: str) -> list[str]:
    """Apply what the database at `url` lacks; return the names of what was applied, in order.

    `url` leads to the server itself, not to a PgBouncer in transaction mode: the lock is held by
    the connection, across transactions.

    Raises:
        DatabaseUnavailable: It cannot be reached.
        MigrationFailed: Those before it are applied; nothing of it is.
    """
    async with _connected(url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        try:
            await ledger.ensure_pogo_sync(connection)
        except asyncpg.InsufficientPrivilegeError as error:
            raise MigrationFailed("list of migrations", str(error)) from error
        lacking = await read_lacking(connection)
        try:
            await pogo.apply(connection, FOLDER, schema_name=SCHEMA, logger=_QUIET)
        except BadMigrationError as error:
            # In the order of what they depend on, which need not be that of their numbers.
            name = str(error).removeprefix("Failed to apply ")
            raise MigrationFailed(name, str(error.__cause__ or error)) from error
        return lacking


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    """A connection of one's own, whose loss is an error of ours.

    It asks for nothing when it connects, so a PgBouncer takes it, too.
    """
    split_hosts(url)
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_S, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error
    try:
        yield connection
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error
    finally:
        await connection.close()
