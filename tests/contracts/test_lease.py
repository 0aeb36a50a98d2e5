"""What a RenderLease does, on both servers, and what becomes of the dead and the late."""

import asyncio

import pytest
from redis.asyncio import Redis

from render_service.adapters.redis_connection import connect_redis
from render_service.adapters.redis_lease import RedisLease
from render_service.errors import TierUnavailable
from render_service.rendering.breaker import GuardedLease
from tests.rendering.builders import key
from tests.servers import run_redis, valkey_program


def redis_lease(server, *, lease_s=30.0, timeout_s=10.0):
    return RedisLease(connect_redis(server.url), lease_s=lease_s, timeout_s=timeout_s)


def name(key):
    return f"leases/{{{key}}}"


@pytest.fixture(params=["valkey", "redis_7"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
async def lease(server):
    """The lease as one process has it."""
    lease = redis_lease(server)
    yield lease
    await lease.close()


@pytest.fixture
async def other(server):
    """The lease as another process has it."""
    lease = GuardedLease(redis_lease(server), pause_s=1)
    yield lease
    await lease.close()


@pytest.fixture
async def raw(server):
    async with Redis.from_url(server.url) as client:
        yield client


async def test_one_process_at_a_time_has_the_claim(lease, other):
    claim = await lease.take(key(1))
    assert await other.take(key(1)) is None
    assert await other.is_held(key(1))
    await claim.release()
    assert not await other.is_held(key(1))


async def test_a_claim_is_free_again_once_it_is_released(lease, other):
    await (await lease.take(key(1))).release()
    claim = await other.take(key(1))
    assert claim is not None
    await claim.release()


async def test_of_many_at_once_one_has_the_claim(lease, other):
    claims = await asyncio.gather(*(who.take(key(1)) for who in [lease, other] * 20))
    (claim,) = [claim for claim in claims if claim is not None]
    await claim.release()


async def test_one_key_does_not_wait_for_another(lease, other):
    claims = [await lease.take(key(1)), await other.take(key(2))]
    assert None not in claims
    for claim in claims:
        await claim.release()


async def test_tokens_rise_with_every_claim_of_a_key(lease, other):
    tokens = []
    for who in (lease, other, lease):
        claim = await who.take(key(1))
        tokens.append(claim.token)
        await claim.release()
    assert tokens == [1, 2, 3]


async def test_a_claim_that_passed_to_another_cannot_be_released(lease, other, raw):
    late = await lease.take(key(1))
    await raw.delete(name(key(1)))
    claim = await other.take(key(1))
    await late.release()
    assert await lease.is_held(key(1))
    await claim.release()


async def test_a_claim_that_passed_to_another_cannot_be_renewed(lease, other, raw):
    late = await lease.take(key(1))
    await raw.delete(name(key(1)))
    claim = await other.take(key(1))
    assert not await lease.renew(key(1), late.token)
    assert await lease.renew(key(1), claim.token)
    await late.release()
    await claim.release()


async def test_a_claim_that_is_held_is_renewed(server, raw):
    lease = redis_lease(server, lease_s=1.5)
    claim = await lease.take(key(1))
    left_ms = [await raw.pttl(name(key(1)))]
    while left_ms == sorted(left_ms, reverse=True):  # the server tells nobody
        await asyncio.sleep(0.02)
        left_ms.append(await raw.pttl(name(key(1))))
    assert 0 < left_ms[-2] < left_ms[-1] <= 1500
    await claim.release()
    await lease.close()


async def test_a_claim_nobody_renews_expires_by_the_servers_clock(server, raw, other):
    lease = redis_lease(server, lease_s=0.5)
    claim = await lease.take(key(1))
    claim._renewing.cancel()
    assert 0 < await raw.pttl(name(key(1))) <= 500
    while await other.is_held(key(1)):  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.05)
    assert await other.take(key(1)) is not None
    await lease.close()


async def test_a_lease_that_cannot_be_asked_says_so(tmp_path):
    with run_redis(valkey_program(), tmp_path) as server:
        lease = redis_lease(server)
        claim = await lease.take(key(1))
    with pytest.raises(TierUnavailable):
        await lease.take(key(2))
    with pytest.raises(TierUnavailable):
        await lease.is_held(key(1))
    await claim.release()
    await lease.close()
