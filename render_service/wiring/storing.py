"""Where documents and files that never change are kept: the store of releases."""

from pathlib import Path
from typing import Final

from render_service.adapters.release_folder import ReleaseFolder
from render_service.releases.ports import ReleaseStore
from render_service.settings import Settings

BUCKET: Final = "s3://"


def open_store(settings: Settings) -> ReleaseStore:
    """Return the store that `settings` publish to."""
    if settings.releases.startswith(BUCKET):
        # Here, because botocore takes half a second to import and 20 MB to hold.
        from render_service.adapters.release_bucket import ReleaseBucket

        return ReleaseBucket(
            bucket=settings.releases.removeprefix(BUCKET),
            endpoint=settings.s3_endpoint,
            timeout_s=settings.releases_timeout_s,
        )
    return ReleaseFolder(Path(settings.releases or settings.data / "published"))
