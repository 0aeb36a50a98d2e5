"""Stopping under load, with real processes: readiness first, and nobody is cut."""

import asyncio
import signal
import time

import httpx
import psutil
import pytest

from tests.http.server import run_server
from tests.http.test_raw import Wire


@pytest.fixture
def several(catalogue, tmp_path):
    """A server of two worker processes that stops within five seconds, one of them unready."""
    with run_server(catalogue, tmp_path, workers=2, graceful_stop_s=5) as server:
        yield server


@pytest.fixture
def single(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, render_threads=1, graceful_stop_s=5) as server:
        yield server


def every_picture(picture):
    widths, metals, backgrounds = (160, 240, 320), ("gold", "silver"), ("white", "transparent")
    return [
        picture(width, extension, metal=metal, background=background)
        for width in widths
        for metal in metals
        for background in backgrounds
        for extension in ("avif", "png", "webp")
    ]


async def keep_asking(url, paths, unready, statuses, loaded):
    """Ask on one connection until the balancer sends nobody here any more."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        while not unready.is_set():
            for path in paths:
                statuses.append((await client.get(path)).status_code)
                if len(statuses) == 50:
                    loaded.set()
                if unready.is_set():
                    return


async def watch_readiness(url, unready, seen):
    """Ask as a load balancer does, each time on a new connection, until it is told no."""
    while not unready.is_set():
        async with httpx.AsyncClient(base_url=url) as client:
            seen.append((await client.get("/readyz")).status_code)
        if seen[-1] != 200:
            unready.set()
        await asyncio.sleep(0.02)


async def test_readiness_fails_first_and_no_request_is_cut(several, picture):
    unready, loaded, statuses, seen = asyncio.Event(), asyncio.Event(), [], []
    paths = every_picture(picture)
    asking = [
        asyncio.create_task(keep_asking(several.url, paths[n::4], unready, statuses, loaded))
        for n in range(4)
    ]
    watching = asyncio.create_task(watch_readiness(several.url, unready, seen))
    await loaded.wait()
    several.process.send_signal(signal.SIGTERM)
    await asyncio.gather(watching, *asking)
    assert seen[0] == 200
    assert seen[-1] == 503
    assert set(statuses) == {200}
    await asyncio.to_thread(several.stop)


async def test_all_workers_are_gone_after_a_stop(several):
    family = psutil.Process(several.process.pid).children(recursive=True)
    assert len(family) >= 2
    await asyncio.to_thread(several.stop)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_what_was_accepted_before_the_stop_is_answered_whole(single, picture):
    wires = [Wire(single) for _ in range(16)]
    for wire, path in zip(wires, every_picture(picture), strict=False):
        wire.ask(path)
    # One loop serves all connections in turn: this answer means that the others were taken in.
    assert httpx.get(f"{single.url}/livez").status_code == 200
    single.process.send_signal(signal.SIGTERM)
    answers = [wire.read() for wire in wires]
    for wire in wires:
        wire.socket.close()
    assert [status for status, _ in answers] == [200] * 16
    assert all(body for _, body in answers)


def test_while_it_stops_answers_close_their_connection(single, picture):
    single.process.send_signal(signal.SIGTERM)
    with httpx.Client(base_url=single.url) as client:
        while client.get("/readyz").status_code == 200:
            pass
        answer = client.get(picture())
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")


def test_a_worker_that_dies_is_replaced(several):
    parent = psutil.Process(several.process.pid)
    before = {child.pid for child in parent.children()}
    victim = parent.children()[-1]
    victim.kill()
    deadline_s = time.monotonic() + 60
    while {child.pid for child in living(parent)} == before or len(living(parent)) < len(before):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert httpx.get(f"{several.url}/readyz").status_code == 200


def living(parent):
    return [child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]


def test_what_was_drawn_before_a_stop_is_stored_by_its_end(catalogue, tmp_path, picture):
    with run_server(catalogue, tmp_path, graceful_stop_s=1) as server:
        tag = httpx.get(server.url + picture(320, "avif")).headers["etag"]
    with run_server(catalogue, tmp_path, graceful_stop_s=1) as server:
        answer = httpx.get(server.url + picture(320, "avif"))
    assert answer.headers["cache-status"].endswith("detail=file")
    assert answer.headers["etag"] == tag


def test_workers_end_when_their_parent_is_killed(several):
    workers = psutil.Process(several.process.pid).children(recursive=True)

    several.process.kill()

    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
