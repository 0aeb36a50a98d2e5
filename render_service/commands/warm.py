"""`warm`: pictures made before they are asked for, the most popular first.

The rule: every picture takes the route that a request takes (stores first, one claim for all
processes, then a render), so what is there is found, what another draws is waited for, and nothing
is kept anywhere of how far it came: the stores know.
"""

import asyncio
import dataclasses
import signal
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

from tqdm import tqdm

from render_service.commands.warm_report import Report, print_report
from render_service.embedded import run_embedded_cache
from render_service.errors import InvalidRequest, RenderServiceError
from render_service.planning.likely import (
    Asked,
    Frame,
    Sizes,
    count_pictures,
    find_frames,
    likely_pictures,
)
from render_service.planning.neighbours import Counts
from render_service.planning.planner import PlannedImage
from render_service.rendering.popularity import Popularity
from render_service.rendering.service import RenderService
from render_service.settings import MIB, Settings
from render_service.supply import open_supply
from render_service.wiring import build_popularity, build_service

MEMORY_BYTES: Final = 64 * MIB
"""Nobody asks this process for a picture again; a quarter of it may wait to be stored."""

KEYS_KEPT: Final = 1_000_000
"""Keys remembered to see which configurations look alike: some 100 MB. Those beyond are looked up
in the stores, like any other."""

PATIENCE_S: Final = 600.0
"""Nobody waits for these pictures: none is refused for being late."""

FULL_SHARE: Final = 0.9
"""The folder of pictures is swept down to this share of its budget when it is full: beyond it the
first would go as the last are stored."""

_PREFIX_DIGITS: Final = 16
"""Hex digits of a key that tell a million of them apart: 64 bits clash once in 10^7 such runs."""


def warm(settings: Settings, asked: Asked) -> int:
    """Make what is asked for; print what came of it; return the exit status.

    Returns:
        0 where all was made or the budget used; 1 where something could not be made or stored; 128
        and the signal's number where it was stopped, like any command.

    Raises:
        RenderServiceError: What is asked for is not there, or nothing keeps it.
    """
    if not (settings.redis_url or settings.file_tier_bytes or settings.s3_bucket):
        raise InvalidRequest(
            "Nothing keeps what is made: set RENDER_FILE_TIER_BYTES, RENDER_REDIS_URL or "
            "RENDER_S3_BUCKET as the servers have it."
        )
    with run_embedded_cache(settings) as running:
        report, status = asyncio.run(_warm(running, asked))
    print_report(report, as_json=asked.as_json)
    return status


async def _warm(settings: Settings, asked: Asked) -> tuple[Report, int]:
    patient = dataclasses.replace(
        settings,
        queue_s=PATIENCE_S,
        deadline_s=PATIENCE_S,
        memory_tier_bytes=MEMORY_BYTES,
    )
    supply = open_supply(patient)
    popularity = build_popularity(patient)
    try:
        if supply.follower is not None:
            await supply.follower.start()
        frames = find_frames(supply.planner.current, asked)
        service = build_service(patient, supply)
        try:
            counts = await _counts(popularity, frames)
            pictures = likely_pictures(supply.planner.current, frames, asked.formats, counts)
            run = _Run(service, asked.budget_s, _budget_bytes(settings, asked))
            sizes = count_pictures(frames, asked.formats)
            await run.make_all(pictures, sizes.shown, settings.render_threads)
        finally:
            await service.close()
        return run.report(sizes, by_counts=any(counts.values())), run.status
    finally:
        await popularity.close()
        if supply.follower is not None:
            await supply.follower.close()


