"""Drawing what a draft changes before it goes live: nobody waits for a picture of the release.

The rule: likeliest first, and no more than a bound; each picture takes the route that a request
takes, so what is there is found. Only then is the draft published, by whoever was asked to.
"""

from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from render_service.drafts.drafting import Ready
from render_service.drafts.publishing import Asked, Published, Publishing
from render_service.errors import AssetFailure, InvalidPlan, RenderFailed
from render_service.formats import Format
from render_service.jobs.model import Kind, Order
from render_service.planning.likely import Asked as Likely
from render_service.planning.likely import find_frames, likely_pictures
from render_service.planning.planner import PlannedImage, Planner
from render_service.rendering.service import RenderService

PICTURES_MAX: Final = 1_000
"""Pictures drawn for one publication: ten minutes at half a second each. Those beyond are drawn
as they are asked for."""

FORMATS: Final = (Format.AVIF, Format.WEBP)

Report = Callable[[int, int, str], Awaitable[None]]
"""Called with pictures done, pictures in all, and what is done, for people."""


class PublishOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A publication as a job carries it.

    Attributes:
        draft: Id of the draft.
        revision: That it has; another one is not published.
        over: As `publishing.Asked`.
    """

    draft: str
    revision: int
    over: str | UnsetType | None = UNSET


def order_of(asked: Asked, revision: int) -> Order:
    """Return the job of a publication; while it waits or runs, the same one is no other job."""
    payload = PublishOrder(draft=asked.draft, revision=revision, over=asked.over)
    return Order(
        kind=Kind.PUBLISH,
        payload=msgspec.to_builtins(payload),
        by=asked.who,
        key=f"{asked.draft}:{revision}",
    )


class Warmed(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        published: What is live.
        drawn: Pictures that were made, or found to be there.
        failed: Pictures that could not be drawn.
    """

    published: Published
    drawn: int
    failed: int


async def publish_warm(
    publishing: Publishing,
    service: RenderService,
    live: Planner,
    asked: Asked,
    report: Report,
) -> Warmed:
    """Draw what changes, then publish.

    Args:
        publishing: Publishes.
        service: Draws, patiently.
        live: Plans what is live: what keeps its key is there already.
        asked: The publication.
        report: Told how far it is; what it raises ends the work, and nothing is published.

    Raises:
        RenderServiceError: As `Publishing.publish`; what was drawn stays.
    """
    ready = await publishing.prepare(asked)
    pictures = list(islice(_changed(ready, live), PICTURES_MAX))
    drawn = failed = 0
    for number, planned in enumerate(pictures):
        await report(number, len(pictures), "drawing what changes")
        try:
            await service.render(planned.plan)
        except (AssetFailure, InvalidPlan, RenderFailed):
            # The check has passed: one picture of many is no reason to keep the others from going.
            failed += 1
        else:
            drawn += 1
    await service.tiers.settle()
    await report(len(pictures), len(pictures), "publishing")
    return Warmed(published=await publishing.publish(asked), drawn=drawn, failed=failed)


def _changed(ready: Ready, live: Planner) -> Iterator[PlannedImage]:
    """Yield the likeliest pictures that get another key, each once."""
    planner = ready.sound()
    frames = find_frames(planner, Likely())
    held = _keys(live, ready.draft.composition)
    for planned in likely_pictures(planner, frames, FORMATS, {}):
        if planned.key not in held:
            held.add(planned.key)
            yield planned


def _keys(live: Planner, composition: str) -> set[str]:
    """Return the keys of as many of the likeliest pictures as could be drawn, as they are now."""
    if composition not in live.catalogue.compositions:
        return set()
    frames = find_frames(live, Likely(compositions=(composition,)))
    found = likely_pictures(live, frames, FORMATS, {})
    return {planned.key for planned in islice(found, 10 * PICTURES_MAX)}
