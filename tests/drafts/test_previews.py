"""Previews: pictures of a draft for whoever has the address, kept nowhere, ended at will."""

import re
import time

import httpx
import pytest
import pyvips

from tests.drafts.asking import address, begin, put, read
from tests.drafts.conftest import client_of
from tests.drafts.test_routes import problem
from tests.http.server import run_server

PICTURE = "hero/metal=silver,gem=ruby,background=white/160.webp"


def test_whoever_has_the_address_sees_the_draft(anna, nobody):
    url = begin(anna)["preview"]["url"]
    answer = nobody.get(f"{url}/{PICTURE}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not {"etag", "surrogate-key", "cache-tag"} & set(answer.headers)


def test_an_untouched_draft_shows_what_is_live_byte_for_byte(anna, nobody):
    template = anna.get("/v1/compositions/ring").json()["views"][0]["url_template"]
    words = {"configuration": "metal=silver,gem=ruby,background=white", "width": 160}
    live = nobody.get(template.format(**words, format="webp"))
    preview = nobody.get(f"{begin(anna)['preview']['url']}/{PICTURE}")
    assert preview.content == live.content


def test_a_change_is_seen_and_live_pictures_stay(anna, nobody):
    draft = begin(anna)
    before = nobody.get(f"{draft['preview']['url']}/{PICTURE}").content
    silver = draft["materials"]["materials"]["metal"]["silver"]
    metal = {**draft["materials"]["materials"]["metal"], "silver": {**silver, "value": [0.2] * 3}}
    materials = {**draft["materials"], "materials": {"metal": metal}}
    head = put(anna, draft, json={"materials": materials}).json()
    assert head["faults"] == []
    after = nobody.get(f"{head['preview']['url']}/{PICTURE}").content
    assert darkness(after) > darkness(before) + 20
    live = nobody.get("/img/ring/hero/160.webp?metal=silver", follow_redirects=True)
    assert live.content == before


def darkness(picture):
    """Of the band, in levels."""
    image = pyvips.Image.new_from_buffer(picture, "")
    return 255 - image.crop(0, 80, 160, 40).avg()


def test_each_revision_has_addresses_of_its_own_and_those_before_end(anna, nobody):
    draft = begin(anna)
    head = put(anna, draft, json={"definition": {**draft["definition"], "title": "New"}}).json()
    assert head["preview"]["url"] != draft["preview"]["url"]
    assert problem(nobody.get(f"{draft['preview']['url']}/{PICTURE}")) == (404, "unknown-preview")
    assert nobody.get(f"{head['preview']['url']}/{PICTURE}").status_code == 200


def test_addresses_are_revoked_at_once_and_others_can_be_had(anna, nobody):
    draft = begin(anna)
    url = draft["preview"]["url"]
    assert nobody.get(f"{url}/{PICTURE}").status_code == 200
    assert anna.delete(address(draft, "preview")).status_code == 204
    assert nobody.get(f"{url}/{PICTURE}").status_code == 404
    assert read(anna, draft["id"])["preview"] is None
    assert problem(anna.get(address(draft, "manifest"))) == (404, "unknown-preview")
    renewed = anna.post(address(draft, "preview")).json()
    assert renewed["url"] != url
    assert nobody.get(f"{renewed['url']}/{PICTURE}").status_code == 200


def test_an_address_ends_by_itself(service, tmp_path):
    with (
        run_server("", tmp_path, **service, draft_preview_s=60) as server,
        client_of(server, "anna") as anna,
    ):
        preview = begin(anna)["preview"]
        end_s = time.mktime(time.strptime(preview["until"][:19], "%Y-%m-%dT%H:%M:%S"))
        assert abs(end_s - time.mktime(time.gmtime()) - 60) < 30


def test_an_address_has_more_than_128_random_bits(anna):
    token = begin(anna)["preview"]["url"].rpartition("/")[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)


@pytest.mark.parametrize(
    "token",
    ["", "x", "A" * 43, "%00", "A" * 42 + "=", "é" * 43, "A" * 5000],
)
def test_a_guess_is_not_found_and_told_nothing(nobody, token):
    answer = nobody.get(f"/d/{token}/{PICTURE}")
    assert answer.status_code in (404, 431), answer.text
    assert "hero" not in answer.json()["detail"]
    assert answer.json()["type"] == "/problems/unknown-preview"
    assert answer.headers["cache-control"] == "private, no-store"


def test_an_address_that_is_changed_in_one_character_is_a_guess(anna, nobody):
    url = begin(anna)["preview"]["url"]
    head, _, token = url.rpartition("/")
    for place in (0, 20, 30, 41):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert nobody.get(f"{head}/{changed}/{PICTURE}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("hero/-/161.webp", 400),
        ("hero/-/99999.webp", 400),
        ("hero/-/160.gif", 400),
        ("hero/metal=brass/160.webp", 422),
        ("hero/metal=silver,gem=sapphire/160.webp", 422),
        ("side/-/160.webp", 404),
        ("hero:shank/-/160.webp", 404),
        ("hero/-/160.webp?x=1", 400),
        ("hero/160.webp", 400),
        ("hero/-/160.webp/x", 400),
    ],
)
def test_only_what_the_draft_offers_is_drawn_and_no_refusal_is_kept(anna, nobody, path, status):
    answer = nobody.get(f"{begin(anna)['preview']['url']}/{path}")
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"


def test_a_preview_is_only_read(anna, nobody):
    url = begin(anna)["preview"]["url"]
    answer = nobody.post(f"{url}/{PICTURE}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    head = nobody.head(f"{url}/{PICTURE}")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_a_draft_with_faults_shows_nothing(anna, nobody):
    draft = begin(anna)
    head = put(anna, draft, json={"definition": {**draft["definition"], "tone": "none"}}).json()
    assert problem(nobody.get(f"{head['preview']['url']}/{PICTURE}")) == (422, "invalid-draft")


def test_no_address_stands_in_the_log(anna, nobody, server):
    url = begin(anna)["preview"]["url"]
    nobody.get(f"{url}/hero/metal=silver/160.webp")
    assert url.rpartition("/")[2] not in server.log.read_text()


def test_without_a_database_there_are_no_previews(sound, tmp_path):
    with run_server(sound, tmp_path) as server:
        assert httpx.get(f"{server.url}/d/{'A' * 43}/{PICTURE}").status_code == 404
