"""Rates: at every instant one or an error, never a guess."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import RateInOtherCurrency, RateMissing, RatesOverlap
from render_service.products.money import Currency
from render_service.products.rates import Rate, RateKind, Rates
from tests.products.builders import AT, START, build_rate

GOLD = RateKind.METAL, "gold"
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def two_prices_of_gold():
    return [
        build_rate(*GOLD, 2, valid_from=OCTOBER, revision=2),
        build_rate(*GOLD, 1, valid_to=OCTOBER, revision=1),
    ]


@pytest.mark.parametrize(
    ("at", "revision"),
    [(START, 1), (OCTOBER - MICROSECOND, 1), (OCTOBER, 2), (datetime(2099, 1, 1, tzinfo=UTC), 2)],
)
def test_a_rate_counts_from_its_first_instant_until_before_its_last(at, revision):
    assert Rates(two_prices_of_gold()).find(*GOLD, Currency.EUR, at).revision == revision


def test_an_instant_of_another_zone_is_the_same_instant():
    at = (OCTOBER - MICROSECOND).astimezone(timezone(timedelta(hours=9)))

    assert Rates(two_prices_of_gold()).find(*GOLD, Currency.EUR, at).revision == 1


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="needs its zone"):
        Rates([]).find(*GOLD, Currency.EUR, datetime(2026, 1, 1))


def test_a_rate_that_is_missing_is_named_with_the_keys_there_are():
    rates = Rates([build_rate(RateKind.METAL, "silver", 1), build_rate(RateKind.STONE, "ruby", 1)])

    with pytest.raises(RateMissing) as caught:
        rates.find(*GOLD, Currency.EUR, AT)

    assert caught.value.facts == {
        "kind": "metal",
        "key": "gold",
        "at": "2026-11-01T00:00:00Z",
        "found": "keys known: silver",
    }


def test_a_rate_that_is_over_is_named_with_when_it_was_valid():
    rates = Rates([build_rate(*GOLD, 1, valid_to=OCTOBER)])

    with pytest.raises(RateMissing, match="from 2026-01-01T00:00:00Z until 2026-10-01T00:00:00Z"):
        rates.find(*GOLD, Currency.EUR, AT)


def test_a_rate_before_the_first_is_missing():
    with pytest.raises(RateMissing, match="from 2026-01-01T00:00:00Z on"):
        Rates([build_rate(*GOLD, 1)]).find(*GOLD, Currency.EUR, START - MICROSECOND)


def test_a_rate_in_other_currencies_only_names_them():
    rates = Rates(
        [build_rate(*GOLD, 1, currency=Currency.USD), build_rate(*GOLD, 1, currency=Currency.CHF)]
    )

    with pytest.raises(RateInOtherCurrency) as caught:
        rates.find(*GOLD, Currency.EUR, AT)

    assert caught.value.facts["offered"] == ["CHF", "USD"]
    assert caught.value.facts["currency"] == "EUR"


def test_rates_that_overlap_are_refused_with_where():
    rates = [
        build_rate(*GOLD, 1, valid_to=OCTOBER + MICROSECOND, revision=7),
        build_rate(*GOLD, 2, valid_from=OCTOBER, revision=8),
    ]

    with pytest.raises(RatesOverlap) as caught:
        Rates(rates)

    assert caught.value.facts == {
        "kind": "metal",
        "key": "gold",
        "at": "2026-10-01T00:00:00Z",
        "revisions": [7, 8],
    }


def test_a_rate_without_an_end_overlaps_whatever_follows():
    with pytest.raises(RatesOverlap):
        Rates([build_rate(*GOLD, 1), build_rate(*GOLD, 2, valid_from=OCTOBER)])


def test_the_same_key_in_two_currencies_or_of_two_kinds_is_no_overlap():
    stone = build_rate(RateKind.STONE, "gold", 3)
    rates = Rates([build_rate(*GOLD, 1), build_rate(*GOLD, 2, currency=Currency.USD), stone])

    assert rates.find(*GOLD, Currency.USD, AT).amount == 2


def test_a_rate_is_over_at_its_last_instant_where_none_follows():
    rates = Rates([build_rate(*GOLD, 1, valid_to=OCTOBER)])

    assert rates.find(*GOLD, Currency.EUR, OCTOBER - MICROSECOND).amount == 1
    with pytest.raises(RateMissing):
        rates.find(*GOLD, Currency.EUR, OCTOBER)


DAYS = st.lists(st.integers(0, 400), min_size=2, max_size=12, unique=True).map(sorted)


@given(DAYS, st.randoms(), st.integers(-5, 405))
def test_whatever_the_order_the_rate_of_a_day_is_found_or_missing(days, random, day):
    spans = list(zip(days[::2], days[1::2], strict=False))
    rates = [
        build_rate(
            *GOLD, n, valid_from=START + timedelta(a), valid_to=START + timedelta(b), revision=n + 1
        )
        for n, (a, b) in enumerate(spans)
    ]
    random.shuffle(rates)
    expected = [n for n, (a, b) in enumerate(spans) if a <= day < b]

    try:
        found = [Rates(rates).find(*GOLD, Currency.EUR, START + timedelta(day)).amount]
    except RateMissing:
        found = []

    assert found == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"valid_from": "2026-01-01T00:00:00"}, "timezone"),
        ({"valid_from": "2026-01-01T00:00:00+01:00"}, "not in UTC"),
        ({"valid_to": "2026-01-01T00:00:00Z"}, "not later"),
        ({"currency": None}, "has a currency"),
        ({"kind": "tax"}, "a tax has none"),
        ({"kind": "tax", "currency": None, "amount": 10_001}, "at most 10000 basis points"),
        ({"key": "Gold"}, "misspelt"),
        ({"amount": -1}, ">= 0"),
        ({"amount": 1.5}, "Expected `int`"),
        ({"currency": "XYZ"}, "XYZ"),
        ({"amount_per_gram": 1}, "unknown field"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused_with_the_reason(fields, said):
    raw = {
        "kind": "metal",
        "key": "gold",
        "currency": "EUR",
        "amount": 1,
        "valid_from": "2026-01-01T00:00:00Z",
        **fields,
    }

    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(raw, Rate)
