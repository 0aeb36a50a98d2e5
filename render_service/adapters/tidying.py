"""What has expired is removed from the database, a thousand rows at a time.

The rule: each statement says itself what has expired, by the clock of the database, and removes at
most so many rows that nobody waits for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from render_service.adapters.postgres import Database
from render_service.jobs.model import JSON
from render_service.jobs.ports import Task

# Over for a month: longer than anybody asks what came of one.
TIDY_JOBS: Final = """
DELETE FROM shop.job WHERE id IN (
    SELECT id FROM shop.job WHERE ended_at < now() - interval '30 days' LIMIT 1000
)
"""

# A week: as long as somebody may ask what was told. The row of a live job is how it is told again.
TIDY_OUTBOX: Final = """
DELETE FROM shop.outbox WHERE id IN (
    SELECT told.id FROM shop.outbox told WHERE told.sent_at < now() - interval '7 days'
        AND NOT EXISTS (
            SELECT FROM shop.job WHERE job.ticket = told.id AND job.status IN ('queued', 'running')
        ) LIMIT 1000
)
"""

# As long as jobs: a delivery is looked up with its job.
TIDY_DELIVERIES: Final = """
DELETE FROM shop.delivery WHERE id IN (
    SELECT id FROM shop.delivery
    WHERE status <> 'waiting' AND updated_at < now() - interval '30 days' LIMIT 1000
)
"""

EXPIRED: Final[Mapping[str, str]] = {
    "deliveries": TIDY_DELIVERIES,
    "jobs": TIDY_JOBS,
    "outbox": TIDY_OUTBOX,
}
"""What is removed → the statement that removes some of it."""


class Tidying:
    """Handles jobs of `Kind.TIDY`.

    Args:
        database: What the statements are for.
        sweeps: What is removed → what removes all of it elsewhere, and returns how many.
    """

    def __init__(
        self, database: Database, sweeps: Mapping[str, Callable[[], Awaitable[int]]] | None = None
    ) -> None:
        self._database, self._sweeps = database, sweeps or {}

    async def handle(self, task: Task) -> JSON:
        """Remove everything that has expired; return how many rows, by what they were."""
        removed = dict.fromkeys(EXPIRED, 0)
        for done, (name, statement) in enumerate(EXPIRED.items()):
            await task.report(done, len(EXPIRED), name)
            while count := await self._remove(statement):
                removed[name] += count
        for name, sweep in self._sweeps.items():
            await task.report(len(EXPIRED), len(EXPIRED), name)
            removed[name] = await sweep()
        return removed

    async def _remove(self, statement: str) -> int:
        said, _ = await self._database.write(lambda connection: connection.execute(statement))
        return int(said.rpartition(" ")[2])
