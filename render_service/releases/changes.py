"""What a new state changes, told from names alone: release ids and versions of views.

Ids are digests of content, so what has the same id is the same; no picture is looked at.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from render_service.releases.model import State


class Changes(Struct, frozen=True, kw_only=True):
    """Composition ids, in alphabetical order, by what became of them."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


class Change(Struct, frozen=True, kw_only=True):
    """A state, and what it changed.

    Attributes:
        number: Of the state.
        published_at: UTC, RFC 3339, by the publisher's clock.
        restores: The state that it published again, or None.
        compositions: How many it has.
        new: Composition ids that the state before did not have.
        changed: Those with another release than before.
        removed: Those that the state before had.
    """

    number: int
    published_at: str
    restores: int | None
    compositions: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def compare_ids(old: Mapping[str, str], new: Mapping[str, str]) -> Changes:
    """Return what became of each composition from `old` to `new`, composition → release id."""
    both = sorted(set(old) & set(new))
    return Changes(
        new=tuple(sorted(set(new) - set(old))),
        changed=tuple(name for name in both if old[name] != new[name]),
        unchanged=tuple(name for name in both if old[name] == new[name]),
        removed=tuple(sorted(set(old) - set(new))),
    )


def describe_change(state: State, previous: State | None) -> Change:
    """Return what `state` changed, `previous` being the one before it."""
    found = compare_ids({} if previous is None else previous.releases, state.releases)
    return Change(
        number=state.number,
        published_at=datetime.fromtimestamp(state.published_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        restores=state.restores,
        compositions=len(state.releases),
        new=found.new,
        changed=found.changed,
        removed=found.removed,
    )


def moved_views(
    old: Mapping[str, str], new: Mapping[str, str]
) -> list[tuple[str, str | None, str | None]]:
    """Return (view, old version, new version) of every view whose version is not the same.

    None stands for a view that is not there.
    """
    return [
        (view, old.get(view), new.get(view))
        for view in {**old, **new}
        if old.get(view) != new.get(view)
    ]
