"""The page has the next click ready, when that costs nobody anything."""

import pytest

from tests.browser.conftest import settle

IDLE = "new Promise((done) => requestIdleCallback(() => requestIdleCallback(() => done())))"
LOADED = """() => performance.getEntriesByType("resource")
    .filter(({ name, initiatorType }) => initiatorType === "img" && name.includes("/r/"))
    .map(({ name, transferSize, startTime, responseEnd }) =>
        ({ name, transferSize, startTime, responseEnd }))"""


def loaded(page):
    """The pictures that the page has loaded, in the order in which they were asked for."""
    return sorted(page.evaluate(LOADED), key=lambda entry: entry["startTime"])


def shown(page):
    return page.locator("#frame img").evaluate("(img) => img.currentSrc")


def names(page):
    return [entry["name"] for entry in loaded(page)]


def until_ahead(page, count, view="hero"):
    """Wait until as many pictures of a view are there beside the one shown; all their names."""
    end = shown(page).rpartition("/")[2]
    page.wait_for_function(
        """([view, end, count]) => performance.getEntriesByType("resource").filter(
            ({ name, responseEnd }) =>
                name.includes(`/${view}/`) && name.endsWith(`/${end}`) && responseEnd
        ).length > count""",
        arg=[view, end, count],
    )
    return [name for name in names(page) if f"/{view}/" in name and name.endswith(f"/{end}")]


def click(page, option, value):
    page.locator(f"input[name={option}][value={value}]").check(force=True)
    settle(page)


def test_the_neighbours_are_there_before_they_are_chosen(page):
    first, *ahead = until_ahead(page, 6)
    assert first == shown(page)
    assert len(ahead) == 6
    click(page, "metal", "white-gold-18k")
    assert shown(page) in ahead
    assert names(page).count(shown(page)) == 1


def test_nothing_is_asked_for_ahead_before_the_picture_itself_is_there(page):
    until_ahead(page, 6)
    end = shown(page).rpartition("/")[2]
    first, *ahead = [entry for entry in loaded(page) if entry["name"].endswith(f"/{end}")]
    assert all(entry["startTime"] >= first["responseEnd"] for entry in ahead)


def test_the_next_click_of_the_other_view_is_of_that_view(page):
    page.get_by_role("button", name="From above").click()
    settle(page)
    first, *ahead = until_ahead(page, 6, "top")
    assert first == shown(page)
    assert len(ahead) == 6


def test_resolve_is_told_what_was_changed_and_what_is_shown(page):
    until_ahead(page, 6)
    before = shown(page)
    with page.expect_request("**/resolve") as sent:
        page.locator("input[name=gem][value=ruby]").check(force=True)
    body = sent.value.post_data_json
    width, format_ = before.rpartition("/")[2].split(".")
    assert body["changed"] == "gem"
    assert body["shown"] == {"view": "hero", "width": int(width), "format": format_}
    settle(page)


def test_going_back_counts_nothing(page):
    click(page, "gem", "ruby")
    with page.expect_request("**/resolve") as sent:
        page.go_back()
    assert "changed" not in sent.value.post_data_json
    settle(page)


@pytest.fixture
def saver(browser, site):
    """The page of somebody who pays for every byte."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(
        "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    )
    page.goto(site.url)
    settle(page)
    yield page
    page.close()


def test_who_saves_data_is_sent_nothing_ahead(saver):
    saver.evaluate(IDLE)
    end = shown(saver).rpartition("/")[2]
    assert [name for name in names(saver) if name.endswith(f"/{end}")] == [shown(saver)]
