"""Money: exact until it is rounded, rounded once, to the endings a jeweller asks for."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.products.money import (
    DIGITS,
    Currency,
    Rounding,
    Towards,
    divide,
    spell_amount,
    spell_decimal,
)

AMOUNTS = st.integers(0, 10**12)
ROUNDINGS = st.integers(1, 10**6).flatmap(
    lambda to: st.builds(
        Rounding,
        to_minor=st.just(to),
        mode=st.sampled_from(Towards),
        less_minor=st.integers(0, to - 1),
    )
)


def test_every_currency_has_its_digits():
    assert set(DIGITS) == set(Currency)


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3)])
def test_a_currency_has_the_minor_unit_of_iso_4217(code, digits):
    assert DIGITS[Currency(code)] == digits


@given(st.integers(), st.integers(1, 10**9))
def test_a_quotient_is_rounded_as_python_rounds_fractions_half_to_even(numerator, denominator):
    assert divide(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "whole"), [(5, 2), (15, 8), (25, 12), (35, 18), (-5, -2), (-15, -8)]
)
def test_midway_goes_to_the_even_number(numerator, whole):
    assert divide(numerator, 2) == whole


@pytest.mark.parametrize(
    ("mode", "amount", "rounded"),
    [
        ("up", 180_101, 184_900),
        ("up", 184_900, 184_900),
        ("up", 184_901, 189_900),
        ("up", 185_000, 189_900),
        ("down", 184_899, 179_900),
        ("down", 184_900, 184_900),
        ("nearest", 187_399, 184_900),
        ("nearest", 187_401, 189_900),
        ("down", 4_000, 0),
        ("nearest", 1_000, 0),
    ],
)
def test_prices_end_as_the_jeweller_asks(mode, amount, rounded):
    rounding = Rounding(to_minor=5_000, mode=Towards(mode), less_minor=100)

    assert rounding.apply(amount) == rounded


@given(AMOUNTS)
def test_rounding_to_one_leaves_every_amount_as_it_is(amount):
    assert Rounding().apply(amount) == amount


@given(ROUNDINGS, AMOUNTS)
def test_a_rounded_amount_is_an_ending_or_nothing(rounding, amount):
    rounded = rounding.apply(amount)

    assert rounded >= 0
    assert rounded == 0 or (rounded + rounding.less_minor) % rounding.to_minor == 0


@given(ROUNDINGS, AMOUNTS)
def test_rounding_goes_the_way_it_was_told_and_never_a_whole_step(rounding, amount):
    moved = rounding.apply(amount) - amount

    if rounding.mode is Towards.UP:
        assert 0 <= moved < rounding.to_minor
    elif rounding.mode is Towards.DOWN:
        assert -rounding.to_minor < moved <= 0
    else:
        assert 2 * abs(moved) <= rounding.to_minor or amount < rounding.to_minor


@given(ROUNDINGS, AMOUNTS, AMOUNTS)
def test_a_larger_amount_is_never_rounded_to_a_smaller(rounding, one, other):
    assert rounding.apply(min(one, other)) <= rounding.apply(max(one, other))


@given(ROUNDINGS, AMOUNTS)
def test_what_is_rounded_stays_as_it_is_when_rounded_again(rounding, amount):
    rounded = rounding.apply(amount)

    assert rounded == 0 or rounding.apply(rounded) == rounded


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_a_decimal_is_spelt_exactly_and_without_zeros_behind(units, digits):
    spelt = spell_decimal(units, digits)

    assert Fraction(spelt) == Fraction(units, 10**digits)
    assert "." not in spelt or not spelt.endswith(("0", "."))


@pytest.mark.parametrize(
    ("amount", "code", "spelt"),
    [
        (184_900, "EUR", "1849.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (184_900, "JPY", "184900 JPY"),
        (1_849_005, "KWD", "1849.005 KWD"),
    ],
)
def test_an_amount_is_spelt_with_the_digits_of_its_currency(amount, code, spelt):
    assert spell_amount(amount, Currency(code)) == spelt
