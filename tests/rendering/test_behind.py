import asyncio
from types import SimpleNamespace

import pytest

from render_service.errors import AssetMissing, Overloaded, Refusal
from render_service.formats import Format
from render_service.rendering.behind import WISHES_MAX, Behind
from render_service.rendering.served import Served
from render_service.telemetry import instruments
from render_service.telemetry.beside import renders_under_way
from tests.rendering.builders import FakeTier, Workshop, key, rendition, until


class Maker:
    """Makes wishes while its thread is spare; refuses some of them first."""

    def __init__(self, refusals=0):
        self.made, self.refusals = [], refusals
        self.is_spare = asyncio.Event()
        self.is_spare.set()
        self.held, self.is_crowded = set(), False
        self.behind = Behind(
            spare=self.is_spare.wait,
            make=self._make,
            is_held=self.held.__contains__,
            is_crowded=lambda: self.is_crowded,
        )

    async def _make(self, plan):
        if self.refusals:
            self.refusals -= 1
            raise Overloaded(1, Refusal.NOT_SPARE)
        if plan == "broken":
            raise AssetMissing("band.png", "is not there")
        self.made.append(plan)
        source = "file" if plan == "stored" else "render"
        return Served(rendition=rendition(), source=source)

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


def guesses(*names):
    return iter([SimpleNamespace(key=key(name), plan=name) for name in names])


def counted(result):
    return instruments.ahead.value(result)


async def test_what_was_asked_for_is_made_before_what_may_be():
    maker = Maker()
    maker.is_spare.clear()
    maker.behind.guess(key("at"), guesses("guess"))
    maker.behind.wish(key("wish"), "wish")
    maker.is_spare.set()
    await maker.settle()
    assert maker.made == ["wish", "guess"]


async def test_a_guess_that_a_request_came_before_keeps_its_turn():
    maker = Maker(refusals=2)
    maker.behind.guess(key("at"), guesses("first", "second"))
    await until(lambda: len(maker.made) == 2)
    assert maker.made == ["first", "second"]


async def test_no_guess_is_made_while_other_processes_leave_no_room_and_wishes_are():
    maker = Maker()
    maker.is_crowded = True
    maker.behind.guess(key("at"), guesses("guess"))
    maker.behind.wish(key("wish"), "wish")
    await until(lambda: maker.made)
    await asyncio.sleep(0.01)
    assert maker.made == ["wish"]
    maker.is_crowded = False
    await until(lambda: maker.made == ["wish", "guess"])


async def test_a_guess_that_is_in_memory_is_not_looked_for():
    maker = Maker()
    maker.held.add(key("held"))
    maker.behind.guess(key("at"), guesses("held", "cold"))
    await until(lambda: maker.made)
    assert maker.made == ["cold"]


async def test_what_was_made_ahead_is_counted_once_when_it_is_asked_for():
    maker, made, asked = Maker(), counted("made"), counted("asked for")
    maker.behind.guess(key("at"), guesses("guess"))
    await until(lambda: counted("made") == made + 1)
    for name in ("guess", "guess", "other"):
        maker.behind.note_asked(key(name))
    assert counted("asked for") == asked + 1


async def test_what_a_store_has_is_found_and_not_counted_as_made():
    maker, made, found = Maker(), counted("made"), counted("found")
    maker.behind.guess(key("at"), guesses("stored"))
    await until(lambda: counted("found") == found + 1)
    assert counted("made") == made


async def test_a_guess_that_cannot_be_made_is_counted_and_does_not_hold_up_the_next():
    maker, failed = Maker(), counted("failed")
    maker.behind.guess(key("at"), guesses("broken", "guess"))
    await until(lambda: maker.made)
    assert counted("failed") == failed + 1


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


async def test_a_guess_that_a_tier_holds_is_not_drawn(catalogue):
    tier = FakeTier()
    workshop = Workshop(catalogue, tiers=[tier])
    planned, found = workshop.plan(), counted("found")
    tier.held[planned.key] = rendition()
    workshop.service.foresee(key("at"), iter([planned]))
    await until(lambda: counted("found") == found + 1)
    assert workshop.assets.reads == 0
    assert planned.key in workshop.memory
    await workshop.service.close()


async def test_no_guess_is_planned_while_a_request_is_rendered(workshop):
    asked, planned = workshop.plan(), []
    running = asyncio.create_task(workshop.service.render(asked.plan))
    await workshop.assets.reading.wait()
    following = (planned.append(metal) or workshop.plan(metal=metal) for metal in ["silver"])
    workshop.service.foresee(asked.key, following)
    await asyncio.sleep(0.01)
    assert planned == []
    workshop.assets.gate.set()
    await running
    await until(lambda: planned == ["silver"])


async def test_other_processes_see_what_is_rendered(workshop):
    asked = workshop.plan()
    running = asyncio.create_task(workshop.service.render(asked.plan))
    await workshop.assets.reading.wait()
    assert renders_under_way(None) == 1
    workshop.assets.gate.set()
    await running
    assert renders_under_way(None) == 0
