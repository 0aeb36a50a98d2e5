"""What is live is no garbage: collections pass it by."""

import asyncio
import contextlib
import gc

from render_service.http.living import _set_aside
from render_service.releases.live import LivePlanner
from tests.builders import build_planner


def is_gone_through(planner):
    return any(found is planner.catalogue for found in gc.get_objects())


async def test_a_collection_passes_by_what_is_live_and_what_becomes_live():
    first, second = build_planner(), build_planner()
    live = LivePlanner(first)
    running = asyncio.create_task(_set_aside(live))
    try:
        await asyncio.sleep(0)
        assert not is_gone_through(first)
        assert not running.done()

        live.swap(second)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not is_gone_through(second)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        gc.unfreeze()
