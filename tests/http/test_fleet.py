"""Four services, as on four machines: they share a Valkey, no files, and one cold picture."""

import asyncio
import contextlib
import resource
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.servers import wait_until

SERVICES = 4
REQUESTS = 1000
LEASE_S = 6
"""Longer than a busy machine keeps a process from its event loop."""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A catalogue whose largest picture takes long enough to be interrupted."""
    return write_catalogue(tmp_path_factory.mktemp("large"), scale=8)


@pytest.fixture
def services(large, valkey, tmp_path):
    # A thousand connections from one process; many systems allow 1,024 files until asked.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    settings = {"redis_url": valkey.url, "redis_timeout_s": 10, "lease_s": LEASE_S}
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(SERVICES) as threads:

        def start(number):
            folder = tmp_path / str(number)
            folder.mkdir()
            server = run_server(large, folder, graceful_stop_s=1, **settings)
            return server, server.__enter__()

        started = list(threads.map(start, range(SERVICES)))
        for context, _ in started:
            stack.push(context)
        yield [server for _, server in started]


@pytest.fixture
def path(services):
    manifest = httpx.get(f"{services[0].url}/v1/compositions/ring").json()
    (version,) = (view["version"] for view in manifest["views"] if view["id"] == "hero")
    return f"/r/ring/hero/{version}/metal=gold,gem=ruby,background=white/2048.avif"


async def ask(server, path):
    """One request on a connection of its own: status, headers, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if not head:
        raise ConnectionError("closed without an answer")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert len(body) == int(headers["content-length"])
    return int(lines[0].split()[1]), headers, body


async def ask_all(servers, path, requests):
    """Ask all `servers` in turn, `requests` in all, at once."""
    asked = (servers[number % len(servers)] for number in range(requests))
    return await asyncio.gather(*(ask(server, path) for server in asked))


def renders(answers):
    """How many answers were drawn for themselves: neither found nor waited for."""
    statuses = [headers["cache-status"] for _, headers, _ in answers]
    return sum("fwd=miss" in status and "collapsed" not in status for status in statuses)


def leases(valkey):
    return [name for name in valkey.names() if name.startswith("leases/") and name.endswith("}")]


def renditions(valkey):
    return [name for name in valkey.names() if name.startswith("renditions/")]


async def test_a_thousand_requests_for_one_cold_key_are_one_render_in_the_fleet(services, path):
    answers = await ask_all(services, path, REQUESTS)

    assert {status for status, _, _ in answers} == {200}
    assert renders(answers) == 1
    assert len({(headers["etag"], body) for _, headers, body in answers}) == 1
    found = {headers["cache-status"] for _, headers, _ in answers}
    assert "render-service; hit; detail=redis" in found


async def test_one_that_is_killed_while_it_renders_is_replaced_by_one(services, path, valkey):
    leader, *others = services
    doomed = asyncio.create_task(ask(leader, path))
    await asyncio.to_thread(wait_until, lambda: leases(valkey), lambda: "no claim", step_s=0.005)
    leader.process.send_signal(signal.SIGSTOP)
    assert (len(leases(valkey)), renditions(valkey)) == (1, [])

    asking = asyncio.create_task(ask_all(others, path, REQUESTS))
    leader.process.kill()
    answers = await asking

    assert {status for status, _, _ in answers} == {200}
    assert renders(answers) == 1
    assert len({(headers["etag"], body) for _, headers, body in answers}) == 1
    with pytest.raises(ConnectionError):
        await doomed
