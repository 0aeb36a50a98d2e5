"""The page in a real browser, with the real ring."""

import colorsys

import pytest

from tests.browser.conftest import settle

# Where metal and stone are on the hero view, as shares of its sides: the middle of the band's left
# flank, and the middle of the stone.
BAND, STONE = (0.26, 0.50), (0.50, 0.19)


def choose(page, **options):
    for option, value in options.items():
        page.locator(f"input[name={option}][value={value}]").check(force=True)
    settle(page)


def colour_at(page, place):
    """Mean colour of a small square of the decoded picture: hue in degrees, and saturation."""
    red, green, blue = page.evaluate(
        """([x, y]) => {
            const img = document.querySelector("#frame img");
            const canvas = document.createElement("canvas");
            canvas.width = img.naturalWidth;
            canvas.height = img.naturalHeight;
            const context = canvas.getContext("2d");
            context.drawImage(img, 0, 0);
            const side = Math.round(canvas.width * 0.03);
            const left = Math.round(canvas.width * x - side / 2);
            const top = Math.round(canvas.height * y - side / 2);
            const { data } = context.getImageData(left, top, side, side);
            const sums = [0, 0, 0];
            for (let i = 0; i < data.length; i += 4)
                for (let band = 0; band < 3; band++) sums[band] += data[i + band];
            return sums.map((sum) => sum / (data.length / 4));
        }""",
        list(place),
    )
    hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    return hue * 360, saturation


def test_rose_gold_and_ruby_arrive_as_rose_gold_and_ruby(page):
    choose(page, metal="rose-gold-18k", gem="ruby")
    band_hue, band_saturation = colour_at(page, BAND)
    stone_hue, stone_saturation = colour_at(page, STONE)
    assert 10 < band_hue < 35
    assert band_saturation > 0.2
    assert stone_hue > 335 or stone_hue < 8
    assert stone_saturation > 0.25


def test_platinum_and_sapphire_arrive_as_platinum_and_sapphire(page):
    choose(page, metal="platinum-950", gem="blue-sapphire")
    _, band_saturation = colour_at(page, BAND)
    stone_hue, stone_saturation = colour_at(page, STONE)
    assert band_saturation < 0.12
    assert 205 < stone_hue < 260
    assert stone_saturation > 0.25


def test_the_address_shown_is_that_of_the_picture(page):
    choose(page, gem="ruby")
    address = page.locator("#url").text_content()
    answer = page.request.get(address)
    assert answer.status == 200
    assert "gem=ruby" in address
    assert "immutable" in answer.headers["cache-control"]


def test_format_and_width_change_the_address(page):
    page.locator("#format").select_option("webp")
    page.locator("#width").select_option("640")
    assert page.locator("#url").text_content().endswith("/640.webp")


def test_the_other_view_can_be_turned_to(page):
    page.get_by_role("button", name="From above").click()
    settle(page)
    assert "/top/" in page.locator("#frame img").evaluate("img => img.currentSrc")
    assert "/top/" in page.locator("#url").text_content()


def test_the_picture_before_stays_until_the_next_is_there(page):
    page.evaluate(
        """() => {
            window.fewest = 9;
            const frame = document.querySelector("#frame");
            new MutationObserver(() => {
                const shown = [...frame.querySelectorAll("img")].filter((img) => img.complete);
                window.fewest = Math.min(window.fewest, shown.length);
            }).observe(frame, { childList: true });
        }"""
    )
    choose(page, metal="sterling-silver", gem="emerald")
    assert page.evaluate("window.fewest") >= 1


def test_what_is_not_made_says_why_and_offers_the_nearest(page):
    choose(page, metal="black-rhodium")
    page.locator("input[name=band][value=pave]").check(force=True)
    notice = page.get_by_role("alert")
    notice.get_by_text("Not made").wait_for()
    assert "Rhodium" in notice.text_content()
    notice.get_by_role("button").first.click()
    settle(page)
    assert notice.is_hidden()


def not_made(page):
    """Choose what is not made: the metal first, then the band."""
    choose(page, metal="platinum-950")
    choose(page, metal="black-rhodium")
    choose(page, band="pave")
    page.get_by_role("alert").get_by_text("Not made").wait_for()


def test_the_first_offer_keeps_what_was_just_chosen(page):
    not_made(page)
    page.get_by_role("alert").get_by_role("button").first.click()
    settle(page)
    assert page.locator("input[name=band]:checked").get_attribute("value") == "pave"
    assert page.locator("input[name=metal]:checked").get_attribute("value") == "platinum-950"


