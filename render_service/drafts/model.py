"""A draft: the documents of one composition, and which release they began with.

The rule: a draft is complete in itself. It has its own materials and its own layer files, so what
is previewed is what is published, whatever becomes live beside it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from render_service.composition.model import QualityTable

Document = Mapping[str, Any]
"""A TOML document of a catalogue, as JSON has it; the order of its keys counts."""

DEFINITION: Final = "definition"
MATERIALS: Final = "materials"


class Documents(Struct, frozen=True, kw_only=True):
    """What a draft says.

    Attributes:
        definition: As `composition.toml`; it may have faults while it is being worked on.
        materials: As `materials.toml`: what the definition paints with.
        qualities: Calibrated qualities of the release it began with; they hold where they fit.
        assets: Layer file name → SHA-256, lower-case hex; every one is in the store.
    """

    definition: Document
    materials: Document
    qualities: tuple[QualityTable, ...]
    assets: Mapping[str, str]


class Begun(Struct, frozen=True, kw_only=True):
    """A draft that is to be.

    Attributes:
        id: 16 hex digits.
        composition: The id of the composition that it will be published as.
        base: The release of that composition that is live as it begins; None where none is.
        documents: What it says.
    """

    id: str
    composition: str
    base: str | None
    documents: Documents


class Preview(Struct, frozen=True, kw_only=True):
    """That pictures of one revision may be seen by whoever has their address.

    Attributes:
        id: 16 random bytes, new with each revision: addresses are made from it.
        until: When they end.
    """

    id: bytes
    until: datetime


class Mark(Struct, frozen=True, kw_only=True):
    """Who did something, and when."""

    who: str
    at: datetime


class Draft(Struct, frozen=True, kw_only=True):
    """A draft as it is kept.

    Attributes:
        id: 16 hex digits.
        composition: The id of the composition that it will be published as.
        base: Id of the release that it changes, or of its own last publication; None for a new one.
        revision: Counts its changes: its ETag.
        documents: What it says.
        preview: None where its addresses were revoked.
        created: When, and who.
        updated: Likewise, the last change.
    """

    id: str
    composition: str
    base: str | None
    revision: int
    documents: Documents
    preview: Preview | None
    created: Mark
    updated: Mark


class Listed(Struct, frozen=True, kw_only=True):
    """A draft in a list, without its documents."""

    id: str
    composition: str
    base: str | None
    revision: int
    created: Mark
    updated: Mark


class Place(Struct, frozen=True, kw_only=True):
    """Where a page of drafts ended: newest change first, then by id."""

    at: datetime
    id: str


class Page(Struct, frozen=True, kw_only=True):
    """A part of the list of drafts; `next` is None at its end."""

    items: tuple[Listed, ...]
    next: Place | None
