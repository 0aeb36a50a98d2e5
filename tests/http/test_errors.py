"""Errors over real HTTP: each case of the contract, on each kind of route."""

import asyncio
import re

import httpx
import pytest

from render_service.http.problem_pages import PAGES
from tests.http.server import COMPOSITIONS, run_server

CONTENT_TYPE = "application/problem+json"


def check_problem(answer, status, cache_control):
    assert answer.status_code == status
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert answer.headers["cache-control"] == cache_control
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "detail", "instance"} <= set(problem)
    return problem


@pytest.mark.parametrize(
    "path",
    [
        "/r/",
        "/r/ring",
        "/r/ring/hero/0123456789/-/160.webp/more",
        "/r/ring/hero/nothexhere/-/160.webp",
        "/r/ring/hero/0123456789/metal/160.webp",
        "/r/ring/hero/0123456789/metal=gold,metal=silver/160.webp",
        "/r/ring/hero/0123456789/-/wide.webp",
        "/r/ring/hero/0123456789/-/160.gif",
        "/r/ring/hero/0123456789/-/-160.webp",
        "/r/ring/hero/0123456789/%00/160.webp",
        "/r/ring/hero/0123456789/%FF%FE/160.webp",
        "/img/ring/hero/160",
        "/img/ring/hero/160.gif",
    ],
)
def test_a_malformed_path_is_refused(server, path):
    with httpx.Client(base_url=server.url) as client:
        url = httpx.URL(server.url).copy_with(raw_path=path.encode())
        check_problem(client.get(url), 400, "public, max-age=300")


@pytest.mark.parametrize("width", [161, 641, 5000, 65_535])
def test_a_width_off_the_ladder_is_refused_with_the_widths_there_are(client, picture, width):
    problem = check_problem(client.get(picture(width)), 400, "public, max-age=300")
    assert problem["offered"] == [160, 240, 320]


@pytest.mark.parametrize("query", ["w=3", "utm_source=x", "=", "a", "metal=gold", "&", "&&&", "?"])
def test_a_query_on_an_immutable_address_is_refused(client, picture, query):
    check_problem(client.get(f"{picture()}?{query}"), 400, "public, max-age=300")


def test_an_empty_query_is_no_query(client, picture):
    assert client.get(f"{picture()}?").status_code == 200


@pytest.mark.parametrize(
    "change",
    [("ring", "earring"), ("/hero/", "/side/"), ("/hero/", "/hero:shank/")],
)
def test_what_is_not_there_is_not_found(client, picture, change):
    answer = client.get(picture().replace(*change))
    assert check_problem(answer, 404, "public, max-age=60")["offered"]


def test_a_version_never_published_is_not_found(client, picture, versions):
    answer = client.get(picture().replace(versions["hero"], "0123456789"))
    assert check_problem(answer, 404, "public, max-age=60")["current"] == versions["hero"]


def test_an_unknown_option_is_refused_with_those_there_are(client, picture):
    answer = client.get(picture().replace("metal=", "alloy="))
    problem = check_problem(answer, 422, "public, max-age=300")
    assert (problem["option"], problem["offered"]) == ("alloy", ["metal", "gem", "background"])


def test_an_unknown_value_is_refused_with_those_there_are(client, picture):
    problem = check_problem(client.get(picture(metal="brass")), 422, "public, max-age=300")
    assert (problem["value"], problem["offered"]) == ("brass", ["gold", "silver"])


def test_a_forbidden_configuration_is_refused_with_reason_and_nearest(client, picture):
    answer = client.get(picture(metal="silver", gem="sapphire"))
    problem = check_problem(answer, 422, "public, max-age=300")
    assert problem["conflicts"][0]["reason"] == "Sapphires are set in gold only."
    assert problem["nearest"] == {"metal": "gold", "gem": "sapphire", "background": "white"}


def test_transparency_without_an_alpha_channel_is_refused(client, picture):
    answer = client.get(picture(extension="jpg", background="transparent"))
    assert check_problem(answer, 422, "public, max-age=300")["offered"] == ["avif", "webp", "png"]


def test_a_head_of_an_error_has_no_body(client):
    answer = client.head("/r/ring")
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/compositions/earring", "/page.css/x"])
def test_every_route_that_is_not_there_is_a_problem(client, path):
    check_problem(client.get(path), 404, "public, max-age=60")


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/compositions", "/v1/compositions/ring"])
def test_every_wrong_method_is_a_problem(client, path):
    answer = client.put(path)
    check_problem(answer, 405, "no-store")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_what_is_only_posted_to_does_not_allow_head(client):
    answer = client.get("/v1/compositions/ring/resolve")
    check_problem(answer, 405, "no-store")
    assert answer.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "PURGE", "QUERY", "BREW"])
