"""A few configurations that stand for all: the default one, and each single change of it.

The rule: however large a lattice is, what is picked of it is bounded, and the same each time.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, repeat

from render_service.composition.configuration import forbids
from render_service.composition.model import Composition, View


def sample_view(composition: Composition, view: View) -> Iterator[Mapping[str, str]]:
    """Yield the default configuration of a view, and those that differ from it in one option."""
    default = {option: composition.options[option].default for option in view.options}
    yield default
    for option in view.options:
        for value in composition.options[option].ids:
            changed = {**default, option: value}
            if value != default[option] and not forbids(composition, changed):
                yield changed


def sample(composition: Composition, most: int) -> list[tuple[View, Mapping[str, str]]]:
    """Return at most `most` (view, configuration), of the views in turn, so that each has some."""
    views = composition.views.values()
    streams = [zip(repeat(view), sample_view(composition, view)) for view in views]
    found: list[tuple[View, Mapping[str, str]]] = []
    while streams and len(found) < most:
        going = []
        for stream in islice(streams, most - len(found)):
            if (one := next(stream, None)) is not None:
                found.append(one)
                going.append(stream)
        streams = going
    return found
