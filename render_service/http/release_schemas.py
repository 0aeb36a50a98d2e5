"""What the routes of publishing take and give: the shapes that OpenAPI shows. Shapes only."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType


class PublishIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a draft is published.

    Attributes:
        over: The release that it shall replace (null: none is live); left out, the one it began
            with. What is live and is not that is never replaced.
        warm: Whether the likeliest pictures that change are drawn first: answers 202 with a job.
    """

    over: str | UnsetType | None = UNSET
    warm: bool = False


class PublishedOut(Struct, frozen=True, kw_only=True):
    """What is live now.

    Attributes:
        state: Its number.
        composition: What was published; null where a whole state was restored.
        release: Its release, likewise.
        changed: Whether anything became live that was not.
    """

    state: int
    composition: str | None
    release: str | None
    changed: bool


class ReleaseOut(Struct, frozen=True, kw_only=True):
    """A state that is, or was, live.

    Attributes:
        number: It counts them.
        live: Whether it is the live one.
        published_at: UTC.
        restores: The state that it made live again, or null.
        compositions: How many it has.
        new: Compositions that the state before did not have.
        changed: Those with another release than before.
        removed: Those that the state before had.
    """

    number: int
    live: bool
    published_at: str
    restores: int | None
    compositions: int
    new: list[str]
    changed: list[str]
    removed: list[str]


class ReleaseList(Struct, frozen=True, kw_only=True):
    """A page of states, newest first; `next` leads to the page behind it."""

    releases: list[ReleaseOut]
    next: str | None


class ActivityOut(Struct, frozen=True, kw_only=True):
    """Something that was done.

    Attributes:
        id: Rises.
        at: When.
        who: The name of the caller.
        action: What, as `draft.updated`.
        subject: To what, as `draft:0123456789abcdef` or `composition:ring`.
        details: Facts.
        outcome_of: The entry that this is the end of, or null.
    """

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    details: dict[str, Any]
    outcome_of: int | None


class ActivityList(Struct, frozen=True, kw_only=True):
    """A page of what was done, newest first; `next` leads to the page behind it."""

    activity: list[ActivityOut]
    next: str | None
