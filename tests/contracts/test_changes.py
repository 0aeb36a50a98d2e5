"""What a ChangeCounts does, on both servers."""

import pytest
from redis.asyncio import Redis

from render_service.adapters.redis_changes import FIELDS_MAX, WEEK_S, WEEKS, RedisChanges
from render_service.adapters.redis_connection import connect_redis
from render_service.errors import TierUnavailable

RUBY, SILVER = ("gem", "ruby"), ("metal", "silver")


class Calendar:
    def __init__(self):
        self.now_s = 100.0 * WEEK_S

    def __call__(self):
        return self.now_s


@pytest.fixture(params=["valkey", "redis_7"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def calendar():
    return Calendar()


@pytest.fixture
async def counts(server, calendar):
    counts = RedisChanges(connect_redis(server.url), timeout_s=10.0, now=calendar)
    yield counts
    await counts.close()


@pytest.fixture
async def raw(server):
    async with Redis.from_url(server.url) as client:
        yield client


async def test_what_nobody_changed_to_is_not_there(counts):
    assert await counts.read("untouched") == {}


async def test_counts_add_up(counts):
    await counts.add("sum", {RUBY: 2, SILVER: 1})
    await counts.add("sum", {RUBY: 3})
    assert await counts.read("sum") == {RUBY: 5.0, SILVER: 1.0}


async def test_compositions_are_counted_apart(counts):
    await counts.add("one", {RUBY: 1})
    assert await counts.read("other") == {}


async def test_a_week_weighs_half_of_the_week_after(counts, calendar):
    await counts.add("faded", {RUBY: 8})
    calendar.now_s += WEEK_S
    await counts.add("faded", {RUBY: 1, SILVER: 1})
    assert await counts.read("faded") == {RUBY: 5.0, SILVER: 1.0}


async def test_what_is_long_ago_counts_nothing(counts, calendar):
    await counts.add("fashion", {RUBY: 1000})
    calendar.now_s += WEEKS * WEEK_S
    assert await counts.read("fashion") == {}


async def test_counts_expire_by_themselves(counts, raw):
    await counts.add("expiring", {RUBY: 1})
    assert 0 < await raw.ttl("changes/expiring/100") <= WEEKS * WEEK_S


async def test_no_more_values_are_counted_than_a_hash_may_take(counts, raw):
    await counts.add("full", {("option", str(number)): 1 for number in range(FIELDS_MAX)})
    await counts.add("full", {("option", "one-more"): 1, ("option", "0"): 1})
    assert await raw.hlen("changes/full/100") == FIELDS_MAX
    assert (await counts.read("full"))["option", "0"] == 2.0


async def test_what_is_no_count_is_an_error_of_ours(counts, raw):
    await raw.hset("changes/broken/100", "gem=ruby", "many")
    with pytest.raises(TierUnavailable, match="no number"):
        await counts.read("broken")


async def test_what_is_no_hash_is_an_error_of_ours(counts, raw):
    await raw.set("changes/taken/100", "text")
    with pytest.raises(TierUnavailable):
        await counts.add("taken", {RUBY: 1})
