"""Settings → live objects: the only place where adapters meet ports.

Everything is built from values, once, in the order it depends on; nothing below reads a setting.
"""

from pathlib import Path

from msgspec import Struct

from render_service.adapters.catalogue_folder import (
    CatalogueFolder,
    FolderAssets,
    load_catalogue,
    read_catalogue,
)
from render_service.adapters.file_tier import FileTier
from render_service.errors import Fault
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import DecodeLimits, Limits
from render_service.planning.planner import Planner
from render_service.rendering.executor import RenderExecutor
from render_service.rendering.memory import Memory
from render_service.rendering.ports import RenditionTier
from render_service.rendering.rasters import Rasters
from render_service.rendering.service import RenderService
from render_service.rendering.tiers import Tiers
from render_service.settings import Settings

PENDING_SHARE = 4
"""Renditions waiting to be stored may take 1/4 of what memory may hold."""


PAGES = 6
"""Pages of a layer file: a basis has at most six nodes."""

CANVASES = 12
"""All layers of a picture together, in canvases: two painted stones among flat layers."""


class Studio(Struct, frozen=True, kw_only=True):
    """A catalogue that can be planned and its layer files: what drawing needs, without serving.

    Attributes:
        planner: Plans its pictures.
        assets: Reads its layer files.
        limits: Bounds of every plan and file.
    """

    planner: Planner
    assets: FolderAssets
    limits: Limits


def open_studio(settings: Settings, folder: Path | None = None) -> Studio:
    """Read the catalogue in `folder`, by default the one the settings name.

    Raises:
        InvalidCatalogue: Everything wrong with it.
    """
    return _build_studio(settings, load_catalogue(folder or settings.catalogue))


def read_studio(settings: Settings, folder: Path) -> tuple[Studio, tuple[Fault, ...]]:
    """Read what can be read of the catalogue in `folder`: for its check; return its faults too."""
    found = read_catalogue(folder)
    return _build_studio(settings, found), found.faults


def _build_studio(settings: Settings, found: CatalogueFolder) -> Studio:
    return Studio(
        planner=Planner(found.catalogue, PROFILES),
        assets=FolderAssets(found.files, settings.asset_bytes_max),
        limits=build_limits(settings),
    )


def build_limits(settings: Settings) -> Limits:
    """Return the bounds of plans and layer files."""
    return Limits(
        max_canvas_pixels=settings.canvas_pixels_max,
        max_output_pixels=settings.canvas_pixels_max,
        max_layers=settings.layers_max,
        max_layer_pixels=CANVASES * settings.canvas_pixels_max,
        decode=DecodeLimits(
            max_bytes=settings.asset_bytes_max, max_pixels=PAGES * settings.canvas_pixels_max
        ),
    )


def build_service(settings: Settings, studio: Studio) -> RenderService:
    """Return the render service of this process; call it inside the event loop that will own it.

    Raises:
        TierUnavailable: The data folder cannot be used.
    """
    shared: list[RenditionTier] = []
    if settings.file_tier_bytes:
        shared.append(FileTier(settings.data, budget_bytes=settings.file_tier_bytes))
    return RenderService(
        memory=Memory(budget_bytes=settings.memory_tier_bytes),
        tiers=Tiers(shared, pending_budget_bytes=settings.memory_tier_bytes // PENDING_SHARE),
        executor=RenderExecutor(
            threads=settings.render_threads, queue_length=settings.queue_length
        ),
        rasters=Rasters(budget_bytes=settings.raster_cache_bytes),
        source=studio.assets,
        limits=studio.limits,
    )
