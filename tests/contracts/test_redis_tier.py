"""What the Redis tier promises on top of the port: faults of servers, of networks, of values."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from render_service.adapters.redis_connection import connect_redis
from render_service.adapters.redis_tier import RedisTier
from render_service.adapters.seal import store_name
from render_service.errors import InvalidSetting, TierUnavailable
from tests.rendering.builders import MIB, key, rendition
from tests.servers import run_redis, valkey_program

# Patient: on a busy machine a healthy server may take longer than it would in production.
PATIENT_S = 10


def redis_tier(server, *, timeout_s=PATIENT_S, expiry_s=60, value_bytes_max=4 * MIB):
    return RedisTier(
        connect_redis(server.url),
        timeout_s=timeout_s,
        expiry_s=expiry_s,
        value_bytes_max=value_bytes_max,
    )


@pytest.fixture
async def raw(valkey):
    """The server as anybody's client sees it."""
    async with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
async def tier(valkey, raw):
    tier = redis_tier(valkey)
    yield tier
    await tier.close()


@pytest.fixture
def own_server(tmp_path):
    """A server that a test may take away."""
    with run_redis(valkey_program(), tmp_path) as server:
        yield server


async def test_a_value_is_named_as_in_every_store(tier, raw):
    await tier.put(key(1), rendition())
    assert await raw.keys("*") == [f"renditions/{key(1)[:2]}/{key(1)}".encode()]


async def test_a_value_expires(tier, raw):
    await tier.put(key(1), rendition())
    assert 0 < await raw.ttl(store_name(key(1))) <= tier.expiry_s


async def test_a_picture_over_the_limit_is_not_kept(valkey, raw):
    tier = redis_tier(valkey, value_bytes_max=1000)
    await tier.put(key(1), rendition(bytes(1000)))
    await tier.put(key(2), rendition(bytes(1001)))
    assert await tier.get(key(1)) is not None
    assert await tier.get(key(2)) is None
    await tier.close()


@pytest.mark.parametrize("at", [0, 3, 8, -1, -20, -56])
async def test_one_changed_byte_makes_a_miss(tier, raw, at):
    await tier.put(key(1), rendition(b"picture of some length"))
    value = bytearray(await raw.get(store_name(key(1))))
    value[at] ^= 1
    await raw.set(store_name(key(1)), bytes(value))
    assert await tier.get(key(1)) is None


@pytest.mark.parametrize("length", [0, 1, 30, 55, 56, 70])
async def test_a_value_cut_short_is_a_miss(tier, raw, length):
    await tier.put(key(1), rendition(b"picture of some length"))
    value = await raw.get(store_name(key(1)))
    await raw.set(store_name(key(1)), value[:length])
    assert await tier.get(key(1)) is None


async def test_a_whole_value_under_anothers_name_is_a_miss(tier, raw):
    await tier.put(key(1), rendition())
    await raw.rename(store_name(key(1)), store_name(key(2)))
    assert await tier.get(key(2)) is None


async def test_what_is_no_key_never_becomes_a_name(tier):
    with pytest.raises(ValueError, match="render key"):
        await tier.get("sessions/of/another/program")


async def test_a_server_that_is_not_there_is_an_unavailable_tier(own_server):
    own_server.stop()
    tier = redis_tier(own_server)
    with pytest.raises(TierUnavailable):
        await tier.get(key(1))
    with pytest.raises(TierUnavailable):
        await tier.put(key(1), rendition())
    await tier.close()


async def test_a_server_that_accepts_and_is_silent_is_given_up_in_time(own_server):
    tier = redis_tier(own_server, timeout_s=0.05)
    own_server.pause()
    begun_s = time.monotonic()
    with pytest.raises(TierUnavailable, match=r"0\.05 s"):
        await tier.get(key(1))
    # redis-py's own defaults would take 59 s; what is measured is that they are not in force.
    assert time.monotonic() - begun_s < 5
    own_server.resume()
    await tier.close()


async def test_a_tier_that_was_silent_answers_again_and_mixes_nothing_up(own_server):
    tier = redis_tier(own_server)
    for number in range(3):
        await tier.put(key(number), rendition(b"%d" % number))
    own_server.pause()
    tier.timeout_s = 0.05
    for number in range(3):
        with pytest.raises(TierUnavailable):
            await tier.get(key(number))
    own_server.resume()
    tier.timeout_s = PATIENT_S
    got = [(await tier.get(key(number))).body for number in (2, 1, 0)]
    assert got == [b"2", b"1", b"0"]
    await tier.close()


async def test_a_restarted_server_is_found_again(own_server):
    tier = redis_tier(own_server)
    await tier.put(key(1), rendition())
    # In threads: the event loop goes on, and learns that its connection was closed.
    await asyncio.to_thread(own_server.stop)
    await asyncio.to_thread(own_server.start)
    assert await tier.get(key(1)) is None
    await tier.put(key(1), rendition())
    assert await tier.get(key(1)) == rendition()
    await tier.close()


async def test_connections_that_the_server_dropped_are_made_anew(tier, raw):
    await asyncio.gather(*(tier.put(key(number), rendition()) for number in range(8)))
    await raw.client_kill_filter(_type="normal", skipme=True)
    assert await tier.get(key(1)) == rendition()


async def test_a_reader_that_is_cancelled_leaves_no_answer_for_the_next(tier, raw):
    for number in range(20):
        await tier.put(key(number), rendition(b"%d" % number * 50_000))
    for number in range(20):
        reading = asyncio.create_task(tier.get(key(number)))
        await asyncio.sleep(number / 10_000)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert (await tier.get(key(number))).body == b"%d" % number * 50_000


async def test_a_server_out_of_memory_refuses_writes_and_still_reads(own_server):
    tier = redis_tier(own_server)
    await tier.put(key(1), rendition())
    async with Redis.from_url(own_server.url) as raw:
        await raw.config_set("maxmemory", "1")
    with pytest.raises(TierUnavailable, match="memory"):
        await tier.put(key(2), rendition())
    assert await tier.get(key(1)) == rendition()
    await tier.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://:hunter2/x@host:nine", "embedded"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(InvalidSetting) as refused:
        connect_redis(url)
    assert "hunter2" not in str(refused.value)


async def test_connections_of_a_burst_are_closed_after_it(tier, raw):
    await asyncio.gather(*(tier.put(key(number), rendition()) for number in range(50)))
    while len(await raw.client_list()) > 10:  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.01)
    assert await tier.get(key(1)) == rendition()
