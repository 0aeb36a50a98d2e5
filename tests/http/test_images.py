"""The image route over real HTTP: what `docs/http.md` promises to CDNs and clients."""

import re

import httpx
import numpy as np
import pytest
import pyvips

from render_service.formats import FACTS, Format
from tests.http.server import run_server

IMMUTABLE = "public, max-age=31536000, immutable, no-transform"


def test_a_canonical_address_is_a_picture(client, picture):
    answer = client.get(picture())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("file_format", list(Format))
def test_every_format_is_what_it_says(client, picture, file_format):
    answer = client.get(picture(extension=file_format))
    image = pyvips.Image.new_from_buffer(answer.content, "")
    assert answer.headers["content-type"] == FACTS[file_format].media_type
    assert (image.width, image.height) == (160, 120)


@pytest.mark.parametrize(
    ("metal", "colour"), [("gold", (255, 210, 149)), ("silver", (255, 255, 255))]
)
def test_the_metal_asked_for_is_the_metal_drawn(client, picture, metal, colour):
    pixels = decode(client.get(picture(320, "png", metal=metal)).content)
    assert np.abs(pixels[200, 20, :3].astype(int) - colour).max() <= 2


@pytest.mark.parametrize(("gem", "colour"), [("ruby", (200, 0, 40)), ("sapphire", (20, 40, 200))])
def test_the_stone_asked_for_is_the_stone_drawn(client, picture, gem, colour):
    pixels = decode(client.get(picture(320, "png", gem=gem)).content)
    assert np.abs(pixels[120, 160, :3].astype(int) - colour).max() <= 2


def test_a_region_is_a_picture_of_its_own(client, picture):
    pixels = decode(client.get(picture(160, "png", region="stone")).content)
    assert pixels.shape[:2] == (120, 160)
    assert pixels[60, 80, 0] == 200


@pytest.mark.parametrize("extension", ["webp", "avif", "png"])
def test_a_transparent_background_keeps_its_alpha(client, picture, extension):
    answer = client.get(picture(320, extension, background="transparent"))
    pixels = decode(answer.content)
    assert (pixels[10, 10, 3], pixels[200, 20, 3]) == (0, 255)


def test_it_is_immutable_and_says_so(client, picture):
    headers = client.get(picture()).headers
    assert headers["cache-control"] == IMMUTABLE
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["timing-allow-origin"] == "*"
    assert headers["accept-ranges"] == "bytes"
    assert "date" in headers


def test_it_varies_by_nothing_and_sets_no_cookie(client, picture):
    headers = client.get(picture()).headers
    assert not {"vary", "set-cookie"} & set(headers)


def test_it_names_what_a_cdn_may_purge_by(client, picture):
    headers = client.get(picture()).headers
    assert headers["surrogate-key"] == "composition:ring view:ring.hero"
    assert headers["cache-tag"] == "composition:ring,view:ring.hero"


def test_the_first_answer_is_a_stored_miss_with_its_timings(client, picture):
    headers = client.get(picture(240, "jpg", metal="silver")).headers
    assert headers["cache-status"] == "render-service; fwd=miss; stored; detail=render"
    names = re.findall(r"(\w+);dur=\d+\.\d", headers["server-timing"])
    assert names == ["queue", "fetch", "compose", "encode", "store"]


def test_the_second_answer_is_a_hit_in_memory_without_timings(client, picture):
    first = client.get(picture(240, "png"))
    again = client.get(picture(240, "png"))
    assert again.headers["cache-status"] == "render-service; hit; detail=memory"
    assert "server-timing" not in again.headers
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])


def test_every_hit_has_the_same_headers(client, picture):
    client.get(picture(240, "png"))
    several = [client.get(picture(240, "png")).headers for _ in range(3)]
    assert len({tuple(sorted(h.keys())) for h in several}) == 1


