"""What an attempt comes to is decided by its job's row, whatever its handler meets."""

import asyncpg
import pytest

from render_service.adapters.job_attempts import begin
from render_service.adapters.job_queue import JobQueue
from render_service.adapters.outbox import claim, mark_sent
from render_service.adapters.relay import Relay
from render_service.adapters.webhook_table import spread
from render_service.errors import DatabaseUnavailable
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind, Order, Status
from render_service.jobs.ports import Wanted
from render_service.workers.attempts import ATTEMPTS_MAX, Attempts


async def make_job(database, jobs):
    job = await jobs.order(Order(kind=Kind.RENDER, payload={}, by="anna"))

    async def work(connection):
        (row,) = await claim(connection, 10)
        await mark_sent(connection, [row.id])
        return row.id

    return job, (await database.write(work))[0]


def attempts(database, handle):
    return Attempts(database, {Kind.RENDER: Doing(handle=handle, limit_s=5, pauses_s=(0.1,))})


async def test_what_never_gets_the_database_is_parked_in_the_end(database, jobs):
    async def handle(_):
        raise DatabaseUnavailable("too slow, each time")

    job, ticket = await make_job(database, jobs)
    trying = attempts(database, handle)
    for _ in range(ATTEMPTS_MAX):
        with pytest.raises(DatabaseUnavailable):
            await trying.process(ticket, Kind.RENDER)
    assert await trying.process(ticket, Kind.RENDER) is None

    parked = await jobs.get(job.id)
    assert (parked.status, parked.failures) == (Status.FAILED, 0)
    assert parked.error == "The database cannot be used at the moment."


async def test_what_a_handler_finished_itself_is_what_came_of_it(database, jobs):
    async def handle(task):
        await database.write(lambda connection: task.finish(connection, "in the transaction"))
        return "returned"

    job, ticket = await make_job(database, jobs)
    assert await attempts(database, handle).process(ticket, Kind.RENDER) is None
    assert (await jobs.get(job.id)).result == "in the transaction"


async def test_a_result_that_cannot_be_kept_is_a_failure_and_says_so(database, jobs):
    async def handle(_):
        return object()

    job, ticket = await make_job(database, jobs)
    assert await attempts(database, handle).process(ticket, Kind.RENDER) is not None
    after = await jobs.get(job.id)
    assert (after.status, after.failures) == (Status.QUEUED, 1)
    assert "unsupported" in after.error


async def test_a_transaction_that_was_to_finish_a_job_and_failed_is_a_failure(database, jobs):
    async def handle(task):
        async def work(connection):
            await task.finish(connection, "done")
            raise ValueError("at the last moment")

        await database.write(work)

    job, ticket = await make_job(database, jobs)
    assert await attempts(database, handle).process(ticket, Kind.RENDER) > 0
    failed = await jobs.get(job.id)
    assert (failed.status, failed.result, failed.failures) == (Status.QUEUED, None, 1)


async def test_a_kind_that_a_newer_release_knows_waits_for_it(database, jobs, queue, url):
    await jobs.order(Order(kind=Kind.RENDER, payload={}, by="anna"))
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE shop.job SET kind = 'engrave'")
    await connection.close()
    tickets = JobQueue(queue.url)

    assert await Relay(database, tickets, spread).send() == 1

    await tickets.close()
    (job,) = (await jobs.list_jobs(Wanted(limit=5))).jobs
    assert (job.kind, job.status) == ("engrave", Status.QUEUED)
    assert any("engrave" in name for name in queue.names())


async def test_nothing_is_begun_by_a_ticket_that_is_nobodys(database):
    assert await begin(database, "00000000-0000-4000-8000-000000000000", ATTEMPTS_MAX) is None
