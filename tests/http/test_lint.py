"""Every class of answer, before the linter of REDbot."""

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.http.lint import complaints
from tests.http.server import run_server

JSON = {"Content-Type": "application/json"}
METALS = ("gold", "silver")
RESOLVE = "/v1/compositions/ring/resolve"


def body(**selection):
    return json.dumps({"selection": selection})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png"])
def test_a_picture(server, picture, extension, method):
    for _ in ("rendered", "held"):
        found = complaints(server.url + picture(160, extension), method)
        assert found == (200, [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=0-99"}, 206),
        ({"Range": "bytes=-7"}, 206),
        ({"Range": "bytes=0-1,4-5"}, 200),
        ({"Range": "bytes=99999999-"}, 416),
        ({"If-None-Match": "*"}, 304),
    ],
)
def test_a_part_of_a_picture_and_one_that_is_held(server, picture, headers, status):
    assert complaints(server.url + picture(), headers=headers) == (status, [])


def test_a_picture_under_another_spelling(server, picture):
    assert complaints(server.url + picture().replace("=", "%3D")) == (200, [])


def test_the_way_to_the_canonical_url(server, picture):
    other = picture().replace("metal=gold,gem=ruby", "gem=ruby,metal=gold")
    assert complaints(server.url + other) == (308, [])


@pytest.mark.parametrize("url", ["/img/ring/hero/160.auto", "/img/ring/hero/160.webp?gem=ruby"])
def test_the_alias(server, url):
    assert complaints(server.url + url, headers={"Accept": "image/avif,*/*"}) == (302, [])


@pytest.mark.parametrize(
    "url",
    [
        *("/", "/page.css", "/page.js", "/zoom.js", "/favicon.svg"),
        *("/v1/compositions", "/v1/compositions/ring"),
        "/v1/compositions/ring/explain?view=hero&gem=ruby",
        *("/schema", "/schema/openapi.json"),
        "/problems/unknown-value",
        *("/livez", "/startupz", "/readyz"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_the_api_and_health(server, url, method):
    assert complaints(server.url + url, method) == (200, [])


@pytest.mark.parametrize("url", ["/", "/page.js", "/v1/compositions", "/v1/compositions/ring"])
def test_what_a_client_holds_of_the_page_and_the_api(server, url):
    assert complaints(server.url + url, headers={"If-None-Match": "*"}) == (304, [])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(gem="ruby"), 200),
        (body(metal="silver", gem="sapphire"), 200),
        ("{", 400),
        (body(metal="tin"), 422),
    ],
)
def test_resolve(server, sent, status):
    assert complaints(server.url + RESOLVE, "POST", JSON, sent) == (status, [])


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/r/ring", 400),
        ("GET", "/img/ring/hero/160.webp?gem=ruby&gem=ruby", 400),
        ("GET", "/v1/compositions/ring/explain", 400),
        ("GET", "/r/ring/hero/0123456789/-/160.webp", 404),
        ("GET", "/img/earring/hero/160.webp", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/r/ring", 405),
        ("PUT", "/img/ring/hero/160.webp", 405),
        ("DELETE", "/v1/compositions/ring", 405),
        ("GET", "/img/ring/hero/160.webp?gem=topaz", 422),
        ("GET", "/img/ring/hero/160.webp?gem=sapphire&metal=silver", 422),
        ("GET", "/img/ring/hero/160.jpg?background=transparent", 422),
    ],
)
def test_a_mistake(server, method, url, status):
    assert complaints(server.url + url, method) == (status, [])


def test_more_than_the_service_can_draw(catalogue, tmp_path, picture):
    paths = [picture(w, e, metal=m) for w in (160, 320) for e in ("png", "avif") for m in METALS]
    with (
        run_server(catalogue, tmp_path, render_threads=1, queue_s=0) as narrow,
        ThreadPoolExecutor(len(paths)) as pool,
    ):
        found = list(pool.map(lambda path: complaints(narrow.url + path), paths))

    assert {503} <= {status for status, _ in found} <= {200, 503}
    assert [said for _, said in found if said] == []


def test_a_server_that_is_about_to_stop(catalogue, tmp_path):
    with run_server(catalogue, tmp_path) as leaving:
        leaving.process.send_signal(signal.SIGTERM)
        found = [complaints(f"{leaving.url}/readyz")]
        while found[-1][0] == 200:
            found.append(complaints(f"{leaving.url}/readyz"))

    assert found[-1] == (503, [])


def test_a_layer_file_that_went_away(catalogue, tmp_path, picture):
    folder = tmp_path / "catalogue"
    shutil.copytree(catalogue, folder)
    with run_server(folder, tmp_path) as broken:
        (folder / "ring" / "stone-sapphire.png").unlink()
        found = complaints(broken.url + picture(gem="sapphire"))

    assert found == (502, [])
