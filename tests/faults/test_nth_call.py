"""The n-th call of a store or of the lease fails, for every n: each picture is right all the same.

The store keeps bytes and seals as Redis and files do, in this process; what a call does wrong is
what networks and disks do wrong. The scenario takes every way through the service: rendered,
coalesced, from memory, from the near store, from the far one.
"""

import asyncio

import pytest

from render_service.adapters.seal import make_seal, unseal_joined
from render_service.errors import TierUnavailable
from render_service.rendering.memory import LARGEST_SHARE
from tests.rendering.builders import Workshop, key, rendition

HANG_S = 0.01
"""As long as an adapter lets a call hang: here, a fifth of a look into Redis."""

MEMORY_BYTES = 8 * 3000
"""Of the six pictures that are asked for, of up to 3,000 bytes each, some are let go."""


class Calls:
    """Counts the calls of every part, and says which of them is to fail."""

    def __init__(self, nth):
        self.made, self.nth = 0, nth

    def is_it(self):
        self.made += 1
        return self.made == self.nth


async def refuse():
    raise TierUnavailable("It failed, as it was told.")


async def hang():
    await asyncio.sleep(HANG_S)
    raise TierUnavailable("It hung, as it was told.")


class SealedTier:
    """A store of bytes that are believed by their seal; its n-th call goes wrong by `fault`."""

    def __init__(self, name, calls, fault):
        self.name, self.held = name, {}
        self._calls, self._fault = calls, fault

    async def get(self, key):
        data = self.held.get(key)
        if self._calls.is_it():
            if self._fault is not None:
                await self._fault()
            data = data and data[: len(data) // 2]
        await asyncio.sleep(0)
        return unseal_joined(key, data) if data else None

    async def put(self, key, rendition):
        data = rendition.body + make_seal(key, rendition)
        if self._calls.is_it():
            if self._fault is not None:
                await self._fault()
            data = data[: len(data) // 2]
        await asyncio.sleep(0)
        self.held[key] = data

    async def close(self):
        self.held.clear()


class Claim:
    token = 1

    def __init__(self, lease, key):
        self._lease, self._key = lease, key

    async def release(self):
        self._lease.claimed.discard(self._key)


class Lease:
    """The lease of a process that is alone."""

    def __init__(self, calls, fault):
        self.claimed = set()
        self._calls, self._fault = calls, fault or refuse

    async def take(self, key):
        if self._calls.is_it():
            await self._fault()
        if key in self.claimed:
            return None
        self.claimed.add(key)
        return Claim(self, key)

    async def is_held(self, key):
        if self._calls.is_it():
            await self._fault()
        return key in self.claimed

    async def close(self):
        pass


class Scene:
    """A service over two stores and a lease, of whose calls the n-th fails."""

    def __init__(self, catalogue, *, nth, fault):
        self.calls = Calls(nth)
        self.near, self.far = (SealedTier(name, self.calls, fault) for name in ("near", "far"))
        self.lease = Lease(self.calls, fault)
        self.workshop = Workshop(
            catalogue, tiers=[self.near, self.far], lease=self.lease, memory_bytes=MEMORY_BYTES
        )
        self.answered = []

    async def play(self):
        plans = [
            self.workshop.plan(width, gem=gem).plan
            for width in (160, 240, 320)
            for gem in ("ruby", "sapphire")
        ]
        tiers = self.workshop.tiers
        await self._ask(plans[0], plans[0], plans[1])
        await tiers.settle()
        await self._ask(*plans)
        await tiers.settle()
        self.near.held.clear()
        for number in range(LARGEST_SHARE):
            filler = rendition(bytes(MEMORY_BYTES // LARGEST_SHARE))
            self.workshop.memory.put(key(number), filler)
        await self._ask(*plans, *plans[::-1])
        await tiers.settle()

    async def _ask(self, *plans):
        served = await asyncio.gather(*(self.workshop.service.render(plan) for plan in plans))
        self.answered += [one.rendition.body for one in served]


@pytest.fixture
async def undisturbed(catalogue):
    """The scene without a fault: what was answered, and how many calls it took."""
    scene = Scene(catalogue, nth=0, fault=None)
    await scene.play()
    await scene.workshop.service.close()
    return scene


@pytest.mark.parametrize("fault", [refuse, hang, None], ids=["refused", "hung", "half"])
async def test_whichever_call_fails_every_answer_is_right(catalogue, undisturbed, fault):
    idle = len(asyncio.all_tasks())
    for nth in range(1, undisturbed.calls.made + 1):
        scene = Scene(catalogue, nth=nth, fault=fault)
        await scene.play()

        assert scene.answered == undisturbed.answered, f"call {nth}"
        memory, tiers = scene.workshop.memory, scene.workshop.tiers
        assert memory.used_bytes == sum(len(one.body) for one in memory._held.values())
        assert memory.used_bytes <= MEMORY_BYTES
        assert tiers.waiting <= 1, f"call {nth}"
        assert scene.workshop.executor.taken == 0
        await scene.workshop.service.close()
        assert scene.lease.claimed == set(), f"call {nth}"
        assert len(asyncio.all_tasks()) == idle, f"call {nth}"


async def test_the_scene_takes_every_way_through_the_service(undisturbed):
    assert undisturbed.calls.made > 30
