"""Several processes, and a Redis that fails them: pictures are drawn a bounded number of times.

Three services share a server through one proxy and nothing else.
"""

import asyncio
import contextlib
import signal
import time

import httpx
import pytest

from tests.faults.proxy import run_proxy
from tests.faults.service import ask, bodies_of, run_watched
from tests.http.catalogue import write_catalogue
from tests.http.test_fleet import ask as ask_raw
from tests.http.test_fleet import ask_all, leases, renders
from tests.servers import wait_until

SERVICES = 3
REQUESTS = 1000
LEASE_S = 1
SHARING = {"file_tier_bytes": 0, "redis_timeout_s": 1, "breaker_pause_s": 0.2, "lease_s": LEASE_S}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A catalogue whose largest picture takes long enough to be interrupted."""
    return write_catalogue(tmp_path_factory.mktemp("large"), scale=8)


@pytest.fixture
def proxy(valkey):
    with run_proxy(valkey.port) as proxy:
        yield proxy


@pytest.fixture
def services(large, proxy, tmp_path):
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                run_watched(
                    large,
                    tmp_path / str(number),
                    redis_url=proxy.redis_url,
                    graceful_stop_s=1,
                    **SHARING,
                )
            )
            for number in range(SERVICES)
        ]


@pytest.fixture
def path(services):
    manifest = httpx.get(f"{services[0].url}/v1/compositions/ring").json()
    (version,) = (view["version"] for view in manifest["views"] if view["id"] == "hero")
    return f"/r/ring/hero/{version}/metal=gold,gem=ruby,background=white/2048.avif"


async def test_a_thousand_for_one_cold_key_through_a_flapping_redis(services, proxy, path):
    asking = asyncio.create_task(ask_all(services, path, REQUESTS))
    while not asking.done():
        for fault in (proxy.silence, proxy.flow, proxy.reset, proxy.flow):
            await asyncio.to_thread(fault)
            await asyncio.sleep(0.15)
    answers = await asking

    assert {status for status, _, _ in answers} == {200}
    assert len({(headers["etag"], body) for _, headers, body in answers}) == 1
    # At worst each draws for itself: within a process nothing but memory is needed for one render.
    assert 1 <= renders(answers) <= SERVICES


async def test_a_leader_that_slept_beyond_its_lease_stores_nothing_wrong(services, path, valkey):
    sleeper, *others = services
    slept = asyncio.create_task(ask_raw(sleeper, path))
    await asyncio.to_thread(wait_until, lambda: leases(valkey), lambda: "no claim", step_s=0.005)
    sleeper.process.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(wait_until, lambda: not leases(valkey), lambda: "it never expired")

    answers = await ask_all(others, path, 20)
    sleeper.process.send_signal(signal.SIGCONT)
    answers.append(await slept)

    assert {status for status, _, _ in answers} == {200}
    assert len({(headers["etag"], body) for _, headers, body in answers}) == 1
    # That of the sleeper, and one more.
    assert renders(answers) <= 2
    again = await ask_all(services, path, 30)
    assert renders(again) == 0
    await asyncio.to_thread(wait_until, lambda: not leases(valkey), lambda: "a claim is left")


def test_a_claim_of_the_dead_is_no_claim_to_a_picture_that_is_there(services, path, valkey):
    first, second, _ = services
    drawn = httpx.get(first.url + path, timeout=60)
    wait_until(lambda: not leases(valkey), lambda: "a claim is left")
    found = httpx.get(second.url + path, timeout=60)
    assert found.content == drawn.content
    assert found.headers["cache-status"].endswith("detail=redis")


@pytest.mark.parametrize("fault", ["silence", "refuse"])
def test_a_stop_under_load_with_redis_away_cuts_nobody_and_ends(
    catalogue, proxy, pictures, tmp_path, fault
):
    paths = list(pictures)
    settings = {**SHARING, "redis_timeout_s": 0.05, "graceful_stop_s": 5}
    with run_watched(catalogue, tmp_path, redis_url=proxy.redis_url, **settings) as service:
        ask(service, paths[:5])
        getattr(proxy, fault)()
        service.process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        # Connections are accepted while it is unready, each answer closes its own.
        assert bodies_of([httpx.get(service.url + path, timeout=60) for path in paths[:8]]) == [
            pictures[path] for path in paths[:8]
        ]
        service.stop()
        # Well under the minute after which a service that hangs is killed: the time it was given,
        # and that of storing, several times over.
        assert time.monotonic() - begun_s < 30
        assert service.process.returncode is not None
