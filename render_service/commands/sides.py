"""The two sides of a comparison: a folder, a state, or what is live, each as a planner.

Whatever a side is, it is whole: a folder with faults or a state with a document missing is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct

from render_service.adapters.release_assets import ReleaseAssets
from render_service.errors import InvalidRequest
from render_service.planning.planner import Planner
from render_service.releases.making import plan_releases
from render_service.releases.ports import ReleaseStore
from render_service.releases.reading import LIVE_WORD, read_live_state, read_releases, read_state
from render_service.settings import Settings
from render_service.supply import name_asset
from render_service.wiring import open_studio


class Side(Struct, frozen=True, kw_only=True):
    """One side of a comparison.

    Attributes:
        name: What people call it.
        planner: Plans its pictures, as they were published.
        read: Reads its layer files by digest.
    """

    name: str
    planner: Planner
    read: Callable[[str], Awaitable[bytes]]


async def open_side(settings: Settings, store: ReleaseStore, word: str) -> Side:
    """Return what `word` names: the number of a state, `live`, or a folder.

    Raises:
        InvalidRequest: It is neither.
        InvalidCatalogue: Everything wrong with the folder.
        NothingPublished: `live` is asked for, and there is none.
        UnknownState: A state of that number was never live.
        ReleaseUnreadable: The state cannot be read.
        ReleasesUnavailable: The store could not be asked.
    """
    if word == LIVE_WORD or (word.isascii() and word.isdigit()):
        state = await read_state(store, word)
        planner = plan_releases(await read_releases(store, state))
        assets = ReleaseAssets(
            store, settings.asset_bytes_max, lambda asset: name_asset(planner, asset)
        )
        return Side(name=f"state {state.number}", planner=planner, read=assets.read)
    folder = Path(word)
    if not await asyncio.to_thread(folder.is_dir):
        live = await read_live_state(store)
        states = f"1 to {live.number}, or live" if live else "none, as nothing is published"
        raise InvalidRequest(
            f"{word!r} is neither a folder nor a state (states: {states}; a folder whose name is "
            "a number is spelled ./16)."
        )
    studio = await asyncio.to_thread(open_studio, settings, folder)
    return Side(name=str(folder), planner=studio.planner, read=studio.assets.read)
