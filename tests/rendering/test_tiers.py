import asyncio
import logging

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
