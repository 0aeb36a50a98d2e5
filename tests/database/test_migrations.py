"""The database is brought up to date by ordered files, whole or not at all, by one at a time."""

import hashlib
import re
import subprocess
import sys

import asyncpg
import pytest

from render_service.adapters import migrations
from render_service.adapters.migrations import FOLDER, find_lacking, list_migrations, migrate
from render_service.adapters.postgres import Database
from render_service.errors import DatabaseUnavailable, MigrationFailed, SchemaBehind

# Of every file as it was released: what was applied somewhere is never changed.
RELEASED = {
    "0001-products": "96337e567e5a457c149c35cfbdbfb9fea6c3ca0ef279633681dcacce400bb1bc",
    "0002-search": "7ac2a071afa290522f9d395f727f31d533544edb0b66f9777505b8cfb7b7ef3e",
    "0003-jobs": "b2d154ca7fcd32b350c5f51c6b2ed6db1a7b6ebe4869735e974d7a05caee8e42",
    "0009-drafts": "c00e7c731ce999991b10742d1033e6f895f31c2635a7ae388daf2944fe111632",
    "0010-webhooks": "f3085807d6b5600c2ebca12b4379d06e66878d1d827ba72b676bb7eb4461e03c",
    "0007-assets": "dee129045dbf2cecd26fe2d862af908dae7c37c2ae7bb66a728adbfd7d4dd157",
    "0008-media": "71d77f4c0a6b29e9ff720711000087169a7a98194750bde2e32bfc8cbd89f6d9",
    "0011-imports": "04b4da9927d0bb252ef3e2e21918d1576311f898ab44f6991b7dfead92b96b4a",
    "0004-idempotency": "9b72270cab60fa72e3be8b737943ac29d0f8beec6137c653de76b42772ff9952",
    "0005-facets": "7342d8b74b28f4dc9f11e8f6eb82374832f92ac5b86824f39b8440352d820adf",
    "0006-words": "7fe0011e4ae3ae45bc9fb385b9caf8edd9b05c84f3398478f8681ca797890698",
}

GOOD = "-- A good one\n-- depends:\n\n-- migrate: apply\n{}\n-- migrate: rollback\nSELECT 1;\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of migrations of the test's own."""
    monkeypatch.setattr(migrations, "FOLDER", tmp_path)
    return tmp_path


def write(folder, name, sql, depends=""):
    text = GOOD.format(sql).replace("-- depends:", f"-- depends: {depends}".rstrip())
    (folder / f"{name}.sql").write_text(text)


async def tables(url):
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1"
    )
    await connection.close()
    return [row["tablename"] for row in rows]


async def test_an_empty_database_gets_every_migration_once(empty):
    assert await find_lacking(empty) == list_migrations()
    assert await migrate(empty) == list_migrations()
    assert await find_lacking(empty) == []
    assert await migrate(empty) == []


async def test_migrations_follow_one_another_in_the_order_of_their_names():
    names = list_migrations()
    assert len({name[:4] for name in names}) == len(names)
    for place, name in enumerate(names):
        found = re.search(r"^-- depends: *(\S*)$", (FOLDER / f"{name}.sql").read_text(), re.M)
        # Of its tables, not of its number: one that was begun earlier may be released later.
        assert found[1] in (names[:place] if place else [""])


def test_a_migration_that_was_released_is_never_changed():
    found = {
        name: hashlib.sha256((FOLDER / f"{name}.sql").read_bytes()).hexdigest()
        for name in list_migrations()
    }
    assert found == RELEASED


def test_many_processes_at_once_apply_each_migration_once(empty):
    program = (
        "import asyncio, sys; from render_service.adapters.migrations import migrate; "
        "print(*asyncio.run(migrate(sys.argv[1])))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, empty], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(name for names in said for name in names) == list_migrations()


async def test_of_a_migration_that_fails_nothing_is_kept_and_those_before_it_are(empty, folder):
    write(folder, "0001-first", "CREATE SCHEMA shop; CREATE TABLE shop.one (id int);")
    write(folder, "0002-second", "CREATE TABLE shop.two (id int); SELECT 1 / 0;", "0001-first")

    with pytest.raises(MigrationFailed, match="0002-second was not applied: division by zero"):
        await migrate(empty)
    assert await tables(empty) == ["one"]
    assert await find_lacking(empty) == ["0002-second"]

    write(folder, "0002-second", "CREATE TABLE shop.two (id int);", "0001-first")
    assert await migrate(empty) == ["0002-second"]
    assert await tables(empty) == ["one", "two"]


async def test_a_table_that_is_busy_is_not_waited_for(empty, folder, monkeypatch):
    monkeypatch.setattr(migrations, "_LOCK_TIMEOUT", "100ms")
    write(folder, "0001-first", "CREATE SCHEMA shop; CREATE TABLE shop.one (id int);")
    await migrate(empty)
    write(folder, "0002-second", "ALTER TABLE shop.one ADD name text;", "0001-first")
    reader = await asyncpg.connect(empty)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM shop.one")
        with pytest.raises(MigrationFailed, match="lock timeout"):
            await migrate(empty)
    assert await migrate(empty) == ["0002-second"]
    await reader.close()


async def test_a_database_that_is_away_is_said_to_be():
    with pytest.raises(DatabaseUnavailable) as refused:
        await migrate("postgresql://render@127.0.0.1:1/postgres")
    assert "Connect call failed" in refused.value.reason


async def test_a_program_that_is_ahead_of_its_database_says_so_until_it_is_migrated(empty):
    database = Database(empty)
    with pytest.raises(SchemaBehind, match=f"lacks the migrations {', '.join(list_migrations())}"):
        await database.read(lambda connection: connection.fetchval("SELECT 1"))
    await migrate(empty)
    assert await database.read(lambda connection: connection.fetchval("SELECT 1")) == 1
    await database.close()
