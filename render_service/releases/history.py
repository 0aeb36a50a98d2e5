"""The states that were live, newest first, each with what it changed."""

from render_service.errors import NothingPublished
from render_service.releases.changes import Change, describe_change
from render_service.releases.ports import ReleaseStore
from render_service.releases.reading import read_live_state, read_state


async def list_changes(
    store: ReleaseStore, *, limit: int, before: int | None = None
) -> tuple[list[Change], int]:
    """Return at most `limit` states, and the number of the live one; 0 where nothing is published.

    Args:
        store: Where they are.
        limit: At most as many.
        before: Only those with a smaller number.

    Raises:
        ReleaseUnreadable: One of them is missing, damaged or of another schema.
        ReleasesUnavailable: The store could not be asked.
    """
    live = await read_live_state(store)
    if live is None:
        return [], 0
    newest = live.number if before is None else min(live.number, before - 1)
    numbers = range(newest, max(0, newest - limit), -1)
    # The one behind the last says what the last one changed.
    wanted = [*numbers, *([numbers[-1] - 1] if numbers and numbers[-1] > 1 else [])]
    states = {number: await read_state(store, str(number)) for number in wanted}
    changes = [describe_change(states[number], states.get(number - 1)) for number in numbers]
    return changes, live.number


async def read_change(store: ReleaseStore, name: str) -> tuple[Change, int]:
    """Return the state of that number, or `live`, and the number of the live one.

    Raises:
        NothingPublished: There is none.
        UnknownState: It was never live.
        ReleaseUnreadable: It is missing, damaged or of another schema.
        ReleasesUnavailable: The store could not be asked.
    """
    live = await read_live_state(store)
    if live is None:
        raise NothingPublished(store.place)
    state = await read_state(store, name)
    before = await read_state(store, str(state.number - 1)) if state.number > 1 else None
    return describe_change(state, before), live.number
