"""Settings → what is served: a folder as it stands, or the live release of the store.

The rule: both come as one planner and one source of layer files, and nobody behind them can tell
which it is.
"""

import asyncio
import logging
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from render_service.adapters.asset_store import ReleaseAssetStore
from render_service.adapters.draft_table import DraftTable
from render_service.adapters.either_assets import EitherAssets
from render_service.adapters.kept_releases import KeptReleases
from render_service.adapters.postgres import Database
from render_service.adapters.redis_connection import connect_redis
from render_service.adapters.redis_news import RedisNews
from render_service.adapters.release_assets import ReleaseAssets
from render_service.adapters.release_folder import ReleaseFolder
from render_service.assets.sets import PhotoSets
from render_service.composition.catalogue import Catalogue
from render_service.drafts.drafting import Drafting
from render_service.drafts.previewing import Previews
from render_service.drafts.publishing import Publishing
from render_service.drafts.studio import DraftStudio
from render_service.drafts.workshop import Workshop
from render_service.errors import TierUnavailable
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits
from render_service.planning.planner import Planner
from render_service.planning.signatures import parse_keys
from render_service.releases.archive import Archive
from render_service.releases.follow import Follower
from render_service.releases.live import LivePlanner
from render_service.releases.ports import ReleaseNews, ReleaseStore
from render_service.rendering.ports import AssetSource
from render_service.settings import EMBEDDED, Settings
from render_service.wiring import BUCKET as BUCKET
from render_service.wiring import build_limits, open_studio
from render_service.wiring import open_store as open_store

_log = logging.getLogger(__name__)

NEWS_TIMEOUT_S: Final = 2.0
"""News are not on the way to a picture, so they may take longer than a look into Redis: the time
between two looks, which find out anyway."""


class Supply(Struct, frozen=True, kw_only=True):
    """What is served.

    Attributes:
        planner: Plans its pictures.
        assets: Reads its layer files.
        limits: Bounds of every plan and file.
        follower: Keeps the planner at the live state; None where a folder is served.
        sets: Finds sets of photographs; None where none are uploaded.
    """

    planner: LivePlanner
    assets: AssetSource
    limits: Limits
    follower: Follower | None
    sets: PhotoSets | None = None


def open_supply(settings: Settings) -> Supply:
    """Return what `settings` serve; a live release is read when its follower starts.

    Raises:
        InvalidCatalogue: Everything wrong with the folder.
        InvalidSetting: The URL of Redis is none.
    """
    if settings.catalogue:
        studio = open_studio(settings)
        planner = LivePlanner(studio.planner)
        return _with_photographs(
            settings,
            Supply(planner=planner, assets=studio.assets, limits=studio.limits, follower=None),
        )
    store = open_serving_store(settings)
    planner = LivePlanner(archive=Archive(store))
    follower = Follower(
        store=store,
        planner=planner,
        profiles=PROFILES,
        poll_s=settings.releases_poll_s,
        news=open_news(settings),
    )
    assets = ReleaseAssets(
        store, settings.asset_bytes_max, lambda asset: name_asset(planner.current, asset)
    )
    return Supply(
        planner=planner,
        assets=assets,
        limits=build_limits(settings),
        follower=follower,
        sets=PhotoSets(ReleaseAssetStore(store)),
    )


def _with_photographs(settings: Settings, supply: Supply) -> Supply:
    """Return what a folder serves, and the photographs beside it, if any are uploaded."""
    if not settings.database_url:
        return supply
    store = open_serving_store(settings)
    masters = ReleaseAssets(store, settings.asset_bytes_max, lambda asset: asset)
    return replace(
        supply,
        assets=EitherAssets(supply.assets, masters),
        sets=PhotoSets(ReleaseAssetStore(store)),
    )


async def read_live_catalogue(settings: Settings) -> Catalogue:
    """Return the catalogue that is served at this moment.

    Raises:
        InvalidCatalogue: Everything wrong with the folder.
        NothingPublished: There is no live release.
        ReleaseUnreadable: It cannot be read.
        ReleasesUnavailable: The store of releases could not be asked.
    """
    supply = open_supply(settings)
    if supply.follower is None:
        return supply.planner.current.catalogue
    try:
        await supply.follower.start()
        return supply.planner.current.catalogue
    finally:
        await supply.follower.close()


def try_supply(settings: Settings) -> None:
    """Read once what would be served.

    Raises:
        InvalidCatalogue: Everything wrong with the folder.
        NothingPublished: There is no live release; says what to type.
        ReleaseUnreadable: It cannot be read.
        ReleasesUnavailable: The store of releases could not be asked.
    """

    async def read() -> None:
        follower = open_supply(settings).follower
        if follower is not None:
            try:
                await follower.start()
            finally:
                await follower.close()

    asyncio.run(read())


def open_workshop(settings: Settings, database: Database | None, supply: Supply) -> Workshop | None:
    """Return where drafts of what is served are worked on; None where nothing is published.

    Raises:
        InvalidSetting: A key is none.
    """
    if database is None or supply.follower is None:
        return None
    previews = Previews(parse_keys(settings.signing_keys), preview_s=settings.draft_preview_s)
    drafting = Drafting(
        DraftTable(database), open_store(settings), profiles=PROFILES, previews=previews
    )
    studio = DraftStudio(supply.assets, supply.limits, nice=settings.render_nice)
    publishing = Publishing(drafting, studio.check, lambda: tell_news(settings))
    return Workshop(drafting=drafting, studio=studio, publishing=publishing)


async def tell_news(settings: Settings) -> None:
    """Tell those who serve that another state is live; whoever misses it finds out by looking."""
    news = open_news(settings)
    if news is None:
        return
    try:
        await news.announce()
    except TierUnavailable as error:
        _log.warning("no news of a release are sent: %s", error)
    finally:
        await news.close()


def open_serving_store(settings: Settings) -> ReleaseStore:
    """Return the store that `settings` serve from: one far away behind copies on this disk."""
    store = open_store(settings)
    if isinstance(store, ReleaseFolder):
        return store
    return KeptReleases(
        store,
        settings.data / "kept" / settings.releases.removeprefix(BUCKET),
        budget_bytes=settings.kept_assets_bytes,
        pause_s=settings.breaker_pause_s,
    )


def open_news(settings: Settings) -> ReleaseNews | None:
    """Return who tells of new releases, where there is a Redis that others can reach too."""
    if settings.redis_url in ("", EMBEDDED):
        return None
    return RedisNews(connect_redis(settings.redis_url), timeout_s=NEWS_TIMEOUT_S)


def name_asset(planner: Planner, asset: str) -> str:
    """Return `<composition>/<file>` of a layer file that `planner` draws with, else its digest."""
    for composition, files in planner.catalogue.assets.items():
        for name, digest in files.items():
            if digest == asset:
                return f"{composition}/{name}"
    return asset
