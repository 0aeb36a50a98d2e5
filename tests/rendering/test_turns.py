"""Several services, each as one process would have it, that share a tier and a lease."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from render_service.errors import AssetMissing, Overloaded, TierUnavailable
from render_service.rendering.breaker import GuardedLease
from tests.rendering.builders import FakeTier, Workshop


class FakeClaim:
    def __init__(self, lease, key, token):
        self._lease, self._key, self.token = lease, key, token

    async def release(self):
        self._lease.held.discard(self._key)


class FakeLease:
    """A lease of our own port, as all processes of a test see it."""

    def __init__(self):
        self.held, self.taken = set(), []
        self.looked = asyncio.Event()
        self.failing = False

    async def take(self, key):
        self._may_fail()
        if key in self.held:
            return None
        self.held.add(key)
        self.taken.append(key)
        return FakeClaim(self, key, self.taken.count(key))

    async def is_held(self, key):
        self.looked.set()
        self._may_fail()
        return key in self.held

    async def close(self):
        return None

    def _may_fail(self):
        if self.failing:
            raise TierUnavailable("The fake lease is away.")


class SharedTier(FakeTier):
    """A tier that keeps what it holds when one of its processes ends."""

    async def close(self):
        return None


class Fleet:
    """Services that share a tier and a lease and nothing else."""

    def __init__(self, catalogue, size, **knobs):
        self.tier, self.lease = SharedTier("shared"), FakeLease()
        self.workshops = [
            Workshop(catalogue, tiers=[self.tier], lease=self.lease, **knobs) for _ in range(size)
        ]
        self.plan = self.workshops[0].plan().plan

    async def ask(self):
        """Ask every service for the picture at once."""
        return await asyncio.gather(*(w.service.render(self.plan) for w in self.workshops))

    def renders(self, answers):
        return [served.source for served in answers].count("render")


@pytest.fixture
async def make_fleet(catalogue):
    async with AsyncExitStack() as stack:

        def make(size, **knobs):
            fleet = Fleet(catalogue, size, **knobs)
            for workshop in fleet.workshops:
                stack.push_async_callback(workshop.service.close)
                stack.callback(workshop.assets.gate.set)
            return fleet

        yield make


async def test_of_several_processes_one_renders_and_all_have_its_bytes(make_fleet):
    fleet = make_fleet(4)
    answers = await fleet.ask()
    assert fleet.renders(answers) == 1
    assert len({served.rendition.body for served in answers}) == 1


async def lead_and_follow(fleet):
    """Have the first render, held up at its layer files, and the second wait for it."""
    leader, follower = fleet.workshops
    leader.assets.gate.clear()
    leading = asyncio.create_task(leader.service.render(fleet.plan))
    await leader.assets.reading.wait()
    following = asyncio.create_task(follower.service.render(fleet.plan))
    await fleet.lease.looked.wait()
    return leader, follower, leading, following


async def test_those_who_wait_take_no_place(make_fleet):
    fleet = make_fleet(2)
    leader, follower, leading, following = await lead_and_follow(fleet)
    assert (leader.executor.taken, follower.executor.taken) == (1, 0)
    leader.assets.gate.set()
    await asyncio.gather(leading, following)


async def test_the_claim_is_released_when_others_can_find_it(make_fleet):
    fleet = make_fleet(1)
    fleet.tier.gate.clear()
    await fleet.workshops[0].service.render(fleet.plan)
    await asyncio.sleep(0)
    assert len(fleet.lease.held) == 1
    fleet.tier.gate.set()
    await fleet.workshops[0].service.close()
    assert fleet.lease.held == set()


async def test_what_was_made_between_looking_and_claiming_is_not_made_again(make_fleet):
    fleet = make_fleet(2)
    await fleet.workshops[0].service.render(fleet.plan)
    await fleet.workshops[0].service.close()
    late = fleet.workshops[1]
    hidden, fleet.tier.held = fleet.tier.held, {}

    async def shown(key):
        fleet.tier.held = hidden
        return await FakeLease.take(fleet.lease, key)

    fleet.lease.take = shown
    assert (await late.service.render(fleet.plan)).source == "shared"


async def test_one_that_fails_leaves_its_turn_to_the_next(make_fleet):
    fleet = make_fleet(2)
    leader, follower = fleet.workshops
    leader.assets.gate.clear()

    async def missing(asset):
        leader.assets.reading.set()
        await leader.assets.gate.wait()
        raise AssetMissing(asset, "gone")

    leader.assets.read = missing
    leading = asyncio.create_task(leader.service.render(fleet.plan))
    await leader.assets.reading.wait()
    following = asyncio.create_task(follower.service.render(fleet.plan))
    await fleet.lease.looked.wait()
    leader.assets.gate.set()
    with pytest.raises(AssetMissing):
        await leading
    assert (await following).source == "render"


async def test_one_that_is_refused_holds_no_claim(make_fleet):
    fleet = make_fleet(1, threads=1, queue_s=0)
    (workshop,) = fleet.workshops
    workshop.assets.gate.clear()
    first = asyncio.create_task(workshop.service.render(fleet.plan))
    await workshop.assets.reading.wait()
    other = workshop.plan(metal="silver")
    with pytest.raises(Overloaded):
        await workshop.service.render(other.plan)
    workshop.assets.gate.set()
    await first
    await workshop.service.close()
    assert other.key in fleet.lease.taken
    assert fleet.lease.held == set()


async def test_one_whose_clients_left_before_it_began_holds_no_claim(make_fleet):
    fleet = make_fleet(1, threads=1)
    (workshop,) = fleet.workshops
    workshop.assets.gate.clear()
    first = asyncio.create_task(workshop.service.render(fleet.plan))
    await workshop.assets.reading.wait()
    waiting = asyncio.create_task(workshop.service.render(workshop.plan(metal="silver").plan))
    while len(fleet.lease.held) < 2:  # noqa: ASYNC110  # the service knows of no test
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    workshop.assets.gate.set()
    await first
    await workshop.service.close()
    assert fleet.lease.held == set()


async def test_without_a_lease_to_ask_each_process_renders_for_itself(make_fleet):
    fleet = make_fleet(3)
    fleet.lease.failing = True
    answers = await fleet.ask()
    assert fleet.renders(answers) == 3
    assert len({served.rendition.body for served in answers}) == 1


async def test_a_lease_that_is_lost_while_waiting_lets_everyone_go_on(make_fleet):
    fleet = make_fleet(2)
    leader, _, leading, following = await lead_and_follow(fleet)
    fleet.lease.failing = True
    assert (await following).source == "render"
    leader.assets.gate.set()
    await leading


async def test_a_lease_left_alone_is_not_asked():
    lease = FakeLease()
    lease.failing = True
    guarded = GuardedLease(lease, pause_s=60)
    for _ in range(10):
        with pytest.raises(TierUnavailable):
            await guarded.is_held("key")
    lease.looked.clear()
    with pytest.raises(TierUnavailable):
        await guarded.is_held("key")
    assert not lease.looked.is_set()
