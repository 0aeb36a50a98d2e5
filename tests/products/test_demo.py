"""The demo product: sound, priced in every configuration, and at prices a jeweller would ask."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from render_service.adapters.catalogue_folder import load_catalogue
from render_service.composition.configuration import valid_configurations
from render_service.products.check import check_product
from render_service.products.configure import configure
from render_service.products.money import Rounding
from render_service.products.parse import parse_product
from render_service.products.price import LineKind
from render_service.products.pricing import price
from render_service.products.rates import Rate, Rates
from render_service.products.sku import make_sku, parse_sku

FOLDER = Path(__file__).parents[2] / "compositions"
AT = datetime(2026, 11, 23, tzinfo=UTC)
PRODUCT = parse_product((FOLDER / "products" / "solitaire-ring.json").read_bytes())
RATES = Rates(
    msgspec.json.decode((FOLDER / "products" / "rates.json").read_bytes(), type=list[Rate])
)


@pytest.fixture(scope="module")
def composition():
    return load_catalogue(FOLDER).catalogue.compositions[PRODUCT.composition]


@pytest.fixture(scope="module")
def prices(composition):
    """Metal, gem, shape, band → total, of every configuration that is made, at the base size."""
    options = ("metal", "gem", "shape", "band")
    return {
        tuple(one.values()): price(configure(PRODUCT, composition, one), PRODUCT, RATES, AT)
        for one in valid_configurations(composition, options)
    }


def test_products_beside_the_compositions_are_no_composition():
    assert set(load_catalogue(FOLDER).catalogue.compositions) == {"solitaire-ring"}


def test_the_demo_product_is_sound(composition):
    assert check_product(PRODUCT, composition) == []


def test_every_configuration_that_is_made_has_a_price(prices):
    # 6 metals × 6 gems × 3 cuts × 2 bands, less pavé in black rhodium.
    assert len(prices) == 6 * 6 * 3 * 2 - 6 * 3
    assert all(
        found.total_minor == sum(line.amount_minor for line in found.lines) > 0
        for found in prices.values()
    )


def test_every_price_ends_as_the_shop_wants_it(prices):
    assert PRODUCT.pricing.rounding != Rounding()
    assert {found.total_minor % 5_000 for found in prices.values()} == {4_900}


def test_every_configuration_has_metal_and_one_centre_stone(prices):
    for (_, _, _, band), found in prices.items():
        kinds = [line.kind for line in found.lines]
        assert kinds.count(LineKind.METAL) == 1
        assert kinds.count(LineKind.STONES) == (2 if band == "pave" else 1)


def test_gold_with_a_carat_of_diamond_costs_some_thousand_euros(prices):
    found = prices["yellow-gold-18k", "diamond", "round", "plain"]

    assert 400_000 < found.total_minor < 1_000_000


def test_prices_rank_as_a_jeweller_ranks_them(prices):
    def euros(metal="yellow-gold-18k", gem="diamond", shape="round", band="plain"):
        return prices[metal, gem, shape, band].total_minor // 100

    gems = ("diamond", "ruby", "blue-sapphire", "aquamarine", "amethyst")
    by_gem = [euros(gem=gem) for gem in gems]
    assert by_gem == sorted(by_gem, reverse=True)
    assert euros(gem="amethyst") * 4 < euros(gem="diamond")
    # Gold costs over twice as much a gram as platinum, which weighs a third more.
    assert euros("yellow-gold-18k") > euros("platinum-950") > euros("sterling-silver")
    assert euros("black-rhodium", "amethyst") > euros("sterling-silver", "amethyst")
    assert euros("sterling-silver", "amethyst") < 500
    assert 200 < euros(band="pave") - euros(band="plain") < 1_000
    assert euros(shape="round") > euros(shape="oval")


def test_metal_is_a_tenth_of_a_solitaire_in_gold_or_less(prices):
    found = prices["yellow-gold-18k", "diamond", "round", "plain"]
    metal = next(line for line in found.lines if line.kind is LineKind.METAL)

    assert 0.05 < metal.amount_minor / found.total_minor < 0.15
    assert (metal.quantity, metal.rate) == ("3.4", "yellow-gold-18k")


def test_every_configuration_has_a_sku_of_its_own_that_reads_back(prices, composition):
    skus = set()
    for metal, gem, shape, band in prices:
        selection = {"metal": metal, "gem": gem, "shape": shape, "band": band}
        found = configure(PRODUCT, composition, selection, "52.5")
        skus.add(sku := make_sku(PRODUCT, found))
        assert parse_sku(PRODUCT, composition, sku) == found

    assert len(skus) == len(prices)


def test_a_larger_ring_and_the_gold_of_october_cost_more(composition):
    def metal(size, at):
        found = price(configure(PRODUCT, composition, {}, size), PRODUCT, RATES, at)
        return found.lines[0].amount_minor

    assert metal("44", AT) < metal("54", AT) < metal("70", AT)
    assert metal("54", datetime(2026, 9, 30, tzinfo=UTC)) < metal("54", AT)


def test_every_line_has_a_title_in_german(composition):
    found = configure(PRODUCT, composition, {"band": "pave"})
    english, german = (
        price(found, PRODUCT, RATES, AT, language=language).lines for language in (None, "de")
    )

    assert all(one.title != other.title for one, other in zip(english, german, strict=True))
