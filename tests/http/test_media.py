"""A photograph from its upload to its pictures, with a real worker between."""

import asyncio
import hashlib
import os
import subprocess
import sys
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import pyvips

from render_service.adapters.migrations import migrate
from render_service.pixels.encode import PROFILES
from render_service.planning.media import media_version
from tests.assets.files import file_of, picture
from tests.assets.test_photo import flat, turned
from tests.http.server import COMPOSITIONS, run_server
from tests.http.test_products import copy_ring
from tests.http.test_uploads import TOKEN, UPLOADS, bearer, send
from tests.postgres import make_database
from tests.servers import run_redis, valkey_program, wait_until
from tests.shop import KEY, import_folder

VERSION = media_version(PROFILES)

PLAIN = file_of("image/jpeg", picture(700, 500), Q=95)
P3 = file_of(
    "image/png", flat((200, 60, 40)).icc_transform("p3", input_profile="srgb", intent="relative")
)
TURNED = file_of("image/jpeg", turned(picture(500, 340), 6))
CMYK = file_of("image/jpeg", flat((0, 200, 200, 0), "cmyk", 240, 200))
CUT_OUT = file_of("image/png", flat((200, 100, 50, 128), width=170, height=200))
PHOTOS = {"plain": PLAIN, "p3": P3, "turned": TURNED, "cmyk": CMYK, "cut-out": CUT_OUT}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def house(postgres_18_server, tmp_path_factory):
    """A shop whose ring has every photograph, uploaded and made ready by a worker."""
    url = make_database(postgres_18_server)
    asyncio.run(migrate(url))
    folder = tmp_path_factory.mktemp("media")
    with run_redis(valkey_program(), folder) as valkey:
        settings = {
            "database_url": url,
            "redis_url": valkey.url,
            "signing_keys": KEY,
            "api_tokens": f"designer:{TOKEN}:asset:write",
        }
        with (
            run_server(COMPOSITIONS, folder, **settings) as server,
            working(COMPOSITIONS, folder, settings) as log,
            httpx.Client(base_url=server.url, headers=bearer(TOKEN), timeout=60) as client,
        ):
            for name, data in PHOTOS.items():
                upload(client, data, focus={"x": 0.25, "y": 0.75} if name == "plain" else None)
            media = [{"id": sha256(data), "alt": {"en": name}} for name, data in PHOTOS.items()]
            media.append({"id": "not-made", "role": "main"})
            copy_ring(folder / "products", media=media)
            done = import_folder(url, folder / "products")
            assert done.returncode == 0, done.stderr
            wait_until(lambda: len(ready(client)) == len(PHOTOS), log, within_s=120)
            yield SimpleNamespace(client=client, folder=folder, valkey=valkey, url=server.url)


class working:  # noqa: N801  # reads as a word: with working(…)
    """A worker beside the server, on the same settings."""

    def __init__(self, catalogue, folder, settings):
        given = {**settings, "catalogue": catalogue, "data": folder / "data"}
        self._environment = {key: v for key, v in os.environ.items() if "RENDER_" not in key}
        self._environment |= {f"RENDER_{key.upper()}": str(v) for key, v in given.items()}
        self._log = folder / "worker.log"

    def __enter__(self):
        command = [sys.executable, "-m", "render_service", "work"]
        with self._log.open("wb") as log:
            self._worker = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        return self._log.read_text

    def __exit__(self, *_):
        self._worker.terminate()
        self._worker.wait()


def upload(client, data, **words):
    kind = "image/jpeg" if data.startswith(b"\xff\xd8") else "image/png"
    said = {"name": "photo", "kind": "photo", "media_type": kind, "bytes": len(data)}
    begun = client.post(UPLOADS, json={**said, "sha256": sha256(data), **words}).json()
    assert send(client, begun, data).status_code == 204
    assert client.post(f"{begun['href']}/complete").status_code == 202


def ring(client):
    answer = client.get("/v1/products/solitaire-ring")
    return answer.json() if answer.status_code == 200 else {"media": []}


def ready(client):
    return {one["alt"]["en"]: one for one in ring(client)["media"] if one["src"]}


@pytest.fixture(scope="module")
def shown(house):
    return ready(house.client)


def addresses(media):
    for srcset in (media["srcset"], *(source["srcset"] for source in media["sources"])):
        for entry in srcset.split(", "):
            yield entry.split(" ")[0]


def decoded(answer):
    image = pyvips.Image.new_from_buffer(answer.content, "")
    return image, image.numpy()


def test_a_photograph_that_is_not_ready_is_shown_with_its_words(house):
    last = ring(house.client)["media"][-1]
    assert (last["id"], last["role"], last["src"]) == ("not-made", "main", None)
    assert (last["sources"], last["placeholder"]) == ([], None)


def test_every_address_handed_out_is_an_immutable_picture_of_its_kind(house, shown):
    for media in shown.values():
        found = list(addresses(media))
        assert media["src"] in found
        for address in found:
            answer = house.client.get(address)
            assert answer.status_code == 200, address
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["surrogate-key"].startswith("media:")
            width = int(address.rpartition("/")[2].partition(".")[0])
            image, _ = decoded(answer)
            assert image.width == width


