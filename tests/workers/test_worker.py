"""A worker does what was ordered, and ends what cannot be, is not wanted, or takes too long."""

import asyncio
import signal

import httpx

from render_service.jobs.model import Kind, Order, Status
from tests.servers import free_port
from tests.workers.conftest import until


def an_order(kind, **payload):
    return Order(kind=kind, payload=payload, by="anna")


def over(jobs, job):
    async def holds():
        return (await jobs.get(job.id)).is_over

    return holds


async def effects(database, job):
    rows = await database.read(
        lambda connection: connection.fetch(
            "SELECT what FROM effect WHERE job = $1::text::uuid ORDER BY what", job.id
        )
    )
    return [row["what"] for row in rows]


async def test_a_job_is_done_and_says_how_far_it_is(workers, jobs, database):
    workers.start()
    job = await jobs.order(an_order(Kind.IMPORT))
    await until(over(jobs, job), workers)

    done = await jobs.get(job.id)

    assert (done.status, done.result, done.attempts) == (Status.DONE, "all steps", 1)
    assert (done.progress.done, done.progress.total, done.progress.note) == (9, 10, "step 9")
    assert len(await effects(database, job)) == 10


async def test_poison_is_parked_after_three_attempts_and_others_are_done(workers, jobs):
    workers.start()
    poison = await jobs.order(an_order(Kind.PUBLISH))
    others = [await jobs.order(an_order(Kind.RENDER)) for _ in range(5)]
    for job in (poison, *others):
        await until(over(jobs, job), workers)

    parked = await jobs.get(poison.id)

    assert (parked.status, parked.failures) == (Status.FAILED, 3)
    assert parked.error == "ValueError: cannot be done"
    assert [(await jobs.get(job.id)).status for job in others] == [Status.DONE] * 5
    assert "is parked: ValueError: cannot be done" in workers.log()


async def test_a_job_that_runs_is_cancelled_within_seconds(workers, jobs, database):
    workers.start()
    job = await jobs.order(an_order(Kind.MEDIA, seconds=30))

    async def begun():
        return await effects(database, job) == ["begun"]

    await until(begun, workers)
    await jobs.cancel(job.id)
    await until(over(jobs, job), workers, within_s=10)

    assert (await jobs.get(job.id)).status is Status.CANCELLED
    assert await effects(database, job) == ["begun"]


async def test_a_job_that_takes_too_long_has_failed(workers, jobs):
    workers.start()
    job = await jobs.order(an_order(Kind.TIDY, seconds=30))
    await until(over(jobs, job), workers)

    assert (await jobs.get(job.id)).error == "It took longer than 0.3 s."


async def test_a_core_that_is_busy_for_longer_than_a_lock_loses_nothing(workers, jobs):
    workers.start()
    workers.start()
    job = await jobs.order(an_order(Kind.INGEST, seconds=6))
    await until(over(jobs, job), workers)

    done = await jobs.get(job.id)

    assert (done.status, done.attempts) == (Status.DONE, 1)
    assert done.result not in {worker.pid for worker in workers.running}


async def test_what_a_stopped_worker_cannot_finish_another_does(workers, jobs, database):
    first = workers.start()
    job = await jobs.order(an_order(Kind.MEDIA, seconds=3))

    async def begun():
        return await effects(database, job) == ["begun"]

    await until(begun, workers)
    first.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait, 20) == 0, workers.log()
    given_back = await jobs.get(job.id)
    workers.start()
    await until(over(jobs, job), workers)

    assert (given_back.status, given_back.attempts) == (Status.QUEUED, 0)
    done = await jobs.get(job.id)
    assert (done.status, done.attempts) == (Status.DONE, 1)
    assert await effects(database, job) == ["awake", "begun", "begun"]


async def test_of_jobs_that_wait_the_urgent_ones_are_done_first(workers, jobs):
    orders = [
        Order(kind=Kind.IMPORT, payload={}, by="anna", priority=priority) for priority in (9, 5, 0)
    ]
    made = [await jobs.order(order) for order in orders for _ in range(2)]
    workers.start()
    for job in made:
        await until(over(jobs, job), workers)

    done = [await jobs.get(job.id) for job in made]

    assert [job.priority for job in sorted(done, key=lambda job: job.started)] == [0, 0, 5, 5, 9, 9]


async def test_a_paused_worker_that_wakes_cannot_finish_what_another_took(workers, jobs, database):
    sleeper = workers.start()
    job = await jobs.order(an_order(Kind.MEDIA, seconds=1))

    async def begun():
        return "begun" in await effects(database, job)

    await until(begun, workers)
    sleeper.send_signal(signal.SIGSTOP)
    workers.start()
    await until(over(jobs, job), workers)
    sleeper.send_signal(signal.SIGCONT)
    await asyncio.sleep(2)

    done = await jobs.get(job.id)
    assert (done.status, done.attempts) == (Status.DONE, 2)
    assert (await effects(database, job)).count("awake") == 1


async def test_what_is_ordered_while_the_queue_is_away_is_done_when_it_is_back(
    workers, jobs, queue
):
    workers.start()
    await until(over(jobs, await jobs.order(an_order(Kind.RENDER))), workers)
    queue.stop()
    made = [await jobs.order(an_order(Kind.RENDER)) for _ in range(20)]
    await asyncio.sleep(1)
    assert {(await jobs.get(job.id)).status for job in made} == {Status.QUEUED}

    queue.start()
    for job in made:
        await until(over(jobs, job), workers)

    assert {(await jobs.get(job.id)).status for job in made} == {Status.DONE}
    assert workers.log().count("jobs: waiting.") == 1


async def test_attempts_are_counted_by_what_came_of_them(workers, jobs):
    port = free_port()
    workers.set(metrics_address=f"127.0.0.1:{port}", webhook_networks="")
    workers.start(("-m", "render_service", "work"))
    job = await jobs.order(an_order(Kind.TIDY))
    await until(over(jobs, job), workers)

    def counted():
        said = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        (line,) = [one for one in said.splitlines() if one.startswith("render_service_jobs_total{")]
        return line

    assert 'render_service_kind="tidy"' in counted()
    assert 'render_service_result="done"' in counted()
    assert counted().endswith(" 1") or counted().endswith(" 1.0")
