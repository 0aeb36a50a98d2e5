"""Drawing ahead by a job: the likeliest pictures of a composition, for as long as was ordered.

The rule: each takes the route that a request takes, so what is there costs a look, and a job that
is begun anew goes on where it was.
"""

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from render_service.errors import AssetFailure, InvalidPlan, RenderFailed, UnknownComposition
from render_service.jobs.doing import Doing
from render_service.jobs.model import JSON
from render_service.jobs.ports import Task
from render_service.jobs.warming import SECONDS_MAX, WarmOrder
from render_service.planning.likely import Asked, count_pictures, find_frames, likely_pictures
from render_service.planning.planner import PlannedImage
from render_service.settings import Settings
from render_service.wiring import build_popularity
from render_service.workers.drawing import Drawing, open_drawing

_LIMIT_S: Final = 2.0 * SECONDS_MAX
"""Beyond what is ordered there is the picture under way, and reading what is live."""


def warm_doing(settings: Settings) -> Doing:
    """Return how pictures are drawn ahead by a job. Asks nobody yet."""

    async def handle(task: Task) -> JSON:
        async with open_drawing(settings) as drawing:
            return await _warm(drawing, task)

    return Doing(handle=handle, limit_s=_LIMIT_S)


async def _warm(drawing: Drawing, task: Task) -> JSON:
    order = msgspec.convert(task.job.payload, WarmOrder)
    until_s = time.monotonic() + order.seconds
    planner, asked = drawing.supply.planner.current, Asked(compositions=(order.composition,))
    try:
        frames = find_frames(planner, asked)
    except UnknownComposition:
        # Published without it since: there is nothing to draw, now or at another attempt.
        return {"drawn": 0, "failed": 0, "complete": True}
    popularity = build_popularity(drawing.settings)
    try:
        counts = {order.composition: await popularity.refresh(order.composition)}
    finally:
        await popularity.close()
    total = count_pictures(frames, asked.formats).shown
    drawn = failed = 0
    is_complete = True
    for number, planned in enumerate(
        _each_once(likely_pictures(planner, frames, asked.formats, counts))
    ):
        if time.monotonic() > until_s:
            is_complete = False
            break
        await task.report(number, total, "drawing ahead")
        try:
            await drawing.service.render(planned.plan)
        except (AssetFailure, InvalidPlan, RenderFailed):
            failed += 1
        else:
            drawn += 1
    await drawing.service.tiers.settle()
    return {"drawn": drawn, "failed": failed, "complete": is_complete}


def _each_once(pictures: Iterator[PlannedImage]) -> Iterator[PlannedImage]:
    """Yield each picture that has a key of its own."""
    seen = set()
    for planned in pictures:
        if planned.key not in seen:
            seen.add(planned.key)
            yield planned
