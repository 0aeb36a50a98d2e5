"""Prices: reckoned by hand, sums that hold, and never less for more."""

from datetime import timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_service.errors import InvalidProduct, RateInOtherCurrency, RateMissing
from render_service.products.money import AMOUNT_MAX, Currency
from render_service.products.price import LineKind, Price, Unit
from render_service.products.pricing import price
from render_service.products.rates import RateKind, Rates
from render_service.products.rules import PARTS_MAX
from tests.products.builders import (
    AT,
    METALS,
    PRODUCT,
    RATES,
    SIZES,
    START,
    STONES,
    VALID_SELECTIONS,
    all_rates,
    build_product,
    build_rate,
    build_rates,
    configured,
)

ENDINGS = {"to_minor": 5_000, "mode": "up", "less_minor": 100}
ROUNDINGS = st.integers(1, 20_000).flatmap(
    lambda to: st.fixed_dictionaries(
        {
            "to_minor": st.just(to),
            "mode": st.sampled_from(["up", "nearest", "down"]),
            "less_minor": st.integers(0, to - 1),
        }
    )
)
PRICES = st.sampled_from(["include_tax", "exclude_tax"])
MARKUPS = st.integers(0, 100_000)


def priced(changes=None, rates=RATES, size=None, at=AT, **selection):
    product = build_product(changes)
    return price(configured(product, size, **selection), product, rates, at)


def amounts(found: Price):
    return {line.title: line.amount_minor for line in found.lines}


def test_a_line_is_cost_and_tax_rounded_once():
    # 3.0225 g of gold at 78.00: 235.755; a diamond at 3,900.00; four prongs at 2.50; all × 1.19.
    found = priced(size="54.5")

    assert amounts(found) == {"Metal": 28_055, "Stone": 464_100, "Prongs": 1_190}
    assert found.total_minor == 28_055 + 464_100 + 1_190
    assert found.currency is Currency.EUR


def test_a_line_names_its_quantity_exactly_and_its_rate():
    metal, stone, prongs = priced(size="54.5").lines

    assert (metal.quantity, metal.unit, metal.rate) == ("3.0225", Unit.GRAM, "gold")
    assert (stone.quantity, stone.unit, stone.rate) == ("1", Unit.CARAT, "diamond/round")
    assert (prongs.quantity, prongs.unit, prongs.rate) == ("4", Unit.EACH, None)


def test_what_midway_lies_between_two_units_goes_to_the_even_one():
    halves = {"pricing.parts.1.by.gem.diamond": 500, "pricing.parts.1.count": 1}
    stones = {**STONES, "diamond/round": 5}
    free = build_rates(tax_bp=0, stones=stones)

    assert amounts(priced(halves, free))["Stone"] == 2
    assert (
        amounts(priced(halves, build_rates(tax_bp=0, stones={**stones, "diamond/round": 7})))[
            "Stone"
        ]
        == 4
    )


@pytest.mark.parametrize(
    ("size", "grams"), [("54", "3"), ("55", "3.045"), ("53", "2.955"), ("53.5", "2.9775")]
)
def test_weight_grows_and_shrinks_with_the_ring_exactly(size, grams):
    assert priced(size=size).lines[0].quantity == grams


def test_a_value_adds_its_weight():
    assert priced(shape="oval").lines[0].quantity == "3.12"


def test_weight_and_carats_are_never_below_zero():
    changes = {
        "pricing.parts.0.by.shape.round": -9_000,
        "pricing.parts.1.by.gem.diamond": -9_000,
    }
    metal, stone, _ = priced(changes).lines

    assert (metal.quantity, metal.amount_minor) == ("0", 0)
    assert (stone.quantity, stone.amount_minor) == ("0", 0)


@pytest.mark.parametrize(
    ("selection", "plated"),
    [
        ({"metal": "silver"}, True),
        ({"metal": "rhodium"}, True),
        ({"metal": "gold"}, False),
        ({"metal": "silver", "gem": "ruby"}, False),
    ],
)
def test_a_part_is_in_the_price_where_all_of_its_condition_holds(selection, plated):
    assert ("Plating" in amounts(priced(**selection))) == plated


def test_a_parts_own_markup_takes_the_place_of_the_products():
    changes = {"pricing.markup_bp": 10_000, "pricing.parts.3.markup_bp": 0}
    found = amounts(priced(changes, build_rates(tax_bp=0)))

    assert found == {"Metal": 46_800, "Stone": 780_000, "Prongs": 1_000}


