import asyncio
import logging

import pytest

from render_service.rendering.coalesce import Flights
from tests.rendering.builders import key


class Work:
    """Work that counts its runs and waits at a gate."""

    def __init__(self, *, begins=True):
        self.runs = 0
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.error = None
        self._begins = begins

    async def __call__(self, flight):
        self.runs += 1
        if self._begins:
            flight.begin()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        return self.runs


async def waiters(flights, work, count, name=1):
    tasks = [asyncio.create_task(flights.run(key(name), work)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def leave(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_thousand_at_once_are_one_run():
    flights, work = Flights(), Work()
    tasks = await waiters(flights, work, 1000)
    work.gate.set()
    results = await asyncio.gather(*tasks)
    assert work.runs == 1
    assert results == [(1, False)] + [(1, True)] * 999


async def test_different_keys_fly_apart():
    flights, work = Flights(), Work()
    tasks = [*await waiters(flights, work, 1, "a"), *await waiters(flights, work, 1, "b")]
    work.gate.set()
    await asyncio.gather(*tasks)
    assert work.runs == 2


async def test_the_next_after_landing_is_a_new_flight():
    flights, work = Flights(), Work()
    work.gate.set()
    await flights.run(key(1), work)
    assert await flights.run(key(1), work) == (2, False)


async def test_the_leader_may_leave_without_failing_the_others():
    flights, work = Flights(), Work(begins=False)
    leader, *others = await waiters(flights, work, 3)
    await leave(leader)
    work.gate.set()
    assert await asyncio.gather(*others) == [(1, True), (1, True)]


async def test_work_not_begun_is_dropped_when_all_have_left():
    flights, work = Flights(), Work(begins=False)
    for task in await waiters(flights, work, 3):
        await leave(task)
    await asyncio.sleep(0)
    assert work.cancelled == 1
    assert len(flights) == 0


async def test_work_begun_is_finished_though_all_have_left():
    flights, work = Flights(), Work()
    (task,) = await waiters(flights, work, 1)
    await leave(task)
    work.gate.set()
    await flights.settle()
    assert (work.runs, work.cancelled) == (1, 0)


async def test_who_comes_after_all_have_left_joins_work_that_has_begun():
    flights, work = Flights(), Work()
    (task,) = await waiters(flights, work, 1)
    await leave(task)
    (late,) = await waiters(flights, work, 1)
    work.gate.set()
    assert await late == (1, True)


async def test_who_comes_after_a_drop_starts_anew():
    flights, work = Flights(), Work(begins=False)
    (task,) = await waiters(flights, work, 1)
    await leave(task)
    (late,) = await waiters(flights, work, 1)
    work.gate.set()
    assert await late == (2, False)


async def test_an_error_reaches_everyone_who_waits():
    flights, work = Flights(), Work()
    work.error = ValueError("broken")
    tasks = await waiters(flights, work, 3)
    work.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(error) for error in found] == ["broken"] * 3


async def test_an_error_is_not_remembered():
    flights, work = Flights(), Work()
    work.error = ValueError("broken")
    work.gate.set()
    with pytest.raises(ValueError, match="broken"):
        await flights.run(key(1), work)
    work.error = None
    assert await flights.run(key(1), work) == (2, False)


async def test_an_error_that_nobody_waited_for_is_logged(caplog):
    flights, work = Flights(), Work()
    work.error = ValueError("broken")
    (task,) = await waiters(flights, work, 1)
    await leave(task)
    work.gate.set()
    with caplog.at_level(logging.WARNING):
        await flights.settle()
        await asyncio.sleep(0)
    assert "broken" in caplog.text
