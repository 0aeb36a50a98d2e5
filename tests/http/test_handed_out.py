"""Every URL that the service hands out answers 200 there and then: nobody is sent on."""

import itertools
import re

import httpx
import pytest

from tests.http.server import run_server

FORMATS = ("avif", "webp", "jpg", "png")
NOT_MADE = {"metal": "silver", "gem": "sapphire"}


def answers_itself(shop, url):
    """Assert that the URL is canonical: a 200 without a redirect, and no better name for it."""
    answer = shop.get(url)
    assert answer.status_code == 200, url
    assert "link" not in answer.headers, url
    return answer


def selections(manifest):
    """Every configuration of the catalogue that is made."""
    options = [option["id"] for option in manifest["options"]]
    values = [[value["id"] for value in option["values"]] for option in manifest["options"]]
    for chosen in itertools.product(*values):
        selection = dict(zip(options, chosen, strict=True))
        if not NOT_MADE.items() <= selection.items():
            yield selection


@pytest.fixture(scope="module")
def shop(catalogue, tmp_path_factory):
    """A server of our own: every picture is drawn, and other tests want one that is not."""
    with (
        run_server(catalogue, tmp_path_factory.mktemp("handed-out")) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def canonical(shop):
    return shop.get("/img/ring/hero/160.webp").headers["location"]


@pytest.fixture(scope="module")
def manifest(shop):
    return shop.get("/v1/compositions/ring").json()


def test_the_list_of_compositions(shop):
    for listed in shop.get("/v1/compositions").json()["compositions"]:
        answers_itself(shop, listed["href"])


def frames(manifest):
    """Each view and region: the view, its template and its widths."""
    for view in manifest["views"]:
        for frame in (view, *view["regions"].values()):
            yield view, frame["url_template"], frame["widths"]


def chosen(view, selection):
    return ",".join(f"{option}={selection[option]}" for option in view["options"]) or "-"


def is_opaque(selection):
    return selection["background"] != "transparent"


def test_the_templates_of_the_manifest_filled_in(shop, manifest):
    asked = {
        template.format(configuration=chosen(view, selection), width=width, format=format_)
        for view, template, widths in frames(manifest)
        for selection in selections(manifest)
        for width, format_ in itertools.product(widths, FORMATS)
        if format_ != "jpg" or "background" not in view["options"] or is_opaque(selection)
    }
    assert len(asked) > 50
    for url in sorted(asked):
        answers_itself(shop, url)


def test_the_pictures_of_resolve(shop, manifest):
    asked = set()
    for selection in selections(manifest):
        sent = {"selection": selection}
        images = shop.post("/v1/compositions/ring/resolve", json=sent).json()["images"]
        for image in images.values():
            srcsets = [image["srcset"], *(source["srcset"] for source in image["sources"])]
            asked |= {image["src"], *(part.split()[0] for part in ", ".join(srcsets).split(", "))}
    assert len(asked) > 20
    for url in sorted(asked):
        answers_itself(shop, url)


@pytest.mark.parametrize("accept", ["image/avif", "image/webp", "*/*"])
@pytest.mark.parametrize("frame", ["hero", "hero:stone", "top"])
def test_where_the_alias_leads(shop, frame, accept):
    for url in (f"/img/ring/{frame}/150.auto", f"/img/ring/{frame}/160.auto?gem=sapphire"):
        alias = shop.get(url, headers={"accept": accept})
        assert alias.headers["link"] == f'<{alias.headers["location"]}>; rel="canonical"'
        answers_itself(shop, alias.headers["location"])


def test_the_images_of_deep_zoom(shop):
    for selection in selections(shop.get("/v1/compositions/ring").json()):
        sent = {"selection": selection}
        images = shop.post("/v1/compositions/ring/resolve", json=sent).json()["images"]
        for image in images.values():
            info = shop.get(f"{image['iiif']}/info.json")
            assert info.status_code == 200
            assert info.json()["id"].endswith(image["iiif"])


def test_where_another_order_leads(shop):
    other = canonical(shop).replace("metal=gold,gem=ruby", "gem=ruby,metal=gold")
    answers_itself(shop, shop.get(other).headers["location"])


def test_the_canonical_name_of_another_spelling(shop):
    spelled = shop.get(canonical(shop).replace("=", "%3D"))
    answers_itself(shop, re.fullmatch('<(.+)>; rel="canonical"', spelled.headers["link"])[1])


@pytest.mark.parametrize("query", ["view=hero", "view=hero&region=stone&gem=sapphire", "view=top"])
def test_the_picture_that_is_explained(shop, query):
    explained = shop.get(f"/v1/compositions/ring/explain?{query}").json()
    answers_itself(shop, explained["url"])


def test_what_the_page_loads(shop):
    page = shop.get("/").text
    assets = re.findall(r'<(?:link|script|img)[^>]*\s(?:href|src)="([^"]+)"', page)
    assert len(assets) >= 3
    for url in assets:
        answers_itself(shop, url)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/r/ring"),
        ("GET", "/nowhere"),
        ("PUT", "/"),
        ("GET", "/img/ring/hero/160.webp?gem=topaz"),
        ("GET", "/v1/compositions/ring/explain"),
    ],
)
def test_the_type_of_a_problem(shop, method, url):
    answers_itself(shop, shop.request(method, url).json()["type"])
