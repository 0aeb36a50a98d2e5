"""Uploads over HTTP: rights, forms, and words for whoever gets them wrong."""

import asyncio
import hashlib

import httpx
import pytest

from render_service.adapters.migrations import migrate
from tests.assets.files import file_of
from tests.http.server import run_server
from tests.postgres import make_database
from tests.shop import KEY

DATA = file_of("image/png")
SHA256 = hashlib.sha256(DATA).hexdigest()
UPLOADS = "/v1/assets/uploads"
TOKEN, OTHER = "a" * 43, "b" * 43
SAID = {
    "name": "ring.png",
    "kind": "layer",
    "media_type": "image/png",
    "bytes": len(DATA),
    "sha256": SHA256,
}


@pytest.fixture(scope="module")
def client(postgres_18_server, catalogue, tmp_path_factory):
    url = make_database(postgres_18_server)
    asyncio.run(migrate(url))
    folder = tmp_path_factory.mktemp("uploads")
    tokens = f"designer:{TOKEN}:asset:write,shop:{OTHER}:catalogue:write"
    settings = {"database_url": url, "signing_keys": KEY, "api_tokens": tokens}
    with (
        run_server(catalogue, folder, **settings) as server,
        httpx.Client(base_url=server.url, headers=bearer(TOKEN)) as client,
    ):
        yield client


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def begin(client, **changes):
    return client.post(UPLOADS, json={**SAID, **changes})


def send(client, begun, data=DATA):
    """Post the form as a browser does: without the token."""
    return httpx.post(
        f"{client.base_url}{begun['url']}".replace("//v1", "/v1"),
        data=begun["fields"],
        files={"file": ("ring.png", data)},
    )


def test_an_upload_goes_from_its_beginning_to_its_check(client):
    answer = begin(client)
    begun = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, begun["href"])
    assert client.get(begun["href"]).json()["status"] == "waiting"
    assert client.post(f"{begun['href']}/complete").json()["type"] == "/problems/upload-not-arrived"
    assert send(client, begun).status_code == 204
    completed = client.post(f"{begun['href']}/complete")
    body = completed.json()
    assert (completed.status_code, body["status"], body["by"]) == (202, "checking", "designer")
    assert body["job"].startswith("/v1/jobs/")
    assert client.post(f"{begun['href']}/complete").json() == body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", UPLOADS),
        ("POST", f"{UPLOADS}/x/complete"),
        ("GET", f"{UPLOADS}/x"),
        ("GET", f"/v1/assets/{SHA256}"),
    ],
)
def test_every_route_is_for_who_may_write_assets(client, method, path):
    asked = client.build_request(method, path)
    del asked.headers["authorization"]
    assert client.send(asked).status_code == 401
    assert client.request(method, path, headers=bearer("c" * 43)).status_code == 401
    assert client.request(method, path, headers=bearer(OTHER)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"kind": "video"}, "kind"),
        ({"media_type": "image/gif"}, "media_type"),
        ({"media_type": "image/svg+xml"}, "media_type"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": 1.5}, "bytes"),
        ({"bytes": "9"}, "bytes"),
        ({"bytes": 2**26 + 1}, "bytes"),
        ({"bytes": 2**80}, "bytes"),
        ({"sha256": "0"}, "sha256"),
        ({"sha256": "G" * 64}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"sha256": "a" * 64 + "\n"}, "sha256"),
        ({"focus": {"x": 2, "y": 0}}, "focus"),
        ({"focus": {"x": 0.5}}, "focus"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_and_the_field_named(client, changes, field):
    answer = begin(client, **changes)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert field in answer.json()["detail"]


def test_what_is_not_there_is_not_found(client):
    for path in (f"{UPLOADS}/x", f"{UPLOADS}/{'0' * 8}-0000-0000-0000-{'0' * 12}"):
        assert client.get(path).json()["type"] == "/problems/unknown-upload"
        assert client.post(f"{path}/complete").json()["type"] == "/problems/unknown-upload"
    for sha256 in ("x", "0" * 64, "%00"):
        assert client.get(f"/v1/assets/{sha256}").json()["type"] == "/problems/unknown-asset"


def test_nothing_of_it_is_kept_by_caches(client):
    begun = begin(client)
    assert begun.headers["cache-control"] == "no-store"
    assert client.get(begun.json()["href"]).headers["cache-control"] == "no-store"


def test_without_a_database_nothing_can_be_uploaded(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, api_tokens=f"designer:{TOKEN}") as server:
        asked = {"headers": bearer(TOKEN), "json": SAID}
        answer = httpx.post(f"{server.url}{UPLOADS}", **asked)
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/database-unavailable"
        assert httpx.post(f"{server.url}/v1/assets/quarantine").status_code in (404, 405)
