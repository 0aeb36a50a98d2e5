"""Errors of what is asked: files, stores, settings and the work itself."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from render_service.errors.root import RenderServiceError


class AssetFailure(RenderServiceError):
    """A layer's file cannot be used.

    Attributes:
        asset: Its name, or its digest where the name is not known.
        reason: What was found, and what is needed.
    """

    def __init__(self, asset: str, reason: str) -> None:
        super().__init__(f"The layer file {asset} {reason}.", asset=asset)
        self.asset, self.reason = asset, reason


class AssetMissing(AssetFailure):
    """A layer's file is not in the store."""


class AssetUndecodable(AssetFailure):
    """A layer's file is not a picture of the kind its layer needs."""


class AssetTooLarge(AssetFailure):
    """A layer's file is over a limit on bytes or pixels, found before decoding it."""


class Refusal(StrEnum):
    """Why a picture is not rendered now."""

    QUEUE = "queue"
    DEADLINE = "deadline"
    OTHERS = "others"
    LATE = "late"
    NOT_SPARE = "not-spare"


_SAID: Final = {
    Refusal.QUEUE: "More pictures wait to be rendered than may wait",
    Refusal.DEADLINE: "The picture could not be rendered in the time that a request may take",
    Refusal.OTHERS: "Rendering the picture now would make others late that came before",
    Refusal.LATE: "Rendering the pictures that came before took longer than expected",
    Refusal.NOT_SPARE: "No thread is spare to render what nobody waits for",
}


class Overloaded(RenderServiceError):
    """There is more to render than can be in time; nothing was begun.

    Attributes:
        retry_after_s: Seconds after which there should be room.
        reason: The bound that would be passed.
    """

    def __init__(self, retry_after_s: int, reason: Refusal = Refusal.QUEUE) -> None:
        super().__init__(
            f"{_SAID[reason]}; try again in {retry_after_s} s.",
            retry_after_s=retry_after_s,
            reason=reason.value,
        )
        self.retry_after_s, self.reason = retry_after_s, reason


class RenderFailed(RenderServiceError):
    """Drawing or encoding failed for a reason of our own."""


class TierUnavailable(RenderServiceError):
    """A store of renditions could not be asked. Callers treat it as a miss."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong with a catalogue.

    Attributes:
        file: The file, relative to the catalogue.
        table: The table in it, as written there, e.g. `views.hero.layers[2]`; "" is the top level.
        key: The key in the table; "" is the table itself.
        problem: What was found, and what would be right.
    """

    file: str
    table: str
    key: str
    problem: str

    def __str__(self) -> str:
        place = " ".join(
            part for part in (f"[{self.table}]" if self.table else "", self.key) if part
        )
        return f"{self.file}: {place + ': ' if place else ''}{self.problem}"


class InvalidCatalogue(RenderServiceError):
    """A catalogue is broken; carries every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class InvalidPlan(RenderServiceError):
    """A plan read from a file is not one this release can draw."""


class ServerNotStarted(RenderServiceError):
    """A server that is brought along, a Valkey or a PostgreSQL, did not start; says why."""


class InvalidSetting(RenderServiceError):
    """An environment variable is unknown, or its value is out of range."""
