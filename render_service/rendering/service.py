"""The route from a plan to its rendition: memory, one flight, shared tiers, a turn, a render.

Every stop may find the rendition and none may change it; the key is derived once, here, and the
memory is asked before anything else can run.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from render_service.errors import RenderServiceError
from render_service.formats import Format
from render_service.pixels.compose import Canvas, draw
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.raster import Raster
from render_service.pixels.resample import frame_of
from render_service.planning.key import RenderKey, derive_key
from render_service.planning.plan import Placement, RenderPlan
from render_service.rendering.behind import Behind
from render_service.rendering.coalesce import Flight, Flights
from render_service.rendering.cost import drawing_of, work_of
from render_service.rendering.drawing import draw_and_encode
from render_service.rendering.entry import Expectation
from render_service.rendering.executor import RenderExecutor
from render_service.rendering.giving_way import GivingWay
from render_service.rendering.guesses import Planned
from render_service.rendering.layers import Layers
from render_service.rendering.memory import Memory
from render_service.rendering.ports import AssetSource, RenderLease
from render_service.rendering.rasters import Rasters
from render_service.rendering.rendition import Rendition
from render_service.rendering.served import Served, Timings
from render_service.rendering.tiers import Tiers
from render_service.rendering.turns import Turn, Turns
from render_service.telemetry import instruments, spans

TIMINGS_KEPT: Final = 1024
"""Renders whose timings `explain` can still show: some 200 kB."""


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
        watched: Called once in a while, to note how what stands behind ports is.
        room: Cores that are left for what nobody asked for: below 1 none of it is begun, below 0
            what has begun stands aside.
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
        watched: Sequence[Callable[[], None]] = (),
        room: Callable[[], int] = lambda: 1,
    ) -> None:
        self.memory, self.tiers = memory, tiers
        self._executor, self._rasters = executor, rasters
        self._source, self._limits = source, limits
        self._flights: Flights[Served] = Flights()
        self._turns = Turns(tiers, lease)
        self._watched, self._room = tuple(watched), room
        self._behind = Behind(
            spare=executor.spare,
            make=lambda plan: self.render(plan, behind=True),
            is_held=lambda key: key in memory,
            is_crowded=lambda: room() < 1,
        )
        self._timings: OrderedDict[RenderKey, Timings] = OrderedDict()

    async def render(self, plan: RenderPlan, *, behind: bool = False) -> Served:
        """Return the rendition of `plan`, from the nearest place that has it.

        Args:
            plan: What to find or make.
            behind: Nobody waits for it: it may delay no request.

        Raises:
            Overloaded: It must be made, and cannot be in time.
            AssetFailure: A layer file is missing or cannot be used.
            InvalidPlan: The plan is over a limit.
            RenderFailed: Drawing or encoding failed for a reason of our own.
        """
        key = derive_key(plan)
        # No await between these two lines: a finished flight is always seen as a hit, so a key is
        # never rendered twice at once in this process.
        held = self.held(key)
        if not behind:
            instruments.lookups.add(1, "memory", "miss" if held is None else "hit")
        if held is not None:
            return held
        served, joined = await self._flights.run(
            key, lambda flight: self._find_or_make(key, plan, flight), urgent=not behind
        )
        return _collapsed(served) if joined else served

    def held(self, key: RenderKey) -> Served | None:
        """Return the rendition under `key` if memory holds it. Never waits."""
        rendition = self.memory.get(key)
        return None if rendition is None else Served(rendition=rendition, source="memory")

    async def find(self, key: RenderKey) -> Served | None:
        """Return the rendition under `key` from the nearest place that has it; nothing is drawn."""
        if (held := self.held(key)) is not None:
            return held
        found = await self.tiers.find(key)
        return None if found is None else self._keep(key, *found)

    def expect(self, plan: RenderPlan) -> Expectation:
        """Return what would become of a request that must make `plan` now. Never waits."""
        return self._executor.expect(work_of(plan, self._layers(plan)))

    @property
    def is_busy(self) -> bool:
        """Whether a picture that must be made would have to wait."""
        return self._executor.is_busy

    def wish(self, key: RenderKey, plan: RenderPlan) -> None:
        """Have `plan`, whose key is `key`, made when that delays no request."""
        self._behind.wish(key, plan)

    def foresee(self, at: RenderKey, pictures: Iterator[Planned]) -> None:
        """Have `pictures`, one of which may be asked for after `at`, made when all else is."""
        self._behind.guess(at, pictures)

    def note_asked(self, key: RenderKey) -> None:
        """Note that a request asks for `key`: drawing it ahead was right."""
        self._behind.note_asked(key)

    async def draw(self, plan: RenderPlan) -> Canvas:
        """Return the picture of `plan` before encoding, drawn when that delays no request.

        Raises:
            AssetFailure: A layer file is missing or cannot be used.
            InvalidPlan: The plan is over a limit.
        """
        check_plan(plan, self._limits)
        # Nothing runs between the end of waiting and the taking of the place.
        await self._executor.spare()
        async with self._executor.place(drawing_of(plan, self._layers(plan)), behind=True):
            tile = await self._gather(self._layers(plan), behind=True)
            return await self._executor.run(lambda: draw(plan, tile), behind=True)

    def last_timings(self, key: RenderKey) -> Timings | None:
        """Return where the time of the last render of `key` went, if it was here and lately."""
        return self._timings.get(key)

    def note_gauges(self) -> None:
        """Note what is held and what is under way, to be seen. Takes some microseconds."""
        admission = self._executor.admission
        instruments.held_bytes.set(self.memory.used_bytes, "renditions")
        instruments.held_bytes.set(self._rasters.used_bytes, "rasters")
        instruments.held_bytes.set(self.tiers.pending_bytes, "storing")
        instruments.queue.set(admission.waiting_s, "waiting")
        instruments.queue.set(admission.queue_s * admission.threads, "bound")
        instruments.flights.set(len(self._flights))
        for note in self._watched:
            note()

    async def close(self) -> None:
        """Finish what is under way, store what is waiting, let go of threads and tiers."""
        await self._behind.close()
        await self._flights.settle()
        # Before the claims, each of which is held until what was made under it is stored.
        await self.tiers.finish()
        await self._turns.close()
        await self.tiers.close()
        await self._executor.close()
        await asyncio.to_thread(self._rasters.close)

    async def _find_or_make(
        self, key: RenderKey, plan: RenderPlan, flight: Flight[Served]
    ) -> Served:
        with spans.stage("flight", key=key, format=plan.output.format):
            flight.traced = spans.current()
            asked_s = time.monotonic()
            if (found := await self.tiers.find(key)) is not None:
                return self._keep(key, *found)
            check_plan(plan, self._limits)
            looked_s = time.perf_counter()
            async with self._turns.turn(key) as turn:
                spans.past("turn", looked_s, time.perf_counter())
                if turn.found is not None:
                    instruments.coalesced.add(1, "fleet")
                    return self._keep(key, *turn.found)
                work, queued_s = work_of(plan, self._layers(plan)), time.perf_counter()
                async with self._executor.place(
                    work, asked_s=asked_s, behind=not flight.urgent
                ) as place:
                    begun_s = time.perf_counter()
                    spans.past("queue", queued_s, begun_s)
                    flight.begin()
                    # Looked up again: what was missing may be there since, or gone.
                    layers = self._layers(plan)
                    place.revise(work_of(plan, layers))
                    aside = flight if place.is_behind else None
                    queued_s = begun_s - queued_s
                    return await self._make(key, plan, turn, layers, queued_s=queued_s, aside=aside)

    def _keep(self, key: RenderKey, rendition: Rendition, tier: str) -> Served:
        self.memory.put(key, rendition)
        return Served(rendition=rendition, source=tier)

    async def _make(
        self,
        key: RenderKey,
        plan: RenderPlan,
        turn: Turn,
        layers: Layers,
        *,
        queued_s: float,
        aside: Flight[Served] | None,
    ) -> Served:
        """Draw and keep it; `aside` is the flight of one that gives way while nobody waits."""
        behind = aside is not None
        try:
            started_s = time.perf_counter()
            with spans.stage("fetch"):
                tile = await self._gather(layers, behind=behind)
            if aside is not None:
                tile = GivingWay(tile, is_pressed=self._is_pressed, is_wanted=lambda: aside.urgent)
            fetched_s = time.perf_counter()
            drawn = await self._executor.run(lambda: draw_and_encode(plan, tile), behind=behind)
        except RenderServiceError as error:
            instruments.renders.add(1, plan.output.format, type(error).__name__)
            raise
        rendition, landed_s = drawn.rendition, time.perf_counter()
        spans.past("compose", drawn.started_s, drawn.composed_s)
        spans.past("encode", drawn.composed_s, drawn.encoded_s)
        in_memory = self.memory.put(key, rendition)
        turn.storing = self.tiers.store(key, rendition)
        timings = drawn.timings(queued_s, fetched_s - started_s, time.perf_counter() - landed_s)
        self._note(key, timings)
        _count(plan.output.format, timings)
        return Served(
            rendition=rendition,
            source="render",
            stored=in_memory or turn.storing is not None,
            timings=timings,
            move=self._executor.is_sooner_beside,
        )

    def _layers(self, plan: RenderPlan) -> Layers:
        """Look up which layers of `plan` are at hand."""
        return Layers(self._rasters, plan.placements, frame_of(plan), self._limits.decode)

    def _is_pressed(self) -> bool:
        """Whether requests need the processor, here or elsewhere. Called on the thread behind."""
        return self._executor.admission.running > 0 or self._room() < 0

    async def _gather(self, layers: Layers, *, behind: bool) -> Callable[[Placement], Raster]:
        """Read the layer files that are not at hand; return what gives each layer."""
        if layers.is_stored:
            await self._executor.run(layers.load, behind=behind)
        layers.count()
        found = await asyncio.gather(*(self._source.read(asset) for asset in layers.assets))
        files = dict(zip(layers.assets, found, strict=True))
        return lambda placement: layers.tile(placement, files)

    def _note(self, key: RenderKey, timings: Timings) -> None:
        self._timings[key] = timings
        self._timings.move_to_end(key)
        if len(self._timings) > TIMINGS_KEPT:
            self._timings.popitem(last=False)


def _collapsed(served: Served) -> Served:
    return replace(served, collapsed=True, move=False)


def _count(file_format: Format, timings: Timings) -> None:
    instruments.renders.add(1, file_format, "made")
    for stage, took_ms in timings.stages:
        instruments.stages.record(took_ms / 1000, stage, file_format)
