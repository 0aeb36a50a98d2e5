"""What a real Redis does to its clients: restarts empty, fills up, follows another, lies.

The last of these is a value under our name that is not ours: whatever it is, it is a miss, and the
picture takes its place.
"""

import pytest
from redis import Redis

from render_service.adapters.seal import store_name
from tests.faults.service import (
    CACHE_ONLY,
    ask,
    bodies_of,
    readiness,
    run_watched,
    sources,
    wait_for_readiness,
)
from tests.servers import redis_program, run_redis, valkey_program, wait_until

PATIENT = {**CACHE_ONLY, "redis_timeout_s": 5, "breaker_pause_s": 0.1}

PROGRAMS = {"valkey": valkey_program, "redis_7": redis_program}


@pytest.fixture(scope="module", params=list(PROGRAMS))
def pair(request, catalogue, tmp_path_factory):
    """A service, and a server that a test may fill, restart and mislead."""
    folder = tmp_path_factory.mktemp(request.param)
    with (
        run_redis(PROGRAMS[request.param](), folder) as store,
        run_watched(catalogue, folder / "service", redis_url=store.url, **PATIENT) as service,
    ):
        yield service, store


@pytest.fixture
def raw(pair):
    with Redis.from_url(pair[1].url) as client:
        yield client


def from_redis(service, paths, pictures):
    """Ask until all come from Redis, each time right: storing is behind the answer."""

    def all_found():
        answers = ask(service, paths)
        assert bodies_of(answers) == [pictures[path] for path in paths]
        return set(sources(answers)) == {"redis"}

    wait_until(all_found, lambda: service.log.read_text())


def test_a_redis_that_restarted_empty_is_filled_again(pair, pictures):
    service, store = pair
    paths = list(pictures)[:10]
    from_redis(service, paths, pictures)
    store.stop()
    assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]
    assert readiness(service) == {"status": "degraded", "unavailable": ["redis"]}
    store.start()
    from_redis(service, paths, pictures)


def test_a_redis_out_of_memory_serves_what_it_has_and_readiness_says_so(pair, pictures, raw):
    service, _ = pair
    kept, new = list(pictures)[:5], list(pictures)[5:10]
    from_redis(service, kept, pictures)
    raw.config_set("maxmemory", "1")
    raw.config_set("maxmemory-policy", "noeviction")
    try:
        assert set(sources(ask(service, kept))) == {"redis"}
        assert bodies_of(ask(service, new)) == [pictures[path] for path in new]
    finally:
        raw.config_set("maxmemory", "0")
    from_redis(service, new, pictures)


def test_a_replica_that_may_only_be_read_is_read(pair, pictures, raw):
    service, _ = pair
    kept, new = list(pictures)[:5], list(pictures)[10:15]
    from_redis(service, kept, pictures)
    raw.replicaof("127.0.0.1", "1")
    try:
        assert set(sources(ask(service, kept))) == {"redis"}
        assert bodies_of(ask(service, new)) == [pictures[path] for path in new]
        wait_until(
            lambda: readiness(service)["status"] == "degraded", lambda: service.log.read_text()
        )
    finally:
        raw.replicaof("NO", "ONE")
    wait_for_readiness(service, "ready", list(pictures)[15:30])


FOREIGN = {
    "nothing": lambda raw, name, good: raw.set(name, b""),
    "half": lambda raw, name, good: raw.set(name, good[: len(good) // 2]),
    "a page": lambda raw, name, good: raw.set(name, b"<html>404</html>" * 40),
    "a picture without its seal": lambda raw, name, good: raw.set(name, good[:-56]),
    "another version of the seal": lambda raw, name, good: raw.set(
        name, good[:-56] + b"RSR9" + good[-52:]
    ),
    "another's picture": lambda raw, name, good: raw.set(name, _another(raw, name)),
    "a list": lambda raw, name, good: (raw.delete(name), raw.rpush(name, "one", "two")),
    "a hash": lambda raw, name, good: (raw.delete(name), raw.hset(name, "field", "value")),
    "a number": lambda raw, name, good: raw.set(name, 7),
}


def _another(raw, name):
    return next(raw.get(other) for other in raw.keys("renditions/*") if other.decode() != name)


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_ours_under_our_name_is_a_miss_and_replaced(pair, pictures, keys, raw, kind):
    service, _ = pair
    paths = list(pictures)[:2]
    from_redis(service, paths, pictures)
    name = store_name(keys[paths[0]])
    FOREIGN[kind](raw, name, raw.get(name))
    from_redis(service, paths, pictures)
