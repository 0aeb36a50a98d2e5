"""The IIIF Image API over real HTTP: what all get, what needs a signature, what is refused."""

import time
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import pyvips

from render_service.planning.signatures import BUCKET_S, Signer, SigningKey, spell_key
from tests.http.lint import complaints
from tests.http.server import run_server

IMMUTABLE = "public, max-age=31536000, immutable, no-transform"
CONTEXT = "http://iiif.io/api/image/3/context.json"
KEY = SigningKey(id="k1", secret=bytes(range(32)))
FORMER = SigningKey(id="k0", secret=bytes(32))
DEFAULTS = "metal=gold,gem=ruby,background=white"


@pytest.fixture(scope="module")
def zoom_server(tmp_path_factory):
    """A catalogue of 1600 × 1200, so that there are tiles, and a server that knows two keys."""
    from tests.http.catalogue import write_catalogue

    folder = tmp_path_factory.mktemp("zoom")
    keys = f"{spell_key(KEY)},{spell_key(FORMER)}"
    catalogue = write_catalogue(folder / "catalogue", scale=5)
    with run_server(catalogue, folder, signing_keys=keys) as server:
        yield server


@pytest.fixture(scope="module")
def zoom(zoom_server):
    with httpx.Client(base_url=zoom_server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def base(zoom):
    """The base URI of the default configuration, without the host."""
    sent = {"selection": {}}
    images = zoom.post("/v1/compositions/ring/resolve", json=sent).json()["images"]
    return images["hero"]["iiif"]


def pixels(answer):
    assert answer.status_code == 200, answer.text
    return pyvips.Image.new_from_buffer(answer.content, "").numpy()


def signed(path, key=KEY, **words):
    return f"{quote(path, safe='/~:=,;!.')}?{Signer([key]).sign(path, **words)}"


def check_problem(answer, status, slug, cache_control):
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{slug}"
    assert answer.headers["cache-control"] == cache_control
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_base_address_leads_to_the_document(zoom, base):
    answer = zoom.get(base)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{base}/info.json"


def test_the_document_says_what_there_is(zoom, base):
    info = zoom.get(f"{base}/info.json").json()
    assert next(iter(info)) == "@context"
    assert info["@context"] == CONTEXT
    assert info["id"] == f"{str(zoom.base_url).rstrip('/')}{base}"
    assert (info["type"], info["profile"]) == ("ImageService3", "level0")
    assert (info["width"], info["height"]) == (1600, 1200)
    assert info["tiles"] == [{"width": 400, "height": 400, "scaleFactors": [1, 2, 4]}]
    assert {"width": 800, "height": 600} in info["sizes"]
    assert "license" not in info
    assert "rights" not in info


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, f'application/ld+json;profile="{CONTEXT}"'),
        ("*/*", f'application/ld+json;profile="{CONTEXT}"'),
        ("application/ld+json", f'application/ld+json;profile="{CONTEXT}"'),
        (
            f'application/ld+json;profile="{CONTEXT}", */*;q=0.1',
            f'application/ld+json;profile="{CONTEXT}"',
        ),
        ("application/json", "application/json"),
        ("application/json, application/ld+json;q=0.5", "application/json"),
        ("text/html", f'application/ld+json;profile="{CONTEXT}"'),
    ],
)
def test_the_document_is_of_the_type_that_is_asked_for(zoom, base, accept, media_type):
    request = zoom.build_request("GET", f"{base}/info.json")
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    answer = zoom.send(request)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["vary"] == "Accept"


def test_a_document_with_the_host_that_was_asked_is_kept_by_no_shared_cache(zoom, base):
    answer = zoom.get(f"{base}/info.json", headers={"host": "other.example"})
    assert answer.json()["id"] == f"http://other.example{base}"
    assert answer.headers["cache-control"] == "private, max-age=3600"


