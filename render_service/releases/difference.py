"""The difference between two catalogues, in pictures: which keys change, which stay.

Only plans are compared, never pixels or names of files: a picture changes if and only if its key
does, and keys are what a release costs.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from render_service.composition.configuration import resolve_view, valid_configurations
from render_service.composition.model import Composition, View
from render_service.errors import InvalidSelection
from render_service.formats import Format
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import build_image_path
from render_service.releases.changes import CompositionChange, KeyChange, Pair, ViewChange

Step = Callable[[], None]


def count_pairs(old: Planner, new: Planner) -> int:
    """Return how many configurations `compare` looks at, at most: steps of a progress bar."""
    return sum(
        composition.lattice_size(view.options)
        for planner in (old, new)
        for composition in planner.catalogue.compositions.values()
        for view in composition.views.values()
    )


def compare(old: Planner, new: Planner, step: Step) -> Iterator[CompositionChange]:
    """Yield what becomes of every composition on either side, in alphabetical order.

    Args:
        old: Plans what was.
        new: Plans what is to be.
        step: Called for each configuration looked at.
    """
    for name in sorted({*old.catalogue.compositions, *new.catalogue.compositions}):
        before = old.catalogue.compositions.get(name)
        after = new.catalogue.compositions.get(name)
        views = {**(before.views if before else {}), **(after.views if after else {})}
        changes = tuple(_compare_view(old, new, name, view, step) for view in views)
        yield _change(name, before, after, changes)


def describe(old: Planner, new: Planner, name: str) -> CompositionChange:
    """Return what becomes of the composition `name`, no configuration counted."""
    before = old.catalogue.compositions.get(name)
    after = new.catalogue.compositions.get(name)
    views = {**(before.views if before else {}), **(after.views if after else {})}
    return _change(
        name,
        before,
        after,
        tuple(
            ViewChange(view=view, old=_version(old, name, view), new=_version(new, name, view))
            for view in views
        ),
    )


def changed_pairs(old: Planner, new: Planner, *, width_px: int) -> Iterator[Pair]:
    """Yield the pictures that differ, as PNG at the widest offered up to `width_px`."""
    for name, view in _views(old, new):
        for pair in _pairs(old, new, name, view, width_px):
            if pair.old is None or pair.new is None or not _same(old, new, pair):
                yield pair


def changed_keys(old: Planner, new: Planner, step: Step) -> Iterator[KeyChange]:
    """Yield every key that changes: each configuration, region, width and format."""
    for name, view in _views(old, new):
        for pair in _pairs(old, new, name, view, None):
            step()
            found = [_keys_of(old, pair.old), _keys_of(new, pair.new)]
            for spelled in {**found[0], **found[1]}:
                before, after = found[0].get(spelled), found[1].get(spelled)
                if (before and before.key) != (after and after.key):
                    shown = after or before
                    if shown is not None:
                        yield KeyChange(
                            path=build_image_path(shown.image),
                            old=before.key if before else None,
                            new=after.key if after else None,
                        )


def _views(old: Planner, new: Planner) -> Iterator[tuple[str, str]]:
    """Every view whose version differs; those of one version have the same keys."""
    for name in sorted({*old.catalogue.compositions, *new.catalogue.compositions}):
        sides = [_composition(planner, name) for planner in (old, new)]
        views = {view: None for side in sides if side for view in side.views}
        for view in views:
            if _version(old, name, view) != _version(new, name, view):
                yield name, view


def _compare_view(old: Planner, new: Planner, name: str, view: str, step: Step) -> ViewChange:
    versions = _version(old, name, view), _version(new, name, view)
    counts = {"changed": 0, "kept": 0, "added": 0, "gone": 0}
    for pair in _pairs(old, new, name, view, None):
        step()
        if pair.old is None:
            counts["added"] += 1
        elif pair.new is None:
            counts["gone"] += 1
        elif versions[0] == versions[1] or _same(old, new, pair):
            counts["kept"] += 1
        else:
            counts["changed"] += 1
    return ViewChange(view=view, old=versions[0], new=versions[1], **counts)


def _pairs(
    old: Planner, new: Planner, name: str, view: str, width_px: int | None
) -> Iterator[Pair]:
    """Every configuration of a view now, with what it was; then those that are gone.

    An option that was not there had, so to speak, its default; one that is gone leaves no trace.
    """
    for configuration in _lattice(new, name, view):
        yield Pair(
            _plan(old, name, view, _known(old, name, view, configuration), width_px),
            _plan(new, name, view, configuration, width_px),
        )
    for configuration in _lattice(old, name, view):
        if _plan(new, name, view, _known(new, name, view, configuration), width_px) is None:
            yield Pair(_plan(old, name, view, configuration, width_px), None)


def _lattice(planner: Planner, name: str, view: str) -> Iterator[Mapping[str, str]]:
    composition = _composition(planner, name)
    if composition is not None and view in composition.views:
        yield from valid_configurations(composition, composition.views[view].options)


def _known(
    planner: Planner, name: str, view: str, configuration: Mapping[str, str]
) -> Mapping[str, str]:
    """What of `configuration` the view depends on here; its values may still be unknown."""
    found = _view(planner, name, view)
    options = found.options if found else ()
    return {option: value for option, value in configuration.items() if option in options}


def _plan(
    planner: Planner,
    name: str,
    view: str,
    configuration: Mapping[str, str],
    width_px: int | None,
) -> PlannedImage | None:
    """The picture as PNG, which every configuration has; None where it is not made."""
    composition, found = _composition(planner, name), _view(planner, name, view)
    if composition is None or found is None:
        return None
    widths = offered_widths(found.width_px)
    chosen = max((w for w in widths if width_px is None or w <= width_px), default=widths[0])
    try:
        resolve_view(composition, found, configuration)
        return planner.plan(_request(name, view, None, configuration, chosen, Format.PNG))
    except InvalidSelection:
        return None


def _same(old: Planner, new: Planner, pair: Pair) -> bool:
    """Whether a picture keeps its key in every size and format: one plan, encoded alike."""
    if pair.old is None or pair.new is None:
        return False
    if pair.old.key != pair.new.key or old.profiles != new.profiles:
        return False
    one, other = (_composition(planner, pair.old.image.composition) for planner in (old, new))
    if one and other and one.qualities == other.qualities:
        return True
    before, after = _keys_of(old, pair.old), _keys_of(new, pair.new)
    return {p: found.key for p, found in before.items()} == {
        p: found.key for p, found in after.items()
    }


def _keys_of(
    planner: Planner, planned: PlannedImage | None
) -> dict[tuple[str, str | None, int, Format], PlannedImage]:
    """Every picture of a configuration, by how it would be asked for on either side."""
    if planned is None:
        return {}
    image = planned.image
    view = planner.catalogue.composition(image.composition).view(image.view)
    found = {}
    for region in (None, *view.regions):
        for width_px in offered_widths(view.frame(region)[2]):
            for file_format in Format:
                if file_format is Format.JPEG and planned.plan.alpha:
                    continue
                request = _request(
                    image.composition,
                    image.view,
                    region,
                    dict(image.selection),
                    width_px,
                    file_format,
                )
                found[image.view, region, width_px, file_format] = planner.plan(request)
    return found


def _request(
    name: str,
    view: str,
    region: str | None,
    configuration: Mapping[str, str],
    width_px: int,
    file_format: Format,
) -> RenderRequest:
    return RenderRequest(
        composition=name,
        view=view,
        region=region,
        selection=tuple(configuration.items()),
        width_px=width_px,
        format=file_format,
    )


def _change(
    name: str,
    before: Composition | None,
    after: Composition | None,
    views: tuple[ViewChange, ...],
) -> CompositionChange:
    return CompositionChange(
        composition=name,
        status=_status(before, after, views),
        values_added=_values_missing(after, before),
        values_gone=_values_missing(before, after),
        views=views,
    )


def _status(
    before: Composition | None, after: Composition | None, views: tuple[ViewChange, ...]
) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if any(view.old != view.new for view in views):
        return "changed"
    same = msgspec.msgpack.encode(before) == msgspec.msgpack.encode(after)
    return "unchanged" if same else "texts"


def _values_missing(
    here: Composition | None, there: Composition | None
) -> dict[str, tuple[str, ...]]:
    """Option → its values that are offered here and not there."""
    if here is None or there is None:
        return {}
    missing = {}
    for option in here.options.values():
        other = there.options.get(option.id)
        values = tuple(v for v in option.ids if other is None or v not in other.ids)
        if values:
            missing[option.id] = values
    return missing


def _composition(planner: Planner, name: str) -> Composition | None:
    return planner.catalogue.compositions.get(name)


def _view(planner: Planner, name: str, view: str) -> View | None:
    composition = _composition(planner, name)
    return composition.views.get(view) if composition else None


def _version(planner: Planner, name: str, view: str) -> str | None:
    composition, found = _composition(planner, name), _view(planner, name, view)
    return planner.version(composition, found) if composition and found else None
