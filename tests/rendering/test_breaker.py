import asyncio

import pytest

from render_service.errors import TierUnavailable
from render_service.rendering.breaker import Breaker, GuardedTier, State
from render_service.rendering.tiers import Tiers
from tests.rendering.builders import FakeTier, key, rendition


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class SlowTier(FakeTier):
    """A tier whose reads wait at a gate and then fail."""

    def __init__(self):
        super().__init__("slow")
        self.reading = asyncio.Event()
        self.asked_by_four = asyncio.Event()

    async def get(self, key):
        self.asked.append(key)
        if len(self.asked) == 4:
            self.asked_by_four.set()
        await self.reading.wait()
        raise TierUnavailable("The slow tier is away.")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(pause_s=2.0, failures=3, now=clock)


def fail(breaker, times=1):
    for _ in range(times):
        with pytest.raises(TierUnavailable, match="away"), breaker.call():
            raise TierUnavailable("It is away.")


def refused(breaker):
    with pytest.raises(TierUnavailable, match="Left alone"), breaker.call():
        pytest.fail("a call passed")


def test_it_is_closed_at_first(breaker):
    assert breaker.state is State.CLOSED


def test_fewer_failures_than_it_bears_leave_it_closed(breaker):
    fail(breaker, 2)
    assert breaker.state is State.CLOSED


def test_failures_in_a_row_open_it(breaker):
    fail(breaker, 3)
    refused(breaker)


def test_failures_with_successes_between_do_not(breaker):
    for _ in range(5):
        fail(breaker, 2)
        with breaker.call():
            pass
    assert breaker.state is State.CLOSED


def test_after_its_pause_it_is_half_open(breaker, clock):
    fail(breaker, 3)
    clock.now_s += 2.0
    assert breaker.state is State.HALF_OPEN


def test_only_one_call_probes_while_it_is_half_open(breaker, clock):
    fail(breaker, 3)
    clock.now_s += 2.0
    with breaker.call():
        assert breaker.state is State.OPEN
        refused(breaker)


def test_a_probe_that_succeeds_closes_it(breaker, clock):
    fail(breaker, 3)
    clock.now_s += 2.0
    with breaker.call():
        pass
    assert breaker.state is State.CLOSED


def test_a_probe_that_fails_opens_it_for_another_pause(breaker, clock):
    fail(breaker, 3)
    clock.now_s += 2.0
    fail(breaker)
    refused(breaker)
    clock.now_s += 2.0
    assert breaker.state is State.HALF_OPEN


def test_a_probe_that_is_cancelled_leaves_the_place_to_another(breaker, clock):
    fail(breaker, 3)
    clock.now_s += 2.0
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.state is State.HALF_OPEN


def test_calls_under_way_when_it_opened_do_not_prolong_its_pause(breaker, clock):
    late = breaker.call()
    late.__enter__()
    fail(breaker, 3)
    clock.now_s += 1.9
    error = TierUnavailable("It is away.")
    assert not late.__exit__(TierUnavailable, error, None)
    clock.now_s += 0.1
    assert breaker.state is State.HALF_OPEN


async def test_a_tier_left_alone_is_not_asked():
    tier = FakeTier()
    tier.failing = True
    guarded = GuardedTier(tier, pause_s=60)
    for number in range(10):
        with pytest.raises(TierUnavailable):
            await guarded.get(key(number))
    assert len(tier.asked) == 3


async def test_a_tier_that_cannot_be_written_can_still_be_read():
    tier = FakeTier()
    guarded = GuardedTier(tier, pause_s=60)
    await guarded.put(key(1), rendition())
    tier.failing = True
    for number in range(5):
        with pytest.raises(TierUnavailable):
            await guarded.put(key(number), rendition())
    tier.failing = False
    assert (guarded.writes.state, guarded.reads.state) == (State.OPEN, State.CLOSED)
    assert await guarded.get(key(1)) == rendition()


async def test_of_many_readers_of_a_silent_tier_only_the_first_lot_waits():
    tier = SlowTier()
    guarded = GuardedTier(tier, pause_s=60, at_once=4)
    readers = [asyncio.create_task(guarded.get(key(number))) for number in range(100)]
    await tier.asked_by_four.wait()
    tier.reading.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {TierUnavailable}
    assert len(tier.asked) == 4


async def test_a_tier_behind_an_open_breaker_counts_as_unavailable():
    tier = FakeTier("away")
    tier.failing = True
    tiers = Tiers([GuardedTier(tier, pause_s=60)], pending_budget_bytes=1000)
    for number in range(10):
        assert await tiers.find(key(number)) is None
    assert tiers.unavailable == {"away"}
