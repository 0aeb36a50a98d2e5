"""A worker process whose handlers leave traces: what `render-service work` is, with other jobs.

Effects are rows without a key, so one that happens twice is seen.
"""

import asyncio
import os

from render_service.adapters.child_process import run_in_child
from render_service.environment import read_settings
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind
from render_service.workers.runner import run_worker
from tests.workers.burning import burn

EFFECT = "INSERT INTO effect (job, what) VALUES ($1::text::uuid, $2)"
PAUSES_S = (0.05, 0.1)


class Handlers:
    """Of one process, on its database."""

    def __init__(self, database):
        self._database = database

    async def effect(self, task):
        """An effect in the transaction that ends the job; killed at any instant before or after."""
        await asyncio.sleep(task.job.payload.get("before_s", 0))
        await self._note(task, "effect", finish=True)
        await asyncio.sleep(task.job.payload.get("after_s", 0))

    async def steps(self, task):
        """Ten steps, each kept with its effect."""
        for step in range((task.job.state or {"step": 0})["step"], 10):
            await task.report(step, 10, f"step {step}")

            async def work(connection, step=step):
                await task.keep(connection, {"step": step + 1})
                await connection.execute(EFFECT, task.job.id, f"step {step}")

            await self._database.write(work)
            await asyncio.sleep(task.job.payload.get("step_s", 0))
        return "all steps"

    async def poison(self, _):
        raise ValueError("cannot be done")

    async def sleep(self, task):
        await self._note(task, "begun")
        await asyncio.sleep(task.job.payload["seconds"])
        await self._note(task, "awake", finish=True)

    async def heavy(self, task):
        return await run_in_child(burn, task.job.payload["seconds"], limit_s=30)

    async def _note(self, task, what, finish=False):
        async def work(connection):
            if finish:
                await task.finish(connection, what)
            else:
                await task.hold(connection)
            await connection.execute(EFFECT, task.job.id, what)

        await self._database.write(work)


def doings_of(_, database):
    handlers, words = Handlers(database), {"limit_s": 30.0, "pauses_s": PAUSES_S}
    return {
        Kind.RENDER: Doing(handle=handlers.effect, at_once=4, **words),
        Kind.IMPORT: Doing(handle=handlers.steps, at_once=2, **words),
        Kind.PUBLISH: Doing(handle=handlers.poison, **words),
        Kind.MEDIA: Doing(handle=handlers.sleep, **words),
        Kind.INGEST: Doing(handle=handlers.heavy, **words),
        Kind.TIDY: Doing(handle=handlers.sleep, limit_s=0.3, pauses_s=()),
    }


if __name__ == "__main__":
    asyncio.run(run_worker(read_settings(os.environ), doings_of))
