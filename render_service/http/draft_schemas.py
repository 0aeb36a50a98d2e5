"""What the routes of drafts take and give: the shapes that OpenAPI shows.

Shapes only. Unknown fields are refused on the way in, but within a definition, whose faults are
told and kept: it is being worked on.
"""

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from render_service.errors import Fault

PAGE: Final = 20
PAGE_MAX: Final = 100
"""Drafts, entries or releases of a page; each takes some 300 bytes."""


class DraftIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a draft begins.

    Attributes:
        composition: The id that it will be published as: of a live composition, or a new one.
        like: A live composition that gives what is not given here; left out, `composition` itself.
        definition: As `composition.toml`, in JSON.
        materials: As `materials.toml`, in JSON: all that the definition paints with.
        assets: Layer file name → SHA-256 of a file that was uploaded.
    """

    composition: Annotated[str, Meta(min_length=1, max_length=64)]
    like: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    definition: dict[str, Any] | None = None
    materials: dict[str, Any] | None = None
    assets: dict[str, str] = {}


class DocumentsIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a draft shall say: what is left out stays as it is.

    Attributes:
        definition: As `composition.toml`, in JSON.
        materials: As `materials.toml`, in JSON.
        assets: Layer file name → SHA-256; these are then all its layer files.
    """

    definition: dict[str, Any] | None = None
    materials: dict[str, Any] | None = None
    assets: dict[str, str] | None = None


class AssetIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer file: the SHA-256 of one that was uploaded, 64 lower-case hex digits."""

    sha256: str


class MarkOut(Struct, frozen=True, kw_only=True):
    """Who did it, and when."""

    who: str
    at: datetime


class PreviewOut(Struct, frozen=True, kw_only=True):
    """Where the pictures of this revision are shown to whoever has the address.

    Attributes:
        url: Before `/{view}/{configuration}/{width}.{format}`.
        until: When it ends.
    """

    url: str
    until: datetime


class DraftListed(Struct, frozen=True, kw_only=True):
    """A draft in a list; `href` is all of it."""

    id: str
    composition: str
    href: str
    base: str | None
    revision: int
    created: MarkOut
    updated: MarkOut


class DraftList(Struct, frozen=True, kw_only=True):
    """A page of drafts, the last changed first; `next` leads to the page behind it."""

    drafts: list[DraftListed]
    next: str | None


class DraftHead(Struct, frozen=True, kw_only=True):
    """A draft without its documents: what a change answers.

    Attributes:
        id: 16 hex digits.
        composition: What it will be published as.
        href: All of it.
        base: The release that it changes; null for a new composition.
        revision: Counts its changes; the ETag.
        created: Who, when.
        updated: Likewise, the last change.
        faults: Of its documents, at most 200; drawing may find more (`POST …/check`).
        fault_count: How many there are.
        unfitting_qualities: Calibrated qualities that it began with and that fit it no more.
        preview: Null where the addresses were revoked.
    """

    id: str
    composition: str
    href: str
    base: str | None
    revision: int
    created: MarkOut
    updated: MarkOut
    faults: list[Fault]
    fault_count: int
    unfitting_qualities: int
    preview: PreviewOut | None


class DraftOut(DraftHead, frozen=True, kw_only=True):
    """A draft, whole; `definition`, `materials` and `assets` as they were written."""

    definition: dict[str, Any]
    materials: dict[str, Any]
    assets: dict[str, str]


class CheckedOut(Struct, frozen=True, kw_only=True):
    """What a check came to.

    Attributes:
        revision: What was checked.
        faults: As `render-service check` tells them.
        fault_count: How many there are; 200 are told.
        drawn: Pictures tried; 0 where the documents have faults already.
        complete: Whether that is every combination of layer files, and every option.
    """

    revision: int
    faults: list[Fault]
    fault_count: int
    drawn: int
    complete: bool


class DiffIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted of a comparison.

    Attributes:
        pictures: The most pairs of pictures.
        width: The widest of them, in pixels.
        keys: The most keys listed.
    """

    pictures: Annotated[int, Meta(ge=0, le=100)] = 12
    width: Annotated[int, Meta(ge=1, le=3072)] = 480
    keys: Annotated[int, Meta(ge=0, le=1000)] = 0


class ViewChangeOut(Struct, frozen=True, kw_only=True):
    """What becomes of a view.

    Attributes:
        view: Its id.
        old: Its version now; null where it is not there.
        new: Its version in the draft; null where it is gone.
        changed: Configurations whose picture gets another key; null where they were not counted.
        kept: Configurations whose pictures stay.
        added: Configurations that are not made now.
        gone: Configurations that are not made any more.
    """

    view: str
    old: str | None
    new: str | None
    changed: int | None
    kept: int | None
    added: int | None
    gone: int | None


class ComparedPicture(Struct, frozen=True, kw_only=True):
    """A picture before and after; null where it is not made, or the preview was revoked."""

    view: str
    configuration: dict[str, str]
    before: str | None
    after: str | None


class KeyOut(Struct, frozen=True, kw_only=True):
    """A key that changes, of the picture at `path`; null where it is not made."""

    path: str
    old: str | None
    new: str | None


class DifferenceOut(Struct, frozen=True, kw_only=True):
    """What publishing a draft would change.

    Attributes:
        composition: Its id.
        revision: Of the draft.
        base: The release that it began with.
        status: `new`, `changed`, `texts` (titles, swatches or rules alone) or `unchanged`.
        values_added: Option → values that are not offered now.
        values_gone: Option → values that are not offered any more.
        views: Every view there is on either side.
        complete: Whether every configuration was looked at; if not, nothing is counted.
        pictures: Some that differ, in PNG.
        keys: Those asked for.
    """

    composition: str
    revision: int
    base: str | None
    status: str
    values_added: dict[str, list[str]]
    values_gone: dict[str, list[str]]
    views: list[ViewChangeOut]
    complete: bool
    pictures: list[ComparedPicture]
    keys: list[KeyOut]
