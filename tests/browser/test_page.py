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
    notice.get_by_role("button").click()
    settle(page)
    assert notice.is_hidden()


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
