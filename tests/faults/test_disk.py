"""A disk that is full, and a writer that is killed: no broken file is ever read."""

import contextlib
import fcntl
import itertools
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from render_service.adapters.seal import unseal_joined
from tests.faults.service import (
    ask,
    bodies_of,
    readiness,
    run_watched,
    sources,
    wait_for_readiness,
)
from tests.http.server import run_server, serving_workers
from tests.servers import missing, wait_until

DISK_BYTES = 64 * 1024
BUDGET_BYTES = 20_000
KILLS = 50
SEED = 50
WORKERS = 6  # one starts for a second or two; the next is killed meanwhile


@pytest.fixture
def disk(tmp_path):
    """A file system of its own of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        missing("no disk of its own: mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk):
    """Write until nothing more fits; return the file."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            return ballast


def renditions(folder):
    return [path for path in (folder / "renditions").glob("??/*") if path.is_file()]


def broken(folder):
    """Rendition files that do not agree with their seal."""
    found = []
    for path in renditions(folder):
        with contextlib.suppress(FileNotFoundError):  # swept away meanwhile
            if unseal_joined(path.name, path.read_bytes()) is None:
                found.append(path)
    return found


def used_bytes(folder):
    """The bytes that all renditions take at one moment: nothing is added or swept meanwhile."""
    with (folder / "renditions.bytes").open("rb") as count:
        fcntl.flock(count, fcntl.LOCK_EX)
        return sum(path.stat().st_size for path in renditions(folder))


def test_on_a_full_disk_memory_serves_nothing_is_half_written_and_it_recovers(
    catalogue, disk, tmp_path, pictures
):
    paths, later = list(pictures)[:20], list(pictures)[20:]
    # Layers would take the room that the ballast leaves.
    settings = {"data": disk, "raster_store_bytes": 0, "breaker_pause_s": 0.1}
    with run_watched(catalogue, tmp_path / "log", **settings) as service:
        ask(service, paths[:2])
        wait_until(lambda: len(renditions(disk)) == 2, lambda: service.log.read_text())
        ballast = fill(disk)

        assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]
        wait_until(
            lambda: readiness(service)["status"] == "degraded", lambda: service.log.read_text()
        )
        assert set(sources(ask(service, paths))) == {"memory"}
        assert broken(disk) == []

        ballast.unlink()
        wait_for_readiness(service, "ready", later)
        wait_until(lambda: len(renditions(disk)) > 2, lambda: service.log.read_text())
        assert broken(disk) == []
        assert list((disk / "unfinished").iterdir()) == []


def test_workers_killed_at_any_instant_leave_only_whole_pictures(catalogue, tmp_path, pictures):
    print(f"seed {SEED}")
    chance = random.Random(SEED)  # noqa: S311  # moments to kill at, the same each run
    data = tmp_path / "data"
    settings = {"file_tier_bytes": BUDGET_BYTES, "memory_tier_bytes": 4000, "graceful_stop_s": 1}
    with (
        run_server(catalogue, tmp_path, workers=WORKERS, **settings) as service,
        keep_asking(service, list(pictures)) as answers,
    ):
        for _ in range(KILLS):
            answered = len(answers)
            wait_until(
                lambda answered=answered: serving_workers(service) and len(answers) > answered + 1,
                lambda: service.log.read_text(),
            )
            time.sleep(chance.uniform(0, 0.2))
            chance.choice(serving_workers(service)).kill()
            assert broken(data) == []
            assert used_bytes(data) <= BUDGET_BYTES
    assert len(answers) > KILLS
    assert {status for _, status, _ in answers} == {200}
    assert [path for path, _, body in answers if body != pictures[path]] == []
    with run_watched(catalogue, tmp_path, **settings) as service:
        assert list((data / "unfinished").iterdir()) == []
        assert bodies_of(ask(service, list(pictures))) == list(pictures.values())


@contextlib.contextmanager
def keep_asking(service, paths, clients=4):
    """Ask for `paths` again and again; yield the answers, which are path, status and body."""
    answers, enough = [], threading.Event()

    def ask_on(number):
        mine = itertools.cycle(paths[number::clients])
        while not enough.is_set():
            with contextlib.suppress(httpx.TransportError), httpx.Client(timeout=30) as client:
                while not enough.is_set():
                    path = next(mine)
                    answer = client.get(service.url + path)
                    answers.append((path, answer.status_code, answer.content))

    with ThreadPoolExecutor(clients) as threads:
        asking = [threads.submit(ask_on, number) for number in range(clients)]
        try:
            yield answers
        finally:
            enough.set()
        for one in asking:
            one.result()
