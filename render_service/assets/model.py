"""Uploads and assets: what was announced, what became of it, what is known of a file.

The rule: a file is its SHA-256. What is accepted is kept under it and never changes; whatever is
said about it was found in its bytes.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from render_service.errors import RefusedFor


class AssetKind(StrEnum):
    """What a file is for."""

    LAYER = "layer"
    """A layer of compositions: exactly as it is."""
    PHOTO = "photo"
    """A photograph of a product: made ready to be shown."""


class MediaType(StrEnum):
    """The kinds of files that are taken."""

    AVIF = "image/avif"
    PNG = "image/png"
    TIFF = "image/tiff"
    WEBP = "image/webp"
    JPEG = "image/jpeg"

    @property
    def words(self) -> str:
        """As people call it."""
        return _WORDS[self]


_WORDS: Final = {
    MediaType.AVIF: "an AVIF",
    MediaType.PNG: "a PNG",
    MediaType.TIFF: "a TIFF",
    MediaType.WEBP: "a WebP",
    MediaType.JPEG: "a JPEG",
}


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found in a file that passed its check.

    Attributes:
        media_type: What it is.
        width_px: Of a page, as stored.
        height_px: Likewise.
        pages: Stacked pages of a TIFF; 1 of all others.
        bands: Samples of a pixel, alpha included.
        bits: Of a sample: 8 or 16, as decoded.
        colour: Its colour model, as libvips calls it: srgb, rgb16, b-w, grey16, cmyk, multiband.
        has_profile: Whether it names its colours by an ICC profile.
        orientation: As EXIF has it, 1 (upright) to 8.
    """

    media_type: MediaType
    width_px: int
    height_px: int
    pages: int
    bands: int
    bits: int
    colour: str
    has_profile: bool
    orientation: int


class Focus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The point of a photograph that matters most, from its upper left corner as it is seen.

    Attributes:
        x: Share of the width.
        y: Share of the height.
    """

    x: Annotated[float, Meta(ge=0, le=1)]
    y: Annotated[float, Meta(ge=0, le=1)]


class Announced(Struct, frozen=True, kw_only=True):
    """A file that somebody wants to upload.

    Attributes:
        name: As its maker calls it.
        kind: What it is for.
        media_type: What it is said to be.
        bytes: Its length.
        sha256: Its digest, lower-case hex.
        focus: Of a photograph; None has it found.
    """

    name: str
    kind: AssetKind
    media_type: MediaType
    bytes: int
    sha256: str
    focus: Focus | None


class UploadStatus(StrEnum):
    """Where an upload stands."""

    WAITING = "waiting"
    """For its file."""
    EXPIRED = "expired"
    """Its file did not come in time; nothing says so but the clock."""
    CHECKING = "checking"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Upload(Struct, frozen=True, kw_only=True):
    """An upload as it stands.

    Attributes:
        id: A UUID; also the name of its file in quarantine.
        announced: What was said of the file.
        by: Who uploads it: the name of a caller.
        status: Where it stands.
        reason: Why it was refused, for programs; None unless it was.
        explanation: The same, for who made the file.
        job: The job that checks it; None before it is complete.
        created: When it was begun.
        expires: Until when its file may begin to be sent.
    """

    id: str
    announced: Announced
    by: str
    status: UploadStatus
    reason: RefusedFor | None
    explanation: str | None
    job: str | None
    created: datetime
    expires: datetime


class Asset(Struct, frozen=True, kw_only=True):
    """A file that was accepted.

    Attributes:
        sha256: What it is kept under, lower-case hex.
        bytes: Its length.
        facts: What it is.
        kinds: What it was accepted for.
        name: As the first who uploaded it calls it.
        by: Who that was.
        created: When it was accepted first.
    """

    sha256: str
    bytes: int
    facts: Facts
    kinds: tuple[AssetKind, ...]
    name: str
    by: str
    created: datetime
