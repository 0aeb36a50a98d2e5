"""The JSON API over real HTTP."""

import hashlib
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest(client):
    return client.get("/v1/compositions/ring").json()


def resolve(client, selection):
    return client.post("/v1/compositions/ring/resolve", json={"selection": selection})


def test_the_list_leads_to_the_manifests(client):
    (listed,) = client.get("/v1/compositions").json()["compositions"]
    assert listed == {"id": "ring", "title": "Test ring", "href": "/v1/compositions/ring"}
    assert client.get(listed["href"]).status_code == 200


def test_the_manifest_has_the_options_with_their_swatches(manifest):
    metal, gem, _ = manifest["options"]
    assert metal["default"] == "gold"
    assert [value["title"] for value in metal["values"]] == ["Yellow gold", "Silver"]
    assert metal["values"][0]["swatch"].startswith("#")
    assert gem["values"][0]["swatch"] is None


def test_the_manifest_has_the_rules(manifest):
    assert manifest["rules"] == [
        {
            "all": {"metal": ["silver"], "gem": ["sapphire"]},
            "reason": "Sapphires are set in gold only.",
        }
    ]


def test_the_manifest_has_the_views(manifest):
    hero, top = manifest["views"]
    assert (hero["width"], hero["height"], hero["widths"]) == (320, 240, [160, 240, 320])
    assert hero["options"] == ["metal", "gem", "background"]
    assert hero["regions"]["stone"]["widths"] == [160]
    assert top["options"] == ["metal"]


def test_the_template_filled_in_is_the_canonical_address(client, manifest, picture):
    template = manifest["views"][0]["url_template"]
    filled = template.format(
        configuration="metal=gold,gem=ruby,background=white", width=160, format="webp"
    )
    assert filled == picture()


def test_the_template_of_a_region_leads_to_it(client, manifest):
    template = manifest["views"][0]["regions"]["stone"]["url_template"]
    filled = template.format(
        configuration="metal=gold,gem=ruby,background=white", width=160, format="webp"
    )
    assert client.get(filled).status_code == 200


def test_the_placeholder_arrives_once_it_is_made(client):
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        views = client.get("/v1/compositions/ring").json()["views"]
        if all(view["placeholder"] for view in views):
            return
        time.sleep(0.05)
    pytest.fail("no placeholder was made")


@pytest.mark.parametrize("path", ["/v1/compositions", "/v1/compositions/ring"])
def test_who_holds_it_is_told_so(client, path):
    first = client.get(path)
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["etag"].startswith('"')


def test_head_is_answered_on_json_routes(client):
    answer = client.head("/v1/compositions/ring")
    assert (answer.status_code, answer.content) == (200, b"")


def test_resolving_fills_in_the_defaults(client):
    answer = resolve(client, {"metal": "silver"}).json()
    assert answer["valid"]
    assert answer["configuration"] == {"metal": "silver", "gem": "ruby", "background": "white"}
    assert (answer["conflicts"], answer["nearest"]) == ([], None)


def test_a_body_without_a_selection_is_the_default_configuration(client):
    answer = client.post("/v1/compositions/ring/resolve", json={})
    assert answer.json()["configuration"]["metal"] == "gold"


def every_address(answer):
    for image in answer["images"].values():
        yield image["src"]
        for srcset in [image["srcset"], *(source["srcset"] for source in image["sources"])]:
            for entry in srcset.split(", "):
                yield entry.split(" ")[0]


@pytest.mark.parametrize("background", ["white", "transparent"])
def test_every_address_handed_out_is_canonical_and_a_picture(client, background):
    answer = resolve(client, {"background": background, "gem": "sapphire"}).json()
    addresses = set(every_address(answer))
    assert len(addresses) == (3 + 1) * 3
    assert {client.get(address).status_code for address in addresses} == {200}


def test_a_picture_says_the_room_it_needs(client):
    hero = resolve(client, {}).json()["images"]["hero"]
    assert (hero["width"], hero["height"]) == (320, 240)
    assert [source["type"] for source in hero["sources"]] == ["image/avif", "image/webp"]


@pytest.mark.parametrize(("background", "alpha"), [("white", False), ("transparent", True)])
def test_a_picture_says_whether_it_is_transparent(client, background, alpha):
    assert resolve(client, {"background": background}).json()["images"]["hero"]["alpha"] is alpha


