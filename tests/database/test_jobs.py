"""Jobs are kept with the write that orders them, and every change of one is fenced."""

import asyncio

import pytest

from render_service.adapters.job_attempts import begin
from render_service.adapters.job_table import JobTable, order
from render_service.adapters.outbox import announce, claim, mark_sent
from render_service.errors import JobCancelled, JobNotParked, JobOver, Superseded, UnknownJob
from render_service.jobs.model import Event, Kind, Order, Status
from render_service.jobs.ports import Wanted

FAILURES_MAX = 3
ATTEMPTS_MAX = 5


def an_order(**changes):
    words = {"kind": Kind.RENDER, "payload": {"n": 1}, "by": "anna"} | changes
    return Order(**words)


@pytest.fixture
def jobs(database):
    return JobTable(database)


async def tickets(database):
    async def work(connection):
        rows = await claim(connection, 100)
        await mark_sent(connection, [row.id for row in rows])
        return [row.id for row in rows if row.topic == "job"]

    return (await database.write(work))[0]


async def begun(database, ticket=None):
    if ticket is None:
        (ticket,) = await tickets(database)
    return await begin(database, ticket, ATTEMPTS_MAX)


async def test_a_job_is_ordered_with_the_write_that_it_follows_from(database, jobs):
    made, _ = await database.write(lambda connection: order(connection, an_order()))

    job = await jobs.get(made)
    assert (job.kind, job.payload, job.status, job.by) == (
        Kind.RENDER,
        {"n": 1},
        Status.QUEUED,
        "anna",
    )
    assert len(await tickets(database)) == 1


async def test_a_write_that_is_rolled_back_leaves_neither_job_nor_event(database, jobs):
    async def work(connection):
        await order(connection, an_order())
        await announce(
            connection, Event(topic="product.created", subject="ring", payload={}, by="anna")
        )
        raise RuntimeError("at the last moment")

    with pytest.raises(RuntimeError):
        await database.write(work)
    found, _ = await database.write(lambda connection: claim(connection, 10))
    assert found == []
    assert (await jobs.list_jobs(Wanted(limit=10))).jobs == []


async def test_an_event_is_sent_as_it_was_announced(database):
    event = Event(topic="product.updated", subject="ring", payload={"revision": 3}, by="anna")
    made, _ = await database.write(lambda connection: announce(connection, event))

    (found,), _ = await database.write(lambda connection: claim(connection, 10))

    assert (found.id, found.topic, found.subject) == (made, "product.updated", "ring")
    assert (found.payload, found.by) == ({"revision": 3}, "anna")


async def test_two_relays_never_claim_the_same_row(database, jobs):
    for n in range(10):
        await jobs.order(an_order(key=str(n)))

    async def slowly(connection):
        rows = await claim(connection, 5)
        await asyncio.sleep(0.2)
        await mark_sent(connection, [row.id for row in rows])
        return [row.id for row in rows]

    both = await asyncio.gather(database.write(slowly), database.write(slowly))

    found = [row for rows, _ in both for row in rows]
    assert len(found) == len(set(found)) == 10


async def test_who_orders_what_is_live_gets_the_job_that_is_there(database, jobs):
    first, second = await jobs.order(an_order(key="a")), await jobs.order(an_order(key="a"))
    others = [await jobs.order(an_order(key="b")), await jobs.order(an_order(kind=Kind.MEDIA))]

    assert first.id == second.id
    assert first.id not in {job.id for job in others}
    assert len(await tickets(database)) == 3


async def test_many_who_order_the_same_at_once_get_one_job(database, jobs):
    made = await asyncio.gather(*(jobs.order(an_order(key="same")) for _ in range(12)))

    assert len({job.id for job in made}) == 1
    assert len(await tickets(database)) == 1


async def test_what_is_over_can_be_ordered_again(database, jobs):
    first = await jobs.order(an_order(key="a"))
    await (await begun(database)).end({"pictures": 3})

    again = await jobs.order(an_order(key="a"))

    assert again.id != first.id
    assert (await jobs.get(first.id)).result == {"pictures": 3}


async def test_a_job_that_another_attempt_took_is_closed_to_the_first(database, jobs):
    await jobs.order(an_order())
    (ticket,) = await tickets(database)
    first, second = await begun(database, ticket), await begun(database, ticket)

    with pytest.raises(Superseded):
        await first.report(1, 2)
    with pytest.raises(Superseded):
        await first.end(None)
    with pytest.raises(Superseded):
        await first.fail("late", FAILURES_MAX)
    with pytest.raises(Superseded):
        await first.give_back()
    with pytest.raises(Superseded):
        await database.write(first.hold)
    await second.end("done by the second")
    assert (await jobs.get(first.job.id)).result == "done by the second"


async def test_while_an_attempt_holds_its_job_no_other_begins(database, jobs):
    await jobs.order(an_order())
    (ticket,) = await tickets(database)
    first = await begun(database, ticket)
    holding, let_go = asyncio.Event(), asyncio.Event()

    async def effect(connection):
        await first.hold(connection)
        holding.set()
        await let_go.wait()
        await first.finish(connection, "first")

    writing = asyncio.ensure_future(database.write(effect))
    await holding.wait()
    other = asyncio.ensure_future(begun(database, ticket))
    await asyncio.sleep(0.1)
    assert not other.done()
    let_go.set()
    await writing

    assert await other is None
    assert (await jobs.get(first.job.id)).result == "first"


