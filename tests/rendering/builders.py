"""Real parts, small: renditions, tiers of our own port, a service over a small catalogue."""

import asyncio
import hashlib

from render_service.adapters.catalogue_folder import FolderAssets, load_catalogue
from render_service.errors import TierUnavailable
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits
from render_service.planning.key import RenderKey
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.rendering.executor import RenderExecutor
from render_service.rendering.memory import Memory
from render_service.rendering.rasters import Rasters
from render_service.rendering.rendition import make_rendition
from render_service.rendering.service import RenderService
from render_service.rendering.tiers import Tiers

MIB = 2**20


def key(name: object, extension: str = "webp") -> RenderKey:
    return RenderKey(f"{hashlib.sha256(str(name).encode()).hexdigest()}.{extension}")


def rendition(body: bytes = b"picture", file_format: Format = Format.WEBP):
    return make_rendition(body, file_format, 40, 30)


async def until(happened):
    """Let the others go on until `happened()`."""
    for _ in range(10_000):
        if happened():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")


class FakeTier:
    """A tier of our own port that remembers what it was asked, and can be made to fail or wait."""

    def __init__(self, name="fake"):
        self.name = name
        self.held = {}
        self.asked = []
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(self, key):
        self.asked.append(key)
        if self.failing:
            raise TierUnavailable("The fake tier is away.")
        return self.held.get(key)

    async def put(self, key, rendition):
        await self.gate.wait()
        if self.failing:
            raise TierUnavailable("The fake tier is away.")
        self.held[key] = rendition

    async def close(self):
        self.held.clear()


class WatchedAssets:
    """Layer files that count how often they are read, and wait at a gate first."""

    def __init__(self, assets):
        self._assets = assets
        self.reads = 0
        self.reading = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, asset):
        self.reads += 1
        self.reading.set()
        await self.gate.wait()
        return await self._assets.read(asset)


class Workshop:
    """A render service over the catalogue in `folder`, and its parts in reach."""

    def __init__(
        self,
        folder,
        *,
        tiers=(),
        threads=2,
        queue_s=60.0,
        deadline_s=60.0,
        memory_bytes=MIB,
        lease=None,
        raster_store=None,
    ):
        found = load_catalogue(folder)
        self.planner = Planner(found.catalogue, PROFILES)
        self.assets = WatchedAssets(FolderAssets(found.files, 64 * MIB))
        self.memory = Memory(budget_bytes=memory_bytes)
        self.executor = RenderExecutor(threads=threads, queue_s=queue_s, deadline_s=deadline_s)
        self.tiers = Tiers(tiers, pending_budget_bytes=MIB)
        self.rasters = Rasters(budget_bytes=64 * MIB, store=raster_store)
        self.service = RenderService(
            memory=self.memory,
            tiers=self.tiers,
            executor=self.executor,
            rasters=self.rasters,
            source=self.assets,
            limits=Limits(),
            lease=lease,
        )

    def plan(self, width_px=160, file_format=Format.WEBP, view="hero", **selection):
        request = RenderRequest(
            composition="ring",
            view=view,
            region=None,
            selection=tuple(selection.items()),
            width_px=width_px,
            format=file_format,
        )
        return self.planner.plan(request)
