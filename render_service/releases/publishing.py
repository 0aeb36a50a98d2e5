"""Publishing: releases into the store, then one step that makes them live.

Until that step nothing that is served has changed, whoever dies and when; after it everything has.
What is replaced is archived first, so every state that was ever live can be named again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec import Struct

from render_service.errors import PublishedMeanwhile, ReleaseUnreadable
from render_service.planning.key import PIPELINE_REVISION
from render_service.releases.making import Profiles, catalogue_of, make_releases
from render_service.releases.model import (
    STATE_SCHEMA,
    Release,
    State,
    asset_name,
    encode_release,
    encode_state,
    release_name,
    seal,
    state_name,
    version_name,
)
from render_service.releases.ports import Pointer, ReleaseStore
from render_service.releases.reading import read_entry, state_of

_AT_ONCE: Final = 8
"""Layer files on their way at once: some 100 MB of memory at most for files of usual size."""

STORED_BYTES_MAX: Final = 4 * 2**30
"""What is read back for a repair may be as large as a setting allows a layer file to be."""

ReadAsset = Callable[[str], Awaitable[bytes]]
Step = Callable[[int], None]


class Base(Struct, frozen=True, kw_only=True):
    """What was live when a publisher began: what it may replace.

    Attributes:
        pointer: As it was read; None where nothing was published.
        state: The state it holds.
    """

    pointer: Pointer | None
    state: State | None

    @property
    def releases(self) -> Mapping[str, str]:
        """Composition → release id."""
        return {} if self.state is None else self.state.releases


class Uploaded(Struct, frozen=True, kw_only=True):
    """What was put into the store that was not there.

    Attributes:
        assets: Layer files.
        size_bytes: Their bytes.
    """

    assets: int
    size_bytes: int


async def read_base(store: ReleaseStore) -> Base:
    """Return what is live now.

    Raises:
        ReleaseUnreadable: The live document is damaged: nothing may be put on top of it.
        ReleasesUnavailable: The store could not be asked.
    """
    pointer = await store.read_live()
    return Base(pointer=pointer, state=None if pointer is None else state_of(pointer))


async def find_unpublished(
    store: ReleaseStore, releases: Mapping[str, Release]
) -> dict[str, Release]:
    """Return those of `releases` that the store does not hold.

    A release is put only after its whole catalogue passed its check and its files are stored, so
    one that is held was checked.
    """
    names = {name: release_name(name, encode_release(one)[0]) for name, one in releases.items()}
    held = await asyncio.gather(*(store.has(name) for name in names.values()))
    return {name: releases[name] for (name, there) in zip(names, held, strict=True) if not there}


async def upload(
    store: ReleaseStore,
    releases: Mapping[str, Release],
    read: ReadAsset,
    step: Step,
    *,
    repair: bool = False,
) -> Uploaded:
    """Put `releases` and their layer files, each only if absent.

    Args:
        store: Where to.
        releases: Composition → its release.
        read: Reads a layer file by digest, and checks it.
        step: Called after each layer file with the number of bytes put.
        repair: Read back what is there, and replace what is damaged.

    Raises:
        AssetFailure: A layer file cannot be read.
        ReleasesUnavailable: The store could not be used.
    """
    assets = {asset for release in releases.values() for asset in release.assets.values()}
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def put(asset: str) -> int:
        async with at_once:
            name = asset_name(asset)
            put_now = await _lacks(store, name, repair) and await store.put(
                name, data := await read(asset), replace=repair
            )
        size_bytes = len(data) if put_now else 0
        step(size_bytes)
        return size_bytes

    sizes = await asyncio.gather(*(put(asset) for asset in sorted(assets)))
    for name, release in releases.items():
        await put_release(store, name, release, repair=repair)
    put_sizes = [size for size in sizes if size]
    return Uploaded(assets=len(put_sizes), size_bytes=sum(put_sizes))


async def move(
    store: ReleaseStore,
    base: Base,
    releases: Mapping[str, Release],
    *,
    restores: int | None = None,
) -> State | None:
    """Make `releases`, which are stored, live in one step; return the new state.

    Returns:
        None where exactly these are live already: nothing was changed.

    Raises:
        PublishedMeanwhile: Something else was made live since `base` was read.
        ReleasesUnavailable: The store could not be used.
    """
    wanted = {name: encode_release(release)[0] for name, release in sorted(releases.items())}
    if wanted == dict(base.releases):
        return None
    state = next_state(base, wanted, restores=restores)
    await take(store, base, state)
    return state


def next_state(base: Base, releases: Mapping[str, str], *, restores: int | None = None) -> State:
    """Return the state that would follow `base` with `releases`, composition → release id."""
    return State(
        schema=STATE_SCHEMA,
        number=1 if base.state is None else base.state.number + 1,
        published_s=int(time.time()),
        restores=restores,
        releases=dict(sorted(releases.items())),
    )


async def take(store: ReleaseStore, base: Base, state: State) -> None:
    """Make `state`, whose releases are stored, live in one step.

    Raises:
        PublishedMeanwhile: Something else was made live since `base` was read.
        ReleasesUnavailable: The store could not be used, or nobody knows whether it is live.
    """
    if base.pointer is not None and base.state is not None:
        await store.put(state_name(base.state.number), base.pointer.data)
    if not await store.move_live(encode_state(state), base.pointer):
        found = (await read_base(store)).state
        expected = None if base.state is None else base.state.number
        raise PublishedMeanwhile(expected, 0 if found is None else found.number)


def release_again(releases: Mapping[str, Release], profiles: Profiles) -> dict[str, Release]:
    """Return old `releases` as this program can publish them.

    Of its own pipeline they are what they were; others become new releases of the same
    compositions, because the URLs that this program hands out for them must be published too.
    """
    if all(release.pipeline == PIPELINE_REVISION for release in releases.values()):
        return dict(releases)
    return make_releases(catalogue_of(releases), profiles)


async def put_release(
    store: ReleaseStore, name: str, release: Release, *, repair: bool = False
) -> None:
    """Put a release whose layer files are stored.

    Who drew each version comes first: a release that is stored is stored completely. An entry whose
    release never came, because its publisher died between the two, is replaced.

    Raises:
        ReleasesUnavailable: The store could not be used.
    """
    digest, data = encode_release(release)
    for view, version in release.versions.items():
        entry = version_name(name, view, version)
        led = None if await _lacks(store, entry, repair=True) else await read_entry(store, entry)
        if led is None or not await store.has(release_name(name, led)):
            await store.put(entry, seal(digest.encode()), replace=True)
    document = release_name(name, digest)
    if await _lacks(store, document, repair):
        await store.put(document, data, replace=repair)


async def _lacks(store: ReleaseStore, name: str, repair: bool) -> bool:
    """Whether `name` is to be put; for a repair, what is there is read back first."""
    if not await store.has(name):
        return True
    if not repair:
        return False
    try:
        await store.get(name, bytes_max=STORED_BYTES_MAX)
    except ReleaseUnreadable:
        return True
    return False
