"""The service under fault: real processes, the pictures they must serve, what they must not log.

Its one rule: whatever a test does to what stands around a service, its log is read at the end; an
error in it that no picture showed (a task nobody waited for, a traceback) fails the test.
"""

import asyncio
import re
from contextlib import contextmanager
from itertools import product

import httpx
import psutil

from render_service.formats import Format
from render_service.planning.url import build_image_path
from tests.http.server import run_server
from tests.servers import wait_until

FORBIDDEN = re.compile(
    r"Traceback|never retrieved|was destroyed|never awaited|Unclosed| ERROR | CRITICAL |Exception"
)

CACHE_ONLY = {
    "memory_tier_bytes": 0,
    "file_tier_bytes": 0,
    "graceful_stop_s": 1,
    "queue_s": 600,
    "deadline_s": 600,
}
"""Without memory and files every request asks the stores between which the fault stands; the queue
refuses nobody, however slow the machine is."""


@contextmanager
def run_watched(catalogue, folder, *, expected="", **settings):
    """Run a service as `run_server` does, and read its log when it has stopped.

    Lines with `expected` in them are no complaint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with run_server(catalogue, folder, **settings) as server:
        yield server
    complaints = [
        line
        for line in server.log.read_text().splitlines()
        if FORBIDDEN.search(line) and not (expected and expected in line)
    ]
    assert complaints == [], server.log.read_text()


def list_pictures(workshop):
    """Path → plan of every picture of the catalogue's two views as WebP and PNG: some fifty."""
    asked = product(("gold", "silver"), ("ruby", "sapphire"), ("white", "transparent"))
    found = {}
    for (metal, gem, background), width, file_format in product(
        asked, (160, 240, 320), (Format.WEBP, Format.PNG)
    ):
        if (metal, gem) == ("silver", "sapphire"):
            continue
        options = {"metal": metal, "gem": gem, "background": background}
        planned = workshop.plan(width, file_format, **options)
        found[build_image_path(planned.image)] = planned
    return found


def ask(server, paths):
    """Ask for `paths` one after another on one connection."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        return [client.get(path) for path in paths]


async def ask_at_once(server, paths, connections=50):
    """Ask for all of `paths` at once, on at most so many connections."""
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=server.url, timeout=120, limits=limits) as client:
        return await asyncio.gather(*(client.get(path) for path in paths))


def sources(answers):
    """Where each came from: `render`, `redis`, `memory`, …"""
    return [answer.headers["cache-status"].rpartition("detail=")[2] for answer in answers]


def bodies_of(answers):
    """The bodies; every answer must be 200."""
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


def readiness(server):
    answer = httpx.get(f"{server.url}/readyz", timeout=60)
    assert answer.status_code == 200
    return answer.json()


def wait_for_readiness(server, status, paths=()):
    """Ask for `paths` in turn until readiness says `status`: a store is tried when it is needed."""
    asked = list(paths)

    def reached():
        if asked:
            bodies_of(ask(server, asked[:1]))
            asked.append(asked.pop(0))
        return readiness(server)["status"] == status

    wait_until(reached, lambda: f"{readiness(server)}\n{server.log.read_text()}")


def open_files(server):
    """Open descriptors of a service of one process."""
    return psutil.Process(server.process.pid).num_fds()