def test_the_tag_is_strong_and_of_the_bytes(client, picture):
    tags = {client.get(picture(width)).headers["etag"] for width in (160, 240, 320)}
    assert len(tags) == 3
    assert all(re.fullmatch(r'"[0-9a-f]{32}"', tag) for tag in tags)


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', '"other",W/{tag}', "*"])
def test_who_holds_it_is_told_so(client, picture, form):
    held = client.get(picture())
    tag = held.headers["etag"]
    answer = client.get(picture(), headers={"if-none-match": form.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == IMMUTABLE
    assert "date" in answer.headers


@pytest.mark.parametrize("form", ['"other"', "", "{bare}", '"', "W/"])
def test_who_holds_another_gets_the_picture(client, picture, form):
    bare = client.get(picture()).headers["etag"].strip('"')
    answer = client.get(picture(), headers={"if-none-match": form.format(bare=bare)})
    assert answer.status_code == 200


def test_a_precondition_on_what_was_never_drawn_is_answered_too(client, picture):
    path = picture(320, "webp", metal="silver", background="transparent")
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_head_has_the_headers_of_get(client, picture):
    got, headed = client.get(picture()), client.head(picture())
    assert (headed.status_code, headed.content) == (200, b"")
    varying = {"date", "cache-status", "server-timing"}
    assert {k: v for k, v in headed.headers.items() if k not in varying} == {
        k: v for k, v in got.headers.items() if k not in varying
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-9", 0, 9), ("5-", 5, -1), ("-7", -7, -1), ("0-999999", 0, -1), ("3-3", 3, 3)],
)
def test_one_range_is_that_part(client, picture, asked, first, last):
    whole = client.get(picture()).content
    answer = client.get(picture(), headers={"range": f"bytes={asked}"})
    start, end = first % len(whole), last % len(whole)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(whole)}"
    assert answer.content == whole[start : end + 1]


@pytest.mark.parametrize("asked", ["999999-", "999999-9999999", "-0"])
def test_a_range_behind_the_end_is_refused_with_the_length(client, picture, asked):
    size = len(client.get(picture()).content)
    answer = client.get(picture(), headers={"range": f"bytes={asked}"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=4-2", "bytes=a-b", "lines=0-1", "bytes=-", "bytes", ""]
)
def test_several_ranges_or_a_senseless_one_are_the_whole(client, picture, asked):
    answer = client.get(picture(), headers={"range": asked})
    assert answer.status_code == 200
    assert "content-range" not in answer.headers


def test_a_range_holds_only_for_the_tag_it_was_asked_with(client, picture):
    tag = client.get(picture()).headers["etag"]
    for if_range, status in [(tag, 206), ('"other"', 200), (f"W/{tag}", 200)]:
        headers = {"range": "bytes=0-1", "if-range": if_range}
        assert client.get(picture(), headers=headers).status_code == status


def test_a_range_by_date_is_the_whole(client, picture):
    headers = {"range": "bytes=0-1", "if-range": "Sun, 22 Nov 2026 20:00:00 GMT"}
    assert client.get(picture(), headers=headers).status_code == 200


def test_a_precondition_comes_before_a_range(client, picture):
    tag = client.get(picture()).headers["etag"]
    headers = {"range": "bytes=0-1", "if-none-match": tag}
    assert client.get(picture(), headers=headers).status_code == 304


def test_head_ignores_a_range(client, picture):
    assert client.head(picture(), headers={"range": "bytes=0-1"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_told_which_there_are(client, picture, method):
    answer = client.request(method, picture())
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "configuration",
    [
        "background=white,gem=ruby,metal=silver",
        "metal=silver",
        "metal=silver,gem=ruby",
    ],
)
def test_another_spelling_goes_to_the_canonical_one_for_good(client, picture, configuration):
    canonical = picture(metal="silver")
    path = re.sub("metal=[^/]*", configuration, canonical)
    answer = client.get(path)
    assert answer.status_code == 308
    assert answer.headers["location"] == canonical
    assert answer.headers["cache-control"] == IMMUTABLE
    assert client.get(path, follow_redirects=True).status_code == 200


def test_an_option_the_view_does_not_show_is_redirected_away(client, versions):
    path = f"/r/ring/top/{versions['top']}/metal=gold,gem=sapphire/160.webp"
    answer = client.get(path)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/r/ring/top/{versions['top']}/metal=gold/160.webp"


@pytest.mark.parametrize(("plain", "encoded"), [("=", "%3D"), (",", "%2C"), ("ring", "r%69ng")])
def test_an_encoded_spelling_of_the_canonical_one_is_served_with_a_link(
    client, picture, plain, encoded
):
    canonical = picture()
    answer = client.get(canonical.replace(plain, encoded))
    assert answer.status_code == 200
    assert answer.headers["link"] == f'<{canonical}>; rel="canonical"'
    assert answer.content == client.get(canonical).content


def test_the_canonical_spelling_carries_no_link(client, picture):
    assert "link" not in client.get(picture()).headers


def test_a_picture_put_in_the_file_tier_is_found_there_by_the_next_process(
    catalogue, tmp_path, picture
):
    with run_server(catalogue, tmp_path) as first:
        drawn = httpx.get(first.url + picture(320, "avif"))
    with run_server(catalogue, tmp_path) as second:
        found = httpx.get(second.url + picture(320, "avif"))
    assert found.headers["cache-status"] == "render-service; hit; detail=file"
    assert (found.content, found.headers["etag"]) == (drawn.content, drawn.headers["etag"])


def decode(data):
    image = pyvips.Image.new_from_buffer(data, "")
    return np.ndarray(
        (image.height, image.width, image.bands), np.uint8, buffer=image.write_to_memory()
    )
