"""Every configuration of a view once, the likeliest first, in the memory of one."""

import tracemalloc
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from render_service.composition.configuration import valid_configurations
from render_service.planning.lattice import lattice, value_costs
from tests.builders import RING, build_composition

COMPOSITION = build_composition()
HERO = COMPOSITION.views["hero"]
changes = st.sampled_from(
    [(option.id, value) for option in COMPOSITION.options.values() for value in option.ids]
)

OPTION = """
[options.size-{number}]
values = ["a", "b", "c", "d"]
default = "b"
"""
LAYER = """
[[views.hero.layers]]
asset = "hero/size-{{size-{number}}}-{number}.png"
"""


def large():
    """The ring with twelve options more: over a billion configurations."""
    numbers = range(12)
    head, _, rest = RING.partition("[[forbid]]")
    options = "".join(OPTION.format(number=number) for number in numbers)
    before, _, after = rest.partition("[views.side]")
    layers = "".join(LAYER.format(number=number) for number in numbers)
    return build_composition(f"{head}{options}[[forbid]]{before}{layers}[views.side]{after}")


def configurations(counts):
    return [tuple(found.values()) for _, found in lattice(COMPOSITION, HERO, counts)]


@given(st.dictionaries(changes, st.floats(0, 1e6)))
def test_every_configuration_that_is_made_comes_once(counts):
    found = configurations(counts)
    made = [tuple(c.values()) for c in valid_configurations(COMPOSITION, HERO.options)]
    assert sorted(found) == sorted(made)


@given(st.dictionaries(changes, st.floats(0, 1e6)))
def test_what_is_likely_comes_before_what_is_not(counts):
    costs = [cost for cost, _ in lattice(COMPOSITION, HERO, counts)]
    assert costs == sorted(costs)


def test_without_counts_the_defaults_come_first_and_then_single_changes():
    first, *rest = (found for _, found in lattice(COMPOSITION, HERO))
    defaults = {option: COMPOSITION.options[option].default for option in HERO.options}
    assert first == defaults
    changed = [sum(found[o] != defaults[o] for o in defaults) for found in rest[:6]]
    assert changed == [1] * 6


def test_what_shoppers_change_to_comes_before_the_order_of_the_definition():
    counts = {("gem", "emerald"): 50.0}
    second = configurations(counts)[1]
    assert "emerald" in second


def test_a_default_is_at_least_as_likely_as_all_changes_of_its_option_together():
    gem = COMPOSITION.options["gem"]
    costs = value_costs(gem, {("gem", "ruby"): 10.0, ("gem", "emerald"): 10.0})
    assert costs["diamond"] == 0 < costs["ruby"]


def test_a_view_without_options_has_one_configuration():
    bare = RING.replace('asset = "side/band.tif"\npaint = "metal"', 'asset = "side/band.tif"')
    composition = build_composition(bare)
    assert list(lattice(composition, composition.views["side"])) == [(0, {})]


def test_a_lattice_of_billions_takes_the_memory_of_one_configuration():
    composition = large()
    view = composition.views["hero"]
    assert composition.lattice_size(view.options) > 1e9
    found = lattice(composition, view)
    next(found)
    tracemalloc.start()
    for _ in islice(found, 2000):
        pass
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000
