"""What a new state changes: the words for it, and what can be told from names alone.

Ids and versions are digests of content, so what has the same id is the same; no picture is looked
at here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from render_service.planning.key import RenderKey
from render_service.planning.planner import PlannedImage
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


class ViewChange(Struct, frozen=True, kw_only=True):
    """What becomes of a view.

    Attributes:
        view: Its id.
        old: Its version before; None where it was not there.
        new: Its version after; None where it is gone.
        changed: Configurations whose picture gets another key, in some format at least.
        kept: Configurations whose pictures keep their keys: what is stored of them is used again.
        added: Configurations that were not made before.
        gone: Configurations that are not made any more.
    """

    view: str
    old: str | None
    new: str | None
    changed: int = 0
    kept: int = 0
    added: int = 0
    gone: int = 0


class CompositionChange(Struct, frozen=True, kw_only=True):
    """What becomes of a composition.

    Attributes:
        composition: Its id.
        status: `texts` is one whose titles, swatches or rules alone differ.
        values_added: Option → its new values; a new option has all of its own.
        values_gone: Option → its values that are gone.
        views: Every view there is on either side.
    """

    composition: str
    status: str
    values_added: Mapping[str, tuple[str, ...]]
    values_gone: Mapping[str, tuple[str, ...]]
    views: tuple[ViewChange, ...]


class Pair(NamedTuple):
    """One picture before and after; None where it is not made."""

    old: PlannedImage | None
    new: PlannedImage | None


class KeyChange(Struct, frozen=True, kw_only=True):
    """A key that changes.

    Attributes:
        path: The canonical path of the picture now; before, where it is gone.
        old: Its key before, or None.
        new: Its key now, or None.
    """

    path: str
    old: RenderKey | None
    new: RenderKey | None


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
