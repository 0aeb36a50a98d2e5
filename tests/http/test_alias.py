"""The living alias over real HTTP."""

import pytest

CACHE_CONTROL = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


def test_it_leads_to_the_immutable_address_for_a_minute(client, picture):
    answer = client.get("/img/ring/hero/160.webp?gem=ruby&metal=silver")
    assert answer.status_code == 302
    assert answer.headers["location"] == picture(metal="silver")
    assert answer.headers["cache-control"] == CACHE_CONTROL
    assert answer.headers["link"] == f'<{picture(metal="silver")}>; rel="canonical"'


def test_where_it_leads_is_a_picture(client):
    answer = client.get("/img/ring/hero/160.webp?metal=silver", follow_redirects=True)
    assert (answer.status_code, len(answer.history)) == (200, 1)


def test_options_left_out_have_their_defaults(client, picture):
    assert client.get("/img/ring/hero/160.webp").headers["location"] == picture()


@pytest.mark.parametrize(("asked", "given"), [(1, 160), (161, 240), (320, 320), (9999, 320)])
def test_any_width_is_rounded_up_to_what_is_offered(client, picture, asked, given):
    answer = client.get(f"/img/ring/hero/{asked}.webp")
    assert answer.headers["location"] == picture(given)


def test_a_region_has_an_alias_too(client, picture):
    answer = client.get("/img/ring/hero:stone/100.webp")
    assert answer.headers["location"] == picture(region="stone")


@pytest.mark.parametrize(
    ("accept", "extension"),
    [
        (CHROME, "avif"),
        ("image/webp,*/*", "webp"),
        ("image/avif;q=0.2,image/webp;q=0.9", "webp"),
        ("image/avif;q=0,*/*", "jpg"),
        ("*/*", "jpg"),
        (None, "jpg"),
    ],
)
def test_auto_negotiates_by_quality_and_says_that_it_varies(client, accept, extension):
    headers = {"accept": accept} if accept else {}
    request = client.build_request("GET", "/img/ring/hero/160.auto", headers=headers)
    if accept is None:
        del request.headers["accept"]
    answer = client.send(request)
    assert answer.headers["location"].endswith(f".{extension}")
    assert answer.headers["vary"] == "Accept"


def test_a_named_format_does_not_vary(client):
    answer = client.get("/img/ring/hero/160.png", headers={"accept": CHROME})
    assert answer.headers["location"].endswith(".png")
    assert "vary" not in answer.headers


def test_auto_of_a_transparent_picture_is_a_format_with_alpha(client):
    answer = client.get("/img/ring/hero/160.auto?background=transparent")
    assert answer.headers["location"].endswith(".png")


def test_head_is_answered_like_get(client):
    answer = client.head("/img/ring/hero/160.webp")
    assert (answer.status_code, "location" in answer.headers) == (302, True)


def test_other_methods_are_told_which_there_are(client):
    answer = client.post("/img/ring/hero/160.webp")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("query", "status"),
    [("metal=gold&metal=silver", 400), ("alloy=gold", 422), ("metal=brass", 422), ("metal", 422)],
)
def test_a_selection_that_makes_no_sense_is_refused(client, query, status):
    assert client.get(f"/img/ring/hero/160.webp?{query}").status_code == status


def test_an_option_the_view_does_not_show_is_checked_and_left_out(client, versions):
    answer = client.get("/img/ring/top/160.webp?gem=sapphire")
    assert answer.headers["location"] == f"/r/ring/top/{versions['top']}/metal=gold/160.webp"
