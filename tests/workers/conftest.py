"""A database and a queue, with workers that are started, killed and paused by pid."""

import asyncio
import os
import signal
import subprocess
import sys

import asyncpg
import pytest

from render_service.adapters.job_table import JobTable
from render_service.adapters.migrations import migrate
from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits
from tests.postgres import make_database
from tests.servers import run_redis, valkey_program, wait_until

LOCK_S = 2


class Workers:
    """Worker processes on one database and queue."""

    def __init__(self, folder, **settings):
        self._folder, self._settings = folder, settings
        self.running = []

    def set(self, **settings):
        """Change settings of workers to come."""
        self._settings |= settings

    def start(self, program=("-m", "tests.workers.program")):
        environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
        environment |= {
            f"RENDER_{key.upper()}": str(value) for key, value in self._settings.items()
        }
        with (self._folder / "workers.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, *program], env=environment, stdout=log, stderr=log
            )
        self.running.append(worker)
        return worker

    def log(self):
        return (self._folder / "workers.log").read_text()

    def stop(self):
        for worker in self.running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()
        self.running.clear()


@pytest.fixture(scope="module")
def queue_server(tmp_path_factory):
    with run_redis(valkey_program(), tmp_path_factory.mktemp("queue")) as server:
        yield server


@pytest.fixture
def queue(queue_server):
    queue_server.empty()
    return queue_server


@pytest.fixture
def url(postgres_18_server):
    address = make_database(postgres_18_server)
    asyncio.run(migrate(address))
    asyncio.run(_add_effects(address))
    return address


async def _add_effects(address):
    connection = await asyncpg.connect(address)
    await connection.execute("CREATE TABLE effect (job uuid, what text)")
    await connection.close()


@pytest.fixture
async def database(url):
    database = Database(url, limits=Limits(connections=8, wait_s=5, statement_s=10))
    yield database
    await database.close()


@pytest.fixture
def jobs(database):
    return JobTable(database)


@pytest.fixture
def workers(url, queue, tmp_path):
    workers = Workers(
        tmp_path,
        database_url=url,
        queue_url=queue.url,
        job_lock_s=LOCK_S,
        database_wait_s=5,
        graceful_stop_s=1,
    )
    yield workers
    workers.stop()


async def until(holds, workers, within_s=40):
    """Wait until `await holds()`; fail with what the workers logged."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline_s, workers.log()
        await asyncio.sleep(0.1)


def wait_for_start(workers):
    wait_until(lambda: "doing jobs" in workers.log(), workers.log)
