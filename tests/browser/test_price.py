"""Price, SKU and ring size on the page."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import settle


def choose(page, **options):
    for option, value in options.items():
        page.locator(f"input[name={option}][value={value}]").check(force=True)
    settle(page)


def test_the_page_shows_what_the_default_costs_and_its_sku(page):
    expect(page.locator("#price")).to_have_text(re.compile(r"7,699"))
    expect(page.locator("#tax")).to_have_text("incl. 19 % tax")
    expect(page.locator("#sku")).to_have_text("SOL-YG75-DIARD-PL-54")


def test_price_and_sku_follow_the_choices(page):
    choose(page, gem="amethyst", metal="sterling-silver")
    expect(page.locator("#price")).to_have_text(re.compile(r"^\D*349$"))
    expect(page.locator("#sku")).to_have_text("SOL-AG92-AMERD-PL-54")


def test_a_larger_ring_has_another_sku_and_costs_more(page):
    page.select_option("#size", "70")
    expect(page.locator("#sku")).to_have_text("SOL-YG75-DIARD-PL-70")
    assert number(page) > 7699


def test_a_background_changes_neither(page):
    with page.expect_response("**/v1/quotes"):
        choose(page, background="white")
    expect(page.locator("#sku")).to_have_text("SOL-YG75-DIARD-PL-54")
    expect(page.locator("#price")).to_have_text(re.compile(r"7,699"))


def test_what_is_not_made_has_no_price_and_no_sku(page):
    choose(page, metal="black-rhodium")
    expect(page.locator("#sku")).to_have_text(re.compile("SOL-BR"))
    page.locator("input[name=band][value=pave]").check(force=True)
    expect(page.locator("#sku")).to_have_text("\N{EN DASH}")
    expect(page.locator("#price")).to_have_text("\N{EN DASH}")


def number(page):
    return float(re.sub(r"[^0-9.]", "", page.locator("#price").text_content()))
