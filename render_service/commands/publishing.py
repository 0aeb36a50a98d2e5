"""`publish` and `releases`: what is live, how it becomes so, and what was live before.

A catalogue is refused whole or published whole: everything that can be wrong with it is found
before the first file leaves, and one step at the end makes it live.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec
from tqdm import tqdm

from render_service.adapters.release_assets import ReleaseAssets
from render_service.commands.catalogues import find_faults
from render_service.composition.catalogue import Catalogue
from render_service.errors import (
    InvalidCatalogue,
    ReleaseUnreadable,
    TierUnavailable,
)
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner
from render_service.releases.changes import Change, compare_ids, describe_change, moved_views
from render_service.releases.making import make_releases
from render_service.releases.model import Release, State
from render_service.releases.ports import ReleaseStore
from render_service.releases.publishing import (
    Base,
    Uploaded,
    find_unpublished,
    move,
    read_base,
    release_again,
    upload,
)
from render_service.releases.reading import (
    LIVE_WORD,
    read_live_state,
    read_release,
    read_releases,
    read_state,
)
from render_service.settings import Settings
from render_service.supply import open_news, open_store
from render_service.wiring import Studio, read_studio


def publish(settings: Settings, folder: Path, *, recheck: bool) -> int:
    """Publish the catalogue in `folder`; return the exit status.

    Args:
        settings: Where to, and the limits.
        folder: The catalogue.
        recheck: Check and read back also what the store holds already, and mend what is damaged.

    Raises:
        InvalidCatalogue: It is broken; nothing was changed.
        PublishedMeanwhile: Another publisher was first.
        ReleasesUnavailable: The store could not be used.
    """

    async def run(store: ReleaseStore) -> None:
        base = await read_base(store)
        studio, faults = read_studio(settings, folder)
        releases = make_releases(studio.planner.catalogue, PROFILES)
        wanted = releases if recheck else await find_unpublished(store, releases)
        faults = (*faults, *find_faults(_planner_of(studio, wanted), studio))
        if faults:
            raise InvalidCatalogue(faults)
        with _bar(wanted) as bar:
            uploaded = await upload(
                store, wanted, studio.assets.read, lambda _: _advance(bar), repair=recheck
            )
        await _go_live(settings, store, base, releases, uploaded, restores=None)

    return _with_store(settings, run, folder)


def publish_again(settings: Settings, name: str) -> int:
    """Make an earlier state live again; return the exit status.

    Raises:
        UnknownState: It was never live.
        ReleaseUnreadable: It cannot be read by this program.
        PublishedMeanwhile: Another publisher was first.
        ReleasesUnavailable: The store could not be used.
    """

    async def run(store: ReleaseStore) -> None:
        base = await read_base(store)
        state = await read_state(store, name)
        releases = release_again(await read_releases(store, state), PROFILES)
        assets = ReleaseAssets(store, settings.asset_bytes_max, str)
        uploaded = await upload(store, releases, assets.read, lambda _: None)
        restores = None if name == LIVE_WORD else state.number
        await _go_live(settings, store, base, releases, uploaded, restores=restores)

    return _with_store(settings, run, None)


def list_releases(settings: Settings, *, limit: int, as_json: bool) -> int:
    """Print the states that were live, newest first; return the exit status."""

    async def run(store: ReleaseStore) -> None:
        live = await read_live_state(store)
        if live is None:
            print(f"Nothing is published in {store.place}.", file=sys.stderr)
            return
        numbers = range(live.number, max(0, live.number - limit), -1)
        states = [live, *[await read_state(store, str(number)) for number in numbers[1:]]]
        oldest = states[-1].number
        before = await read_state(store, str(oldest - 1)) if oldest > 1 else None
        changes = [
            describe_change(state, previous)
            for state, previous in zip(states, [*states[1:], before], strict=True)
        ]
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(changes)).decode())
            return
        print(f"{store.place}, newest first:")
        for change in changes:
            print(_line(change, live=change.number == live.number))
        if oldest > 1:
            print(f"… and {oldest - 1} earlier (--limit {live.number} lists all).")

    return _with_store(settings, run, None)


def _with_store(
    settings: Settings, run: Callable[[ReleaseStore], Awaitable[None]], folder: Path | None
) -> int:
    """Run with an open store; a broken catalogue is told with the number of its faults."""

    async def opened() -> None:
        store = open_store(settings)
        try:
            await run(store)
        finally:
            await store.close()

    try:
        asyncio.run(opened())
    except InvalidCatalogue as broken:
        print(broken, file=sys.stderr)
        count = len(broken.faults)
        plural = "s" * (count != 1)
        print(f"{folder}: {count} fault{plural}; nothing was published.", file=sys.stderr)
        return 1
    return 0


async def _go_live(
    settings: Settings,
    store: ReleaseStore,
    base: Base,
    releases: Mapping[str, Release],
    uploaded: Uploaded,
    *,
    restores: int | None,
) -> None:
    """Take the one step, tell those who serve, and say what was done."""
    state = await move(store, base, releases, restores=restores)
    if state is None:
        number = 0 if base.state is None else base.state.number
        print(f"State {number} is live and is exactly this; nothing changes.")
        _say_uploaded(uploaded)
        return
    await _announce(settings)
    again = "" if restores is None else f", which is state {restores} again"
    print(f"State {state.number} is live in {store.place}{again}.")
    await _say_changes(store, base, state, releases)
    _say_uploaded(uploaded)
    if base.state is not None:
        print(f"To roll back: render-service publish --release {base.state.number}")


async def _announce(settings: Settings) -> None:
    news = open_news(settings)
    if news is None:
        return
    try:
        await news.announce()
    except TierUnavailable as error:
        wait = f"servers find out within RENDER_RELEASES_POLL_S ({settings.releases_poll_s:g} s)"
        print(f"{error} No news are sent; {wait}.", file=sys.stderr)
    finally:
        await news.close()


async def _say_changes(
    store: ReleaseStore, base: Base, state: State, releases: Mapping[str, Release]
) -> None:
    found = compare_ids(base.releases, state.releases)
    for name in found.new:
        print(f"  new        {name}: {', '.join(releases[name].versions)}")
    for name in found.changed:
        print(f"  changed    {name}")
        try:
            before = await read_release(store, name, base.releases[name])
        except ReleaseUnreadable as error:
            print(f"    its views before cannot be named: {error}", file=sys.stderr)
            continue
        moved = moved_views(before.versions, releases[name].versions)
        for view, old, new in moved:
            print(f"    {view:<10} {old or 'not there'} → {new or 'removed'}")
        if not moved:
            print("    no view: every URL stays")
    for name in found.removed:
        print(f"  removed    {name}")
    if found.unchanged:
        count = len(found.unchanged)
        print(f"  unchanged  {count} composition{'s' * (count != 1)}")


def _say_uploaded(uploaded: Uploaded) -> None:
    if uploaded.assets:
        plural = "s" * (uploaded.assets != 1)
        print(
            f"  uploaded   {uploaded.assets} layer file{plural}, {uploaded.size_bytes / 1e6:.1f} MB"
        )


def _line(change: Change, *, live: bool) -> str:
    parts = [
        f"{count} {word}"
        for count, word in (
            (len(change.new), "new"),
            (len(change.changed), "changed"),
            (len(change.removed), "removed"),
        )
        if count
    ]
    again = [] if change.restores is None else [f"state {change.restores} again"]
    said = ", ".join([*again, *parts, f"{change.compositions} in all"])
    return f"{'live' if live else '':<5}{change.number:>6}  {change.published_at}  {said}"


def _planner_of(studio: Studio, releases: Mapping[str, Release]) -> Planner:
    """The planner of those compositions alone."""
    catalogue = studio.planner.catalogue
    return Planner(
        Catalogue(
            compositions={name: catalogue.compositions[name] for name in releases},
            assets={name: catalogue.assets[name] for name in releases},
        ),
        PROFILES,
    )


def _bar(releases: Mapping[str, Release]) -> "tqdm[NoReturn]":
    assets = {asset for release in releases.values() for asset in release.assets.values()}
    return tqdm(total=len(assets), unit="file", desc="layer files", disable=None)


def _advance(bar: "tqdm[NoReturn]") -> None:
    bar.update()
