"""What an application lives with: opened before its first request, closed after its last.

Each is a context, so that what was opened is closed in the opposite order, whatever fails.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from render_service.http.manifests import Manifests
from render_service.http.next_clicks import Foresight
from render_service.planning.planner import Planner
from render_service.releases.follow import Follower
from render_service.releases.live import LivePlanner
from render_service.rendering.placeholders import Placeholders
from render_service.rendering.popularity import Popularity
from render_service.rendering.service import RenderService
from render_service.telemetry.pulse import pulse
from render_service.telemetry.running import Telemetry


class Closable(Protocol):
    """What has to be closed."""

    async def close(self) -> None:
        """Finish what is under way, and let go of everything."""


@asynccontextmanager
async def all_closed(*parts: Closable | None) -> AsyncIterator[None]:
    """Close `parts` at the end, the last one first."""
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(closing(part))
        yield


@asynccontextmanager
async def opened(
    planner: LivePlanner,
    service: RenderService,
    telemetry: Telemetry,
    follower: Follower | None,
    foresight: Foresight,
) -> AsyncIterator[None]:
    """Live with what draws: read what is live first, and close everything at the end."""
    # What is being drawn may still read from the store that the follower holds open.
    async with (
        stopped(telemetry),
        closing(follower),
        closing(service),
        counted(foresight.popularity),
        followed(follower, planner),
        behind(pulse(foresight.note_gauges)),
    ):
        yield


@asynccontextmanager
async def followed(follower: Follower | None, planner: LivePlanner) -> AsyncIterator[None]:
    """Read what is live before the first request, and follow it until the last."""
    async with AsyncExitStack() as stack:
        if follower is not None:
            await follower.start()
            await stack.enter_async_context(behind(follower.run()))
        await stack.enter_async_context(behind(_set_aside(planner)))
        yield


async def _set_aside(planner: LivePlanner) -> None:
    """Keep what is live, and whatever becomes live, out of the collections of garbage to come.

    One through all of a thousand compositions takes 45 ms, in which nothing is answered. What was
    live before is taken in again, so that it goes once nothing needs it.
    """
    current = planner.current
    while True:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        current = await planner.wait_for_another(current)


async def keep_placeholders(
    planner: LivePlanner,
    placeholders: Placeholders,
    service: RenderService,
    manifests_of: Callable[[Planner], Manifests],
) -> None:
    """Make the placeholders of what is live, and of whatever becomes live."""
    current = planner.current
    while True:
        plans = {one.key: one.plan for one in manifests_of(current).default_plans()}
        await placeholders.fill(service, plans)
        current = await planner.wait_for_another(current)


@asynccontextmanager
async def closing(held: Closable | None) -> AsyncIterator[None]:
    """Close `held` at the end, if there is any."""
    try:
        yield
    finally:
        if held is not None:
            await held.close()


@asynccontextmanager
async def counted(popularity: Popularity) -> AsyncIterator[None]:
    """Have counted what shoppers change to, to the last of them."""
    async with closing(popularity), behind(popularity.run()):
        yield


@asynccontextmanager
async def stopped(telemetry: Telemetry) -> AsyncIterator[None]:
    """Stop telemetry at the end."""
    try:
        yield
    finally:
        await asyncio.to_thread(telemetry.stop)


@asynccontextmanager
async def behind(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do `work` behind the answers, until there are none to come."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
