import asyncio
import math
import os
import threading

import pytest

from render_service.errors import Overloaded, Refusal
from render_service.rendering.cost import Work
from render_service.rendering.executor import RenderExecutor

SECOND = Work(own_ms=1000)


class Job:
    """Holds a place until it is told to let go."""

    def __init__(self, executor, work=SECOND, *, behind=False):
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.task = asyncio.create_task(self._run(executor, work, behind))

    async def _run(self, executor, work, behind):
        async with executor.place(work, behind=behind):
            self.begun.set()
            await self.gate.wait()


@pytest.fixture
async def executor():
    executor = RenderExecutor(threads=2, queue_s=100, deadline_s=1000)
    yield executor
    await executor.close()


async def start(executor, count):
    jobs = [Job(executor) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return jobs


async def finish(jobs):
    for job in jobs:
        job.gate.set()
    await asyncio.gather(*(job.task for job in jobs), return_exceptions=True)


async def test_as_many_run_at_once_as_there_are_threads(executor):
    jobs = await start(executor, 5)
    assert [job.begun.is_set() for job in jobs] == [True, True, False, False, False]
    await finish(jobs)


async def test_the_one_too_many_is_refused_at_once():
    executor = RenderExecutor(threads=1, queue_s=1, deadline_s=1000)
    jobs = await start(executor, 3)
    with pytest.raises(Overloaded) as refused:
        async with executor.place(Work(own_ms=1001)):
            pytest.fail("a place beyond the queue")
    assert refused.value.reason is Refusal.QUEUE
    assert refused.value.retry_after_s >= 1
    await finish(jobs)
    await executor.close()


async def test_who_waits_past_the_deadline_is_refused():
    executor = RenderExecutor(threads=1, queue_s=1000, deadline_s=0.05)
    jobs = [Job(executor, Work(own_ms=1)) for _ in range(2)]
    with pytest.raises(Overloaded) as refused:
        await jobs[1].task
    assert refused.value.reason is Refusal.LATE
    await finish(jobs[:1])
    await executor.close()


@pytest.mark.parametrize(
    ("asked", "beside", "sooner"),
    [(2, 0, False), (3, 0, True), (3, 1, True), (3, 2, False), (3, math.inf, False)],
)
async def test_the_next_is_sooner_beside_where_all_is_taken_here_and_not_there(
    asked, beside, sooner
):
    executor = RenderExecutor(threads=2, queue_s=100, deadline_s=1000, beside=lambda: beside)
    jobs = await start(executor, asked)
    # As one of them sees it that is about to give up its place.
    assert executor.is_sooner_beside is sooner
    await finish(jobs)
    await executor.close()


async def test_a_short_render_passes_a_long_one_that_waits(executor):
    jobs = await start(executor, 3)
    (short,) = [Job(executor, Work(own_ms=10))]
    await asyncio.sleep(0)
    jobs[0].gate.set()
    await short.begun.wait()
    assert not jobs[2].begun.is_set()
    await finish([*jobs, short])


async def test_who_waits_for_a_spare_thread_waits_for_every_request(executor):
    jobs = await start(executor, 3)
    waiting = asyncio.create_task(executor.spare())
    await finish(jobs[:2])
    await jobs[2].begun.wait()
    assert not waiting.done()
    await finish(jobs[2:])
    await waiting


async def test_a_request_begins_beside_work_that_nobody_waits_for():
    executor = RenderExecutor(threads=1, queue_s=0, deadline_s=1000)
    wish = Job(executor, behind=True)
    await wish.begun.wait()
    request = Job(executor)
    await request.begun.wait()
    await finish([wish, request])
    await executor.close()


async def test_render_threads_give_way_to_the_event_loop():
    executor = RenderExecutor(threads=1, queue_s=0, deadline_s=1000, nice=3)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    async with executor.place(SECOND):
        nice = await executor.run(
            lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        )
    assert (nice, os.getpriority(os.PRIO_PROCESS, 0)) == (min(own + 3, 19), own)
    await executor.close()


async def test_those_who_wait_come_in_their_order(executor):
    jobs = await start(executor, 5)
    jobs[0].gate.set()
    await jobs[2].begun.wait()
    assert [job.begun.is_set() for job in jobs] == [True, True, True, False, False]
    await finish(jobs)


async def test_leaving_the_queue_frees_the_place(executor):
    jobs = await start(executor, 5)
    jobs[4].task.cancel()
    await asyncio.gather(jobs[4].task, return_exceptions=True)
    assert executor.taken == 4
    assert executor.admission.waiting_s == pytest.approx(2)
    (late,) = await start(executor, 1)
    assert executor.taken == 5
    await finish([*jobs, late])
    assert executor.taken == 0


async def test_a_failed_render_frees_its_place(executor):
    with pytest.raises(ValueError, match="broken"):
        async with executor.place(SECOND):
            raise ValueError("broken")
    assert executor.taken == 0


async def test_work_runs_off_the_event_loop(executor):
    async with executor.place(SECOND):
        name = await executor.run(lambda: threading.current_thread().name)
    assert name.startswith("render")


async def test_the_loop_goes_on_while_a_render_blocks(executor):
    blocked, release = threading.Event(), threading.Event()

    def work():
        blocked.set()
        release.wait()
        return "done"

    async with executor.place(SECOND):
        running = asyncio.create_task(executor.run(work))
        await asyncio.to_thread(blocked.wait)
        assert not running.done()
        release.set()
        assert await running == "done"


async def test_work_behind_has_less_of_the_processor_than_renders_that_are_waited_for():
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    executor = RenderExecutor(threads=1, queue_s=1.0, deadline_s=1.0, nice=5)
    asked, behind = await executor.run(priority), await executor.run(priority, behind=True)
    await executor.close()
    assert priority() < asked < behind