class _Run:
    """One run: what it may take, and what it came to."""

    def __init__(
        self, service: RenderService, budget_s: float | None, budget_bytes: tuple[int, str]
    ) -> None:
        self._service = service
        self._budget_s, self._budget_bytes = budget_s, budget_bytes
        self._seen: set[int] = set()
        self._ended: str | None = None
        self._signal = 0
        self.reached = self.distinct = self.rendered = self.found = self.failed = 0
        self.bytes = self.rendered_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    async def make_all(self, pictures: Iterator[PlannedImage], total: int, at_once: int) -> None:
        """Make `pictures` until there are no more, a budget is used or somebody stops it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop, number)
        try:
            with tqdm(total=total, unit="picture", disable=None, file=sys.stderr) as bar:
                await asyncio.gather(*(self._make_some(pictures, bar) for _ in range(at_once)))
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.remove_signal_handler(number)

    @property
    def status(self) -> int:
        """The exit status."""
        if self._signal:
            return 128 + self._signal
        tiers = self._service.tiers
        return int(bool(self.failed or tiers.dropped or tiers.given_up or tiers.unavailable))

    def report(self, sizes: Sizes, *, by_counts: bool) -> Report:
        """Return what came of it; `by_counts`: shoppers' changes ranked it."""
        tiers = self._service.tiers
        return Report(
            lattice=sizes.lattice,
            shown=sizes.shown,
            reached=self.reached,
            distinct=self.distinct,
            rendered=self.rendered,
            found=self.found,
            failed=self.failed,
            unstored=tiers.dropped + tiers.given_up,
            bytes=self.bytes,
            rendered_bytes=self.rendered_bytes,
            seconds=self._loop.time() - self._began_s,
            stores=tiers.names,
            unavailable=tuple(sorted(tiers.unavailable)),
            by_counts=by_counts,
            ended=self._ended or "all is there",
            complete=self._ended is None,
        )

    async def _make_some(self, pictures: Iterator[PlannedImage], bar: "tqdm[NoReturn]") -> None:
        while not self._is_over():
            planned = next(pictures, None)
            if planned is None:
                return
            self.reached += 1
            if self._is_new(planned):
                await self._make(planned)
            else:
                # Planning is work of this thread: signals and renders go first.
                await asyncio.sleep(0)
            bar.set_postfix(rendered=self.rendered, there=self.found, refresh=False)
            bar.update()

    async def _make(self, planned: PlannedImage) -> None:
        self.distinct += 1
        try:
            served = await self._service.render(planned.plan)
        except RenderServiceError as error:
            self.failed += 1
            tqdm.write(f"{planned.key}: {error}", file=sys.stderr)
            return
        size_bytes = len(served.rendition.body)
        self.bytes += size_bytes
        if served.source == "render":
            self.rendered += 1
            self.rendered_bytes += size_bytes
        else:
            self.found += 1
        # So that nothing is dropped: stores that are slower than renders set the pace.
        if self._service.tiers.pending_bytes > self._service.tiers.pending_budget_bytes // 2:
            await self._service.tiers.settle()

    def _is_new(self, planned: PlannedImage) -> bool:
        prefix = int(planned.key[:_PREFIX_DIGITS], 16)
        if prefix in self._seen:
            return False
        if len(self._seen) < KEYS_KEPT:
            self._seen.add(prefix)
        return True

    def _is_over(self) -> bool:
        if self._ended is None:
            self._ended = self._why_over()
        return self._ended is not None

    def _why_over(self) -> str | None:
        budget_s, (budget_bytes, used) = self._budget_s, self._budget_bytes
        if budget_s is not None and self._loop.time() - self._began_s >= budget_s:
            return f"the budget of {budget_s:g} s is used"
        if self.bytes >= budget_bytes:
            return used
        tiers = self._service.tiers
        if tiers.unavailable.issuperset(tiers.names):
            return "no store can be written"
        return None

    def _stop(self, number: int) -> None:
        self._signal, self._ended = number, "stopped"
        # The next one ends it at once, as it would any command.
        self._loop.remove_signal_handler(number)


async def _counts(popularity: Popularity, frames: list[Frame]) -> dict[str, Counts]:
    ids = dict.fromkeys(frame.composition.id for frame in frames)
    return {id_: await popularity.refresh(id_) for id_ in ids}


def _budget_bytes(settings: Settings, asked: Asked) -> tuple[int, str]:
    """The most that may be made, and what to say when it is."""
    budgets = []
    if asked.budget_bytes is not None:
        budgets.append((asked.budget_bytes, f"the budget of {asked.budget_bytes:,} bytes is used"))
    if settings.file_tier_bytes and not settings.s3_bucket:
        full_bytes = int(FULL_SHARE * settings.file_tier_bytes)
        said = "the folder of pictures is full (RENDER_FILE_TIER_BYTES)"
        budgets.append((full_bytes, said))
    return min(budgets, default=(sys.maxsize, ""))