def test_a_forbidden_configuration_is_an_answer_with_reason_and_nearest(client):
    answer = resolve(client, {"metal": "silver", "gem": "sapphire"})
    assert answer.status_code == 200
    body = answer.json()
    assert not body["valid"]
    assert body["images"] == {}
    assert body["conflicts"] == [
        {
            "all": {"metal": "silver", "gem": "sapphire"},
            "reason": "Sapphires are set in gold only.",
        }
    ]
    assert resolve(client, body["nearest"]).json()["valid"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"selection": {"metal": 3}}', "selection"),
        ('{"selection": "gold"}', "selection"),
        ('{"selektion": {}}', "selektion"),
    ],
)
def test_a_wrong_body_is_refused_and_the_field_named(client, body, field):
    answer = client.post(
        "/v1/compositions/ring/resolve",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.text


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "\xff", '"x"'])
def test_a_body_that_is_not_the_json_is_refused(client, body):
    answer = client.post(
        "/v1/compositions/ring/resolve",
        content=body.encode("latin-1"),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/invalid-body"


def test_a_body_too_large_is_refused(client):
    answer = resolve(client, {"metal": "x" * 100_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_value_is_refused_as_on_the_image_route(client):
    answer = resolve(client, {"metal": "brass"})
    assert (answer.status_code, answer.json()["offered"]) == (422, ["gold", "silver"])


def explain(client, **query):
    return client.get("/v1/compositions/ring/explain", params={"view": "hero", **query})


def test_explain_gives_plan_key_files_and_address(client, picture):
    body = explain(client, metal="silver", width=160).json()
    assert body["url"] == picture(metal="silver")
    assert body["key"].endswith(".webp")
    assert body["plan"]["output"]["width_px"] == 160
    assert sorted(body["files"].values()) == ["band.png", "ground.png", "stone-ruby.png"]


def test_explain_names_who_holds_the_picture_and_its_timings(client, picture):
    path = picture(240, "avif", background="transparent")
    client.get(path)
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        body = explain(client, width=240, format="avif", background="transparent").json()
        if len(body["held_by"]) == 2:
            break
    assert body["held_by"] == ["memory", "file"]
    assert body["timings"]["encode_ms"] > 0


def test_explain_of_what_was_never_drawn_draws_nothing(client):
    body = explain(client, region="stone", format="jpg", gem="sapphire").json()
    assert (body["held_by"], body["timings"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"view": "side"}, 404),
        ({"width": 161}, 400),
        ({"width": "wide"}, 400),
        ({"format": "gif"}, 400),
        ({"alloy": "gold"}, 422),
        ({"region": "shank"}, 404),
    ],
)
def test_explain_refuses_what_the_image_route_refuses(client, query, status):
    answer = explain(client, **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_explain_without_a_view_names_what_is_missing(client):
    answer = client.get("/v1/compositions/ring/explain")
    assert answer.json()["type"] == "/problems/invalid-query"
    assert "view: missing" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"), [("/livez", "alive"), ("/startupz", "started"), ("/readyz", "ready")]
)
def test_health_is_told_and_never_cached(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert answer.headers["cache-control"] == "no-store"


def test_the_schema_is_openapi_3_1_and_names_every_route(client):
    schema = client.get("/schema").json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/v1/compositions",
        "/v1/compositions/{composition}",
        "/v1/compositions/{composition}/resolve",
        "/v1/compositions/{composition}/explain",
        "/v1/assets/uploads",
        "/v1/assets/uploads/{upload}",
        "/v1/assets/uploads/{upload}/complete",
        "/v1/assets/{sha256}",
        "/v1/drafts",
        "/v1/drafts/{draft}",
        "/v1/drafts/{draft}/definition",
        "/v1/drafts/{draft}/materials",
        "/v1/drafts/{draft}/assets/{name}",
        "/v1/drafts/{draft}/layers/{view}/{number}",
        "/v1/drafts/{draft}/options/{option}",
        "/v1/drafts/{draft}/check",
        "/v1/drafts/{draft}/manifest",
        "/v1/drafts/{draft}/preview",
        "/v1/drafts/{draft}/diff",
        "/v1/drafts/{draft}/publish",
        "/v1/releases",
        "/v1/releases/{release}",
        "/v1/releases/{release}/restore",
        "/v1/activity",
        "/v1/compositions/{composition}/warm",
        "/v1/jobs",
        "/v1/jobs/{job}",
        "/v1/jobs/{job}/events",
        "/v1/jobs/{job}/cancel",
        "/v1/jobs/{job}/retry",
        "/v1/products",
        "/v1/products/{product}",
        "/v1/products/{product}/document",
        "/v1/products/export",
        "/v1/products/imports",
        "/v1/products/imports/{job}/report",
        "/v1/rates",
        "/v1/quotes",
        "/v1/quotes/verify",
        "/v1/webhooks",
        "/v1/webhooks/{webhook}",
        "/v1/webhooks/{webhook}/secret",
        "/v1/webhooks/{webhook}/deliveries",
        "/v1/webhooks/{webhook}/deliveries/{delivery}/resend",
        "/livez",
        "/readyz",
        "/startupz",
    }


def test_the_schema_shows_what_to_send(client):
    schemas = client.get("/schema").json()["components"]["schemas"]
    (example,) = schemas["ResolveIn"]["examples"]
    assert "selection" in example


def test_the_schema_shows_errors_as_problem_documents(client):
    schema = client.get("/schema").json()
    resolve = schema["paths"]["/v1/compositions/{composition}/resolve"]["post"]["responses"]
    for status in ("400", "404", "422"):
        assert list(resolve[status]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/page.css", "/page.js", "/thumbhash.js", "/favicon.svg"),
        *("/zoom.js", "/openseadragon.min.js"),
    ],
)
def test_the_page_may_load_nothing_but_itself(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_files_of_the_page_name_their_charset_once(client, method, path, media_type):
    for _ in range(2):
        assert client.request(method, path).headers["content-type"] == media_type


def test_the_viewer_is_the_file_that_its_licence_entry_names(client):
    served = client.get("/openseadragon.min.js").content
    assert hashlib.sha256(served).hexdigest() in (ROOT / "docs" / "licences.md").read_text()
    assert b"openseadragon 6.1.1" in served[:100]


def test_the_page_names_nothing_of_the_product(client):
    text = "".join(client.get(path).text for path in ("/", "/page.js", "/zoom.js"))
    assert not {"ring", "gold", "ruby", "metal"} & set(text.lower().replace('"', " ").split())
