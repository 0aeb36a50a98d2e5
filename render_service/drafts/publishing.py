"""Making a draft live, or an earlier state again, so that who did it is known, whoever dies.

What is live is one document in the store of releases, and who did what is kept in the database. No
transaction spans both, so it is noted first what is about to become live, with the digest of that
document; then it is moved; then it is noted that it was. A note without an end is settled by
looking: the state of its number either has that digest, or another was first, or it is yet to come.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from render_service.drafts.activity import Act, Action, Entry
from render_service.drafts.checking import Checked
from render_service.drafts.drafting import Drafting, Ready
from render_service.errors import (
    BaseMoved,
    DatabaseUnavailable,
    DraftMoved,
    InvalidDraft,
    OtherPipelineLive,
    OutcomeUnknown,
    PublishedMeanwhile,
    ReleaseUnreadable,
)
from render_service.planning.key import PIPELINE_REVISION
from render_service.releases.changes import moved_views
from render_service.releases.making import make_releases
from render_service.releases.model import Release, State, encode_release, encode_state
from render_service.releases.publishing import (
    Base,
    next_state,
    put_release,
    read_base,
    release_again,
    take,
)
from render_service.releases.reading import (
    read_live_state,
    read_release,
    read_releases,
    read_state,
)

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
"""Others may publish other compositions at the same time: that is no conflict, and tried anew."""


class Asked(Struct, frozen=True, kw_only=True):
    """A publication that is asked for.

    Attributes:
        draft: Id of the draft.
        revision: What is known of it; None: whatever it is.
        over: The release that is live and is to be replaced, or None where none is; UNSET: that
            with which the draft began.
        who: The name of the caller.
    """

    draft: str
    revision: int | None
    over: str | UnsetType | None = UNSET
    who: str


class Published(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        state: Number of the state that is live.
        composition: What was published; None for all of a state.
        release: Its release.
        changed: Whether anything became live that was not.
    """

    state: int
    composition: str | None
    release: str | None
    changed: bool