def test_where_prices_include_tax_it_is_told_and_has_no_line():
    found = priced({"pricing.rounding": ENDINGS})

    assert found.tax.included
    assert found.tax.amount_minor == round(Fraction(found.total_minor * 1_900, 11_900))
    assert LineKind.TAX not in {line.kind for line in found.lines}


def test_where_prices_exclude_tax_it_is_a_line_on_top_of_the_rounded_sum():
    found = priced({"pricing.prices": "exclude_tax", "pricing.rounding": ENDINGS})
    *parts, rounding, tax = found.lines

    assert sum(line.amount_minor for line in parts) == 414_400
    assert (rounding.kind, rounding.amount_minor) == (LineKind.ROUNDING, 500)
    assert (tax.kind, tax.amount_minor, tax.rate) == (LineKind.TAX, 78_831, "standard")
    assert (tax.quantity, tax.unit) == ("19", Unit.PERCENT)
    assert found.total_minor == 414_900 + 78_831
    assert found.tax.amount_minor == 78_831


def test_a_sum_that_is_an_ending_already_has_no_line_of_rounding():
    changes = {"pricing.rounding": {"to_minor": 100, "mode": "up", "less_minor": 0}}

    found = priced(changes, build_rates(tax_bp=0))

    assert LineKind.ROUNDING not in {line.kind for line in found.lines}


def test_titles_are_in_the_language_that_is_asked_for_where_there_is_one():
    def titles(language):
        return [
            line.title for line in price(configured(), PRODUCT, RATES, AT, language=language).lines
        ]

    assert titles("de-AT") == titles("de") == ["Metall", "Stone", "Prongs"]
    assert titles("fr") == titles(None) == ["Metal", "Stone", "Prongs"]


def test_the_rates_used_are_named_once_each_and_never_by_amount():
    found = priced()

    assert [(r.kind, r.key, r.revision, r.valid_from) for r in found.rates] == [
        (RateKind.METAL, "gold", 1, START),
        (RateKind.STONE, "diamond/round", 1, START),
        (RateKind.TAX, "standard", 1, START),
    ]
    assert b"7800000" not in msgspec.json.encode(found)


def test_a_rate_that_two_parts_use_is_named_once():
    part = {"kind": "metal", "title": "Metal", "rate": "gold", "weight_mg": 1}

    found = priced({"pricing.parts": [part, part]})

    assert [rate.key for rate in found.rates] == ["gold", "standard"]


def test_the_price_follows_the_rate_that_is_valid_at_the_instant():
    rates = [rate for rate in all_rates() if rate.key != "gold"]
    rates += [
        build_rate(RateKind.METAL, "gold", 1_000_000, valid_to=AT),
        build_rate(RateKind.METAL, "gold", 2_000_000, valid_from=AT, revision=2),
    ]
    before = priced(rates=Rates(rates), at=AT - timedelta(seconds=1))
    after = priced(rates=Rates(rates), at=AT)

    assert (amounts(before)["Metal"], before.rates[0].revision) == (3_570, 1)
    assert (amounts(after)["Metal"], after.rates[0].revision) == (7_140, 2)


@pytest.mark.parametrize("key", ["gold", "diamond/round", "standard"])
def test_a_price_without_all_of_its_rates_is_an_error_that_names_the_rate(key):
    rates = Rates(rate for rate in all_rates() if rate.key != key)

    with pytest.raises(RateMissing) as caught:
        priced(rates=rates)

    assert caught.value.facts["key"] == key


def test_a_rate_that_the_configuration_does_not_use_may_be_missing():
    rates = Rates(rate for rate in all_rates() if rate.key != "ruby/oval")

    assert priced(rates=rates) == priced()


def test_a_price_in_a_currency_without_rates_is_an_error():
    with pytest.raises(RateInOtherCurrency, match="it is in EUR"):
        priced({"pricing.currency": "USD"})


def test_a_table_that_leaves_a_value_out_is_an_error_that_names_the_field():
    with pytest.raises(InvalidProduct, match=r"parts\[1\]\.by\.gem.*nothing of diamond"):
        priced({"pricing.parts.1.by.gem.diamond": None})


@given(VALID_SELECTIONS, SIZES, ROUNDINGS, PRICES, MARKUPS, st.integers(0, 10_000))
def test_the_sum_of_the_lines_is_the_total(selection, size, rounding, prices, markup_bp, tax_bp):
    changes = {
        "pricing.rounding": rounding,
        "pricing.prices": prices,
        "pricing.markup_bp": markup_bp,
    }
    found = priced(changes, build_rates(tax_bp=tax_bp), size, **selection)

    assert sum(line.amount_minor for line in found.lines) == found.total_minor >= 0
    assert all(line.amount_minor >= 0 or line.kind is LineKind.ROUNDING for line in found.lines)
    assert 0 <= found.tax.amount_minor <= found.total_minor