def test_every_offer_is_made(page):
    not_made(page)
    offers = page.get_by_role("alert").get_by_role("button")
    count = offers.count()
    assert count >= 1
    for number in range(count):
        offers.nth(number).click()
        settle(page)
        assert page.get_by_role("alert").is_hidden()
        page.go_back()
        page.get_by_role("alert").get_by_text("Not made").wait_for()


def test_what_is_not_made_has_no_address(page):
    not_made(page)
    assert "/r/" not in page.locator("#url").text_content()
    for control in ("#copy", "#format", "#width"):
        assert page.locator(control).is_disabled()


def test_the_views_can_be_turned_while_a_choice_is_not_made(page):
    not_made(page)
    page.get_by_role("button", name="From above").click()
    settle(page)
    assert "/top/" in page.locator("#frame img").evaluate("img => img.currentSrc")
    assert page.get_by_role("alert").is_visible()


def test_a_link_to_what_is_not_made_shows_the_nearest_and_says_why(page, browser, site):
    other = browser.new_page()
    other.goto(f"{site.url}/#metal=black-rhodium&band=pave")
    settle(other)
    assert other.get_by_role("alert").is_visible()
    assert other.locator("#frame img").evaluate("img => img.naturalWidth") > 0
    assert "/r/" not in other.locator("#url").text_content()
    other.close()


def test_back_takes_back_one_choice(page):
    choose(page, gem="ruby")
    choose(page, gem="emerald")
    page.go_back()
    page.locator("input[name=gem][value=ruby]:checked").wait_for(state="attached")
    settle(page)
    assert "gem=ruby" in page.locator("#url").text_content()
    page.go_forward()
    page.locator("input[name=gem][value=emerald]:checked").wait_for(state="attached")


FAILURES = {
    "no line": {},
    "no JSON": {"status": 200, "body": "<html>"},
    "a fault": {"status": 500, "body": '{"detail": "incident 0123"}'},
    "a full queue": {"status": 503, "body": '{"detail": "Every place to render is taken"}'},
    "another release": {"status": 422, "body": '{"detail": "no value \'x\'"}'},
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_what_fails_is_told_in_words_and_can_be_tried_again(browser, site, answer):
    page = browser.new_page()
    page.goto(site.url)
    settle(page)
    page.route("**/resolve", lambda r: r.fulfill(**answer) if answer else r.abort())
    page.locator("input[name=gem][value=ruby]").check(force=True)
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    again.wait_for()
    said = page.locator("#reason").text_content()
    assert not any(word in said for word in ("JSON", "fetch", "incident", "render", "'"))
    page.unroute("**/resolve")
    again.click()
    settle(page)
    assert page.get_by_role("alert").is_hidden()
    assert "gem=ruby" in page.locator("#url").text_content()
    page.close()


def test_a_value_that_is_not_made_with_the_others_is_marked_before_it_is_chosen(page):
    choose(page, metal="black-rhodium")
    label = page.locator("label:has(input[value=pave])")
    assert "unmade" in label.get_attribute("class")
    assert "not made" in label.get_attribute("title")


def test_the_keyboard_alone_is_enough(page):
    page.locator("input[name=metal]:checked").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "metal=white-gold-18k" in page.locator("#url").text_content()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "gem"


def test_a_choice_can_be_sent_as_a_link(page, browser):
    choose(page, metal="rose-gold-18k", gem="amethyst")
    other = browser.new_page()
    other.goto(page.url)
    settle(other)
    assert "gem=amethyst" in other.locator("#url").text_content()
    other.close()


def test_copying_puts_the_address_on_the_clipboard(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#url").text_content()


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_runs_over_the_side(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_the_names_of_the_views_stand_apart(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    ends = page.evaluate(
        """() => [...document.querySelectorAll("#views button")].map((button) => {
            const text = document.createRange();
            text.selectNodeContents(button.lastChild);
            const { left, right, top } = text.getBoundingClientRect();
            return [left, right, top];
        })"""
    )
    (_, first_right, first_top), (second_left, _, second_top) = ends
    assert first_top != second_top or first_right + 4 <= second_left


def test_every_control_has_a_name(page):
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("input, button, select")].filter(
            (element) => !element.closest("[hidden]") && !element.ariaLabel
                && !element.labels?.[0]?.textContent.trim() && !element.textContent.trim()
        ).length"""
    )
    assert unnamed == 0


def test_the_picture_keeps_its_room(page):
    img = page.locator("#frame img")
    assert img.get_attribute("width") == "1600"
    assert img.get_attribute("srcset")
    assert img.get_attribute("sizes")
