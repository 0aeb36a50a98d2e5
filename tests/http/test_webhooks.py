"""Webhooks over HTTP: made, changed, given new secrets and forgotten, by administrators alone."""

import asyncio

import httpx
import pytest

from render_service.adapters.migrations import migrate
from tests.http.server import run_server
from tests.postgres import make_database
from tests.shop import KEY

ROOT, READER = "r" * 43, "j" * 43
URL = "https://shop.example/hooks?shop=1"


@pytest.fixture(scope="module")
def client(postgres_18_server, catalogue, tmp_path_factory):
    url = make_database(postgres_18_server)
    asyncio.run(migrate(url))
    tokens = f"root:{ROOT}:admin,reader:{READER}:jobs:read"
    settings = {"database_url": url, "signing_keys": KEY, "api_tokens": tokens}
    with (
        run_server(catalogue, tmp_path_factory.mktemp("webhooks"), **settings) as server,
        httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {ROOT}"}) as client,
    ):
        yield client


@pytest.fixture
def made(client):
    answer = client.post("/v1/webhooks", json={"url": URL, "topics": ["product.updated"]})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_webhook_shows_its_secret_once(client):
    answer = client.post("/v1/webhooks", json={"url": URL})
    made = answer.json()
    shown = client.get(answer.headers["location"])

    assert made["secret"].startswith("whsec_")
    assert (made["topics"], made["status"], made["by"]) == ([], "active", "root")
    assert shown.json() == {**made, "secret": None}
    assert made["secret"] not in client.get("/v1/webhooks").text
    assert shown.headers["etag"] == '"1"'
    assert shown.headers["cache-control"] == "no-store"


def test_only_administrators_see_and_touch_webhooks(client, made):
    reader = {"authorization": f"Bearer {READER}"}
    asked = [("GET", "/v1/webhooks"), ("POST", "/v1/webhooks"), ("GET", made["href"])]
    asked += [("DELETE", made["href"]), ("GET", made["deliveries"])]
    for method, path in asked:
        assert client.request(method, path, headers=reader).status_code == 403


def test_a_change_needs_the_revision_that_it_was_made_for(client, made):
    wishes = {"url": URL, "status": "paused"}
    assert client.put(made["href"], json=wishes).status_code == 428
    changed = client.put(made["href"], json=wishes, headers={"if-match": '"1"'})
    late = client.put(made["href"], json=wishes, headers={"if-match": '"1"'})

    assert (changed.json()["status"], changed.json()["topics"]) == ("paused", [])
    assert changed.headers["etag"] == '"2"'
    assert (late.status_code, late.json()["type"]) == (412, "/problems/webhook-moved")
    assert late.json()["revision"] == 2


def test_two_secrets_count_until_the_old_one_is_forgotten(client, made):
    rotated = client.post(f"{made['href']}/secret").json()
    forgotten = client.delete(f"{made['href']}/secret").json()

    assert rotated["secret"] not in (None, made["secret"])
    assert (rotated["secret_count"], forgotten["secret_count"]) == (2, 1)
    assert forgotten["secret"] is None


def test_a_webhook_is_forgotten(client, made):
    assert client.delete(made["href"]).status_code == 428
    assert client.delete(made["href"], headers={"if-match": '"7"'}).status_code == 412
    assert client.delete(made["href"], headers={"if-match": "*"}).status_code == 204
    assert client.get(made["href"]).json()["type"] == "/problems/unknown-webhook"


def test_a_new_webhook_was_told_nothing(client, made):
    assert client.get(made["deliveries"]).json() == {"deliveries": [], "next": None}


@pytest.mark.parametrize("given", ["8be743f2-74c0-4aad-835a-55597eacd23e", "x", "%00", "a" * 300])
def test_a_webhook_or_delivery_that_is_not_there_is_unknown(client, made, given):
    for method, path in [("GET", ""), ("POST", "/secret"), ("GET", "/deliveries")]:
        answer = client.request(method, f"/v1/webhooks/{given}{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-webhook")
    answer = client.post(f"{made['deliveries']}/{given}/resend")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-delivery")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("url", "ftp://shop.example/"),
        ("url", "https://"),
        ("url", "https://user:secret@shop.example/"),
        ("url", "https://shop.example/#here"),
        ("url", "https://shop.example/ a"),
        ("url", "https://shöp.example/"),
        ("url", "https://shop.example:99999/"),
        ("url", "https://[::1/"),
        ("url", "https://shop.example/" + "a" * 2000),
        ("url", None),
        ("topics", ["Product Updated"]),
        ("topics", "product.updated"),
        ("topics", ["a"] * 51),
        ("note", "a\0b"),
        ("note", "a" * 501),
        ("status", "gone"),
        ("secret", "whsec_mine"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_by_its_field(client, field, given):
    answer = client.post("/v1/webhooks", json={"url": URL, field: given})
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["detail"]
