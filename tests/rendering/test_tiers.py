import asyncio
import logging

from render_service.errors import TierUnavailable
from render_service.rendering.tiers import Tiers
from tests.rendering.builders import FakeTier, key, rendition


async def test_the_nearest_tier_that_holds_it_answers():
    near, far = FakeTier("near"), FakeTier("far")
    near.held[key(1)] = far.held[key(1)] = rendition()
    found = await Tiers([near, far], pending_budget_bytes=1000).find(key(1))
    assert found == (rendition(), "near")
    assert far.asked == []


async def test_a_find_farther_out_fills_the_nearer_ones_only():
    tiers = [FakeTier("near"), FakeTier("middle"), FakeTier("far"), FakeTier("farthest")]
    tiers[2].held[key(1)] = rendition()
    both = Tiers(tiers, pending_budget_bytes=1000)
    assert await both.find(key(1)) == (rendition(), "far")
    await both.settle()
    assert [key(1) in tier.held for tier in tiers] == [True, True, True, False]


async def test_what_nobody_holds_is_a_miss():
    assert await Tiers([FakeTier()], pending_budget_bytes=1000).find(key(1)) is None


async def test_no_tiers_at_all_are_a_miss_and_keep_nothing():
    tiers = Tiers([], pending_budget_bytes=1000)
    assert await tiers.find(key(1)) is None
    assert not tiers.store(key(1), rendition())


async def test_a_tier_that_is_away_counts_as_a_miss():
    away, far = FakeTier("away"), FakeTier("far")
    away.failing = True
    far.held[key(1)] = rendition()
    tiers = Tiers([away, far], pending_budget_bytes=1000)
    assert await tiers.find(key(1)) == (rendition(), "far")
    assert tiers.unavailable == {"away"}


async def test_a_tier_that_is_back_is_no_longer_unavailable():
    tier = FakeTier("tier")
    tier.failing = True
    tiers = Tiers([tier], pending_budget_bytes=1000)
    await tiers.find(key(1))
    tier.failing = False
    await tiers.find(key(1))
    assert tiers.unavailable == frozenset()


async def test_a_tier_going_away_is_logged_once(caplog):
    tier = FakeTier("tier")
    tier.failing = True
    tiers = Tiers([tier], pending_budget_bytes=1000)
    with caplog.at_level(logging.INFO):
        for number in range(5):
            await tiers.find(key(number))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_storing_does_not_wait_for_the_tiers():
    tier = FakeTier()
    tier.gate.clear()
    tiers = Tiers([tier], pending_budget_bytes=1000)
    assert tiers.store(key(1), rendition())
    assert tier.held == {}
    tier.gate.set()
    await tiers.settle()
    assert tier.held == {key(1): rendition()}


async def test_one_tier_failing_to_store_does_not_keep_it_from_the_others():
    bad, good = FakeTier("bad"), FakeTier("good")
    bad.failing = True
    tiers = Tiers([bad, good], pending_budget_bytes=1000)
    tiers.store(key(1), rendition())
    await tiers.settle()
    assert key(1) in good.held


async def test_what_waits_to_be_stored_stays_within_its_budget():
    tier = FakeTier()
    tier.gate.clear()
    tiers = Tiers([tier], pending_budget_bytes=250)
    storing = [tiers.store(key(number), rendition(bytes(100))) for number in range(5)]
    assert [task is not None for task in storing] == [True, True, False, False, False]
    assert tiers.dropped == 3
    tier.gate.set()
    await tiers.settle()
    assert tiers.store(key(9), rendition(bytes(100)))
    await tiers.settle()


async def test_closing_stores_what_waits_first():
    class Closing(FakeTier):
        async def close(self):
            self.held_at_close = dict(self.held)

    tier = Closing()
    tier.gate.clear()
    tiers = Tiers([tier], pending_budget_bytes=1000)
    tiers.store(key(1), rendition())
    closing = asyncio.create_task(tiers.close())
    await asyncio.sleep(0)
    tier.gate.set()
    await closing
    assert tier.held_at_close == {key(1): rendition()}


async def test_the_holders_of_a_key_are_named_and_nothing_is_filled():
    near, far = FakeTier("near"), FakeTier("far")
    far.held[key(1)] = rendition()
    tiers = Tiers([near, far], pending_budget_bytes=1000)
    assert await tiers.holders(key(1)) == ("far",)
    await tiers.settle()
    assert near.held == {}


async def test_what_a_tier_did_not_take_is_offered_again():
    tier = FakeTier()
    tier.failing = True
    tiers = Tiers([tier], pending_budget_bytes=1000, retry_after_s=(0, 0, 0, 0.01, 0.01))
    await tiers.store(key(1), rendition())
    tier.failing = False
    while tiers.waiting:  # noqa: ASYNC110  # nobody is told when it has been taken
        await asyncio.sleep(0)
    assert tier.held == {key(1): rendition()}
    assert (tiers.given_up, tiers.unavailable) == (0, frozenset())


async def test_it_is_not_offered_for_ever():
    tier = FakeTier()
    tier.failing = True
    tiers = Tiers([tier], pending_budget_bytes=1000, retry_after_s=(0, 0))
    await tiers.store(key(1), rendition())
    while tiers.waiting:  # noqa: ASYNC110  # nobody is told when it has been given up
        await asyncio.sleep(0)
    assert tiers.given_up == 1


async def test_what_waits_for_a_tier_that_is_away_keeps_nothing_from_the_others():
    away, there = FakeTier("away"), FakeTier("there")
    away.failing = True
    tiers = Tiers([away, there], pending_budget_bytes=400, retry_after_s=(3600,))
    for number in range(10):
        await tiers.store(key(number), rendition(bytes(100)))
    assert len(there.held) == 10
    assert (tiers.waiting, tiers.given_up, tiers.dropped) == (2, 8, 0)
    await tiers.close()


async def test_closing_waits_for_no_tier_that_is_away():
    away, stuck = FakeTier("away"), FakeTier("stuck")
    away.failing = True
    stuck.gate.clear()
    tiers = Tiers([away, stuck], pending_budget_bytes=1000, retry_after_s=(3600,))
    tiers.store(key(1), rendition())
    await asyncio.sleep(0)
    await tiers.finish(within_s=0.01)
    assert tiers.waiting == 0


async def test_a_tier_that_was_away_and_can_be_read_again_is_available():
    tier = FakeTier("tier")
    tier.failing = True
    tiers = Tiers([tier], pending_budget_bytes=1000, retry_after_s=())
    await tiers.find(key(1))
    await tiers.store(key(1), rendition())
    tier.failing = False
    await tiers.find(key(2))
    assert tiers.unavailable == frozenset()


async def test_a_tier_that_can_be_read_all_the_time_but_not_written_is_not():
    class Full(FakeTier):
        async def put(self, key, rendition):
            raise TierUnavailable("The fake tier is full.")

    tiers = Tiers([Full("full")], pending_budget_bytes=1000, retry_after_s=())
    await tiers.store(key(1), rendition())
    await tiers.find(key(1))
    assert tiers.unavailable == {"full"}
