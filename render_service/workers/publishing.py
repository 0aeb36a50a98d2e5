"""Publishing by a job, which needs all of a service: what is live, what draws, and the drafts."""

from typing import Final

import msgspec

from render_service.adapters.postgres import Database
from render_service.drafts.publishing import Asked
from render_service.drafts.warming import PublishOrder, publish_warm
from render_service.errors import InvalidSetting
from render_service.jobs.doing import Doing
from render_service.jobs.model import JSON
from render_service.jobs.ports import Task
from render_service.settings import Settings
from render_service.supply import open_workshop
from render_service.workers.drawing import open_drawing

_PUBLISH_S: Final = 3600.0
"""A thousand pictures at 3 s each, on a machine that serves beside it."""


def publish_doing(settings: Settings, database: Database) -> Doing:
    """Return how a draft is published by a job. Asks nobody yet."""

    async def handle(task: Task) -> JSON:
        return await _publish(settings, database, task)

    return Doing(handle=handle, limit_s=_PUBLISH_S)


async def _publish(settings: Settings, database: Database, task: Task) -> JSON:
    """Publish a draft whose pictures are drawn first.

    Done twice, the second time finds it live and changes nothing.
    """
    order = msgspec.convert(task.job.payload, PublishOrder)
    async with open_drawing(settings) as drawing:
        workshop = open_workshop(drawing.settings, database, drawing.supply)
        if workshop is None:
            raise InvalidSetting(
                "RENDER_CATALOGUE names a folder, and what is published is served from a store."
            )
        asked = Asked(draft=order.draft, revision=order.revision, over=order.over, who=task.job.by)
        live = drawing.supply.planner.current
        try:
            warmed = await publish_warm(
                workshop.publishing, drawing.service, live, asked, task.report
            )
        finally:
            await workshop.close()
    return msgspec.to_builtins(warmed)
