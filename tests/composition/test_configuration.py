"""Selections: defaults, rules, and the nearest configuration that is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.composition.configuration import (
    resolve,
    resolve_view,
    valid_configurations,
)
from render_service.composition.model import satisfied
from render_service.errors import UnknownOption, UnknownValue
from tests.builders import RING, build_composition

RULES = """
[[forbid]]
all = { shape = "oval", gem = "emerald" }
reason = "We cut emeralds round only."

[[forbid]]
all = { shape = "round", gem = "emerald", metal = ["silver", "rhodium"] }
reason = "Round emeralds are set in gold."

[[forbid]]
all = { metal = "rhodium", background = "white" }
reason = "Test."
"""
COMPOSITION = build_composition(
    RING.replace(RING[RING.index("[[forbid]]") : RING.index("[views.hero]")], RULES)
)
OPTIONS = tuple(COMPOSITION.options)
SELECTIONS = st.fixed_dictionaries(
    {}, optional={o.id: st.sampled_from(o.ids) for o in COMPOSITION.options.values()}
)


def distance(one, other):
    return sum(one[option] != other[option] for option in OPTIONS)


def test_what_is_not_selected_has_its_default():
    found = resolve(COMPOSITION, {"gem": "ruby"})

    assert found.configuration == {
        "metal": "gold",
        "shape": "round",
        "gem": "ruby",
        "background": "studio",
    }
    assert found.valid


def test_every_broken_rule_is_reported_with_its_values_and_reason():
    found = resolve(
        COMPOSITION, {"shape": "oval", "gem": "emerald", "metal": "rhodium", "background": "white"}
    )

    assert [c.reason for c in found.conflicts] == ["We cut emeralds round only.", "Test."]
    assert found.conflicts[0].all == {"shape": "oval", "gem": "emerald"}


@given(SELECTIONS)
def test_the_nearest_configuration_is_valid_and_no_other_is_nearer(selection):
    found = resolve(COMPOSITION, selection)
    valid = list(valid_configurations(COMPOSITION, OPTIONS))

    assert found.valid == (dict(found.configuration) in valid)
    if not found.valid:
        assert found.nearest in valid
        assert distance(found.nearest, found.configuration) == min(
            distance(other, found.configuration) for other in valid
        )


def test_of_two_nearest_the_one_that_keeps_what_was_selected_wins():
    chosen_gem = resolve(COMPOSITION, {"gem": "emerald", "shape": "oval"}).nearest
    composition = build_composition(RING.replace('default = "round"', 'default = "oval"'))
    chosen_only_gem = resolve(composition, {"gem": "emerald"}).nearest

    assert chosen_gem["metal"] == "gold"
    assert chosen_only_gem["gem"] == "emerald"
    assert chosen_only_gem["shape"] == "round"


def test_a_rule_that_forbids_the_default_is_refused():
    everything = 'all = { shape = ["round", "oval"] }'
    with pytest.raises(Exception, match="forbids the default"):
        build_composition(RING.replace('all = { shape = "oval", gem = "emerald" }', everything))


def test_unknown_names_are_refused():
    with pytest.raises(UnknownOption, match="'colour'"):
        resolve(COMPOSITION, {"colour": "red"})
    with pytest.raises(UnknownValue, match="round, oval"):
        resolve(COMPOSITION, {"shape": "square"})


@given(SELECTIONS)
def test_a_view_keeps_only_its_own_options_and_rules(selection):
    view = COMPOSITION.views["side"]

    assert resolve_view(COMPOSITION, view, selection) == {"metal": selection.get("metal", "gold")}


def test_valid_configurations_are_all_those_that_break_no_rule():
    valid = list(valid_configurations(COMPOSITION, OPTIONS))

    assert len(valid) == len({tuple(c.items()) for c in valid})
    assert all(not satisfied(rule.all, c) for c in valid for rule in COMPOSITION.rules)
    assert len(valid) == 3 * 2 * 4 * 3 - (3 * 3 + 2 * 3 + 8 - 2)
