"""A primary that is lost, a replica that lags or is promoted, and a PgBouncer in between."""

import asyncio
import socket
import time

import asyncpg
import pytest

from render_service.adapters.migrations import migrate
from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits
from render_service.errors import DatabaseUnavailable, OutcomeUnknown
from tests.database.test_database import count, insert
from tests.postgres import (
    make_database,
    programs_15,
    programs_18,
    run_pgbouncer,
    run_postgres_server,
    run_replica,
)

LIMITS = Limits(connections=4, wait_s=2, statement_s=2)
WITHIN_S = 20


@pytest.fixture(params=[programs_15, programs_18], ids=["15", "18"])
def pair(request, tmp_path):
    """A primary and its replica, migrated."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with run_postgres_server(request.param(), tmp_path / "one") as primary:
        asyncio.run(migrate(primary.url()))
        with run_replica(request.param(), tmp_path / "two", primary) as replica:
            yield primary, replica


@pytest.fixture
async def database(pair):
    primary, replica = pair
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
    database = Database(
        f"postgresql://render@{hosts}/postgres?target_session_attrs=read-write",
        replica.url(),
        LIMITS,
    )
    yield database
    await database.close()


async def hold_back(replica):
    """Let the replica replay nothing more."""
    await tell(replica, "SELECT pg_wal_replay_pause()")


async def tell(server, statement):
    connection = await asyncpg.connect(server.url())
    value = await connection.fetchval(statement)
    await connection.close()
    return value


def where(connection):
    return connection.fetchval("SELECT pg_is_in_recovery()")


async def test_reads_that_may_be_stale_go_to_the_replica_and_others_do_not(database):
    assert await database.read(where, stale=True) is True
    assert await database.read(where) is False


async def test_a_writer_reads_what_it_wrote_although_the_replica_lags(pair, database):
    await hold_back(pair[1])
    _, position = await database.write(insert("gold"))
    assert await database.read(count, stale=True) == 0
    assert await database.read(count, stale=True, after=position) == 1


async def test_a_replica_that_has_caught_up_answers_the_writer_too(pair, database):
    _, position = await database.write(insert("gold"))
    deadline_s = time.monotonic() + WITHIN_S
    while not await database.read(where, stale=True, after=position):
        assert time.monotonic() < deadline_s
    assert await database.read(count, stale=True, after=position) == 1


async def test_without_its_replica_the_primary_answers(pair, database):
    assert await database.read(where, stale=True) is True
    pair[1].stop()
    assert await database.read(where, stale=True) is False


async def test_a_replica_that_lacks_the_schema_is_not_asked(pair):
    primary, _ = pair
    database = Database(primary.url(), make_database(primary), LIMITS)
    assert await database.read(count, stale=True) == 0
    await database.close()


async def test_a_silent_host_costs_a_wait_and_not_the_database(pair):
    primary, _ = pair
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{primary.port}"
        url = f"postgresql://render@{hosts}/postgres?target_session_attrs=read-write"
        database = Database(url, limits=Limits(connections=4, wait_s=0.5, statement_s=5))
        assert await database.read(count) == 0
        begun_s = time.monotonic()
        # The one that answered is asked first from now on, by new connections, too.
        await asyncio.gather(*(database.read(count) for _ in range(4)))
        assert time.monotonic() - begun_s < 0.5
        await database.close()


async def test_a_silent_replica_is_left_alone_for_a_while(pair):
    primary, _ = pair
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://render@127.0.0.1:{silent.getsockname()[1]}/postgres"
        limits = Limits(connections=4, wait_s=0.5, statement_s=5)
        database = Database(primary.url(), address, limits)
        assert await database.read(count, stale=True) == 0
        begun_s = time.monotonic()
        for _ in range(10):
            assert await database.read(count, stale=True) == 0
        assert time.monotonic() - begun_s < 0.5
        await database.close()


async def test_what_is_not_a_position_is_no_reason_to_fail(database):
    assert await database.read(count, stale=True, after="rubbish") == 0


async def test_a_replica_that_was_promoted_is_written_to_without_a_restart(pair, database):
    await database.write(insert("before"))
    primary, replica = pair
    await wait_for_replica(replica)
    primary.stop()
    with pytest.raises((DatabaseUnavailable, OutcomeUnknown)):
        await database.write(insert("meanwhile"))
    replica.promote()

    deadline_s, written = time.monotonic() + WITHIN_S, False
    while not written:
        try:
            await database.write(insert("after"))
            written = True
        except DatabaseUnavailable:
            assert time.monotonic() < deadline_s
    assert not database.is_away
    assert await database.read(count) == 2


async def wait_for_replica(replica):
    deadline_s = time.monotonic() + WITHIN_S
    while await tell(replica, "SELECT count(*) FROM shop.rate") != 1:
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.01)


async def test_a_primary_that_comes_back_is_found_without_a_restart(pair):
    primary, _ = pair
    database = Database(primary.url(), limits=LIMITS)
    await database.write(insert("before"))
    primary.stop()
    with pytest.raises(DatabaseUnavailable):
        await database.read(count)
    assert database.is_away
    primary.start()
    assert await database.read(count) == 1
    assert not database.is_away
    await database.close()


async def test_what_was_answered_is_kept_however_often_the_primary_dies(pair):
    """Ten writers while the server crashes five times: what was told to be kept is there."""
    primary, _ = pair
    database = Database(primary.url(), limits=LIMITS)
    kept, unknown, dying = [], [], True

    async def write(number):
        turn = 0
        while dying:
            key, turn = f"{number}-{turn}", turn + 1
            try:
                await database.write(insert(key))
                kept.append(key)
            except OutcomeUnknown:
                unknown.append(key)
            except DatabaseUnavailable:
                await asyncio.sleep(0.05)

    writers = [asyncio.create_task(write(number)) for number in range(10)]
    for _ in range(5):
        before = len(kept)
        while len(kept) < before + 20:  # noqa: ASYNC110  # whichever writer it is
            await asyncio.sleep(0.01)
        primary.stop()
        await asyncio.to_thread(primary.start)
    dying = False
    await asyncio.gather(*writers)

    rows = await database.read(lambda connection: connection.fetch("SELECT key FROM shop.rate"))
    there = {row["key"] for row in rows}
    assert set(kept) <= there
    assert there <= set(kept) | set(unknown)
    assert len(rows) == len(there)
    await database.close()


async def test_through_a_pgbouncer_that_lends_two_connections_all_is_the_same(
    server, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("bouncer")
    url = make_database(server)
    await migrate(url)
    with run_pgbouncer(folder, server) as at:
        database = Database(at(url.rpartition("/")[2]), limits=LIMITS)
        await asyncio.gather(*(database.write(insert(f"rate-{n}")) for n in range(50)))
        counts = await asyncio.gather(*(database.read(count) for _ in range(50)))
        assert set(counts) == {50}
        await database.close()
