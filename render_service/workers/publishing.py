"""Publishing by a job, which needs all of a service: what is live, what draws, and the drafts.

The rule: a job opens what it needs and closes it, as a command does; a worker that has none holds
nothing of it.
"""

import dataclasses
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from render_service.adapters.postgres import Database
from render_service.drafts.publishing import Asked
from render_service.drafts.warming import PublishOrder, publish_warm
from render_service.errors import InvalidSetting
from render_service.jobs.doing import Doing
from render_service.jobs.model import JSON
from render_service.jobs.ports import Task
from render_service.settings import MIB, Settings
from render_service.supply import open_supply, open_workshop
from render_service.wiring import build_service

MEMORY_BYTES: Final = 64 * MIB
"""As of `warm`: nobody asks this process for a picture again."""

PATIENCE_S: Final = 600.0
"""Likewise: nobody waits for these pictures, and none is refused for being late."""

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
    if not (settings.redis_url or settings.file_tier_bytes or settings.s3_bucket):
        raise InvalidSetting(
            "Nothing keeps what is drawn ahead: set RENDER_FILE_TIER_BYTES, RENDER_REDIS_URL or "
            "RENDER_S3_BUCKET as the servers have it."
        )
    patient = dataclasses.replace(
        settings, queue_s=PATIENCE_S, deadline_s=PATIENCE_S, memory_tier_bytes=MEMORY_BYTES
    )
    supply = open_supply(patient)
    workshop = open_workshop(patient, database, supply)
    if workshop is None or supply.follower is None:
        raise InvalidSetting(
            "RENDER_CATALOGUE names a folder, and what is published is served from a store."
        )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(supply.follower.close)
        stack.push_async_callback(workshop.close)
        await supply.follower.start()
        service = build_service(patient, supply)
        stack.push_async_callback(service.close)
        asked = Asked(draft=order.draft, revision=order.revision, over=order.over, who=task.job.by)
        warmed = await publish_warm(
            workshop.publishing, service, supply.planner.current, asked, task.report
        )
    return msgspec.to_builtins(warmed)
