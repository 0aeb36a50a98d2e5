"""What draws, for jobs: opened for one job and closed with it.

The rule: a worker that draws nothing holds nothing of it, and nobody waits for what a job draws, so
no picture of it is refused for being late.
"""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from msgspec import Struct

from render_service.errors import InvalidSetting
from render_service.rendering.service import RenderService
from render_service.settings import MIB, Settings
from render_service.supply import Supply, open_supply
from render_service.wiring import build_service

MEMORY_BYTES: Final = 64 * MIB
"""As of `warm`: nobody asks this process for a picture again."""

PATIENCE_S: Final = 600.0
"""Likewise: nobody waits for these pictures, and none is refused for being late."""


class Drawing(Struct, frozen=True, kw_only=True):
    """What draws.

    Attributes:
        settings: Of a worker that has time.
        supply: What is live.
        service: Draws it, and shares it by its tiers.
    """

    settings: Settings
    supply: Supply
    service: RenderService


@asynccontextmanager
async def open_drawing(settings: Settings) -> AsyncIterator[Drawing]:
    """Open what draws, with what is live now; closed at the end.

    Raises:
        InvalidSetting: Nothing keeps what is drawn.
        ReleasesUnavailable: What is live cannot be read.
    """
    if not (settings.redis_url or settings.file_tier_bytes or settings.s3_bucket):
        raise InvalidSetting(
            "Nothing keeps what is drawn ahead: set RENDER_FILE_TIER_BYTES, RENDER_REDIS_URL or "
            "RENDER_S3_BUCKET as the servers have it."
        )
    patient = dataclasses.replace(
        settings, queue_s=PATIENCE_S, deadline_s=PATIENCE_S, memory_tier_bytes=MEMORY_BYTES
    )
    supply = open_supply(patient)
    async with AsyncExitStack() as stack:
        if supply.follower is not None:
            stack.push_async_callback(supply.follower.close)
            await supply.follower.start()
        service = build_service(patient, supply)
        stack.push_async_callback(service.close)
        yield Drawing(settings=patient, supply=supply, service=service)
