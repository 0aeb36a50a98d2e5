"""Configurations: defaults, what is not on offer, what is not made, and the hash."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import (
    ForbiddenConfiguration,
    InvalidProduct,
    SizeNotOffered,
    UnknownOption,
    UnknownValue,
)
from render_service.products.configure import configure
from tests.builders import RING, build_composition
from tests.products.builders import (
    PRODUCT,
    SIZES,
    VALID,
    VALID_SELECTIONS,
    build_product,
    configured,
)

SOLD = build_product({"options.1.values": ["silver", "gold"], "options.1.default": "silver"})
NO_SIZES = build_product(
    {"sizes": None, "sku": "RG-{metal}-{gem}{shape}", "pricing.parts.0.per_size_mg": 0}
)


def test_what_is_not_selected_has_the_default_of_the_product_or_of_the_composition():
    found = configured(SOLD, gem="ruby")

    assert found.configuration == {"metal": "silver", "shape": "round", "gem": "ruby"}


def test_a_configuration_is_in_the_order_of_the_composition():
    assert list(configured().configuration) == ["metal", "shape", "gem"]


def test_a_value_that_the_product_does_not_offer_is_refused_with_what_it_offers():
    with pytest.raises(UnknownValue) as caught:
        configured(SOLD, metal="rhodium")

    assert caught.value.facts == {
        "option": "metal",
        "value": "rhodium",
        "offered": ["silver", "gold"],
    }


def test_an_option_that_is_nowhere_is_refused():
    with pytest.raises(UnknownOption, match="'colour'"):
        configured(colour="red")


def test_an_option_of_the_picture_is_kept_for_the_picture_and_nothing_else():
    white, plain = configured(background="white"), configured()

    assert white.picture == {"background": "white"}
    assert plain.picture == {}
    assert (white.hash, white.configuration) == (plain.hash, plain.configuration)


def test_an_option_of_the_picture_is_checked_by_name():
    with pytest.raises(UnknownValue, match="studio, white, transparent"):
        configured(background="mauve")


def test_what_is_not_made_is_refused_with_the_reason_and_the_nearest_that_is():
    with pytest.raises(ForbiddenConfiguration, match="We cut emeralds round only") as caught:
        configured(gem="emerald", shape="oval")

    assert caught.value.facts["nearest"] in [dict(one) for one in VALID]


def test_the_nearest_is_one_that_the_product_offers():
    # The composition itself would change the cut; this product offers the other one only.
    oval = build_product(
        {
            "options.2": {"id": "shape", "values": ["oval"], "default": "oval"},
            "sku": "RG-{metal}-{gem}-{size}",
        }
    )

    with pytest.raises(ForbiddenConfiguration) as caught:
        configured(oval, gem="emerald")

    assert caught.value.facts["nearest"] == {"metal": "gold", "shape": "oval", "gem": "diamond"}


def test_a_rule_that_an_option_of_the_picture_takes_part_in_is_the_pictures_affair():
    composition = build_composition(
        RING.replace('shape = "oval", gem = "emerald"', 'background = "white", gem = "ruby"')
    )

    found = configure(PRODUCT, composition, {"gem": "ruby", "background": "white"})

    assert found.configuration["gem"] == "ruby"


@pytest.mark.parametrize("size", ["47.5", "60.5", "54.2", "54.0", "large", ""])
def test_a_size_that_is_not_on_offer_is_refused_with_what_is(size):
    with pytest.raises(SizeNotOffered, match=r"48 to 60 mm in steps of 0\.5") as caught:
        configured(size=size)

    assert caught.value.facts["size"] == size


def test_where_no_size_is_named_the_base_size_is_meant():
    assert configured().size == "54"


def test_what_has_no_sizes_takes_none():
    assert configured(NO_SIZES).size is None
    with pytest.raises(SizeNotOffered, match="has no sizes"):
        configured(NO_SIZES, size="54")


def test_a_product_that_the_composition_has_moved_away_from_is_refused_with_the_field():
    composition = build_composition(
        RING.replace("[options.shape]", "[options.cut]")
        .replace("shape =", "cut =")
        .replace("{shape}", "{cut}")
    )

    with pytest.raises(InvalidProduct) as caught:
        configure(PRODUCT, composition, {})

    assert [fault.field for fault in caught.value.faults] == ["options[2].id"]


@given(VALID_SELECTIONS, st.randoms(), SIZES)
def test_the_order_of_a_selection_never_matters(selection, shuffled: random.Random, size):
    items = [*selection.items(), ("background", "white")]
    shuffled.shuffle(items)

    one, other = (
        configured(size=size, **dict(items)),
        configured(size=size, background="white", **selection),
    )

    assert one == other
    assert list(one.configuration) == list(other.configuration)


@given(VALID_SELECTIONS, VALID_SELECTIONS, SIZES, SIZES)
def test_hashes_are_equal_exactly_where_configurations_are(one, other, size, other_size):
    first, second = configured(size=size, **one), configured(size=other_size, **other)

    assert (first.hash == second.hash) == (one == other)


def test_a_hash_is_of_one_composition():
    composition = build_composition(name="band")

    assert configure(PRODUCT, composition, {}).hash != configured().hash


def test_a_hash_never_changes_from_release_to_release():
    # Pictures and prices are found by it: change the expectation and they are lost.
    assert configured().hash == "deb8b32b6539585a0b12327a55299ee4"
    assert (
        configured(gem="ruby", metal="silver", size="52.5").hash
        == "b1baaf256ca518947ac29b84dddc009f"
    )
