"""The queue keeps tickets and the time; what it forgets is told of again."""

import asyncio
import contextlib
import time

import pytest

from render_service.adapters.job_queue import CLOCK, GivenBack, JobQueue, QueueWorker, Ticket
from render_service.adapters.relay import Relay
from render_service.adapters.tidying import Tidying
from render_service.adapters.webhook_table import spread
from render_service.errors import InvalidSetting, QueueUnavailable
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind, Order
from tests.servers import redis_program, run_redis

EACH_SECOND = "* * * * * *"


@pytest.fixture
async def tickets(queue):
    queue_ = JobQueue(queue.url)
    yield queue_
    await queue_.close()


@contextlib.asynccontextmanager
async def taking(queue, name, process, **words):
    """Take what is in a queue while the test looks at it."""
    worker = QueueWorker(queue.url, name, process, at_once=1, lock_s=2, **words)
    running = asyncio.ensure_future(worker.run())
    try:
        yield
    finally:
        await worker.close()
        await running


async def until(holds, within_s=15):
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.02)


def ticket(name, priority=5):
    return Ticket(id=name, kind=Kind.RENDER, priority=priority)


async def test_a_ticket_that_is_added_twice_is_taken_once(queue, tickets):
    taken = []

    async def process(name, _):
        taken.append(name)

    await tickets.add([ticket("a"), ticket("b"), ticket("a")])
    await tickets.add([ticket("a")])
    async with taking(queue, Kind.RENDER, process):
        await until(lambda: len(taken) == 2)
        await asyncio.sleep(0.3)
    assert sorted(taken) == ["a", "b"]


async def test_a_ticket_that_is_to_be_taken_again_is_after_its_pause(queue, tickets):
    taken = []

    async def process(_, __):
        taken.append(time.monotonic())
        return 1.0 if len(taken) == 1 else None

    await tickets.add([ticket("a")])
    async with taking(queue, Kind.RENDER, process):
        await until(lambda: len(taken) == 2)
    assert taken[1] - taken[0] > 0.9


async def test_a_ticket_that_is_given_back_is_taken_by_another(queue, tickets):
    taken = []

    async def give_back(_, __):
        taken.append("first")
        raise GivenBack

    async def take(_, __):
        taken.append("second")

    await tickets.add([ticket("a")])
    async with taking(queue, Kind.RENDER, give_back):
        await until(lambda: taken)
    async with taking(queue, Kind.RENDER, take):
        await until(lambda: "second" in taken)


async def test_the_clock_goes_on_and_is_set_again_where_it_was_lost(queue, tickets):
    told = []

    async def process(_, kind):
        told.append(kind)

    await tickets.keep_time({Kind.TIDY: EACH_SECOND})
    await tickets.keep_time({Kind.TIDY: EACH_SECOND})
    async with taking(queue, CLOCK, process):
        await until(lambda: len(told) >= 3)
        queue.empty()
        await tickets.keep_time({Kind.TIDY: EACH_SECOND})
        count = len(told)
        await until(lambda: len(told) >= count + 2)
    assert set(told) == {Kind.TIDY}


async def test_jobs_that_the_queue_forgot_are_told_of_again(queue, tickets, database, jobs):
    taken = []

    async def process(name, _):
        taken.append(name)

    relay = Relay(database, tickets, spread)
    await jobs.order(Order(kind=Kind.RENDER, payload={}, by="anna"))
    assert await relay.send() == 1
    queue.empty()
    await relay.offer_again()
    assert await relay.send() == 0
    await relay.offer_again(silent_s=0)
    assert await relay.send() == 1
    async with taking(queue, Kind.RENDER, process):
        await until(lambda: taken)


async def test_while_the_queue_is_away_nothing_counts_as_sent(queue, database, jobs):
    away = JobQueue("redis://127.0.0.1:1/0")
    await jobs.order(Order(kind=Kind.RENDER, payload={}, by="anna"))
    with pytest.raises(QueueUnavailable):
        await Relay(database, away, spread).send()
    await away.close()
    back = JobQueue(queue.url)
    assert await Relay(database, back, spread).send() == 1
    await back.close()


@pytest.mark.parametrize(
    ("words", "is_refused"),
    [
        (["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"], True),
        (["--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru"], False),
        (["--maxmemory", "0", "--maxmemory-policy", "allkeys-lru"], False),
        (["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"], False),
    ],
)
async def test_a_server_that_would_drop_jobs_is_refused(tmp_path, words, is_refused):
    with run_redis(redis_program(), tmp_path, *words) as server:
        queue = JobQueue(server.url)
        if is_refused:
            with pytest.raises(InvalidSetting, match=r"allkeys-lru\), jobs among them"):
                await queue.check()
        else:
            await queue.check()
        await queue.close()


def test_an_address_that_is_none_is_refused_without_being_shown():
    with pytest.raises(InvalidSetting) as refused:
        JobQueue("redis://user:secret@host:port/0")
    assert "secret" not in str(refused.value)


def test_pauses_are_spread_and_the_last_one_stays():
    doing = Doing(handle=None, limit_s=1, pauses_s=(4.0, 40.0))
    assert doing.failures_max == 3
    assert all(3 <= doing.pause_s(1) <= 5 for _ in range(100))
    assert all(30 <= doing.pause_s(number) <= 50 for number in (2, 3, 9))
    assert len({doing.pause_s(1) for _ in range(20)}) > 10


async def test_what_is_over_for_long_is_removed_and_what_is_live_stays(database, jobs):
    class Task:
        async def report(self, *_):
            pass

    live = await jobs.order(Order(kind=Kind.RENDER, payload={}, by="anna"))
    over = [await jobs.order(Order(kind=Kind.TIDY, payload={}, by="anna")) for _ in range(3)]
    for job in over:
        await jobs.cancel(job.id)
    await database.write(
        lambda connection: connection.execute(
            "UPDATE shop.job SET ended_at = ended_at - interval '31 days' WHERE ended_at < now()"
        )
    )
    await database.write(
        lambda connection: connection.execute(
            "UPDATE shop.outbox SET sent_at = now() - interval '8 days'"
        )
    )

    removed = await Tidying(database).handle(Task())

    assert (removed["jobs"], removed["outbox"]) == (3, 3)
    assert (await jobs.get(live.id)).id == live.id
