"""Redis down, silent, slow, resetting, dripping: pictures flow, and it is left alone for a while.

Between one service process and a real server stands the proxy, which counts what is asked.
"""

import asyncio
import time

import pytest

from render_service.rendering.breaker import FAILURES
from tests.faults.proxy import ASKED, run_proxy
from tests.faults.service import (
    CACHE_ONLY,
    ask,
    ask_at_once,
    bodies_of,
    open_files,
    readiness,
    run_watched,
    sources,
    wait_for_readiness,
)
from tests.servers import redis_program, run_redis, valkey_program, wait_until

IDLE = 8
GET = b"\r\nGET\r\n"

FAULTS = {
    "refused": lambda proxy: proxy.refuse(),
    "silent": lambda proxy: proxy.silence(),
    "slow": lambda proxy: proxy.delay(5),
    "resetting": lambda proxy: proxy.reset(),
    "resetting in mid-value": lambda proxy: proxy.reset(after_bytes=200, way="answered"),
    "cut in mid-value": lambda proxy: proxy.cut(after_bytes=200),
    "cut in mid-question": lambda proxy: proxy.cut(after_bytes=20, way=ASKED),
    "dripping": lambda proxy: proxy.drip(100),
    "loading": lambda proxy: proxy.make_up(b"-LOADING Redis is loading the dataset in memory\r\n"),
    "wanting a password": lambda proxy: proxy.make_up(b"-NOAUTH Authentication required.\r\n"),
    "babbling": lambda proxy: proxy.make_up(b"?what is this\r\n"),
    "no Redis": lambda proxy: proxy.make_up(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
}
"""Mid-value is beyond 200 bytes: the pictures have some 400 and more."""


PAUSE_S = 0.25

VALKEY = pytest.mark.parametrize("fleet", ["valkey"], indirect=True)
"""What is about the client alone needs one server."""


@pytest.fixture(scope="module", params=["valkey", "redis_7"])
def fleet(request, catalogue, tmp_path_factory):
    """One service for all faults: what one leaves behind, the next one meets."""
    program = valkey_program() if request.param == "valkey" else redis_program()
    folder = tmp_path_factory.mktemp(request.param)
    settings = {**CACHE_ONLY, "breaker_pause_s": PAUSE_S}
    with (
        run_redis(program, folder) as store,
        run_proxy(store.port) as proxy,
        run_watched(catalogue, folder, redis_url=proxy.redis_url, **settings) as service,
    ):
        yield service, proxy, store


@pytest.mark.parametrize("fault", FAULTS)
def test_pictures_flow_and_redis_is_left_alone_and_found_again(fleet, pictures, fault):
    service, proxy, store = fleet
    paths = list(pictures)[:20]
    wait_for_readiness(service, "ready", paths)
    ask(service, paths)  # what is kept can be cut in the middle
    FAULTS[fault](proxy)
    proxy.asked.clear()
    begun_s = time.monotonic()

    answers = ask(service, paths * 2)

    assert bodies_of(answers) == [pictures[path] for path in paths * 2]
    # As many as open the breaker, and one for each pause: of forty requests, not forty looks.
    probes = 1 + (time.monotonic() - begun_s) / PAUSE_S
    assert proxy.count(GET) <= FAILURES + probes
    assert readiness(service) == {"status": "degraded", "unavailable": ["redis"]}
    proxy.flow()
    store.empty()  # so that there is something to write: reading alone does not show it is back
    wait_for_readiness(service, "ready", paths)
    wait_until(lambda: "redis" in sources(ask(service, paths)), lambda: service.log.read_text())


def test_a_redis_that_agrees_to_everything_is_believed_nothing(fleet, pictures):
    service, proxy, _ = fleet
    proxy.make_up(b"+OK\r\n")
    paths = list(pictures)[:20]
    assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]
    proxy.flow()


@VALKEY
def test_answers_that_come_late_are_nobodys_picture(fleet, pictures):
    """Held back while the service gives up, passed on while it asks for others."""
    service, proxy, _ = fleet
    paths = list(pictures)
    ask(service, paths)
    for _ in range(5):
        proxy.silence()
        assert bodies_of(ask(service, paths[:4])) == [pictures[path] for path in paths[:4]]
        proxy.flow()
        shuffled = paths[::-1]
        assert bodies_of(ask(service, shuffled)) == [pictures[path] for path in shuffled]


@VALKEY
async def test_many_at_once_through_a_flapping_redis_are_all_answered_right(fleet, pictures):
    service, proxy, _ = fleet
    paths = list(pictures) * 8
    asking = asyncio.create_task(ask_at_once(service, paths))
    while not asking.done():
        for fault in (proxy.silence, proxy.flow, proxy.reset, proxy.flow, proxy.refuse, proxy.flow):
            await asyncio.to_thread(fault)
            await asyncio.sleep(0.1)
    assert bodies_of(await asking) == [pictures[path] for path in paths]


@VALKEY
def test_sixty_faults_leave_no_file_open(fleet, pictures):
    service, proxy, _ = fleet
    paths = list(pictures)[:1]
    wait_for_readiness(service, "ready", list(pictures))
    ask(service, list(pictures))
    before = open_files(service)
    for _ in range(15):
        for fault in (proxy.silence, proxy.reset, proxy.refuse, lambda: proxy.cut(10)):
            fault()
            ask(service, paths)
        proxy.flow()
    wait_for_readiness(service, "ready", list(pictures))
    # At most eight idle connections for pictures and as many for claims: fewer than faults by far.
    wait_until(lambda: open_files(service) <= before + 2 * IDLE, lambda: f"{open_files(service)}")