def test_a_method_that_nobody_here_takes_is_a_problem(client, picture, method):
    for path in ("/livez", "/v1/compositions", "/img/ring/hero/160.webp", picture()):
        answer = client.request(method, path)
        check_problem(answer, 405, "no-store")
        assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


def test_options_lists_head_too(client):
    assert client.options("/livez").headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.fixture
def broken(catalogue, tmp_path):
    """A server one of whose layer files went away after it started."""
    folder = tmp_path / "catalogue"
    for source in sorted(catalogue.rglob("*.*")):
        target = folder / source.relative_to(catalogue)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    with run_server(folder, tmp_path) as server:
        (folder / "ring" / "stone-sapphire.png").unlink()
        yield server


def test_a_missing_layer_file_is_a_bad_gateway_that_names_it(broken, picture):
    answer = httpx.get(broken.url + picture(gem="sapphire"))
    assert "stone-sapphire.png" in check_problem(answer, 502, "no-store")["asset"]


@pytest.fixture
def narrow(catalogue, tmp_path):
    """A server that draws one picture at a time and lets nobody wait."""
    with run_server(catalogue, tmp_path, render_threads=1, queue_s=0) as server:
        yield server


def cold(picture):
    """Twelve pictures that nobody has asked for."""
    widths, metals = (160, 240, 320), ("gold", "silver")
    return [picture(w, e, metal=m) for w in widths for m in metals for e in ("avif", "png")]


async def test_more_than_the_queue_holds_is_refused_at_once_and_told_when_to_return(
    narrow, picture
):
    async with httpx.AsyncClient(base_url=narrow.url) as client:
        answers = await asyncio.gather(*(client.get(path) for path in cold(picture)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < len(answers)
    for answer in refused:
        check_problem(answer, 503, "no-store")
        assert re.fullmatch("[1-9][0-9]*", answer.headers["retry-after"])


async def test_hits_and_health_are_answered_while_the_queue_is_full(narrow, picture):
    hit = picture(160, "jpg")
    async with httpx.AsyncClient(base_url=narrow.url) as client:
        held = {"if-none-match": (await client.get(hit)).headers["etag"]}
        paths = [*cold(picture), hit, "/livez", "/readyz", hit]
        asking = [client.get(path) for path in paths] + [client.get(hit, headers=held)]
        answers = await asyncio.gather(*asking)
    assert [answer.status_code for answer in answers[12:]] == [200] * 4 + [304]


async def test_a_picture_that_cannot_be_there_in_time_is_refused_and_says_why(tmp_path):
    # Layers that nobody has seen take a second to decode, and each ring here has others.
    asked = [f"/img/solitaire-ring/hero/1600.avif?shape={cut}" for cut in ("oval", "emerald-cut")]
    with run_server(COMPOSITIONS, tmp_path, render_threads=1, deadline_s=1, queue_s=60) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            answers = await asyncio.gather(
                *(client.get(path, follow_redirects=True) for path in asked)
            )
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert first.status_code == 200
    problem = check_problem(second, 503, "no-store")
    assert problem["reason"] == "deadline"
    assert str(problem["retry_after_s"]) == second.headers["retry-after"]


@pytest.mark.parametrize("slug", sorted(PAGES))
def test_every_type_of_problem_leads_to_a_page(client, slug):
    assert client.get(f"/problems/{slug}").status_code == 200


def test_a_type_that_is_none_leads_nowhere(client):
    check_problem(client.get("/problems/unheard-of"), 404, "public, max-age=60")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nowhere", {}),
        ("PUT", "/livez", {}),
        ("GET", "/v1/compositions/ring/explain", {}),
        ("POST", "/v1/compositions/ring/resolve", {"content-type": "text/plain"}),
        ("POST", "/v1/compositions/ring/resolve", {"content-length": "999999"}),
    ],
)
def test_a_refusal_of_the_framework_has_a_type_that_leads_to_a_page(client, method, path, headers):
    content = b"x" * 999_999 if "content-length" in headers else None
    problem = client.request(method, path, headers=headers, content=content).json()
    assert client.get(problem["type"]).status_code == 200


def test_a_range_behind_the_end_has_a_type_that_leads_to_a_page(client, picture):
    problem = client.get(picture(), headers={"range": "bytes=99999999-"}).json()
    assert client.get(problem["type"]).status_code == 200


def test_the_type_of_a_problem_leads_to_words_about_it(client, picture):
    kind = client.get(picture(metal="brass")).json()["type"]
    answer = client.get(kind)
    assert answer.status_code == 200
    assert "A value that an option does not offer." in answer.text
