"""A draft beside what is live: what publishing it would change, in a bounded look.

The rule: views and values are compared whole; configurations are counted where there are not too
many to look at, and pictures are a sample that says of how many.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from msgspec import Struct

from render_service.composition.catalogue import Catalogue
from render_service.composition.model import Composition, View
from render_service.drafts.sampling import sample
from render_service.errors import InvalidRequest, InvalidSelection, NotFound
from render_service.formats import Format
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.releases.changes import CompositionChange, KeyChange, Pair
from render_service.releases.difference import changed_keys, changed_pairs, compare, describe

COUNTED_MAX: Final = 10_000
"""Configurations looked at on both sides: each is planned twice, four seconds in all."""

LOOKED_MAX: Final = 200
"""Configurations looked at for pictures where there are more: each value of each option once."""


class Difference(Struct, frozen=True, kw_only=True):
    """What would change.

    Attributes:
        change: Views, values, and counts of configurations where `complete`.
        complete: Whether every configuration was looked at.
        pairs: Pictures before and after, a sample of those that differ.
        keys: Keys that change, where they were asked for.
    """

    change: CompositionChange
    complete: bool
    pairs: tuple[Pair, ...]
    keys: tuple[KeyChange, ...]


def compare_draft(
    composition: str, old: Planner, new: Planner, *, width_px: int, pictures: int, keys: int
) -> Difference:
    """Return what becomes of `composition` from `old` to `new`. Takes up to some seconds.

    Args:
        composition: Its id.
        old: Plans what is live; it may have none of that id.
        new: Plans the draft.
        width_px: The widest picture of a pair.
        pictures: The most pairs.
        keys: The most keys; none where not every configuration was looked at.
    """
    count = sum(_lattice(planner, composition) for planner in (old, new))
    if count > COUNTED_MAX:
        return Difference(
            change=describe(old, new, composition),
            complete=False,
            pairs=tuple(islice(_sampled(composition, old, new, width_px), pictures)),
            keys=(),
        )
    (change,) = compare(old, new, _ignore)
    found = list(changed_pairs(old, new, width_px=width_px)) if pictures else []
    shown = min(pictures, len(found))
    return Difference(
        change=change,
        complete=True,
        pairs=tuple(found[number * len(found) // shown] for number in range(shown)),
        keys=tuple(islice(changed_keys(old, new, _ignore), keys)),
    )


def only(planner: Planner, composition: str) -> Planner:
    """Return who plans that composition alone, as `planner` does; nothing, if it is not there."""
    catalogue = planner.catalogue
    found = catalogue.compositions.get(composition)
    kept = {} if found is None else {composition: found}
    assets = {name: catalogue.assets[name] for name in kept}
    versions = {
        (composition, view.id): planner.version(one, view)
        for one in kept.values()
        for view in one.views.values()
    }
    return Planner(
        Catalogue(compositions=kept, assets=assets),
        planner.profiles,
        pipeline=planner.pipeline,
        versions=versions,
    )


def _sampled(composition: str, old: Planner, new: Planner, width_px: int) -> Iterator[Pair]:
    """Yield pairs that differ, of the configurations that stand for all."""
    for view, configuration in sample(new.catalogue.composition(composition), LOOKED_MAX):
        before = _plan(old, composition, view.id, configuration, width_px)
        after = _plan(new, composition, view.id, configuration, width_px)
        if (before and before.key) != (after and after.key):
            yield Pair(before, after)


def _plan(
    planner: Planner,
    composition: str,
    view: str,
    configuration: Mapping[str, str],
    width_px: int,
) -> PlannedImage | None:
    """The picture as PNG, which every configuration has; None where it is not made."""
    try:
        found = planner.catalogue.composition(composition)
        shown = found.view(view)
        known = {k: v for k, v in configuration.items() if k in shown.options}
        widths = offered_widths(shown.width_px)
        request = RenderRequest(
            composition=composition,
            view=view,
            region=None,
            selection=tuple(known.items()),
            width_px=max((w for w in widths if w <= width_px), default=widths[0]),
            format=Format.PNG,
        )
        return planner.plan(request)
    except (NotFound, InvalidRequest, InvalidSelection):
        return None


def _lattice(planner: Planner, composition: str) -> int:
    found: Composition | None = planner.catalogue.compositions.get(composition)
    views: tuple[View, ...] = tuple(found.views.values()) if found else ()
    return sum(found.lattice_size(view.options) for view in views) if found else 0


def _ignore() -> None:
    """Nobody watches."""
