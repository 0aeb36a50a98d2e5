"""What a job is: an order, where it stands, and what came of it.

The rule: a job's row is the truth, and the queue only says when to look at it. So a job that is
told of twice is done once, and one that nobody was told of is found.
"""

import enum
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

JSON = Any
"""What msgspec encodes as JSON."""


class Kind(enum.StrEnum):
    """What is to be done; each has a queue of its own, so none waits behind another kind."""

    RENDER = "render"
    """Pictures drawn ahead."""
    INGEST = "ingest"
    """An uploaded layer file or photograph is checked and kept."""
    MEDIA = "media"
    """A photograph becomes a responsive set."""
    MAIL = "mail"
    """A message is sent."""
    IMPORT = "import"
    """Rows of a file become products."""
    DELIVER = "deliver"
    """An event is told to a webhook."""
    PUBLISH = "publish"
    """A draft goes live."""
    TIDY = "tidy"
    """What has expired is removed."""


class Status(enum.StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """It waits for its first attempt, or for the next one."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Parked: it is not tried again unless somebody asks for it."""
    CANCELLED = "cancelled"


OVER: Final = frozenset({Status.DONE, Status.FAILED, Status.CANCELLED})
"""From here a job moves only by being retried."""


class Order(Struct, frozen=True, kw_only=True):
    """A job that is asked for.

    Attributes:
        kind: What is to be done.
        payload: With what; JSON, a few kilobytes at most: files are named, not carried.
        by: Who asks: the name of a caller.
        key: What it comes to, as a digest or an id: while a job of this kind and key waits or
            runs, whoever orders it again gets that one. None is never the same as another.
        priority: 0 first, to 9 last, among jobs of its kind.
    """

    kind: Kind
    payload: JSON
    by: str
    key: str | None = None
    priority: int = 5


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened, told to whoever asked for its topic.

    Attributes:
        topic: What, as `product.updated`: lower-case words joined by points.
        subject: To whom: the id of a product, a release, a draft.
        payload: What a receiver needs to know; JSON, a few kilobytes at most.
        by: Who did it: the name of a caller.
    """

    topic: str
    subject: str
    payload: JSON
    by: str


class Progress(Struct, frozen=True, kw_only=True):
    """How far an attempt is.

    Attributes:
        done: Steps that are done.
        total: Steps there are, 0 while that is not known.
        note: What it is at, for people.
    """

    done: int = 0
    total: int = 0
    note: str = ""


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands.

    Attributes:
        id: A UUID.
        kind: What is to be done: a `Kind`, or one that a newer release knows.
        payload: With what.
        key: As ordered.
        priority: As ordered.
        status: Where it stands.
        cancel_asked: Somebody wants it to stop: its attempt notices when it next reports.
        progress: Of the attempt that runs, or of the last one.
        state: What an attempt kept for the next one.
        result: What came of it, once it is done.
        error: What the last failed attempt said.
        by: Who ordered it.
        attempts: Begun, those that died with their worker included.
        failures: Attempts that ended with an error.
        created: When it was ordered.
        updated: When anything of it changed last.
        started: When its last attempt began.
        ended: When it was over.
    """

    id: str
    kind: str
    payload: JSON
    key: str | None
    priority: int
    status: Status
    cancel_asked: bool
    progress: Progress
    state: JSON
    result: JSON
    error: str | None
    by: str
    attempts: int
    failures: int
    created: datetime
    updated: datetime
    started: datetime | None
    ended: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in OVER