def test_every_picture_was_made_before_anybody_asked(house, shown):
    keys = set(house.valkey.names())
    answer = house.client.get(shown["turned"]["sources"][0]["srcset"].split(" ")[0])
    assert "detail=render" not in answer.headers["cache-status"]
    assert len([key for key in keys if key.endswith(".avif")]) >= len(PHOTOS)


def test_widths_are_those_of_the_ladder_that_are_not_above_its_own(shown):
    widths = [int(entry.split(" ")[1][:-1]) for entry in shown["plain"]["srcset"].split(", ")]
    assert widths == [160, 240, 320, 480, 640]
    assert (shown["plain"]["width"], shown["plain"]["height"]) == (700, 500)


def test_formats_are_avif_webp_and_jpeg_and_png_where_it_is_transparent(shown):
    assert [one["type"] for one in shown["plain"]["sources"]] == ["image/avif", "image/webp"]
    assert shown["plain"]["src"].endswith(".jpg")
    assert (shown["cut-out"]["src"][-4:], shown["cut-out"]["alpha"]) == (".png", True)


def test_what_is_shown_before_it_loads_comes_with_it(shown):
    for media in shown.values():
        assert len(media["placeholder"]) > 20
        assert media["colour"].startswith("#")
        assert 0 <= media["focus"]["x"] <= 1
    assert shown["plain"]["focus"] == {"x": 0.25, "y": 0.75}


def test_a_photograph_is_upright_and_carries_nothing(house, shown):
    assert (shown["turned"]["width"], shown["turned"]["height"]) == (340, 500)
    for address in addresses(shown["turned"]):
        image, _ = decoded(house.client.get(address))
        assert image.height > image.width
        kept = {name for name in image.get_fields() if "exif" in name or "icc" in name}
        assert not kept, address


@pytest.mark.parametrize(("name", "colour", "most"), [("p3", (200, 60, 40), 4)])
def test_colours_are_those_that_were_seen(house, shown, name, colour, most):
    for address in addresses(shown[name]):
        _, pixels = decoded(house.client.get(address))
        middle = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2, :3].astype(int)
        assert np.abs(middle - colour).max() <= most, address


def test_ink_becomes_light(house, shown):
    _, pixels = decoded(house.client.get(shown["cmyk"]["src"]))
    red, green, blue = pixels[100, 100].astype(int)
    assert red > 150 > 120 > max(green, blue)


def test_transparency_is_kept(house, shown):
    for address in addresses(shown["cut-out"]):
        _, pixels = decoded(house.client.get(address))
        assert abs(int(pixels[50, 50, 3]) - 128) <= 3, address


def test_who_holds_a_picture_is_told_so_and_a_part_is_sent(house, shown):
    whole = house.client.get(shown["plain"]["src"])
    headers = {"if-none-match": whole.headers["etag"]}
    assert house.client.get(shown["plain"]["src"], headers=headers).status_code == 304
    part = house.client.get(shown["plain"]["src"], headers={"range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, whole.content[:100])
    head = house.client.head(shown["plain"]["src"])
    assert (head.status_code, head.headers["etag"]) == (200, whole.headers["etag"])


def test_an_address_of_another_version_leads_to_the_current_one(house, shown):
    other = shown["plain"]["src"].replace(VERSION, "0123456789")
    answer = house.client.get(other)
    assert (answer.status_code, answer.headers["location"]) == (302, shown["plain"]["src"])
    assert "immutable" not in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/media/", 400, "malformed-path"),
        ("/media/x/y/z", 400, "malformed-path"),
        (f"/media/{'0' * 64}/{VERSION}/160.webp", 404, "unknown-photo"),
        (f"/media/{'0' * 63}/{VERSION}/160.webp", 400, "malformed-path"),
        (f"/media/{'A' * 64}/{VERSION}/160.webp", 400, "malformed-path"),
        (f"/media/{'0' * 64}/{VERSION}/160.gif", 400, "format-not-offered"),
        (f"/media/{'0' * 64}/{VERSION}/0160.webp", 400, "malformed-path"),
        (f"/media/{'0' * 64}/{VERSION}/160.webp/", 400, "malformed-path"),
        (f"/media/{'0' * 64}/{VERSION}/160.webp?a=b", 400, "unknown-query-key"),
        (f"/media/{'0' * 64}%2f{VERSION}/160.webp%00", 400, "malformed-path"),
        # A file of the store that is no set: the photograph itself.
        (f"/media/{hashlib.sha256(PLAIN).hexdigest()}/{VERSION}/160.webp", 404, "unknown-photo"),
    ],
)
def test_what_is_no_picture_of_a_photograph_is_refused(house, path, status, problem):
    answer = house.client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


@pytest.mark.parametrize(
    ("name", "file", "status", "problem"),
    [
        ("plain", "161.webp", 400, "width-not-offered"),
        ("plain", "800.webp", 400, "width-not-offered"),
        ("cut-out", "160.jpg", 422, "alpha-not-offered"),
    ],
)
def test_what_a_photograph_does_not_offer_is_refused(house, shown, name, file, status, problem):
    path = f"{shown[name]['src'].rpartition('/')[0]}/{file}"
    answer = house.client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


def test_pictures_are_read_and_nothing_else(house, shown):
    answer = house.client.post(shown["plain"]["src"])
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
