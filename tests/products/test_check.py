"""Checking a product: every fault at once, none twice, each with its field and what is offered."""

import pytest

from render_service.errors import InvalidProduct
from render_service.products.check import check_product
from tests.builders import RING, build_composition
from tests.products.builders import COMPOSITION, PRODUCT, build_product

METAL_VALUES = ("gold", "silver", "rhodium")
PART = {"kind": "charge", "title": "X", "amount_minor": 1}


def faults(changes):
    return check_product(build_product(changes), COMPOSITION)


def test_a_sound_product_has_no_faults():
    assert check_product(PRODUCT, COMPOSITION) == []


@pytest.mark.parametrize(
    ("changes", "field", "given", "said"),
    [
        ({"id": "Ring 1"}, "id", "Ring 1", "misspelt"),
        ({"composition": "bangle"}, "composition", "bangle", "checked against, ring"),
        ({"language": "EN"}, "language", "EN", "BCP 47"),
        ({"translations": {"de-de": {}}}, "translations.de-de", "de-de", "BCP 47"),
        ({"translations": {"en": {}}}, "translations.en", "en", "of the product itself"),
        (
            {"translations": {"de": {"options": {"colour": {}}}}},
            "translations.de.options.colour",
            "colour",
            "no option of the product",
        ),
        (
            {"translations": {"de": {"options": {"metal": {"values": {"tin": "Zinn"}}}}}},
            "translations.de.options.metal.values.tin",
            "tin",
            "no value of metal",
        ),
        ({"attributes": {"My Style": ["x"]}}, "attributes.My Style", "My Style", "misspelt"),
        ({"attributes": {"style": ["x", "y", "x"]}}, "attributes.style[2]", "x", "twice"),
        ({"media": [{"id": "a/b"}]}, "media[0].id", "a/b", "misspelt"),
        ({"media": [{"id": "a"}, {"id": "a"}]}, "media[1].id", "a", "twice"),
        ({"media": [{"id": "a", "alt": {"xx_YY": "x"}}]}, "media[0].alt.xx_YY", "xx_YY", "BCP 47"),
        (
            {"media": [{"id": "a", "role": "main"}, {"id": "b", "role": "main"}]},
            "media[1].role",
            "main",
            "one is the main one",
        ),
        ({"options.1.default": "tin"}, "options[1].default", "tin", "not on offer"),
        (
            {"options.1.values": ["silver", "rhodium"]},
            "options[1].default",
            "gold",
            "the composition's and not on offer",
        ),
        (
            {"options.1.values": ["gold", "tin", "silver"]},
            "options[1].values[1]",
            "tin",
            "no value of metal",
        ),
        ({"options.1.values": ["gold", "silver", "gold"]}, "options[1].values[2]", "gold", "twice"),
        ({"options.1.codes.tin": "SN"}, "options[1].codes.tin", "tin", "no value"),
        ({"pricing.tax_class": "Standard"}, "pricing.tax_class", "Standard", "misspelt"),
        ({"pricing.parts.0.titles.DE": "x"}, "pricing.parts[0].titles.DE", "DE", "BCP 47"),
        (
            {"pricing.rounding": {"to_minor": 100, "less_minor": 100}},
            "pricing.rounding.less_minor",
            "100",
            "not below to_minor, 100",
        ),
        (
            {"pricing.parts.2.when.colour": "red"},
            "pricing.parts[2].when.colour",
            "colour",
            "no option of the product",
        ),
        (
            {"pricing.parts.2.when.background": "white"},
            "pricing.parts[2].when.background",
            "background",
            "no option of the product",
        ),
        (
            {"pricing.parts.2.when.metal": ["silver", "tin"]},
            "pricing.parts[2].when.metal",
            "tin",
            "no value of metal",
        ),
        (
            {"pricing.parts.0.by.colour": {"red": 1}},
            "pricing.parts[0].by.colour",
            "colour",
            "no option of the product",
        ),
        (
            {"pricing.parts.0.by.shape.square": 1},
            "pricing.parts[0].by.shape",
            "square",
            "no value of shape",
        ),
        (
            {"pricing.parts.0.by.shape.oval": None},
            "pricing.parts[0].by.shape",
            "round",
            "says nothing of oval",
        ),
        ({"pricing.parts.0.rate": "{alloy}"}, "pricing.parts[0].rate", "alloy", "no option"),
        ({"pricing.parts.0.rate": "{metal"}, "pricing.parts[0].rate", "{metal", "misspelt"),
        ({"pricing.parts.0.rate": "x//y"}, "pricing.parts[0].rate", "x//y", "misspelt"),
        ({"title": "Ring\x00"}, "title", "Ring\x00", "control character U+0000"),
        (
            {"attributes": {"style": ["a\x1b[31m"]}},
            "attributes.style[0]",
            "a\x1b[31m",
            "control character U+001B",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_one_fault_with_its_field(changes, field, given, said):
    (fault,) = faults(changes)

    assert (fault.field, fault.given) == (field, given)
    assert said in fault.problem


def test_a_fault_of_a_name_lists_what_is_offered():
    (fault,) = faults({"pricing.parts.2.when.metal": "tin"})

    assert fault.offered == METAL_VALUES
    assert str(fault) == (
        "pricing.parts[2].when.metal: 'tin' is no value of metal; offered: gold, silver, rhodium"
    )


def test_an_option_that_the_composition_does_not_have_is_noted_once_however_often_it_is_named():
    changes = {
        "options.1.id": "alloy",
        "sku": "RG-{alloy}-{gem}{shape}-{size}",
        "pricing.parts.0.rate": "{alloy}",
        "pricing.parts.0.by": {"alloy": {"gold": 1}},
        "pricing.parts.2.when": {"alloy": "gold"},
        "translations": {"de": {"options": {"alloy": {"values": {"gold": "Gold"}}}}},
    }
    (fault,) = faults(changes)

    assert (fault.field, fault.given) == ("options[1].id", "alloy")
    assert fault.offered == ("metal", "shape", "gem", "background")


def test_an_option_that_is_there_twice_is_one_fault():
    (fault,) = faults({"options": [*build_raw_options(), {"id": "metal"}]})

    assert (fault.field, fault.problem) == ("options[3].id", "is there twice")


def build_raw_options():
    codes = {option.id: dict(option.codes) for option in PRODUCT.options}
    return [{"id": option, "codes": table} for option, table in codes.items()]


def test_defaults_that_are_not_made_together_are_a_fault_with_the_nearest_that_are():
    (fault,) = faults({"options.0.default": "emerald", "options.2.default": "oval"})

    assert fault.field == "options"
    assert "We cut emeralds round only" in fault.problem
    assert fault.given == "shape=oval, gem=emerald"
    assert fault.offered == ("metal=gold, shape=round, gem=emerald",)


def test_defaults_are_checked_beside_an_option_that_is_not_there():
    changes = {
        "options.0.default": "emerald",
        "options.2.default": "oval",
        "options.1.id": "alloy",
        "sku": "RG-{alloy}-{gem}{shape}-{size}",
        "pricing.parts": [PART],
    }

    assert [fault.field for fault in faults(changes)] == ["options[1].id", "options"]


def test_a_default_that_is_not_on_offer_is_not_told_to_be_forbidden_as_well():
    changes = {
        "options.0.default": "emerald",
        "options.2": {
            "id": "shape",
            "values": ["round"],
            "default": "oval",
            "codes": {"round": "R"},
        },
    }

    assert [fault.field for fault in faults(changes)] == ["options[2].default"]


def test_what_is_misspelt_is_not_told_to_hold_a_control_character_as_well():
    assert [fault.field for fault in faults({"id": "ring\x00"})] == ["id"]


def test_a_configuration_without_metal_in_its_price_is_a_fault_where_others_have_some():
    (fault,) = faults({"pricing.parts.0.when": {"metal": ["gold", "silver"]}})

    assert (fault.field, fault.given) == ("pricing.parts", "metal=rhodium")
    assert "no metal" in fault.problem


def test_a_configuration_that_is_not_made_needs_no_metal():
    metal = {"kind": "metal", "title": "M", "rate": "{metal}", "weight_mg": 1}
    changes = {
        "pricing.parts": [
            {**metal, "when": {"shape": "round"}},
            {**metal, "when": {"gem": ["diamond", "ruby", "sapphire"]}},
        ]
    }

    assert faults(changes) == []


def test_a_product_without_metal_at_all_is_sound():
    assert faults({"pricing.parts": [PART]}) == []


def test_a_table_needs_only_the_values_that_its_part_is_for():
    changes = {
        "pricing.parts.1.when": {"gem": ["diamond", "ruby"]},
        "pricing.parts.1.by.gem": {"diamond": 1000, "ruby": 1100},
    }

    assert faults(changes) == []


def test_a_table_may_say_something_of_a_value_that_is_not_on_offer():
    assert faults({"options.0.values": ["diamond", "ruby"]}) == []


def test_weight_by_size_without_sizes_is_a_fault():
    (fault,) = faults({"sizes": None, "sku": "RG-{metal}-{gem}{shape}"})

    assert (fault.field, fault.given) == ("pricing.parts[0].per_size_mg", "45")


def test_a_rate_whose_key_would_be_too_long_is_a_fault():
    template = "x" * 195 + "{gem}"

    (fault,) = faults({"pricing.parts.0.rate": template})

    assert "up to 203 characters, over 200" in fault.problem


def test_an_option_named_size_beside_ring_sizes_is_a_fault():
    composition = build_composition(
        RING.replace(
            "[options.background]",
            '[options.size]\nvalues = ["s", "l"]\ndefault = "s"\n\n[options.background]',
        )
    )
    changes = {"options": [*build_raw_options(), {"id": "size", "codes": {"s": "S", "l": "L"}}]}

    found = check_product(build_product(changes), composition)

    assert [(f.field, f.problem) for f in found] == [
        ("sku", "has {size} stand for an option and for the ring size")
    ]


EVERYWHERE = {
    "id": "Ring",
    "language": "english",
    "translations": {"DE": {"title": "\x01"}, "de": {"options": {"colour": {}}}},
    "attributes": {"Style": ["a", "a"]},
    "sizes.base_mm": "99",
    "options.0.default": "glass",
    "options.1.id": "alloy",
    "options.2.codes.oval": "o",
    "sku": "{gem}{shape}{size}{size}",
    "pricing.tax_class": "-",
    "pricing.rounding": {"to_minor": 1, "less_minor": 1},
    "pricing.parts.0.rate": "{tone}",
    "pricing.parts.0.by.shape.oval": None,
    "pricing.parts.1.by.gem.glass": 1,
    "pricing.parts.2.when": {"cut": "x"},
    "media": [{"id": "?"}, {"id": "?", "alt": {"??": "x"}}],
    "text": "\x02",
}
FIELDS = {
    "id",
    "language",
    "translations.DE",
    "translations.DE.title",
    "translations.de.options.colour",
    "attributes.Style",
    "attributes.Style[1]",
    "sizes.base_mm",
    "options[0].default",
    "options[1].id",
    "options[2].codes.oval",
    "sku",
    "pricing.tax_class",
    "pricing.rounding.less_minor",
    "pricing.parts[0].rate",
    "pricing.parts[0].by.shape",
    "pricing.parts[1].by.gem",
    "pricing.parts[2].when.cut",
    "media[0].id",
    "media[1].id",
    "media[1].alt.??",
    "text",
}


def test_every_fault_is_found_at_once_and_none_twice():
    found = faults(EVERYWHERE)

    assert {fault.field for fault in found} == FIELDS
    assert len({(fault.field, fault.problem) for fault in found}) == len(found)


def test_an_error_carries_every_fault_for_programs():
    error = InvalidProduct(faults({"id": "Ring", "options.1.default": "tin"}))

    assert [item["field"] for item in error.facts["errors"]] == ["id", "options[1].default"]
    assert error.facts["errors"][1] == {
        "field": "options[1].default",
        "given": "tin",
        "problem": "is not on offer",
        "offered": ["gold", "silver", "rhodium"],
    }
    assert "options[1].default: 'tin' is not on offer" in str(error)


def test_of_many_faults_the_message_tells_twenty_and_programs_get_all():
    product = build_product({"media": [{"id": "a"}] * 31})

    error = InvalidProduct(check_product(product, COMPOSITION))

    assert str(error).count("is there twice") == 20
    assert str(error).endswith("; and 10 more")
    assert len(error.facts["errors"]) == len(error.faults) == 30