@given(VALID_SELECTIONS, SIZES, PRICES, MARKUPS)
def test_rounding_up_never_gives_less_than_the_sum_of_the_parts(selection, size, prices, markup_bp):
    changes = {
        "pricing.rounding": ENDINGS,
        "pricing.prices": prices,
        "pricing.markup_bp": markup_bp,
    }
    found = priced(changes, size=size, **selection)

    assert all(line.amount_minor > 0 for line in found.lines)


MORE = {
    "weight": "pricing.parts.0.weight_mg",
    "weight for a size": "pricing.parts.0.per_size_mg",
    "weight of a value": "pricing.parts.0.by.shape.round",
    "carats": "pricing.parts.1.by.gem.diamond",
    "stones": "pricing.parts.1.count",
    "a charge": "pricing.parts.3.amount_minor",
    "charges": "pricing.parts.3.each",
    "markup": "pricing.markup_bp",
}


@pytest.mark.parametrize("field", MORE.values(), ids=MORE)
@settings(max_examples=40)
@given(st.integers(1, 1_000), st.integers(1, 1_000), SIZES, ROUNDINGS, PRICES)
def test_more_of_anything_never_costs_less(field, one, other, size, rounding, prices):
    less, more = sorted((one, other))
    fixed = {"pricing.rounding": rounding, "pricing.prices": prices}
    if field.endswith("per_size_mg") and float(size) < 54:
        less, more = more, less  # what a size adds comes off below the base size

    assert (
        priced({**fixed, field: less}, size=size).total_minor
        <= priced({**fixed, field: more}, size=size).total_minor
    )


@given(SIZES, SIZES, VALID_SELECTIONS, ROUNDINGS, PRICES)
def test_a_larger_ring_never_costs_less(one, other, selection, rounding, prices):
    changes = {"pricing.rounding": rounding, "pricing.prices": prices}
    less, more = sorted((one, other), key=Fraction)

    assert (
        priced(changes, size=less, **selection).total_minor
        <= priced(changes, size=more, **selection).total_minor
    )


@pytest.mark.parametrize("kind", RateKind)
@given(st.integers(0, 10_000), st.integers(0, 10_000), SIZES, ROUNDINGS, PRICES)
def test_a_higher_rate_never_makes_it_cheaper(kind, one, other, size, rounding, prices):
    def at(amount):
        given = {
            RateKind.METAL: {"metals": {**METALS, "gold": amount * 1_000}},
            RateKind.STONE: {"stones": {**STONES, "diamond/round": amount}},
            RateKind.TAX: {"tax_bp": amount},
        }
        changes = {"pricing.rounding": rounding, "pricing.prices": prices}
        return priced(changes, build_rates(**given[kind]), size).total_minor

    assert at(min(one, other)) <= at(max(one, other))


def test_more_of_each_does_cost_more():
    # The properties above would hold of a price that never changes.
    base = priced(size="55").total_minor
    doubled = {field: 2 for field in MORE.values()} | {
        "pricing.parts.0.weight_mg": 6_000,
        "pricing.parts.0.per_size_mg": 900,
        "pricing.parts.0.by.shape.round": 500,
        "pricing.parts.1.by.gem.diamond": 2_000,
        "pricing.parts.3.amount_minor": 500,
        "pricing.parts.3.each": 8,
        "pricing.markup_bp": 100,
    }

    for field, value in doubled.items():
        assert priced({field: value}, size="55").total_minor > base, field
    assert priced(size="56").total_minor > base


def test_the_largest_price_that_fits_the_bounds_fits_64_bits():
    stones = {
        "kind": "stones",
        "title": "Stones",
        "rate": "diamond/round",
        "carat_thousandths": 100_000,
        "by": {option: {value: 100_000} for option, value in configured().configuration.items()},
        "count": 1000,
    }
    changes = {
        "pricing.markup_bp": 100_000,
        "pricing.rounding": {"to_minor": AMOUNT_MAX, "mode": "up"},
        "pricing.parts": [stones] * PARTS_MAX,
    }
    rates = build_rates(tax_bp=10_000, stones={"diamond/round": AMOUNT_MAX})

    assert 10**18 < priced(changes, rates).total_minor < 2**63
