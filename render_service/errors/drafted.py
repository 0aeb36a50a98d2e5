"""Errors of drafts: each says what was kept, which is nothing, and what would do instead."""

from collections.abc import Sequence
from datetime import datetime

from render_service.errors.asked import InvalidRequest, NotFound
from render_service.errors.failed import Fault
from render_service.errors.root import RenderServiceError


class UnknownDraft(NotFound):
    """A draft that is not there, or not any more."""

    def __init__(self, draft: str) -> None:
        super().__init__(f"There is no draft {draft[:80]!r}.", draft=draft[:200])


class UnknownPart(NotFound):
    """A layer, an option or a file that a draft does not have."""

    def __init__(self, what: str, given: str, offered: Sequence[str]) -> None:
        listed = ", ".join(offered[:20]) if offered else "there are none"
        super().__init__(
            f"The draft has no {what} {given[:80]!r}; known: {listed}.",
            part=given[:200],
            offered=list(offered[:20]),
        )


class DraftMoved(RenderServiceError):
    """Somebody else changed the draft first; nothing of this change was kept."""

    def __init__(self, draft: str, given: int, revision: int, who: str, at: datetime) -> None:
        super().__init__(
            f"The draft {draft} has revision {revision}, made by {who} at "
            f"{at:%Y-%m-%dT%H:%M:%SZ}; yours was made for {given}. Read it again.",
            revision=revision,
            who=who,
        )


class InvalidDraft(RenderServiceError):
    """A draft with faults, asked for what only a sound one has.

    Attributes:
        faults: What was found, at most as many as are told.
        count: How many there are.
    """

    def __init__(self, faults: Sequence[Fault], count: int) -> None:
        first = f"{faults[0]}" if faults else "none is told"
        super().__init__(
            f"The draft has {count} fault{'s' * (count != 1)}; the first: {first}. "
            "POST …/check lists them.",
            faults=list(faults),
            count=count,
        )
        self.faults, self.count = faults, count


class DraftTooLarge(InvalidRequest):
    """A draft beyond what is kept."""

    def __init__(self, what: str, given: int, most: int) -> None:
        super().__init__(
            f"The draft would have {given:,} {what}; at most {most:,} are kept.",
            given=given,
            most=most,
        )


class AssetNotStored(RenderServiceError):
    """A digest of a layer file that was never uploaded."""

    def __init__(self, name: str, asset: str) -> None:
        super().__init__(
            f"{name[:200]}: no layer file with the SHA-256 {asset} is stored; upload it first "
            "(POST /v1/assets/uploads).",
            name=name[:200],
            sha256=asset,
        )


class BaseMoved(RenderServiceError):
    """The composition was published by others since the draft began with it.

    Args:
        composition: Its id.
        base: The release that the draft began with; None where there was none.
        live: The release that is live; None where it is gone.
        state: Number of the live state.
        moved: (view, version then, version now) of what changed since.
        over: Whether the caller named the release to be replaced, and wrongly.
    """

    def __init__(
        self,
        composition: str,
        base: str | None,
        live: str | None,
        state: int,
        moved: Sequence[tuple[str, str | None, str | None]],
        *,
        over: bool = False,
    ) -> None:
        views = ", ".join(view for view, _, _ in moved) or "no view"
        named = "null" if live is None else f'"{live}"'
        found = "is live in another release than `over` names" if over else "was published"
        super().__init__(
            f"{composition} {found} (changed since this draft began: {views}); "
            "nothing was published. Compare (POST …/diff), then publish with "
            f'{{"over": {named}}} to replace what is live.',
            base=base,
            live=live,
            state=state,
            views=[{"view": view, "base": old, "live": new} for view, old, new in moved],
        )


class NothingIsPublishedHere(RenderServiceError):
    """Drafts need a store of releases, and a database; this service has not both."""

    def __init__(self) -> None:
        super().__init__(
            "This service has no drafts: they need a database (RENDER_DATABASE_URL) and a store of "
            "releases that is served (RENDER_CATALOGUE must be empty)."
        )


class OtherPipelineLive(RenderServiceError):
    """What is live was published by a program that draws otherwise.

    Args:
        live: The pipeline of what is live.
        ours: That of this program.
    """

    def __init__(self, live: int, ours: int) -> None:
        super().__init__(
            f"What is live was published for pipeline {live}, and this program draws {ours}: "
            "`render-service publish --release live` with this program comes first.",
            live=live,
            pipeline=ours,
        )


class UnknownPreview(NotFound):
    """An address of a preview that was revoked, is over, or never was."""

    def __init__(self) -> None:
        super().__init__("There is no such preview, or not any more.")
