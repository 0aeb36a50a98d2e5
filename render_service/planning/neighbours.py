"""The next click: the configurations one change away, in the order in which they are likely.

The rule: what shoppers changed to before comes first; what nobody changed to yet follows in the
order of the definition. So with no counts at all the order is the product's own, and losing the
counts loses nothing but ranking. Lazy: nobody pays for a neighbour that is not taken.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from render_service.composition.configuration import change_option, rules_among
from render_service.composition.model import Composition, Rule, View, satisfied
from render_service.errors import RenderServiceError
from render_service.formats import FACTS, Format
from render_service.planning.planner import PlannedImage, Planner, has_alpha
from render_service.planning.request import RenderRequest
from render_service.planning.url import ImagePath

Counts = Mapping[tuple[str, str], float]
"""(option, value) → how often shoppers changed to it, lately."""

NO_COUNTS: Final[Counts] = {}


class Neighbour(Struct, frozen=True, kw_only=True):
    """A configuration that is made and one change away.

    Attributes:
        option: What is changed.
        value: What it is changed to.
        configuration: What comes of it: other options have changed too where the change alone is
            not made.
    """

    option: str
    value: str
    configuration: Mapping[str, str]


def neighbours(
    composition: Composition,
    configuration: Mapping[str, str],
    *,
    counts: Counts = NO_COUNTS,
    changed: str | None = None,
    among: Collection[str] | None = None,
) -> Iterator[Neighbour]:
    """Yield the neighbours of the valid `configuration`, the likeliest first.

    By falling counts; among equals, changes that are made as they are before those that take
    others with them, values of the option that was `changed` last before those of others (who
    looks at metals goes on to the next metal), and then the order of the definition.

    Args:
        composition: Whose configuration it is.
        configuration: Values of all its options, or of those that a view shows; only rules within
            them count.
        counts: What shoppers changed to.
        changed: The option they changed last to get here, if it is known.
        among: The options to change; None: all of them.
    """
    # A change can break only rules about its own option.
    about: dict[str, list[Rule]] = {}
    for rule in rules_among(composition, configuration):
        for option in rule.all:
            about.setdefault(option, []).append(rule)

    def rank(change: tuple[str, str]) -> tuple[float, bool, bool]:
        option, value = change
        broken = any(
            value in rule.all[option]
            and all(configuration[o] in values for o, values in rule.all.items() if o != option)
            for rule in about.get(option, ())
        )
        return (-counts.get(change, 0.0), broken, option != changed)

    changes = [
        (option, value)
        for option in configuration
        if among is None or option in among
        for value in composition.options[option].ids
        if value != configuration[option]
    ]
    # Sorting is stable: equals stay in the order of the definition.
    for option, value in sorted(changes, key=rank):
        made = change_option(composition, configuration, option, value)
        if made is not None:
            yield Neighbour(option=option, value=value, configuration=made)


def what_is_drawn(
    composition: Composition, view: View, configuration: Mapping[str, str]
) -> Hashable:
    """Return what `view` draws of a configuration: equal means equal plans, and so equal keys.

    Takes 10 microseconds, a ninth of a plan's.
    """

    def paint(option: str) -> Hashable:
        values = composition.options[option].values
        material = next(value.material for value in values if value.id == configuration[option])
        return material and (material.value, material.stops)

    alpha = has_alpha({option: configuration[option] for option in view.options})
    drawn = tuple(
        (place, layer.asset_for(configuration), *map(paint, layer.paint))
        for place, layer in enumerate(view.layers)
        if satisfied(layer.when, configuration)
    )
    return (alpha, drawn)


def neighbouring_pictures(
    planner: Planner, image: ImagePath, counts: Counts = NO_COUNTS, changed: str | None = None
) -> Iterator[PlannedImage]:
    """Yield the pictures that are likely to be asked for after `image`, each key once.

    They are of the same view, region and width, and of the format that a page asks for which asked
    for this one. Planned one by one, as they are taken.

    Raises:
        NotFound: The view of `image` is not there.
    """
    composition = planner.catalogue.composition(image.composition)
    view = composition.view(image.view, image.region)
    here = dict(image.selection)
    seen = {what_is_drawn(composition, view, here)}
    for neighbour in neighbours(composition, here, counts=counts, changed=changed):
        drawn = what_is_drawn(composition, view, neighbour.configuration)
        if drawn in seen:
            continue
        seen.add(drawn)
        request = RenderRequest(
            composition=image.composition,
            view=image.view,
            region=image.region,
            selection=tuple(neighbour.configuration.items()),
            width_px=image.width_px,
            format=format_beside(image.format, here, neighbour.configuration),
        )
        try:
            yield planner.plan(request)
        except RenderServiceError:
            # An option of the view that has no such picture, e.g. for want of a file: whoever
            # asks for it is told.
            continue


def format_beside(shown: Format, here: Mapping[str, str], there: Mapping[str, str]) -> Format:
    """Return the format that a page asks for `there` which shows `here` in `shown`.

    The same, but for the picture for everybody: PNG where it is transparent, else JPEG.
    """
    if shown is Format.PNG and has_alpha(here) and not has_alpha(there):
        return Format.JPEG
    if has_alpha(there) and not FACTS[shown].alpha:
        return Format.PNG
    return shown
