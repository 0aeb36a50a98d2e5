"""The lattice of a view: every configuration that it can show, the likeliest first, one at a time.

The rule: nothing is kept of what was passed, so a lattice of millions takes the memory of one
configuration. Each value costs the less the more popular it is, in whole numbers; configurations
come by rising cost, and those of one cost in the order of the definition. At each cost only sums
that can be reached are followed, so nothing is tried in vain.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from render_service.composition.configuration import forbids
from render_service.composition.model import Composition, Option, View
from render_service.planning.neighbours import NO_COUNTS, Counts

STEPS: Final = 4
"""Costs in each halving of popularity: a value 1.2 times as popular as another comes before it."""

COST_MAX: Final = 64
"""Of one value: a 65,536th of the most popular one. None is so rare that it never comes."""


def lattice(
    composition: Composition, view: View, counts: Counts = NO_COUNTS
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (cost, configuration of the view's options) of all that are made, by rising cost.

    Args:
        composition: Whose view it is.
        view: Only options that it shows are told apart.
        counts: What shoppers changed to; without, defaults come first and then the definition's
            order.
    """
    costs = [value_costs(composition.options[option], counts) for option in view.options]
    reachable = _reachable(costs)
    for cost in range(reachable[0].bit_length()):
        if reachable[0] >> cost & 1:
            for chosen in _walk(costs, reachable, cost):
                configuration = dict(zip(view.options, chosen, strict=True))
                if not forbids(composition, configuration):
                    yield cost, configuration


def value_costs(option: Option, counts: Counts) -> dict[str, int]:
    """Return what each value of `option` costs: 0 is the most popular one.

    Every shopper sees the default before anything was changed: it counts as all changes together.
    A change that nobody made weighs less than one, and the less the later it is in the definition.
    """
    changed = {value: counts.get((option.id, value), 0.0) for value in option.ids}
    weights = {
        value: count + 1 / (place + 2) for place, (value, count) in enumerate(changed.items())
    }
    weights[option.default] += 1 + sum(changed.values())
    most = max(weights.values())
    return {
        value: min(COST_MAX, round(STEPS * math.log2(most / weight)))
        for value, weight in weights.items()
    }


def _reachable(costs: Sequence[Mapping[str, int]]) -> list[int]:
    """Return for each option the sums that it and those after it can come to, as bits."""
    sums = [1]
    for option in reversed(costs):
        here = 0
        for cost in option.values():
            here |= sums[0] << cost
        sums.insert(0, here)
    return sums


def _walk(
    costs: Sequence[Mapping[str, int]], reachable: Sequence[int], cost: int
) -> Iterator[tuple[str, ...]]:
    """Yield the values, one of each option, that cost exactly `cost` together."""
    if not costs:
        yield ()
        return
    for value, own in costs[0].items():
        if own <= cost and reachable[1] >> (cost - own) & 1:
            for rest in _walk(costs[1:], reachable[1:], cost - own):
                yield (value, *rest)
