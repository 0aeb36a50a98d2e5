"""Reading what was published: states by their numbers, releases by their ids.

Whoever reads gets a whole state or an error that names the document; nothing is made up for one
that is missing.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from render_service.errors import NothingPublished, ReleaseUnreadable, UnknownState
from render_service.releases.model import (
    DOCUMENT_BYTES_MAX,
    LIVE,
    Release,
    State,
    decode_release,
    decode_state,
    release_name,
    state_name,
    unseal,
)
from render_service.releases.ports import Pointer, ReleaseStore

LIVE_WORD: Final = "live"
"""How people name the live state."""


async def read_live_state(store: ReleaseStore) -> State | None:
    """Return the live state, or None where nothing was ever published.

    Raises:
        ReleaseUnreadable: It is damaged, or of another schema.
        ReleasesUnavailable: The store could not be asked.
    """
    pointer = await store.read_live()
    return None if pointer is None else state_of(pointer)


def state_of(pointer: Pointer) -> State:
    """Return the state that a live document holds.

    Raises:
        ReleaseUnreadable: It is damaged, or of another schema.
    """
    return decode_state(LIVE, pointer.data)


async def read_state(store: ReleaseStore, name: str) -> State:
    """Return the state that a person calls `name`: its number, or `live`.

    Raises:
        NothingPublished: `live` is asked for, and there is none.
        UnknownState: It was never live.
        ReleaseUnreadable: It is damaged.
        ReleasesUnavailable: The store could not be asked.
    """
    live = await read_live_state(store)
    if name == LIVE_WORD:
        if live is None:
            raise NothingPublished(store.place)
        return live
    newest = 0 if live is None else live.number
    # Nine digits: more than any store has states, and a number Python reads in no time.
    spelled = name.isascii() and name.isdigit() and len(name) <= 9
    if live is None or not spelled or not 1 <= int(name) <= newest:
        raise UnknownState(name, newest)
    if int(name) == newest:
        return live
    document = state_name(int(name))
    data = await store.get(document, bytes_max=DOCUMENT_BYTES_MAX)
    if data is None:
        raise ReleaseUnreadable(document, "is not in the store, and was live once")
    return decode_state(document, data)


async def read_releases(
    store: ReleaseStore, state: State, held: Mapping[str, Release] | None = None
) -> dict[str, Release]:
    """Return every release of `state`, by composition; those in `held`, by id, are not read again.

    Raises:
        ReleaseUnreadable: One is missing, damaged, or of another schema.
        ReleasesUnavailable: The store could not be asked.
    """
    known = held or {}
    names = [(name, release) for name, release in state.releases.items() if release not in known]
    read = await asyncio.gather(*(read_release(store, *name) for name in names))
    found = {release: one for (_, release), one in zip(names, read, strict=True)}
    return {name: {**known, **found}[release] for name, release in state.releases.items()}


async def read_release(store: ReleaseStore, composition: str, release: str) -> Release:
    """Return one release.

    Raises:
        ReleaseUnreadable: It is missing, damaged, or of another schema.
        ReleasesUnavailable: The store could not be asked.
    """
    name = release_name(composition, release)
    data = await store.get(name, bytes_max=DOCUMENT_BYTES_MAX)
    if data is None:
        raise ReleaseUnreadable(name, "is not in the store")
    return decode_release(name, data)


async def read_entry(store: ReleaseStore, name: str) -> str | None:
    """Return the id of the release that drew the version `name` first; None if nobody did.

    Raises:
        ReleaseUnreadable: The entry is damaged.
        ReleasesUnavailable: The store could not be asked.
    """
    data = await store.get(name, bytes_max=DOCUMENT_BYTES_MAX)
    return None if data is None else unseal(name, data).decode()
