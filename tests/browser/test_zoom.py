"""Deep zoom in a real browser: opened, steered by mouse, keys and fingers, and closed again."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle


def open_zoom(page):
    page.get_by_role("button", name="Zoom").click()
    page.locator("#zoom:not([aria-busy])").wait_for()


@pytest.fixture
def tiles(page):
    """Addresses of the tiles asked for so far."""
    asked = []
    page.on("request", lambda request: "/iiif/" in request.url and asked.append(request.url))
    return asked


def test_the_viewer_is_loaded_only_when_somebody_zooms(page):
    loaded = "() => performance.getEntriesByType('resource').map(({ name }) => name)"
    before = page.evaluate(loaded)

    open_zoom(page)

    assert not any("openseadragon" in name for name in before)
    assert any(name.endswith("/openseadragon.min.js") for name in page.evaluate(loaded))


def test_nothing_comes_from_another_host(page, site):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

    open_zoom(page)
    page.get_by_role("button", name="Closer").click()

    assert hosts == {site.url.split("/")[2]}


def test_what_is_shown_large_is_what_was_shown(page, tiles):
    page.locator("input[name=gem][value=ruby]").check(force=True)
    settle(page)

    open_zoom(page)

    assert tiles
    assert all("gem=ruby" in url for url in tiles)


def test_zooming_in_asks_for_tiles_of_full_size(page, tiles):
    open_zoom(page)

    for _ in range(3):
        page.get_by_role("button", name="Closer").click()

    page.wait_for_load_state("networkidle")

    assert any("/400,400,400,400/400,400/0/" in url for url in tiles)


def test_no_tile_is_asked_for_that_is_not_announced(page):
    answers = []
    page.on("response", lambda r: "/iiif/" in r.url and answers.append((r.status, r.url)))

    open_zoom(page)
    for name in ("Closer", "Closer", "Further"):
        page.get_by_role("button", name=name).click()
    page.wait_for_load_state("networkidle")

    assert [answer for answer in answers if answer[0] != 200] == []


def test_escape_closes_it_and_focus_is_back_on_the_button(page):
    open_zoom(page)

    page.keyboard.press("Escape")

    expect(page.locator("#zoom")).not_to_be_visible()
    expect(page.get_by_role("button", name="Zoom")).to_be_focused()


def test_a_click_on_the_picture_opens_it_closer_at_that_place(page, tiles):
    box = page.locator("#frame picture").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.2)

    expect(page.get_by_role("button", name="Further")).to_be_enabled()
    page.wait_for_load_state("networkidle")
    assert any("/400,0,400,400/" in url for url in tiles)
    assert not any("/0,1200,400,400/" in url for url in tiles)


def test_a_button_that_can_do_no_more_keeps_the_focus_for_who_steers_by_keys(page):
    open_zoom(page)

    closer = page.get_by_role("button", name="Closer")
    closer.focus()
    # By keys: a click waits for a button that has just become disabled.
    while closer.is_enabled():
        page.keyboard.press("Enter")

    expect(closer).to_be_focused()


def test_a_press_on_a_button_that_can_do_no_more_does_nothing(page):
    open_zoom(page)
    further = page.get_by_role("button", name="Further")

    further.click(force=True)

    expect(further).to_be_focused()
    expect(further).to_be_disabled()
    expect(page.get_by_role("button", name="Closer")).to_be_enabled()


def test_the_keyboard_zooms(page):
    open_zoom(page)
    expect(page.get_by_role("button", name="Further")).to_be_disabled()

    page.keyboard.press("+")

    expect(page.get_by_role("button", name="Further")).to_be_enabled()


def test_it_cannot_be_turned_on_its_head(page):
    open_zoom(page)

    page.keyboard.press("r")

    assert page.evaluate("() => document.activeElement.closest('#zoom') !== null")
    expect(page.get_by_role("button", name="Further")).to_be_disabled()


def test_two_fingers_zoom(browser, site):
    context = browser.new_context(
        viewport={"width": 390, "height": 664}, device_scale_factor=3, has_touch=True
    )
    page = context.new_page()
    page.goto(site.url)
    settle(page)
    open_zoom(page)

    session = context.new_cdp_session(page)
    session.send(
        "Input.synthesizePinchGesture",
        {"x": 195, "y": 330, "scaleFactor": 2.0, "gestureSourceType": "touch"},
    )

    expect(page.get_by_role("button", name="Further")).to_be_enabled()
    context.close()


def test_it_can_be_opened_again(page):
    open_zoom(page)
    page.get_by_role("button", name="Close", exact=True).click()

    open_zoom(page)

    expect(page.locator("#zoom .openseadragon-canvas")).to_have_count(1)


def test_a_viewer_that_does_not_arrive_is_told_and_can_be_asked_for_again(browser, site):
    page = browser.new_page()
    page.route("**/openseadragon.min.js", lambda route: route.abort(), times=1)
    page.goto(site.url)
    settle(page)

    page.get_by_role("button", name="Zoom").click()
    expect(page.locator("#zoom-said")).to_have_text(
        "The large picture did not arrive. Close and try again."
    )
    page.get_by_role("button", name="Close", exact=True).click()
    open_zoom(page)

    expect(page.locator("#zoom .openseadragon-canvas")).to_have_count(1)
    page.close()
