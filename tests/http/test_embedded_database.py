"""A service that brings its PostgreSQL along: as `make run` starts it."""

import asyncio
import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import asyncpg
import psutil
import pytest

from render_service.adapters.embedded_postgres import run_postgres
from render_service.adapters.migrations import find_lacking
from render_service.embedded import run_embedded_worker
from render_service.errors import ServerNotStarted
from render_service.settings import Settings
from tests.http.server import run_server
from tests.servers import wait_until

EMBEDDED = {"database_url": "embedded", "graceful_stop_s": 1}


def family(server):
    """The processes of a service, but for its first."""
    return psutil.Process(server.process.pid).children(recursive=True)


def postmasters(server):
    """The first process of each PostgreSQL."""
    found = [child for child in family(server) if child.name() == "postgres"]
    return [process for process in found if process.ppid() not in {one.pid for one in found}]


def url_of(folder):
    return (folder / "data/postgres/owner").read_text().partition(" ")[2]


@pytest.mark.parametrize(("workers", "how"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_stop_leaves_nothing_behind(catalogue, tmp_path, workers, how):
    with run_server(catalogue, tmp_path, workers=workers, **EMBEDDED) as server:
        processes = family(server)
        assert len(postmasters(server)) == 1
        server.stop(how)
        assert psutil.wait_procs(processes, timeout=10)[1] == []


def test_it_is_up_to_date_listens_on_no_port_and_in_a_folder_that_is_ours_alone(
    catalogue, tmp_path
):
    with run_server(catalogue, tmp_path, **EMBEDDED) as server:
        (postmaster,) = postmasters(server)
        assert asyncio.run(find_lacking(url_of(tmp_path))) == []
        assert postmaster.net_connections("inet") == []
        (place,) = postmaster.cmdline()[postmaster.cmdline().index("-k") + 1 :][:1]
        assert os.stat(place).st_mode & 0o077 == 0
        if os.geteuid() == 0:
            assert postmaster.uids().real != 0


def test_what_was_kept_is_there_after_a_restart(catalogue, tmp_path):
    into = "INSERT INTO shop.rate (kind, key, currency, amount, valid_from)"
    insert = f"{into} VALUES ($1, $2, $3, 1, now())"
    with run_server(catalogue, tmp_path, **EMBEDDED):
        asyncio.run(ask(url_of(tmp_path), insert, "metal", "gold", "EUR"))
    with run_server(catalogue, tmp_path, **EMBEDDED):
        asyncio.run(ask(url_of(tmp_path), insert, "metal", "silver", "EUR"))
        rows = asyncio.run(ask(url_of(tmp_path), "SELECT key FROM shop.rate ORDER BY key"))
    assert [row["key"] for row in rows] == ["gold", "silver"]


async def ask(url, statement, *values):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


def test_it_ends_with_its_service_however_that_ends(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, **EMBEDDED) as server:
        processes = postmasters(server)
        server.stop(signal.SIGKILL)
        assert psutil.wait_procs(processes, timeout=60)[1] == []


def test_one_that_died_is_started_again(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, **EMBEDDED) as server:
        (postmaster,) = postmasters(server)
        postmaster.kill()
        postmaster.wait(10)
        wait_until(lambda: len(postmasters(server)) == 1, lambda: server.log.read_text())
        assert "the embedded PostgreSQL died" in server.log.read_text()


def test_a_service_waits_for_a_command_that_uses_it_and_then_has_its_own(catalogue, tmp_path):
    with ThreadPoolExecutor(1) as threads, contextlib.ExitStack() as stack:
        with run_postgres(tmp_path / "data/postgres", is_brief=True):
            context = run_server(catalogue, tmp_path, **EMBEDDED)
            starting = threads.submit(context.__enter__)
            time.sleep(2)
            assert not starting.done()
        server = starting.result()
        stack.push(context)
        assert len(postmasters(server)) == 1


def test_a_folder_that_was_made_by_another_major_version_is_left_as_it_is(tmp_path):
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerNotStarted, match="was made by 9"), run_postgres(tmp_path):
        pytest.fail("it was started")
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


def worker_of(server):
    """The process that does background work beside the service."""
    found = [one for one in family(server) if one.cmdline()[-2:] == ["render_service", "work"]]
    return found[0] if found else None


def begins(server, times):
    return server.log.read_text().count("doing jobs") >= times


def test_background_work_is_done_beside_it_and_ends_with_it(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, redis_url="embedded", **EMBEDDED) as server:
        wait_until(lambda: begins(server, 1), server.log.read_text)
        first = worker_of(server)
        first.kill()
        wait_until(lambda: begins(server, 2), server.log.read_text)
        second = worker_of(server)
        assert second.pid != first.pid
        server.stop()
        assert not second.is_running()


def test_without_a_queue_it_says_that_jobs_wait(caplog):
    settings = Settings(database_url="embedded")
    with run_embedded_worker(settings, replace(settings, database_url="postgresql:///")):
        assert "no background work is done: there is no queue" in caplog.text
