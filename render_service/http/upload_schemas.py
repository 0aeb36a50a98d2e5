"""What the routes of uploads take and give: the shapes that OpenAPI shows."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from render_service.assets.model import (
    Announced,
    Asset,
    AssetKind,
    Facts,
    Focus,
    MediaType,
    Upload,
    UploadStatus,
)
from render_service.assets.quarantine import Form
from render_service.errors import RefusedFor

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]


class UploadIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to upload.

    Attributes:
        name: As you call it; shown to people and used for nothing.
        kind: `layer`: of compositions, kept exactly as it is. `photo`: of products, made ready to
            be shown.
        media_type: What it is; its content has to agree.
        bytes: Its length, at most RENDER_ASSET_BYTES_MAX.
        sha256: Its digest, 64 hex digits in lower case.
        focus: Of a photograph: the point that matters most. Left out, it is found.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\x00-\x1f\x7f]*$")]
    kind: AssetKind
    media_type: MediaType
    bytes: Annotated[int, Meta(ge=1, le=2**32)]
    sha256: Sha256
    focus: Focus | None = None

    def announced(self) -> Announced:
        """Return it as it is kept."""
        return Announced(
            name=self.name,
            kind=self.kind,
            media_type=self.media_type,
            bytes=self.bytes,
            sha256=self.sha256,
            focus=self.focus,
        )


class UploadBegun(Struct, frozen=True, kw_only=True):
    """An upload, and the form its file is sent with.

    Attributes:
        id: Of the upload.
        url: Where the form is posted, as multipart/form-data: `fields` first, `file` last.
        fields: The form's fields, to be sent as they are.
        expires: Until when the file may begin to be sent, UTC.
        href: The upload.
    """

    id: str
    url: str
    fields: dict[str, str]
    expires: datetime
    href: str


class UploadOut(Struct, frozen=True, kw_only=True):
    """An upload as it stands.

    Attributes:
        id: Of the upload.
        href: Its address.
        name: As it was announced.
        kind: Likewise.
        media_type: Likewise.
        bytes: Likewise.
        sha256: Likewise; once it is accepted, what it is kept under.
        status: `waiting` for its file, `expired` where that did not come, `checking`, `accepted`,
            `refused`.
        reason: Why it was refused, for programs.
        explanation: The same, for who made the file, and what to do.
        job: Address of the job that checks it; null before it is complete.
        asset: Address of the file's facts; null unless it is accepted.
        by: Who began it.
        created: When, UTC.
        expires: Until when its file may begin to be sent, UTC.
    """

    id: str
    href: str
    name: str
    kind: AssetKind
    media_type: MediaType
    bytes: int
    sha256: str
    status: UploadStatus
    reason: RefusedFor | None
    explanation: str | None
    job: str | None
    asset: str | None
    by: str
    created: datetime
    expires: datetime


class AssetOut(Struct, frozen=True, kw_only=True):
    """A file that was accepted.

    Attributes:
        sha256: What it is kept under, and what layers and products name it by.
        href: Its address.
        bytes: Its length.
        kinds: What it was accepted for.
        name: As the first who uploaded it calls it.
        facts: What was found in it.
        by: Who uploaded it first.
        created: When, UTC.
    """

    sha256: str
    href: str
    bytes: int
    kinds: list[AssetKind]
    name: str
    facts: Facts
    by: str
    created: datetime


def begun_out(upload: Upload, form: Form, public_url: str) -> UploadBegun:
    """Return a new upload as it is shown."""
    return UploadBegun(
        id=upload.id,
        url=form.url,
        fields=form.fields,
        expires=upload.expires,
        href=_upload_href(upload, public_url),
    )


def upload_out(upload: Upload, public_url: str) -> UploadOut:
    """Return an upload as it is shown."""
    announced = upload.announced
    is_kept = upload.status is UploadStatus.ACCEPTED
    return UploadOut(
        id=upload.id,
        href=_upload_href(upload, public_url),
        name=announced.name,
        kind=announced.kind,
        media_type=announced.media_type,
        bytes=announced.bytes,
        sha256=announced.sha256,
        status=upload.status,
        reason=upload.reason,
        explanation=upload.explanation,
        job=None if upload.job is None else f"{public_url}/v1/jobs/{upload.job}",
        asset=_asset_href(announced.sha256, public_url) if is_kept else None,
        by=upload.by,
        created=upload.created,
        expires=upload.expires,
    )


def asset_out(asset: Asset, public_url: str) -> AssetOut:
    """Return an accepted file as it is shown."""
    return AssetOut(
        sha256=asset.sha256,
        href=_asset_href(asset.sha256, public_url),
        bytes=asset.bytes,
        kinds=list(asset.kinds),
        name=asset.name,
        facts=asset.facts,
        by=asset.by,
        created=asset.created,
    )


def _upload_href(upload: Upload, public_url: str) -> str:
    return f"{public_url}/v1/assets/uploads/{upload.id}"


def _asset_href(sha256: str, public_url: str) -> str:
    return f"{public_url}/v1/assets/{sha256}"
