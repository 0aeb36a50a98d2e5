import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.http.server import COMPOSITIONS, run_server
from tests.servers import missing

# Debian's Chromium: no background traffic, and no sandbox for root, who cannot have one.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


# For these tests only: Playwright holds an event loop in this thread until it ends, beside which
# no asynchronous test can run.
@pytest.fixture(scope="package")
def browser():
    path = shutil.which("chromium")
    if path is None:
        missing("no chromium on the path: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory, demo_shop):
    """The service with the real catalogue and its products."""
    with run_server(COMPOSITIONS, tmp_path_factory.mktemp("site"), **demo_shop) as server:
        yield server


@pytest.fixture
def page(browser, site):
    """The page, open, its first picture shown; any error in it fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(site.url)
    settle(page)
    yield page
    page.close()
    assert errors == []


def settle(page):
    """Wait until the picture of the last choice is shown, and the one before it gone."""
    page.locator("#frame[aria-busy=false]").wait_for(timeout=60_000)
    expect(page.locator("#frame picture")).to_have_count(1)
