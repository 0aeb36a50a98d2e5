"""Workers are killed at random while a thousand jobs are done: every effect is there once."""

import asyncio
import random

from render_service.adapters.job_table import order
from render_service.jobs.model import Kind, Order
from tests.workers.conftest import until

JOBS = 1000
WORKERS = 3
SEED = 20261123

COUNTS = """
SELECT count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE attempts > 1) AS again,
    count(*) FILTER (WHERE status IN ('failed', 'cancelled')) AS lost, count(*) AS all
FROM shop.job
"""

# Of jobs of one step, one effect; of jobs of ten, one of each.
WRONG = """
SELECT job.id, job.kind, count(effect.what) FROM shop.job LEFT JOIN effect ON effect.job = job.id
GROUP BY job.id, job.kind
HAVING count(effect.what) <> CASE job.kind WHEN 'import' THEN 10 ELSE 1 END
    OR count(DISTINCT effect.what) <> count(effect.what)
"""


async def test_a_thousand_jobs_have_their_effects_once_whoever_is_killed(workers, database):
    chance = random.Random(SEED)  # noqa: S311  # a test's dice

    async def order_all(connection):
        for number in range(JOBS):
            kind = Kind.IMPORT if number % 50 == 0 else Kind.RENDER
            payload = {
                "before_s": chance.random() * 0.04,
                "after_s": chance.random() * 0.04,
                "step_s": 0.05,
            }
            await order(connection, Order(kind=kind, payload=payload, by="chaos"))

    async def counts():
        return await database.read(lambda connection: connection.fetchrow(COUNTS))

    async def all_over():
        found = await counts()
        return found["done"] + found["lost"] == JOBS

    async def kill_now_and_then():
        while True:
            await asyncio.sleep(1 + 2 * chance.random())
            chosen = chance.choice([one for one in workers.running if one.poll() is None])
            chosen.kill()
            workers.start()

    await database.write(order_all)
    for _ in range(WORKERS):
        workers.start()
    killing = asyncio.ensure_future(kill_now_and_then())
    try:
        await until(all_over, workers, within_s=100)
    finally:
        killing.cancel()

    found = await counts()
    assert (found["done"], found["lost"]) == (JOBS, 0)
    assert await database.read(lambda connection: connection.fetch(WRONG)) == []
    # Otherwise nothing was tried.
    assert found["again"] > 10
