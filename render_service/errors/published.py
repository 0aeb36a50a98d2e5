"""Errors of releases: the store of what was published, and moving what is live.

Each says whether anything was changed: a publisher that failed has changed nothing that is served.
"""

from render_service.errors.asked import NotFound
from render_service.errors.root import RenderServiceError


class ReleasesUnavailable(RenderServiceError):
    """The store of releases could not be asked.

    Attributes:
        retry_after_s: Seconds after which it is asked again.
    """

    def __init__(self, reason: str, retry_after_s: int = 2) -> None:
        super().__init__(f"The store of releases cannot be used: {reason.rstrip('.')}.")
        self.reason, self.retry_after_s = reason, retry_after_s


class ReleaseUnreadable(RenderServiceError):
    """A published document is damaged, or has a shape that this program does not know.

    Attributes:
        name: Its name in the store.
        reason: What was found.
        too_large: It is over a limit on bytes, and was not read.
    """

    def __init__(self, name: str, reason: str, *, too_large: bool = False) -> None:
        super().__init__(f"The published document {name} {reason}.", document=name)
        self.name, self.reason, self.too_large = name, reason, too_large


class PublishedMeanwhile(RenderServiceError):
    """Another publisher moved the live state first; nothing of this one is live.

    Args:
        expected: Number of the state that was live when this publisher began; None for none.
        found: Number of the state that is live now.
    """

    def __init__(self, expected: int | None, found: int) -> None:
        began = "nothing was live" if expected is None else f"state {expected} was live"
        super().__init__(
            f"Another publisher was first: {began} when this one began, and {found} is now. "
            f"Nothing of yours is live; compare (`diff live FOLDER`), then publish again.",
            expected=expected,
            found=found,
        )


class NothingPublished(RenderServiceError):
    """There is no live state to serve.

    Args:
        place: The store that holds none.
    """

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Nothing is published in {place}. Type `render-service publish FOLDER` (in a clone: "
            "`render-service publish`, which publishes the demo catalogue in compositions/), or "
            "set RENDER_CATALOGUE=FOLDER to serve a folder as it stands, unpublished.",
            place=place,
        )


class UnknownState(NotFound):
    """A state that was never live.

    Args:
        given: What was asked for.
        newest: Number of the live state; 0 where nothing was ever published.
    """

    def __init__(self, given: str, newest: int) -> None:
        known = f"states: 1 to {newest}, or live" if newest else "nothing is published yet"
        super().__init__(f"There is no state {given[:80]!r}; {known}.", state=given[:200])
