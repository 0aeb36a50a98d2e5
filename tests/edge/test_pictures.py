"""Pictures through a real edge: fetched once, then served from there as the service made them."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

OF_THE_SERVICE = (
    "cache-control",
    "etag",
    "content-type",
    "content-length",
    "accept-ranges",
    "surrogate-key",
    "cache-tag",
    "x-content-type-options",
    "cross-origin-resource-policy",
    "timing-allow-origin",
)


def test_a_replay_asks_the_origin_once_for_each_picture(site):
    offered = itertools.product((160, 240, 320), ("webp", "avif", "png"), ("gold", "silver"))
    paths = [site.picture(w, f, metal=m, background="transparent") for w, f, m in offered]
    # Popularity as in shops: the n-th picture is asked for 1/n as often as the first.
    weights = [1 / rank for rank in range(1, len(paths) + 1)]
    shoppers = random.Random(1)  # noqa: S311  # the same shoppers in every run
    asked = [*paths, *shoppers.choices(paths, weights, k=182)]
    before = len(site.fetches())

    answers = [site.get(path) for path in asked]

    assert {answer.status_code for answer in answers} == {200}
    assert len(site.fetches()) - before == len(paths)
    hits = sum(answer.headers["x-cache"] == "HIT" for answer in answers)
    assert hits / len(asked) == 1 - len(paths) / len(asked) == 0.91


def test_ten_who_miss_at_once_make_one_fetch(site):
    path = site.picture(320, "jpg")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: site.get(path, hold=0.5), range(10)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(site.fetches(path)) == 1


def test_a_hit_has_the_headers_and_bytes_of_the_service(site):
    path = site.picture(160, "png", gem="sapphire")
    whole = httpx.get(site.origin.url + path)

    site.get(path)
    hit = site.get(path)

    assert hit.headers["x-cache"] == "HIT"
    assert hit.content == whole.content
    for name in OF_THE_SERVICE:
        assert hit.headers[name] == whole.headers[name], name
    for name in ("vary", "set-cookie"):
        assert name not in hit.headers


def test_each_cache_adds_itself_to_cache_status(site):
    path = site.picture(240, "jpg", gem="sapphire")

    missed, hit = site.get(path), site.get(path)

    assert missed.headers["cache-status"].startswith("render-service; fwd=miss")
    assert f"{site.name}; fwd=miss" in missed.headers["cache-status"]
    assert hit.headers["cache-status"].endswith(f"{site.name}; hit")


def test_the_times_of_a_render_are_told_once(site):
    path = site.picture(240, "png", gem="sapphire")

    missed, hit = site.get(path), site.get(path)

    assert "encode" in missed.headers["server-timing"]
    assert "server-timing" not in hit.headers


def test_a_query_on_a_picture_is_dropped(site):
    path = site.picture(160, "jpg", background="white")
    site.get(path)
    before = len(site.fetches())

    answer = site.get(f"{path}?utm_source=letter")

    assert (answer.status_code, answer.headers["x-cache"]) == (200, "HIT")
    assert len(site.fetches()) == before


def test_neither_cookies_nor_accept_part_the_cache(site):
    path = site.picture(240, "webp", background="white")
    site.get(path)

    answer = site.get(path, cookie="visitor=7", accept="image/png", authorization="Basic eA==")

    assert answer.headers["x-cache"] == "HIT"
    assert len(site.fetches(path)) == 1


def test_a_cookie_does_not_reach_the_service(site):
    path = site.picture(240, "avif", background="white")

    site.get(path, cookie="visitor=7")

    (fetch,) = site.fetches(path)
    assert "cookie" not in fetch
    assert fetch["method"] == "GET"


def test_a_client_that_holds_the_picture_gets_304(site):
    path = site.picture()
    whole = site.get(path)

    answer = site.get(path, if_none_match=whole.headers["etag"])

    assert (answer.status_code, answer.content) == (304, b"")
    for name in ("etag", "cache-control"):
        assert answer.headers[name] == whole.headers[name]


@pytest.mark.parametrize("warm", [True, False])
def test_a_range_is_cut_from_the_picture_at_the_edge(site, warm):
    path = site.picture(160 if warm else 240, "png", background="transparent", gem="sapphire")
    whole = httpx.get(site.origin.url + path)
    if warm:
        site.get(path)

    answer = site.get(path, range="bytes=10-19")

    assert (answer.status_code, answer.content) == (206, whole.content[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"


def test_a_range_of_another_picture_gets_the_whole(site):
    path = site.picture()
    whole = site.get(path)

    answer = site.get(path, range="bytes=0-9", if_range='"another"')

    assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_range_behind_the_end_is_refused_and_the_picture_stays(site):
    path = site.picture()
    site.get(path)

    answer = site.get(path, range="bytes=99999999-")

    assert answer.status_code == 416
    assert site.get(path).headers["x-cache"] == "HIT"


def test_head_is_answered_from_the_picture_of_get(site):
    path = site.picture(320, "avif", gem="sapphire")

    head = site.client.head(path)
    whole = site.get(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    assert [fetch["method"] for fetch in site.fetches(path)] == ["GET"]


def test_the_way_to_the_canonical_url_is_kept_as_long(site):
    path = site.picture(160, "webp", metal="gold", gem="ruby")
    other = path.replace("metal=gold,gem=ruby", "gem=ruby,metal=gold")

    first, second = site.get(other), site.get(other)

    assert [first.status_code, second.status_code] == [308, 308]
    assert second.headers["location"] == path
    assert len(site.fetches(other)) == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [("/r/ring/hero/0123456789/-/160.webp", 404), ("/img/ring/hero/160.webp?gem=topaz", 422)],
)
def test_a_mistake_is_kept_as_long_as_the_service_says(site, wrong, status):
    first, second = site.get(wrong), site.get(wrong)

    assert [first.status_code, second.status_code] == [status, status]
    assert second.headers["content-type"] == "application/problem+json"
    assert second.content == first.content
    assert len(site.fetches(wrong)) == 1


def test_what_must_not_be_stored_is_not(site):
    before = len(site.fetches("/livez"))

    answers = [site.get("/livez") for _ in range(3)]

    assert {answer.headers["x-cache"] for answer in answers} <= {"PASS", "MISS"}
    assert len(site.fetches("/livez")) - before == 3


def test_a_write_goes_through(site):
    answers = [
        site.client.post("/v1/compositions/ring/resolve", json={"selection": {"gem": gem}})
        for gem in ("ruby", "sapphire")
    ]

    assert [answer.json()["configuration"]["gem"] for answer in answers] == ["ruby", "sapphire"]


def test_a_refusal_is_passed_on_and_not_kept(site):
    path = site.picture(320, "png", gem="sapphire")

    refused, answer = site.get(path, refuse=1), site.get(path)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert answer.status_code == 200
    assert len(site.fetches(path)) == 2
