"""What receives, checks and keeps files: quarantine, its table, the store of assets.

Building asks nobody. Where there is no database nothing can be uploaded, and every route says so.
"""

from pathlib import Path
from typing import Final

from msgspec import Struct

from render_service.adapters.asset_store import ReleaseAssetStore
from render_service.adapters.photo_table import PhotoRows
from render_service.adapters.picture_checker import Bounds, PictureChecker
from render_service.adapters.postgres import Database
from render_service.adapters.quarantine_folder import QuarantineFolder
from render_service.adapters.release_assets import ReleaseAssets
from render_service.adapters.upload_table import UploadRows
from render_service.assets.ingest import Ingest
from render_service.assets.photos import Photos
from render_service.assets.policies import Policies
from render_service.assets.quarantine import Quarantine
from render_service.assets.sets import PhotoSets
from render_service.assets.uploads import Uploads
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits
from render_service.planning.request import LADDER_PX
from render_service.planning.signatures import parse_keys
from render_service.rendering.ports import AssetSource
from render_service.rendering.warming import Warming
from render_service.settings import Settings
from render_service.wiring.drawing import build_limits, build_service
from render_service.wiring.storing import BUCKET, open_store

QUARANTINE_PATH: Final = "/v1/assets/quarantine"
"""Where forms are posted that we receive ourselves."""


class Uploading(Struct, frozen=True, kw_only=True):
    """What uploads need of a process that serves.

    Attributes:
        uploads: Begins them and tells how they are; closed with the service.
        photos: Finds what was made of photographs.
        sets: Finds what their pictures are drawn from.
        receiving: The quarantine that is filled through us; None where it is a bucket.
    """

    uploads: Uploads
    photos: PhotoRows
    sets: PhotoSets | None
    receiving: QuarantineFolder | None

    async def close(self) -> None:
        """Let go of quarantine."""
        await self.uploads.close()


def build_uploading(
    settings: Settings, database: Database | None, sets: PhotoSets | None
) -> Uploading | None:
    """Return what uploads need; None without a database.

    Raises:
        InvalidSetting: A key is none.
    """
    if database is None:
        return None
    quarantine = build_quarantine(settings)
    return Uploading(
        uploads=Uploads(UploadRows(database), quarantine, bytes_max=settings.asset_bytes_max),
        photos=PhotoRows(database),
        sets=sets,
        receiving=quarantine if isinstance(quarantine, QuarantineFolder) else None,
    )


def build_quarantine(settings: Settings) -> Quarantine:
    """Return where uploads wait for their check.

    Raises:
        InvalidSetting: A key is none.
    """
    if settings.uploads.startswith(BUCKET):
        # Here, because botocore takes half a second to import and 20 MB to hold.
        from render_service.adapters.quarantine_bucket import QuarantineBucket

        return QuarantineBucket(
            bucket=settings.uploads.removeprefix(BUCKET),
            endpoint=settings.s3_endpoint,
            timeout_s=settings.releases_timeout_s,
        )
    return QuarantineFolder(
        Path(settings.uploads or settings.data / "uploads"),
        Policies(parse_keys(settings.signing_keys)),
        url=settings.public_url + QUARANTINE_PATH,
    )


def build_ingest(settings: Settings, database: Database) -> Ingest:
    """Return what checks uploads; call it inside the event loop that will own it.

    Raises:
        InvalidSetting: A key is none.
    """
    return Ingest(
        table=UploadRows(database),
        quarantine=build_quarantine(settings),
        store=ReleaseAssetStore(open_store(settings)),
        checker=build_checker(settings),
    )


def build_photos(settings: Settings, database: Database) -> Photos:
    """Return what makes photographs ready; call it inside the event loop that will own it.

    Raises:
        InvalidSetting: The URL of Redis is none.
        TierUnavailable: The data folder cannot be used.
    """
    store = open_store(settings)
    drawn = _Masters(
        assets=ReleaseAssets(store, settings.asset_bytes_max, lambda asset: asset),
        limits=build_limits(settings),
    )
    return Photos(
        table=PhotoRows(database),
        store=ReleaseAssetStore(store),
        maker=build_checker(settings),
        warm=Warming(build_service(settings, drawn), PROFILES).warm,
        bytes_max=settings.asset_bytes_max,
    )


class _Masters(Struct, frozen=True, kw_only=True):
    """What pictures of photographs are drawn from: implements `Drawn`."""

    assets: AssetSource
    limits: Limits


def build_checker(settings: Settings) -> PictureChecker:
    """Return what opens files of strangers; call it inside the event loop that will own it."""
    limits = build_limits(settings)
    return PictureChecker(
        Bounds(
            decode=limits.decode,
            width_max_px=LADDER_PX[-1],
            pixels_max=limits.max_canvas_pixels,
        )
    )
