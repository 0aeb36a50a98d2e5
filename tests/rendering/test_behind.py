import asyncio

import pytest

from render_service.errors import AssetMissing, Overloaded, Refusal
from render_service.formats import Format
from render_service.rendering.behind import WISHES_MAX, Behind
from tests.rendering.builders import Workshop, key, until


class Maker:
    """Makes wishes while its thread is spare; refuses some of them first."""

    def __init__(self, refusals=0):
        self.made, self.refusals = [], refusals
        self.is_spare = asyncio.Event()
        self.is_spare.set()
        self.behind = Behind(spare=self.is_spare.wait, make=self._make)

    async def _make(self, plan):
        if self.refusals:
            self.refusals -= 1
            raise Overloaded(1, Refusal.NOT_SPARE)
        if plan == "broken":
            raise AssetMissing("band.png", "is not there")
        self.made.append(plan)

    async def settle(self):
        await until(lambda: not len(self.behind))


async def test_wishes_are_made_one_after_the_other_in_their_order():
    maker = Maker()
    for name in ("first", "second", "first"):
        maker.behind.wish(key(name), name)
    await maker.settle()
    assert maker.made == ["first", "second"]


async def test_nothing_is_made_while_no_thread_is_spare():
    maker = Maker()
    maker.is_spare.clear()
    maker.behind.wish(key("wish"), "wish")
    await asyncio.sleep(0.01)
    assert maker.made == []
    maker.is_spare.set()
    await maker.settle()
    assert maker.made == ["wish"]


async def test_a_wish_that_a_request_came_before_is_made_later():
    maker = Maker(refusals=2)
    maker.behind.wish(key("wish"), "wish")
    await maker.settle()
    assert maker.made == ["wish"]


async def test_a_wish_that_cannot_be_made_does_not_hold_up_the_next(caplog):
    maker = Maker()
    maker.behind.wish(key("broken"), "broken")
    maker.behind.wish(key("wish"), "wish")
    await maker.settle()
    assert maker.made == ["wish"]
    assert "band.png" in caplog.text


async def test_the_oldest_of_too_many_wishes_is_forgotten():
    maker = Maker()
    maker.is_spare.clear()
    for number in range(WISHES_MAX + 1):
        maker.behind.wish(key(number), number)
    maker.is_spare.set()
    await maker.settle()
    assert maker.made == list(range(1, WISHES_MAX + 1))


async def test_closing_forgets_what_has_not_begun():
    maker = Maker()
    maker.is_spare.clear()
    maker.behind.wish(key("wish"), "wish")
    await maker.behind.close()
    maker.is_spare.set()
    await asyncio.sleep(0.01)
    assert maker.made == []


@pytest.fixture
async def workshop(catalogue):
    workshop = Workshop(catalogue)
    workshop.assets.gate.clear()
    yield workshop
    workshop.assets.gate.set()
    await workshop.service.close()


async def test_a_wish_is_in_memory_when_it_was_made(workshop):
    wished = workshop.plan(file_format=Format.AVIF)
    workshop.assets.gate.set()
    workshop.service.wish(wished.key, wished.plan)
    await until(lambda: wished.key in workshop.memory)


async def test_a_wish_reads_nothing_while_a_request_is_rendered(workshop):
    asked = workshop.plan()
    running = asyncio.create_task(workshop.service.render(asked.plan))
    await workshop.assets.reading.wait()
    wished = workshop.plan(metal="silver", file_format=Format.AVIF)
    workshop.service.wish(wished.key, wished.plan)
    await asyncio.sleep(0.01)
    assert workshop.assets.reads == len(asked.plan.placements)
    workshop.assets.gate.set()
    await running
    await until(lambda: wished.key in workshop.memory)


async def test_a_request_for_what_is_wished_is_rendered_as_a_request(workshop):
    asked = workshop.plan()
    running = asyncio.create_task(workshop.service.render(asked.plan))
    await workshop.assets.reading.wait()
    wished = workshop.plan(metal="silver", file_format=Format.AVIF)
    workshop.service.wish(wished.key, wished.plan)
    urgent = asyncio.create_task(workshop.service.render(wished.plan))
    await asyncio.sleep(0.01)
    assert workshop.executor.admission.running == 2
    workshop.assets.gate.set()
    assert (await urgent).source == "render"
    await running


async def test_a_request_joins_what_is_being_made_behind(workshop):
    wished = workshop.plan(file_format=Format.AVIF)
    workshop.service.wish(wished.key, wished.plan)
    await workshop.assets.reading.wait()
    joined = asyncio.create_task(workshop.service.render(wished.plan))
    await asyncio.sleep(0.01)
    workshop.assets.gate.set()
    assert (await joined).collapsed
