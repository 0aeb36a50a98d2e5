"""Who did what, when: entries that are added and never changed.

What is done in the database is noted in the same transaction. What is done elsewhere (what is live
is a document in the store of releases) is noted twice: as it is about to be done, and what came of
it; `publishing.py` finds out what came of those whose second note is missing.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Action(StrEnum):
    """What was done."""

    DRAFT_CREATED = "draft.created"
    DRAFT_UPDATED = "draft.updated"
    DRAFT_DELETED = "draft.deleted"
    PREVIEW_RENEWED = "preview.renewed"
    PREVIEW_REVOKED = "preview.revoked"
    PUBLISH_BEGUN = "publish.begun"
    RESTORE_BEGUN = "restore.begun"
    RELEASE_PUBLISHED = "release.published"
    RELEASE_RESTORED = "release.restored"
    NOTHING_PUBLISHED = "publish.failed"


class Act(Struct, frozen=True, kw_only=True):
    """What is to be noted.

    Attributes:
        who: The name of the caller.
        action: What was done.
        subject: To what: `draft:{id}`, `composition:{id}` or `state:{number}`.
        details: Facts, as JSON has them.
        outcome_of: The entry that this is the end of.
    """

    who: str
    action: Action
    subject: str
    details: Mapping[str, Any] = {}
    outcome_of: int | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """What was noted.

    Attributes:
        id: Rises.
        at: By the clock of the database.
        who: The name of the caller.
        action: What was done; a word of a later release may be among them.
        subject: To what.
        details: Facts.
        outcome_of: The entry that this is the end of, or None.
    """

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    details: Mapping[str, Any]
    outcome_of: int | None


class Sought(Struct, frozen=True, kw_only=True):
    """Which entries are wanted, newest first.

    Attributes:
        before: Only those with a smaller id.
        limit: At most as many.
        who: Only those of this caller.
        subject: Only those of this subject.
    """

    limit: int
    before: int | None = None
    who: str | None = None
    subject: str | None = None