async def test_what_an_attempt_kept_is_there_for_the_next(database, jobs):
    await jobs.order(an_order())
    (ticket,) = await tickets(database)
    first = await begun(database, ticket)
    await database.write(lambda connection: first.keep(connection, {"row": 40}))

    second = await begun(database, ticket)

    assert second.job.state == {"row": 40}
    assert (first.job.state, second.job.attempts) == (None, 2)


async def test_an_attempt_that_fails_is_followed_by_others_until_the_job_is_parked(database, jobs):
    made = await jobs.order(an_order())
    (ticket,) = await tickets(database)

    said = [
        await (await begun(database, ticket)).fail(f"no. {n}\0", FAILURES_MAX) for n in range(3)
    ]

    assert said == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    job = await jobs.get(made.id)
    assert (job.error, job.failures, job.is_over) == ("no. 2", 3, True)
    assert await begun(database, ticket) is None


async def test_a_job_that_takes_its_workers_with_it_is_parked(database, jobs):
    made = await jobs.order(an_order())
    (ticket,) = await tickets(database)
    for _ in range(ATTEMPTS_MAX):
        assert await begun(database, ticket) is not None

    assert await begun(database, ticket) is None

    job = await jobs.get(made.id)
    assert job.status is Status.FAILED
    assert "its worker died each time" in job.error


async def test_a_job_that_was_given_back_is_as_if_it_was_not_begun(database, jobs):
    made = await jobs.order(an_order())
    await (await begun(database)).give_back()

    job = await jobs.get(made.id)

    assert (job.status, job.attempts) == (Status.QUEUED, 0)


async def test_a_job_that_waits_is_cancelled_at_once(database, jobs):
    made = await jobs.order(an_order())

    assert (await jobs.cancel(made.id)).status is Status.CANCELLED
    assert await begun(database) is None
    with pytest.raises(JobOver, match="is cancelled"):
        await jobs.cancel(made.id)


async def test_a_job_that_runs_is_cancelled_when_its_attempt_next_says_something(database, jobs):
    made = await jobs.order(an_order(key="a"))
    attempt = await begun(database)

    asked = await jobs.cancel(made.id)

    assert (asked.status, asked.cancel_asked) == (Status.RUNNING, True)
    with pytest.raises(JobCancelled):
        await attempt.report(1)
    with pytest.raises(JobCancelled):
        await database.write(attempt.hold)
    assert (await jobs.order(an_order(key="a"))).id != made.id
    await attempt.stop()
    assert (await jobs.get(made.id)).status is Status.CANCELLED


async def test_a_cancelled_job_whose_worker_died_ends_when_it_would_begin_again(database, jobs):
    made = await jobs.order(an_order())
    (ticket,) = await tickets(database)
    await begun(database, ticket)
    await jobs.cancel(made.id)

    assert await begun(database, ticket) is None

    assert (await jobs.get(made.id)).status is Status.CANCELLED


async def test_a_parked_job_is_retried_under_a_new_ticket(database, jobs):
    made = await jobs.order(an_order())
    (old,) = await tickets(database)
    await (await begun(database, old)).fail("broken", 1)

    again = await jobs.retry(made.id)

    assert (again.status, again.failures, again.error) == (Status.QUEUED, 0, "broken")
    assert await begun(database, old) is None
    assert (await begun(database)).job.id == made.id


async def test_only_a_parked_job_whose_key_is_free_is_retried(database, jobs):
    made = await jobs.order(an_order(key="a"))
    with pytest.raises(JobNotParked, match="only one that failed or was cancelled"):
        await jobs.retry(made.id)
    await (await begun(database)).fail("broken", 1)
    live = await jobs.order(an_order(key="a"))

    with pytest.raises(JobNotParked, match=f"the job {live.id} of the same key"):
        await jobs.retry(made.id)


@pytest.mark.parametrize(
    "given", ["", "x", "1", "8be743f2-74c0-4aad-835a-55597eacd23e", "a'; --", "\0", "ü" * 500]
)
async def test_a_job_that_is_not_there_is_said_to_be_unknown(jobs, given):
    for ask in (jobs.get, jobs.cancel, jobs.retry):
        with pytest.raises(UnknownJob):
            await ask(given)


async def test_jobs_are_listed_newest_first_page_by_page(database, jobs):
    made = [(await jobs.order(an_order(key=str(n)))).id for n in range(5)]
    other = await jobs.order(an_order(kind=Kind.TIDY))
    await jobs.cancel(made[0])

    page = await jobs.list_jobs(Wanted(limit=3, kind=Kind.RENDER))
    last = page.jobs[-1]
    rest = await jobs.list_jobs(Wanted(limit=3, kind=Kind.RENDER, after=(last.created, last.id)))

    assert [job.id for job in page.jobs + rest.jobs] == made[::-1]
    assert (page.has_more, rest.has_more) == (True, False)
    (cancelled,) = (await jobs.list_jobs(Wanted(limit=3, status=Status.CANCELLED))).jobs
    assert cancelled.id == made[0]
    assert (await jobs.list_jobs(Wanted(limit=1))).jobs[0].id == other.id
