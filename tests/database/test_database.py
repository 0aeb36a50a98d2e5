"""Units of work: whole or not at all, tried anew where nothing was kept, bounded in time."""

import asyncio
import time
from uuid import uuid4

import asyncpg
import pytest

from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits
from render_service.errors import DatabaseUnavailable, InvalidSetting, OutcomeUnknown
from render_service.telemetry import instruments

RATE = """
INSERT INTO shop.rate (kind, key, currency, amount, valid_from)
VALUES ('metal', $1, 'EUR', 1, now())
"""
COUNT = "SELECT count(*) FROM shop.rate"


def insert(key):
    return lambda connection: connection.execute(RATE, key)


def count(connection):
    return connection.fetchval(COUNT)


async def test_what_a_unit_of_work_writes_is_there(database):
    await database.write(insert("gold"))
    assert await database.read(count) == 1


async def test_a_unit_of_work_that_fails_leaves_nothing(database):
    async def work(connection):
        await insert("gold")(connection)
        raise KeyError("halfway")

    with pytest.raises(KeyError, match="halfway"):
        await database.write(work)
    assert await database.read(count) == 0


async def test_a_cancelled_unit_of_work_leaves_nothing_and_no_connection_is_lost(url):
    database = Database(url, limits=Limits(connections=1, wait_s=2, statement_s=5))

    async def work(connection):
        await insert("gold")(connection)
        await asyncio.sleep(60)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(database.write(work), 0.2)
    assert await database.read(count) == 0
    await database.close()


async def test_two_that_undo_each_others_ground_are_run_one_after_the_other(database):
    ran = 0

    async def work(connection):
        nonlocal ran
        ran += 1
        await connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        there = await count(connection)
        await asyncio.sleep(0.1)
        await insert(f"{there}-{uuid4()}")(connection)

    await asyncio.gather(database.write(work), database.write(work))
    assert await database.read(count) == 2
    assert ran > 2


async def test_a_connection_that_breaks_in_the_middle_is_no_loss(database):
    broken = []

    async def work(connection):
        await insert("gold")(connection)
        if not broken:
            broken.append(await connection.fetchval("SELECT pg_backend_pid()"))
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return len(broken)

    assert (await database.write(work))[0] == 1
    assert await database.read(count) == 1


async def test_a_connection_that_breaks_while_it_commits_is_said_to_be_of_unknown_outcome(
    database, monkeypatch
):
    async def broken(self):
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    monkeypatch.setattr(asyncpg.transaction.Transaction, "commit", broken)
    with pytest.raises(OutcomeUnknown, match="may have been made"):
        await database.write(insert("gold"))


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(url):
    database = Database(url, limits=Limits(connections=1, wait_s=5, statement_s=0.3))
    begun_s = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.write(lambda connection: connection.execute("SELECT pg_sleep(30)"))
    assert refused.value.reason == "it did not answer in time"
    assert time.monotonic() - begun_s < 5
    assert await database.read(count) == 0
    await database.close()


async def test_a_read_that_takes_too_long_is_ended_too(url):
    database = Database(url, limits=Limits(connections=1, wait_s=5, statement_s=0.2))
    with pytest.raises(DatabaseUnavailable):
        await database.read(lambda connection: connection.execute("SELECT pg_sleep(30)"))
    await database.close()


async def test_waits_for_connections_are_counted_and_who_waited_in_vain(url):
    database = Database(url, limits=Limits(connections=1, wait_s=0.2, statement_s=5))
    kinds = (instruments.database_wait, instruments.database_use, instruments.database_timeouts)
    before = [kind.value("primary") for kind in kinds]
    held = asyncio.create_task(database.read(lambda one: one.execute("SELECT pg_sleep(1)")))
    await asyncio.sleep(0.1)
    with pytest.raises(DatabaseUnavailable):
        await database.read(count)
    await held
    await database.read(count)
    after = [kind.value("primary") for kind in kinds]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 2, 1]
    await database.close()


async def test_who_finds_no_free_connection_is_refused_soon(url):
    database = Database(url, limits=Limits(connections=1, wait_s=0.2, statement_s=5))
    await database.read(count)
    held = asyncio.create_task(database.read(lambda one: one.execute("SELECT pg_sleep(2)")))
    await asyncio.sleep(0.1)
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.read(count)
    assert refused.value.reason == "all connections are in use"
    # It is this process that is busy, not the database that is away.
    assert not database.is_away
    await held
    await database.close()


@pytest.mark.parametrize("password", ["a/b", "a#b", "a:b/c"])
def test_a_password_that_is_not_encoded_is_refused_at_once_and_not_shown(password):
    with pytest.raises(InvalidSetting, match="percent-encoded") as refused:
        Database(f"postgresql://render:{password}@db/shop")
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "reason"),
    [("nobody:x@{host}/postgres", "nobody"), ("render@{host}/nowhere", "nowhere")],
)
async def test_what_the_server_refuses_is_said_in_its_words(server, address, reason):
    database = Database(f"postgresql://{address.format(host=f'127.0.0.1:{server.port}')}")
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.read(count)
    assert reason in refused.value.reason
    # Whoever asked is told neither users nor hosts.
    assert reason not in str(refused.value)
    assert database.is_away
    await database.close()
