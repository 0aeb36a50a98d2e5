import asyncio
import threading

import pytest

from render_service.errors import Overloaded
from render_service.rendering.executor import RenderExecutor


class Job:
    """Holds a place until it is told to let go."""

    def __init__(self, executor):
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.task = asyncio.create_task(self._run(executor))

    async def _run(self, executor):
        async with executor.place():
            self.begun.set()
            await self.gate.wait()


@pytest.fixture
async def executor():
    executor = RenderExecutor(threads=2, queue_length=3)
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


async def test_the_one_too_many_is_refused_at_once(executor):
    jobs = await start(executor, 5)
    with pytest.raises(Overloaded):
        async with executor.place():
            pytest.fail("a place beyond the queue")
    await finish(jobs)


async def test_a_refusal_says_when_a_place_is_likely(executor):
    jobs = await start(executor, 5)
    with pytest.raises(Overloaded) as refused:
        async with executor.place():
            pytest.fail("a place beyond the queue")
    assert refused.value.retry_after_s >= 1
    await finish(jobs)


async def test_slow_renders_make_for_longer_waits():
    executor = RenderExecutor(threads=1, queue_length=0)
    executor._mean_s = 7.2
    jobs = await start(executor, 1)
    with pytest.raises(Overloaded) as refused:
        async with executor.place():
            pytest.fail("a place beyond the queue")
    assert refused.value.retry_after_s == 8
    await finish(jobs)
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
    (late,) = await start(executor, 1)
    assert executor.taken == 5
    await finish([*jobs, late])
    assert executor.taken == 0


async def test_a_failed_render_frees_its_place(executor):
    with pytest.raises(ValueError, match="broken"):
        async with executor.place():
            raise ValueError("broken")
    assert executor.taken == 0


async def test_work_runs_off_the_event_loop(executor):
    async with executor.place():
        name = await executor.run(lambda: threading.current_thread().name)
    assert name.startswith("render")


async def test_the_loop_goes_on_while_a_render_blocks(executor):
    blocked, release = threading.Event(), threading.Event()

    def work():
        blocked.set()
        release.wait()
        return "done"

    async with executor.place():
        running = asyncio.create_task(executor.run(work))
        await asyncio.to_thread(blocked.wait)
        assert not running.done()
        release.set()
        assert await running == "done"
