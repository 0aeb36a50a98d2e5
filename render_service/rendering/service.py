"""The route from a plan to its rendition: memory, one flight, shared tiers, a turn, a render.

Every stop may find the rendition and none may change it; the key is derived once, here, and the
memory is asked before anything else can run.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from render_service.errors import RenderFailed, RenderServiceError
from render_service.pixels.compose import Canvas, draw
from render_service.pixels.encode import encode
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.raster import Raster
from render_service.pixels.resample import frame_of
from render_service.planning.key import RenderKey, derive_key
from render_service.planning.plan import Placement, RenderPlan
from render_service.rendering.coalesce import Flight, Flights
from render_service.rendering.executor import RenderExecutor
from render_service.rendering.memory import Memory
from render_service.rendering.ports import AssetSource, RenderLease
from render_service.rendering.rasters import Layers, Rasters
from render_service.rendering.rendition import Rendition, make_rendition
from render_service.rendering.tiers import Tiers
from render_service.rendering.turns import Turn, Turns

TIMINGS_KEPT: Final = 1024
"""Renders whose timings `explain` can still show: some 200 kB."""


class Timings(Struct, frozen=True, kw_only=True):
    """Where the time of one render went, in milliseconds.

    Attributes:
        queue_ms: Waiting for a render thread.
        fetch_ms: Reading the layer files that were not at hand.
        compose_ms: Decoding, scaling, painting and drawing.
        encode_ms: Encoding.
        store_ms: Keeping it in memory and handing it to the tiers, which store behind the answer.
    """

    queue_ms: float
    fetch_ms: float
    compose_ms: float
    encode_ms: float
    store_ms: float

    @property
    def server_timing(self) -> str:
        """As in Server-Timing."""
        return (
            f"queue;dur={self.queue_ms:.1f}, fetch;dur={self.fetch_ms:.1f}, "
            f"compose;dur={self.compose_ms:.1f}, encode;dur={self.encode_ms:.1f}, "
            f"store;dur={self.store_ms:.1f}"
        )


class Served(Struct, frozen=True, kw_only=True):
    """A rendition and how it was come by.

    Attributes:
        rendition: The picture.
        source: `memory`, the name of a tier, or `render` for one made now.
        stored: Whether one made now is kept anywhere.
        collapsed: Whether it came from a flight that was already under way.
        timings: Of the render, for one made now.
    """

    rendition: Rendition
    source: str
    stored: bool = False
    collapsed: bool = False
    timings: Timings | None = None


class RenderService:
    """Finds or makes the rendition of a plan. Owned by one event loop.

    Args:
        memory: Renditions of this process.
        tiers: Renditions shared with others.
        executor: Bounds what is drawn at once.
        rasters: Layers kept ready.
        source: Where layer files are read from.
        limits: Bounds of a plan and of its files.
        lease: By which processes agree who renders; None: each for itself.
    """

    def __init__(
        self,
        *,
        memory: Memory,
        tiers: Tiers,
        executor: RenderExecutor,
        rasters: Rasters,
        source: AssetSource,
        limits: Limits,
        lease: RenderLease | None = None,
    ) -> None:
        self.memory, self.tiers = memory, tiers
        self._executor, self._rasters = executor, rasters
        self._source, self._limits = source, limits
        self._flights: Flights[Served] = Flights()
        self._turns = Turns(tiers, lease)
        self._timings: OrderedDict[RenderKey, Timings] = OrderedDict()

    async def render(self, plan: RenderPlan) -> Served:
        """Return the rendition of `plan`, from the nearest place that has it.

        Raises:
            Overloaded: It must be made, and the bounded queue is full.
            AssetFailure: A layer file is missing or cannot be used.
            InvalidPlan: The plan is over a limit.
            RenderFailed: Drawing or encoding failed for a reason of our own.
        """
        key = derive_key(plan)
        # No await between these two lines: a finished flight is always seen as a hit, so a key is
        # never rendered twice at once in this process.
        if (held := self.held(key)) is not None:
            return held
        served, joined = await self._flights.run(
            key, lambda flight: self._find_or_make(key, plan, flight)
        )
        return _collapsed(served) if joined else served

    def held(self, key: RenderKey) -> Served | None:
        """Return the rendition under `key` if memory holds it. Never waits."""
        rendition = self.memory.get(key)
        return None if rendition is None else Served(rendition=rendition, source="memory")

    async def draw(self, plan: RenderPlan) -> Canvas:
        """Return the picture of `plan` before encoding; it takes a place like any render.

        Raises:
            Overloaded: The bounded queue is full.
            AssetFailure: A layer file is missing or cannot be used.
            InvalidPlan: The plan is over a limit.
        """
        check_plan(plan, self._limits)
        async with self._executor.place():
            tile = await self._gather(plan)
            return await self._executor.run(lambda: draw(plan, tile))

    def last_timings(self, key: RenderKey) -> Timings | None:
        """Return where the time of the last render of `key` went, if it was here and lately."""
        return self._timings.get(key)

    async def close(self) -> None:
        """Finish what is under way, store what is waiting, let go of threads and tiers."""
        await self._flights.settle()
        # Before the claims, each of which is held until what was made under it is stored.
        await self.tiers.finish()
        await self._turns.close()
        await self.tiers.close()
        await self._executor.close()

    async def _find_or_make(
        self, key: RenderKey, plan: RenderPlan, flight: Flight[Served]
    ) -> Served:
        if (found := await self.tiers.find(key)) is not None:
            return self._keep(key, *found)
        check_plan(plan, self._limits)
        async with self._turns.turn(key) as turn:
            if turn.found is not None:
                return self._keep(key, *turn.found)
            asked_s = time.perf_counter()
            async with self._executor.place():
                flight.begin()
                return await self._make(key, plan, turn, queued_s=time.perf_counter() - asked_s)

    def _keep(self, key: RenderKey, rendition: Rendition, tier: str) -> Served:
        self.memory.put(key, rendition)
        return Served(rendition=rendition, source=tier)

    async def _make(
        self, key: RenderKey, plan: RenderPlan, turn: Turn, *, queued_s: float
    ) -> Served:
        started_s = time.perf_counter()
        tile = await self._gather(plan)
        fetched_s = time.perf_counter()
        rendition, compose_s, encode_s = await self._executor.run(lambda: _draw(plan, tile))
        drawn_s = time.perf_counter()
        in_memory = self.memory.put(key, rendition)
        turn.storing = self.tiers.store(key, rendition)
        timings = Timings(
            queue_ms=1000 * queued_s,
            fetch_ms=1000 * (fetched_s - started_s),
            compose_ms=1000 * compose_s,
            encode_ms=1000 * encode_s,
            store_ms=1000 * (time.perf_counter() - drawn_s),
        )
        self._note(key, timings)
        stored = in_memory or turn.storing is not None
        return Served(rendition=rendition, source="render", stored=stored, timings=timings)

    async def _gather(self, plan: RenderPlan) -> Callable[[Placement], Raster]:
        """Read the layer files that are not at hand; return what gives each layer."""
        layers = Layers(self._rasters, plan.placements, frame_of(plan), self._limits.decode)
        found = await asyncio.gather(*(self._source.read(asset) for asset in layers.assets))
        files = dict(zip(layers.assets, found, strict=True))
        return lambda placement: layers.tile(placement, files)

    def _note(self, key: RenderKey, timings: Timings) -> None:
        self._timings[key] = timings
        self._timings.move_to_end(key)
        if len(self._timings) > TIMINGS_KEPT:
            self._timings.popitem(last=False)


def _collapsed(served: Served) -> Served:
    return replace(served, collapsed=True)


def _draw(plan: RenderPlan, tile: Callable[[Placement], Raster]) -> tuple[Rendition, float, float]:
    """Draw and encode: the rendition, seconds of drawing, seconds of encoding. Blocks.

    Raises:
        RenderFailed: Something that no error of ours foresees went wrong; chained to it.
    """
    output = plan.output
    try:
        started_s = time.perf_counter()
        canvas = draw(plan, tile)
        drawn_s = time.perf_counter()
        body = encode(canvas, output)
        encoded_s = time.perf_counter()
    except RenderServiceError:
        raise
    except Exception as error:
        raise RenderFailed(f"The picture could not be drawn: {error!r}.") from error
    rendition = make_rendition(body, output.format, output.width_px, output.height_px)
    return rendition, drawn_s - started_s, encoded_s - drawn_s