class Publishing:
    """Publishes drafts and restores states. Owned by one event loop."""

    def __init__(
        self,
        drafting: Drafting,
        check: Callable[[Ready], Awaitable[Checked]],
        tell: Callable[[], Awaitable[None]],
    ) -> None:
        """Publish what passes `check`; `tell` those who serve, where they can be told."""
        self._drafting, self._check, self._tell = drafting, check, tell
        self._store, self._drafts = drafting.releases, drafting.drafts

    async def prepare(self, asked: Asked) -> Ready:
        """Return the draft that is asked for, found sound, over what is live.

        Raises:
            DraftMoved: It has another revision.
            InvalidDraft: It has faults.
            BaseMoved: Its composition was published since it began.
        """
        ready = await self._drafting.get(asked.draft)
        draft = ready.draft
        if asked.revision is not None and asked.revision != draft.revision:
            mark = draft.updated
            raise DraftMoved(draft.id, asked.revision, draft.revision, mark.who, mark.at)
        ready.sound()
        await self._check_base(ready, asked, await read_base(self._store))
        faults = (await self._check(ready)).faults
        if faults:
            raise InvalidDraft(faults, len(faults))
        return ready

    async def publish(self, asked: Asked) -> Published:
        """Make a draft live.

        Raises:
            PublishedMeanwhile: Others publish all the time; nothing of this is live.
            OtherPipelineLive: What is live is of another program.
            ReleasesUnavailable: Nobody knows whether it is live; it is noted as soon as it is seen.
            RenderServiceError: As `prepare`.
        """
        ready = await self.prepare(asked)
        draft, planner = ready.draft, ready.sound()
        release = make_releases(planner.catalogue, planner.profiles)[draft.composition]
        await self.settle()
        for attempt in range(1, _ATTEMPTS + 1):
            base = await read_base(self._store)
            name = encode_release(release)[0]
            if base.releases.get(draft.composition) == name:
                await self._drafts.note_base(draft.id, name)
                return _unchanged(base, draft.composition, name)
            await self._check_base(ready, asked, base)
            await self._check_pipeline(base, release)
            await put_release(self._store, draft.composition, release)
            state = next_state(base, {**base.releases, draft.composition: name})
            facts: dict[str, str | int | None] = {
                "draft": draft.id,
                "revision": draft.revision,
                "composition": draft.composition,
                "release": name,
                "replaces": base.releases.get(draft.composition),
            }
            try:
                return await self._go_live(base, state, Action.PUBLISH_BEGUN, asked.who, facts)
            except PublishedMeanwhile:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def restore(self, number: str, expected: int | None, who: str) -> Published:
        """Make an earlier state live again, all of it, as a new state.

        Args:
            number: Of the state.
            expected: Number of the state that is known to be live; None: whatever it is.
            who: The name of the caller.

        Raises:
            UnknownState: It was never live.
            PublishedMeanwhile: Another state is live than is known.
        """
        await self.settle()
        base = await read_base(self._store)
        live = 0 if base.state is None else base.state.number
        if expected is not None and live != expected:
            raise PublishedMeanwhile(expected, live)
        old = await read_state(self._store, number)
        releases = release_again(await read_releases(self._store, old), self._drafting.profiles)
        wanted = {name: encode_release(one)[0] for name, one in releases.items()}
        if wanted == dict(base.releases):
            return _unchanged(base, None, None)
        for name, one in releases.items():
            await put_release(self._store, name, one)
        state = next_state(base, wanted, restores=old.number)
        facts = {"restores": old.number}
        return await self._go_live(base, state, Action.RESTORE_BEGUN, who, facts)

    async def settle(self) -> None:
        """Note what came of whatever was about to become live, as far as it can be seen.

        Raises:
            ReleasesUnavailable: The store could not be asked.
            DatabaseUnavailable: The database could not.
        """
        begun = await self._drafts.list_open()
        if not begun:
            return
        live = await read_live_state(self._store)
        for entry in begun:
            number = entry.details["state"]
            if live is None or live.number < number:
                # It may yet come: whoever began it may only be slow.
                continue
            try:
                state = await read_state(self._store, str(number))
            except ReleaseUnreadable as error:
                _log.warning("what came of entry %d cannot be seen: %s", entry.id, error)
                continue
            await self._note_end(entry, is_live=_digest(state) == entry.details["digest"])

    async def _go_live(
        self,
        base: Base,
        state: State,
        action: Action,
        who: str,
        facts: Mapping[str, str | int | None],
    ) -> Published:
        details = {**facts, "state": state.number, "digest": _digest(state)}
        composition = facts.get("composition")
        subject = f"composition:{composition}" if composition else f"state:{facts['restores']}"
        begun = Act(who=who, action=action, subject=subject, details=details)
        entry = await self._drafts.begin_publication(begun)
        try:
            await take(self._store, base, state)
        except PublishedMeanwhile:
            await self._note_end(entry, is_live=False)
            raise
        try:
            await self._note_end(entry, is_live=True)
        except (DatabaseUnavailable, OutcomeUnknown) as error:
            # It is live, whatever could be noted: the next who looks settles it.
            _log.warning("state %d is live, and could not be noted yet: %s", state.number, error)
        await self._tell()
        release = facts.get("release")
        return Published(
            state=state.number,
            composition=None if composition is None else str(composition),
            release=None if release is None else str(release),
            changed=True,
        )

    async def _note_end(self, entry: Entry, *, is_live: bool) -> None:
        restored = entry.action == Action.RESTORE_BEGUN
        done = Action.RELEASE_RESTORED if restored else Action.RELEASE_PUBLISHED
        act = Act(
            who=entry.who,
            action=done if is_live else Action.NOTHING_PUBLISHED,
            subject=entry.subject,
            details=entry.details,
            outcome_of=entry.id,
        )
        await self._drafts.end_publication(act)

    async def _check_base(self, ready: Ready, asked: Asked, base: Base) -> None:
        draft = ready.draft
        live = base.releases.get(draft.composition)
        expected = draft.base if isinstance(asked.over, UnsetType) else asked.over
        if live == expected:
            return
        sides = [await self._versions(draft.composition, one) for one in (draft.base, live)]
        state = 0 if base.state is None else base.state.number
        moved = moved_views(*sides)
        named = not isinstance(asked.over, UnsetType)
        raise BaseMoved(draft.composition, draft.base, live, state, moved, over=named)

    async def _versions(self, composition: str, release: str | None) -> Mapping[str, str]:
        if release is None:
            return {}
        return (await read_release(self._store, composition, release)).versions

    async def _check_pipeline(self, base: Base, release: Release) -> None:
        """One planner draws what is live together, so all of it was made by one program."""
        for name, one in base.releases.items():
            other = await read_release(self._store, name, one)
            if (other.pipeline, other.profiles) != (release.pipeline, release.profiles):
                raise OtherPipelineLive(other.pipeline, PIPELINE_REVISION)
            return


def _unchanged(base: Base, composition: str | None, release: str | None) -> Published:
    number = 0 if base.state is None else base.state.number
    return Published(state=number, composition=composition, release=release, changed=False)


def _digest(state: State) -> str:
    return hashlib.sha256(encode_state(state)).hexdigest()