def test_a_client_that_holds_the_document_is_told_so(zoom, base):
    etag = zoom.get(f"{base}/info.json").headers["etag"]
    answer = zoom.get(f"{base}/info.json", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_every_tile_and_size_that_is_announced_is_there_and_canonical(zoom, base):
    info = zoom.get(f"{base}/info.json").json()
    formats = [*info["preferredFormats"], *info["extraFormats"]]
    places = ["full/max", *(f"full/{s['width']},{s['height']}" for s in info["sizes"][:-1])]
    places += [place for place, _, _ in tiles(info)]
    assert len(places) > 25
    for number, place in enumerate(places):
        answer = zoom.get(f"{base}/{place}/0/default.{formats[number % len(formats)]}")
        assert answer.status_code == 200, place
        assert answer.headers["cache-control"] == IMMUTABLE


def tiles(info):
    """Each tile as a viewer asks for it, with its place at its scale."""
    wide, high, side = info["width"], info["height"], info["tiles"][0]["width"]
    for scale in info["tiles"][0]["scaleFactors"]:
        for top in range(0, high, side * scale):
            for left in range(0, wide, side * scale):
                w, h = min(side * scale, wide - left), min(side * scale, high - top)
                region = f"{left},{top},{w},{h}" if (w, h) != (wide, high) else "full"
                place = f"{region}/{-(-w // scale)},{-(-h // scale)}"
                yield place, scale, (top // scale, left // scale)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_tiles_of_a_scale_are_the_whole_picture(zoom, base, scale):
    info = zoom.get(f"{base}/info.json").json()
    whole = pixels(zoom.get(f"{base}/full/{1600 // scale},{1200 // scale}/0/default.png"))
    joined = np.zeros_like(whole)
    for place, at_scale, (top, left) in tiles(info):
        if at_scale == scale:
            tile = pixels(zoom.get(f"{base}/{place}/0/default.png"))
            joined[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    assert np.array_equal(joined, whole)


def test_the_whole_picture_is_the_file_that_the_image_route_serves(zoom, base):
    version = base.split("~")[2]
    served = zoom.get(f"/r/ring/hero/{version}/{DEFAULTS}/800.webp")
    zoomed = zoom.get(f"{base}/full/800,600/0/default.webp")
    assert zoomed.content == served.content
    assert zoomed.headers["etag"] == served.headers["etag"]
    assert zoomed.headers["cache-status"] == "render-service; hit; detail=memory"


def test_a_picture_names_its_canonical_address_and_the_profile(zoom, base):
    answer = zoom.get(f"{base}/0,0,400,400/400,400/0/default.webp")
    assert answer.headers["link"] == (
        f'<{base}/0,0,400,400/max/0/default.webp>;rel="canonical", '
        '<http://iiif.io/api/image/3/level0.json>;rel="profile"'
    )


@pytest.mark.parametrize(
    ("spelled", "canonical"),
    [
        ("full/pct:50/0/default.webp", "full/800,600/0/default.webp"),
        ("full/800,/0/color.webp", "full/800,600/0/default.webp"),
        ("0,0,1600,1200/!800,800/360/default.webp", "full/800,600/0/default.webp"),
        ("pct:0,0,25,33.3333333/max/0/default.webp", "0,0,400,400/max/0/default.webp"),
    ],
)
def test_another_spelling_of_what_is_announced_leads_to_the_canonical_one(
    zoom, base, spelled, canonical
):
    answer = zoom.get(f"{base}/{spelled}")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{base}/{canonical}"


@pytest.mark.parametrize("place", ["info.json", "full/800,600/0/default.webp"])
def test_another_order_of_the_configuration_leads_to_the_canonical_one(zoom, base, place):
    other = base.replace("metal=gold,gem=ruby", "gem=ruby,metal=gold")
    answer = zoom.get(f"{other}/{place}")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{base}/{place}")


def test_a_percent_encoded_spelling_is_served_as_it_is(zoom, base):
    encoded = base.replace("=", "%3D").replace(",", "%2c").replace("~", "%7E")
    assert zoom.get(f"{encoded}/full/800,600/0/default.webp").status_code == 200


def test_a_transparent_configuration_is_transparent_and_no_jpeg(zoom, base):
    clear = base.replace("background=white", "background=transparent")
    assert zoom.get(f"{clear}/info.json").json()["preferredFormats"] == ["webp", "png"]
    assert pixels(zoom.get(f"{clear}/0,0,400,400/max/0/default.png")).shape == (400, 400, 4)
    refused = zoom.get(f"{clear}/0,0,400,400/max/0/default.jpg")
    check_problem(refused, 422, "alpha-not-offered", "public, max-age=300")


@pytest.mark.parametrize(
    "place",
    [
        "full/801,601/0/default.webp",
        "full/^max/0/default.webp",
        "square/max/0/default.webp",
        "1,1,400,400/max/0/default.webp",
        "full/max/90/default.webp",
        "full/max/!0/default.webp",
        "full/max/0/gray.webp",
    ],
)
def test_what_is_not_announced_needs_a_signature_and_is_given_with_one(zoom, base, place):
    refused = zoom.get(f"{base}/{place}")
    check_problem(refused, 403, "signature-needed", "no-store")
    answer = zoom.get(signed(f"{base}/{place}"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == IMMUTABLE


def test_a_signed_address_is_answered_as_it_is_spelled(zoom, base):
    answer = zoom.get(signed(f"{base}/full/pct:33/0/default.webp"))
    assert answer.status_code == 200
    assert f"<{base}/full/528,396/0/default.webp>" in answer.headers["link"]


def test_a_proxy_may_encode_a_signed_path(zoom, base):
    address = signed(f"{base}/full/^pct:110/0/default.webp")
    assert zoom.get(address.replace("~", "%7e").replace("=gold", "%3Dgold")).status_code == 200


def test_the_former_key_still_holds(zoom, base):
    assert zoom.get(signed(f"{base}/full/7,/0/default.webp", FORMER)).status_code == 200


def test_a_signed_picture_is_kept_no_longer_than_it_is_allowed(zoom, base):
    now_s = int(time.time())
    answer = zoom.get(signed(f"{base}/full/9,/0/default.webp", expires_s=now_s + 600))
    kept, seconds = answer.headers["cache-control"].split("=")
    assert kept == "public, max-age"
    assert int(seconds.removesuffix(", no-transform")) <= 600 + BUCKET_S
    assert "immutable" not in answer.headers["cache-control"]


def test_an_expired_signature_is_refused_and_not_kept(zoom, base):
    address = signed(f"{base}/full/9,/0/default.webp", expires_s=1000)
    check_problem(zoom.get(address), 403, "expired-signature", "no-store")


@pytest.mark.parametrize("change", [("/9,/", "/10,/"), ("sig=", "sig=A"), ("k1", "k0")])
def test_a_signature_holds_for_nothing_else(zoom, base, change):
    address = signed(f"{base}/full/9,/0/default.webp").replace(*change)
    check_problem(zoom.get(address), 403, "bad-signature", "no-store")


@pytest.mark.parametrize("query", ["w=3", "sig=x&utm=1", "&", "=", "exp=1&exp=2"])
def test_no_other_query_is_taken(zoom, base, query):
    answer = zoom.get(f"{base}/full/max/0/default.webp?{query}")
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_the_document_takes_no_query(zoom, base):
    assert zoom.get(f"{base}/info.json?sig=x").status_code == 400


@pytest.mark.parametrize(
    "place",
    [
        "full/max/0/default",
        "full/max/0/default.tif",
        f"pct:{'9' * 400},0,10,10/max/0/default.webp",
        "pct:NaN,0,10,10/max/0/default.webp",
        "-1,0,10,10/max/0/default.webp",
        "1e9,0,10,10/max/0/default.webp",
        "%D9%A1,0,10,10/max/0/default.webp",
        "%EF%BC%91,0,10,10/max/0/default.webp",
        "full/1e9,/0/default.webp",
        "full/%00/0/default.webp",
        "full/max/inf/default.webp",
    ],
)
def test_a_malformed_word_is_refused(zoom, base, place):
    answer = zoom.get(f"{base}/{place}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "path",
    [
        "/iiif/3/",
        "/iiif/3/a/b/full/max/0/default.jpg",
        "/iiif/3/a%2Fb/full/max/0/default.jpg",
        "/iiif/3/a%252Fb/full/max/0/default.jpg",
        "/iiif/3/[frob]/info.json",
        "/iiif/3/%FF%FE/info.json",
        "/iiif/3/..%2F..%2Fetc/info.json",
        "/iiif%2F3/a/ring~hero~0123456789~-/info.json",
        "/iiif/3/ring~hero~0123456789~-/full",
        f"/iiif/3/{'x' * 9000}/info.json",
        "/iiif/3/ring~hero~0123456789~-/info.json",
        "/iiif/3/ring~side~0123456789~-/info.json",
        "/iiif/3/earring~hero~0123456789~-/info.json",
    ],
)
def test_what_names_no_image_is_not_found(zoom, path):
    request = zoom.build_request(
        "GET", httpx.URL(str(zoom.base_url)).copy_with(raw_path=path.encode())
    )
    answer = zoom.send(request)
    assert answer.status_code == 404, answer.text
    assert answer.headers["cache-control"] == "public, max-age=60"


def test_a_prefix_with_an_encoded_slash_hides_no_segment(zoom, base):
    path = base.replace("/iiif/3/", "/iiif%2F3/junk/") + "/full/max/0/default.webp"
    url = httpx.URL(str(zoom.base_url)).copy_with(raw_path=path.encode())
    assert zoom.send(zoom.build_request("GET", url)).status_code == 404


def test_a_configuration_that_is_not_made_is_told_with_the_nearest(zoom, base):
    other = base.replace("metal=gold,gem=ruby", "metal=silver,gem=sapphire")
    answer = zoom.get(f"{other}/info.json")
    check_problem(answer, 422, "forbidden-configuration", "public, max-age=300")
    assert answer.json()["nearest"]


def test_scripts_of_any_site_may_ask(zoom, base):
    preflight = zoom.options(f"{base}/info.json", headers={"origin": "https://elsewhere.example"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]


def test_nothing_is_written(zoom, base):
    answer = zoom.put(f"{base}/info.json")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("host", ["evil.example/path", "a b", '">', "x" * 10 + "\\"])
def test_a_host_that_is_none_is_not_repeated(zoom, base, host):
    answer = zoom.get(f"{base}/info.json", headers={"host": host})
    assert answer.status_code == 400
    assert "info.json" not in answer.json().get("id", "")


def test_a_picture_is_had_in_part_and_not_sent_to_who_holds_it(zoom, base):
    path = f"{base}/0,0,400,400/max/0/default.webp"
    whole = zoom.get(path)
    part = zoom.get(path, headers={"range": "bytes=0-9"})
    held = zoom.get(path, headers={"if-none-match": whole.headers["etag"]})
    head = zoom.head(path)
    assert (part.status_code, part.content) == (206, whole.content[:10])
    assert (held.status_code, held.content) == (304, b"")
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("/info.json", 200),
        ("/full/max/0/default.png", 200),
        ("/full/pct:50/0/default.png", 308),
        ("/full/pct:51/0/default.png", 403),
        ("/full/pct:x/0/default.png", 400),
        ("x/info.json", 422),
        ("", 303),
    ],
)
def test_the_linter_of_redbot_has_nothing_against_it(zoom_server, base, place, status, method):
    assert complaints(zoom_server.url + base + place, method) == (status, [])


def test_a_public_address_begins_what_is_handed_out(tmp_path, catalogue):
    public = "https://pictures.example/shop"
    with run_server(catalogue, tmp_path, public_url=public) as server:
        sent = {"selection": {}}
        url = f"{server.url}/v1/compositions/ring/resolve"
        handed_out = httpx.post(url, json=sent).json()["images"]["hero"]["iiif"]
        here = handed_out.replace(public, server.url)
        answer = httpx.get(f"{here}/info.json")
        info = answer.json()
        moved = httpx.get(here).headers["location"]

    assert handed_out.startswith(f"{public}/iiif/3/")
    assert info["id"] == handed_out
    assert answer.headers["cache-control"].startswith("public")
    assert moved == f"{handed_out}/info.json"


def test_the_open_policy_needs_no_signature_and_says_so(tmp_path, catalogue):
    with run_server(catalogue, tmp_path, iiif="open") as server:
        sent = {"selection": {}}
        url = f"{server.url}/v1/compositions/ring/resolve"
        base = server.url + httpx.post(url, json=sent).json()["images"]["hero"]["iiif"]
        info = httpx.get(f"{base}/info.json").json()
        turned = pixels(httpx.get(f"{base}/0,0,100,50/max/90/gray.png"))
        badly_signed = httpx.get(f"{base}/full/7,/0/default.png?kid=k1&sig=x")
        other = httpx.get(f"{base}/full/pct:10/0/default.png")

    assert info["profile"] == "level2"
    assert "sizeUpscaling" in info["extraFeatures"]
    assert turned.shape[:2] == (100, 50)
    assert np.array_equal(turned[..., 0], turned[..., 2])
    assert badly_signed.status_code == 403
    assert other.status_code == 308
