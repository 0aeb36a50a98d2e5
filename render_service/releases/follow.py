"""Following the live state: read at start, then on news and every few seconds behind it.

A state that cannot be read whole never replaces the one that serves: it is logged once, readiness
says `degraded`, and it is tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Final

from render_service.errors import (
    NothingPublished,
    ReleasesUnavailable,
    ReleaseUnreadable,
    RenderServiceError,
    TierUnavailable,
)
from render_service.planning.key import PIPELINE_REVISION
from render_service.releases.live import LivePlanner
from render_service.releases.making import Profiles, plan_as_drawn_here
from render_service.releases.model import Release
from render_service.releases.ports import Pointer, ReleaseNews, ReleaseStore
from render_service.releases.reading import read_releases, state_of

_log = logging.getLogger(__name__)

AWAY: Final = frozenset({"releases"})
"""What readiness names while the live state cannot be read, or be handed out for good."""


_START_S: Final = 3.0
"""A start that could go on with what is kept here waits for its store as long as it would take a
slow one to answer, and no longer."""


class Follower:
    """Keeps a planner at the live state of a store. Owned by one event loop.

    Args:
        store: Where states are published.
        planner: What is kept current.
        profiles: How this program encodes, for releases of another pipeline.
        poll_s: The longest that a new state stays unseen, where no news come.
        news: Tells of new states at once; None: there are only looks.
    """

    def __init__(
        self,
        *,
        store: ReleaseStore,
        planner: LivePlanner,
        profiles: Profiles,
        poll_s: float,
        news: ReleaseNews | None = None,
    ) -> None:
        self._store, self._planner, self._profiles = store, planner, profiles
        self._poll_s, self._news = poll_s, news
        self._seen: Pointer | None = None
        self._held: Mapping[str, Release] = {}
        self._problem: str | None = None
        self._told = asyncio.Event()

    async def start(self) -> None:
        """Read the live state, or while its store is away the last one that was kept here.

        Raises:
            NothingPublished: There is none.
            ReleaseUnreadable: It cannot be read.
            ReleasesUnavailable: The store could not be asked, and nothing is kept here.
        """
        away: Exception | None = None
        recalled = await self._store.recall_live()
        pointer: Pointer | None
        try:
            async with asyncio.timeout(None if recalled is None else _START_S):
                pointer = await self._store.read_live()
        except (ReleasesUnavailable, TimeoutError) as error:
            if recalled is None:
                raise
            pointer = recalled
            away = error if str(error) else ReleasesUnavailable(f"no answer within {_START_S:g} s")
        if pointer is None:
            raise NothingPublished(self._store.place)
        await self._take(pointer)
        if away is not None:
            self._note(away)

    async def run(self) -> None:
        """Follow until cancelled."""
        listening = asyncio.ensure_future(self._listen())
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), self._poll_s)
                self._told.clear()
                await self._look()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def close(self) -> None:
        """Let go of the store and of the news."""
        await self._store.close()
        if self._news is not None:
            await self._news.close()

    async def _look(self) -> None:
        try:
            pointer = await self._store.read_live(self._seen)
            if pointer is None:
                raise ReleaseUnreadable("of the live state", "is gone from the store")
            if pointer is not self._seen:
                await self._take(pointer)
            elif self._problem is not None and self._seen is not None:
                self._note_sound(self._seen)
        except RenderServiceError as error:
            self._note(error)
        except Exception as error:
            # Whatever it is, it is no reason to stop following.
            _log.exception("looking for a new live state failed")
            self._note(error)

    async def _take(self, pointer: Pointer) -> None:
        """Make the state at `pointer` current, if all of it can be read."""
        state = state_of(pointer)
        releases = await read_releases(self._store, state, self._held)
        planner = plan_as_drawn_here(releases, self._profiles)
        self._planner.swap(planner)
        self._held = {release: releases[name] for name, release in state.releases.items()}
        self._seen = pointer
        _log.info("state %d is live: %d compositions", state.number, len(releases))
        self._note_sound(pointer)

    def _note_sound(self, pointer: Pointer) -> None:
        """The live state is read: what was wrong is over, but for one of another pipeline."""
        pipelines = {release.pipeline for release in self._held.values()}
        if pipelines <= {PIPELINE_REVISION}:
            self._problem, self._planner.unavailable = None, frozenset()
            return
        published = ", ".join(map(str, sorted(pipelines)))
        self._note(
            f"State {state_of(pointer).number} was published for pipeline {published}, and this "
            f"program draws {PIPELINE_REVISION}: its URLs are not published and may be unknown "
            "later. Type `render-service publish --release live` with this program."
        )

    def _note(self, problem: Exception | str) -> None:
        """Log a problem when it is new, not at each look."""
        said = str(problem)
        if said != self._problem:
            _log.warning("the live state: %s", said)
        self._problem, self._planner.unavailable = said, AWAY

    async def _listen(self) -> None:
        if self._news is None:
            return
        while True:
            try:
                async for _ in self._news.listen():
                    self._told.set()
            except TierUnavailable as error:
                _log.info("no news of releases for now, looking each %g s: %s", self._poll_s, error)
            await asyncio.sleep(self._poll_s)
