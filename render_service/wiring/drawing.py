"""What draws: catalogue, tiers, executor, and the render service made of them.

Everything is built from values, once, in the order it depends on; nothing below reads a setting.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from render_service.adapters.catalogue_folder import (
    CatalogueFolder,
    FolderAssets,
    load_catalogue,
    read_catalogue,
)
from render_service.adapters.file_tier import FileTier
from render_service.adapters.raster_files import RasterFiles
from render_service.adapters.redis_changes import RedisChanges
from render_service.adapters.redis_connection import connect_redis
from render_service.adapters.redis_lease import RedisLease
from render_service.adapters.redis_tier import RedisTier
from render_service.composition.definition import MeasuredDefinition
from render_service.errors import Fault
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import DecodeLimits, Limits
from render_service.planning.planner import Planner
from render_service.planning.signatures import Signer, parse_keys
from render_service.rendering.breaker import GuardedLease, GuardedTier
from render_service.rendering.executor import RenderExecutor
from render_service.rendering.memory import Memory
from render_service.rendering.popularity import Popularity
from render_service.rendering.ports import AssetSource, RenditionTier
from render_service.rendering.rasters import Rasters
from render_service.rendering.service import RenderService
from render_service.rendering.tiers import Tiers
from render_service.settings import CORES, Settings
from render_service.telemetry.beside import least_renders_beside, renders_under_way

_log = logging.getLogger(__name__)

PENDING_SHARE = 4
"""Renditions waiting to be stored may take 1/4 of what memory may hold."""

BYTES_A_PIXEL = 4
"""No format of ours takes more, so no picture in the bucket is larger than its largest canvas."""


DEMO = "compositions"
"""The catalogue in a clone, where people start."""

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
        measured: Composition → what its calibrated qualities were measured on.
    """

    planner: Planner
    assets: FolderAssets
    limits: Limits
    measured: Mapping[str, MeasuredDefinition]


class Drawn(Protocol):
    """What a render service needs of what it draws: a studio, or the supply of a server."""

    @property
    def assets(self) -> AssetSource:
        """Reads its layer files."""
        ...

    @property
    def limits(self) -> Limits:
        """Bounds of every plan and file."""
        ...


def open_studio(settings: Settings, folder: Path | None = None) -> Studio:
    """Read the catalogue in `folder`, by default the one the settings name.

    Raises:
        InvalidCatalogue: Everything wrong with it.
    """
    return _build_studio(settings, load_catalogue(folder or catalogue_folder(settings)))


def catalogue_folder(settings: Settings) -> Path:
    """Return the folder that commands work on where none is named: the demo's, unless set."""
    return Path(settings.catalogue or DEMO)


def read_studio(settings: Settings, folder: Path) -> tuple[Studio, tuple[Fault, ...]]:
    """Read what can be read of the catalogue in `folder`: for its check; return its faults too."""
    found = read_catalogue(folder)
    return _build_studio(settings, found), found.faults


def _build_studio(settings: Settings, found: CatalogueFolder) -> Studio:
    return Studio(
        planner=Planner(found.catalogue, PROFILES),
        assets=FolderAssets(found.files, settings.asset_bytes_max),
        limits=build_limits(settings),
        measured=found.measured,
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


def build_signer(settings: Settings) -> Signer:
    """Return who signs addresses and knows signatures.

    Raises:
        InvalidSetting: A key is none.
    """
    return Signer(parse_keys(settings.signing_keys))


def build_service(settings: Settings, studio: Drawn) -> RenderService:
    """Return the render service of this process; call it inside the event loop that will own it.

    Raises:
        InvalidSetting: The URL of Redis is none.
        TierUnavailable: The data folder cannot be used.
    """
    lease = _lease(settings)
    counts = Path(settings.metrics_folder) if settings.metrics_folder else None
    shared = [
        GuardedTier(tier, pause_s=settings.breaker_pause_s) for tier in _shared_tiers(settings)
    ]
    return RenderService(
        memory=Memory(budget_bytes=settings.memory_tier_bytes),
        tiers=Tiers(shared, pending_budget_bytes=settings.memory_tier_bytes // PENDING_SHARE),
        executor=RenderExecutor(
            threads=settings.render_threads,
            queue_s=settings.queue_s,
            deadline_s=settings.deadline_s,
            nice=settings.render_nice,
            beside=lambda: least_renders_beside(counts),
        ),
        rasters=Rasters(budget_bytes=settings.raster_cache_bytes, store=_raster_store(settings)),
        source=studio.assets,
        limits=studio.limits,
        lease=lease,
        watched=[part.note for part in (*shared, lease) if part is not None],
        room=lambda: max(1, CORES - 1) - renders_under_way(counts),
    )


def build_popularity(settings: Settings) -> Popularity:
    """Return what shoppers change to; call it inside the event loop that will own it.

    Raises:
        InvalidSetting: The URL of Redis is none.
    """
    if not settings.redis_url:
        return Popularity()
    store = RedisChanges(connect_redis(settings.redis_url), timeout_s=settings.redis_timeout_s)
    return Popularity(store, pause_s=settings.breaker_pause_s)


def try_data_folder(settings: Settings) -> None:
    """Make the data folder and what the file tier needs in it.

    Raises:
        TierUnavailable: It cannot be made or used.
    """
    if settings.file_tier_bytes:
        FileTier(settings.data, budget_bytes=settings.file_tier_bytes)


def _raster_store(settings: Settings) -> RasterFiles | None:
    """Return the store of layers; a disk that cannot be used costs it and nothing else."""
    if not settings.raster_store_bytes:
        return None
    try:
        return RasterFiles(settings.data / "rasters", budget_bytes=settings.raster_store_bytes)
    except OSError as error:
        _log.warning("no layers are kept on disk: %s", error)
        return None


def _lease(settings: Settings) -> GuardedLease | None:
    if not settings.redis_url:
        return None
    lease = RedisLease(
        connect_redis(settings.redis_url),
        lease_s=settings.lease_s,
        timeout_s=settings.redis_timeout_s,
    )
    return GuardedLease(lease, pause_s=settings.breaker_pause_s)


def _shared_tiers(settings: Settings) -> Iterator[RenditionTier]:
    """Yield the stores of renditions that the settings name, nearest first."""
    if settings.redis_url:
        yield RedisTier(
            connect_redis(settings.redis_url),
            timeout_s=settings.redis_timeout_s,
            expiry_s=settings.redis_expiry_s,
            value_bytes_max=settings.redis_value_bytes_max,
        )
    if settings.file_tier_bytes:
        yield FileTier(settings.data, budget_bytes=settings.file_tier_bytes)
    if settings.s3_bucket:
        # Here, because botocore takes half a second to import and 20 MB to hold.
        from render_service.adapters.s3_tier import S3Tier

        yield S3Tier(
            bucket=settings.s3_bucket,
            endpoint=settings.s3_endpoint,
            timeout_s=settings.s3_timeout_s,
            object_bytes_max=settings.canvas_pixels_max * BYTES_A_PIXEL,
        )
