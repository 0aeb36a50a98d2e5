"""A blurred stand-in for each view, small enough to be part of a page.

A placeholder is drawn from the view's default plan like any picture, 32 pixels wide, behind
everything else: one that is not ready is left out, and nothing waits for it.
"""

import asyncio
import base64
import logging
from typing import Final, Protocol

import thumbhash  # type: ignore[import-untyped]  # ships no types
from msgspec.structs import replace

from render_service.errors import RenderServiceError
from render_service.planning.key import RenderKey
from render_service.planning.plan import RenderPlan
from render_service.planning.request import height_for

_log = logging.getLogger(__name__)

WIDTH_PX: Final = 32
"""A ThumbHash keeps at most seven waves along a side; 32 pixels hold them four times over."""


class Canvas(Protocol):
    """What is needed of a drawn canvas: [height, width, bands] of 8-bit display values."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and bands."""
        ...

    def tolist(self) -> list[list[list[int]]]:
        """Return the values as nested lists."""
        ...


class Drawer(Protocol):
    """What draws a plan without encoding it: the render service."""

    async def draw(self, plan: RenderPlan) -> Canvas:
        """Return the canvas of `plan`, once there is room; requests come first."""
        ...


class Placeholders:
    """ThumbHashes of plans, by the key of the plan given."""

    def __init__(self) -> None:
        self._hashes: dict[RenderKey, str] = {}

    def get(self, key: RenderKey) -> str | None:
        """Return the placeholder of the plan of that key: ThumbHash, base64; None if not made."""
        return self._hashes.get(key)

    async def fill(self, drawer: Drawer, plans: dict[RenderKey, RenderPlan]) -> None:
        """Make the placeholders of `plans`, one after the other; failures are logged.

        Those of other plans are forgotten: they belong to views that are no longer shown.
        """
        self._hashes = {key: made for key, made in self._hashes.items() if key in plans}
        for key, plan in plans.items():
            if key in self._hashes or plan.alpha:
                # thumbhash 0.1.2 fails on transparency; such a view has a bare background.
                continue
            try:
                canvas = await drawer.draw(_small(plan))
            except RenderServiceError as error:
                _log.warning("no placeholder for %s: %s", key, error)
            else:
                self._hashes[key] = await asyncio.to_thread(make_placeholder, canvas)


def make_placeholder(canvas: Canvas) -> str:
    """Return the ThumbHash of an opaque canvas of at most 100 pixels a side, base64."""
    height, width = canvas.shape[:2]
    rgba = [sample for row in canvas.tolist() for pixel in row for sample in (*pixel[:3], 255)]
    return base64.b64encode(bytes(thumbhash.rgba_to_thumb_hash(width, height, rgba))).decode()


def _small(plan: RenderPlan) -> RenderPlan:
    height_px = height_for(WIDTH_PX, plan.canvas_width_px, plan.canvas_height_px)
    # Three times as high as wide is the most a ThumbHash's 100 pixels take.
    size = {"width_px": WIDTH_PX, "height_px": min(height_px, 3 * WIDTH_PX)}
    return replace(plan, output=replace(plan.output, **size))
