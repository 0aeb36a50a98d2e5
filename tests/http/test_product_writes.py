"""Products written over HTTP: preconditions, keys, faults, and what can be read back."""

import asyncio
import threading

import asyncpg
import httpx
import msgspec
import pytest

from tests.http.server import COMPOSITIONS, run_server
from tests.shop import PRODUCTS, make_demo_shop

RING = "solitaire-ring"
TOKENS = f"back-office:{'w' * 43},robot:{'r' * 43}:jobs:read"
WRITER = {"authorization": f"Bearer {'w' * 43}"}
READER = {"authorization": f"Bearer {'r' * 43}"}


@pytest.fixture(scope="module")
def selling(postgres_18_server):
    return make_demo_shop(postgres_18_server)


@pytest.fixture(scope="module")
def shop(selling, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    settings = {**selling, "file_tier_bytes": 0, "api_tokens": TOKENS}
    with (
        run_server(COMPOSITIONS, folder, raster_store_bytes=0, **settings) as server,
        httpx.Client(base_url=server.url, headers=WRITER, timeout=30) as client,
    ):
        yield client


def ring(**changes):
    return msgspec.json.decode((PRODUCTS / f"{RING}.json").read_bytes()) | changes


def create(shop, name, key=None, **changes):
    headers = {"idempotency-key": key} if key else {}
    return shop.post("/v1/products", json=ring(id=name, **changes), headers=headers)


def put(shop, name, revision=None, **changes):
    headers = {"if-match": f'"{revision}"'} if revision else {"if-none-match": "*"}
    return shop.put(f"/v1/products/{name}", json=ring(id=name, **changes), headers=headers)


def problem(answer):
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_what_was_created_is_where_its_location_says(shop):
    made = create(shop, "made")
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.headers["location"] == "/v1/products/made"
    assert shop.get(made.headers["location"]).json()["id"] == "made"


def test_what_is_there_already_is_not_created_again(shop):
    create(shop, "twice")
    assert problem(create(shop, "twice", title="Other")) == (409, "product-exists")


def test_a_document_that_is_read_changed_and_put_back_loses_nothing(shop):
    create(shop, "whole")
    read = shop.get("/v1/products/whole/document")
    document = read.json() | {"text": "Another text."}
    changed = shop.put(
        "/v1/products/whole", json=document, headers={"if-match": read.headers["etag"]}
    )
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    again = shop.get("/v1/products/whole/document")
    assert again.json() == document
    assert again.headers["cache-control"] == "no-store"
    assert again.json()["pricing"]["markup_bp"] == ring()["pricing"]["markup_bp"]


def test_what_is_put_as_it_was_keeps_its_revision(shop):
    create(shop, "same")
    assert put(shop, "same", 1).headers["etag"] == '"1"'


def test_a_product_is_created_by_put_where_there_is_none(shop):
    made = put(shop, "desired")
    assert (made.status_code, made.headers["location"]) == (201, "/v1/products/desired")
    assert problem(put(shop, "desired")) == (412, "changed-meanwhile")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_change_says_of_what(shop, method):
    content_type = "application/merge-patch+json" if method == "patch" else "application/json"
    body = b"" if method == "delete" else msgspec.json.encode(ring())
    headers = {"content-type": content_type}
    answer = shop.request(method, f"/v1/products/{RING}", content=body, headers=headers)
    assert problem(answer) == (428, "precondition-missing")


def test_who_comes_too_late_is_told_what_it_is_now(shop):
    create(shop, "raced")
    assert put(shop, "raced", 1, title="First").status_code == 200
    late = put(shop, "raced", 1, title="Second")
    assert problem(late) == (412, "changed-meanwhile")
    assert late.json()["etag"] == '"2"'
    assert shop.get("/v1/products/raced").json()["title"] == "First"


def test_of_ten_who_change_one_revision_one_succeeds(shop):
    create(shop, "ten")
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(put(shop, "ten", 1, title=f"T {n}")))
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    assert shop.get("/v1/products/ten/document").headers["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['W/"1"', '"x"', '"0"', '"99999999999999999999"'])
def test_a_tag_that_is_none_of_ours_matches_nothing(shop, tag):
    create(shop, "tagged")
    headers = {"if-match": tag}
    answer = shop.put("/v1/products/tagged", json=ring(id="tagged"), headers=headers)
    assert problem(answer) == (412, "changed-meanwhile")


@pytest.mark.parametrize(
    ("name", "value"), [("if-match", "1"), ("if-match", '"1'), ("if-none-match", '"1"')]
)
def test_a_precondition_that_cannot_be_read_is_refused_by_name(shop, name, value):
    answer = shop.put(f"/v1/products/{RING}", json=ring(), headers={name: value})
    assert problem(answer) == (400, "invalid-body")
    assert answer.json()["errors"][0]["field"].lower() == name


def test_every_fault_of_a_product_is_named_at_once_and_nothing_is_kept(shop):
    answer = create(shop, "faulty", sku="lower {x}", attributes={"A": ["a"]}, language="english")
    assert problem(answer) == (422, "invalid-product")
    fields = {fault["field"] for fault in answer.json()["errors"]}
    assert {"sku", "attributes.A", "language"} <= fields
    assert shop.get("/v1/products/faulty/document").status_code == 404


def test_a_composition_that_is_not_live_is_named_with_those_that_are(shop):
    answer = create(shop, "foreign", composition="nothing")
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["offered"]) == ("composition", [RING])


def test_the_id_of_a_document_is_that_of_its_address(shop):
    headers = {"if-none-match": "*"}
    answer = shop.put("/v1/products/one", json=ring(id="other"), headers=headers)
    assert problem(answer) == (422, "invalid-product")
    assert answer.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"id":"\\u0000"}']
)
def test_a_body_that_is_no_product_is_refused(shop, body):
    headers = {"content-type": "application/json"}
    answer = shop.post("/v1/products", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_of_another_type_is_refused(shop):
    answer = shop.post("/v1/products", content=b"a=b", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_a_product_may_be_larger_than_a_selection_and_not_without_end(shop):
    long = {"text": "\u00e4" * 9_000}
    texts = {tag: long for tag in ("fr", "it", "es", "nl", "da", "sv", "fi", "pt", "pl", "cs")}
    assert create(shop, "long", translations=texts).status_code == 201
    assert shop.post("/v1/products", content=b" " * (1 << 20) + b"{}").status_code == 413


def test_a_patch_changes_what_it_names_and_removes_what_it_nulls(shop):
    create(shop, "patched")
    headers = {"if-match": '"1"', "content-type": "application/merge-patch+json"}
    patch = {
        "title": "New",
        "translations": {"de": {"title": "Neu"}},
        "attributes": {"style": None},
    }
    changed = shop.patch(
        "/v1/products/patched", content=msgspec.json.encode(patch), headers=headers
    )
    assert changed.headers["etag"] == '"2"'
    document = shop.get("/v1/products/patched/document").json()
    assert (document["title"], document["translations"]["de"]["title"]) == ("New", "Neu")
    assert document["translations"]["de"]["text"] == ring()["translations"]["de"]["text"]
    assert set(document["attributes"]) == {"collection", "occasion"}


def test_a_patch_that_takes_away_what_is_needed_is_refused(shop):
    headers = {"if-match": "*", "content-type": "application/merge-patch+json"}
    answer = shop.patch(f"/v1/products/{RING}", content=b'{"sku": null}', headers=headers)
    assert problem(answer) == (422, "invalid-product")


def test_what_is_archived_is_sold_no_more_and_its_document_stays(shop):
    create(shop, "old")
    gone = shop.delete("/v1/products/old", headers={"if-match": '"1"'})
    assert (gone.status_code, gone.headers["etag"]) == (204, '"2"')
    assert shop.get("/v1/products/old").status_code == 404
    assert shop.get("/v1/products/old/document").json()["status"] == "archived"
    assert put(shop, "old", 2).headers["etag"] == '"3"'
    assert shop.get("/v1/products/old").status_code == 200


def test_what_is_not_there_cannot_be_changed(shop):
    assert problem(put(shop, "nowhere", 1)) == (412, "changed-meanwhile")
    gone = shop.delete("/v1/products/nowhere", headers={"if-match": "*"})
    assert problem(gone) == (412, "changed-meanwhile")


def test_a_request_that_is_sent_again_under_its_key_has_one_effect_and_one_answer(shop):
    first = create(shop, "keyed", key="one")
    put(shop, "keyed", 1, title="Changed since")
    again = create(shop, "keyed", key="one")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (
        None,
        "true",
    )
    assert shop.get("/v1/products/keyed/document").headers["etag"] == '"2"'


def test_a_key_stands_for_one_request(shop):
    create(shop, "first", key="reused")
    assert problem(create(shop, "second", key="reused")) == (422, "key-reused")
    assert shop.get("/v1/products/second/document").status_code == 404


def test_what_was_refused_may_be_mended_under_its_key(shop):
    assert create(shop, "mended", key="mending", sku="?").status_code == 422
    assert create(shop, "mended", key="mending").status_code == 201


@pytest.mark.parametrize("key", ["a" * 256, "a b", '"'])
def test_a_key_that_is_none_is_refused_by_name(shop, key):
    answer = create(shop, "unkeyed", key=key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_of_ten_at_once_under_one_key_one_has_the_effect(shop):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(create(shop, "burst", key="burst")))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [(answer.status_code, answer.json().get("type")) for answer in answers]
    assert set(told) <= {(201, None), (409, "/problems/still-running")}
    assert (201, None) in told
    assert create(shop, "burst", key="burst").headers["idempotency-replayed"] == "true"


def test_an_answer_of_yesterday_is_not_given_again(shop, selling):
    create(shop, "yesterday", key="yesterday")
    asyncio.run(
        tell(selling, "UPDATE shop.idempotency SET kept_at = kept_at - interval '25 hours'")
    )
    assert problem(create(shop, "yesterday", key="yesterday")) == (409, "product-exists")


def test_who_has_written_reads_what_was_written(shop):
    token = create(shop, "fresh").headers["consistency-token"]
    read = shop.get("/v1/products/fresh", headers={"consistency-token": token})
    assert (read.status_code, read.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("token", ["x", "0/0", "FFFFFFFFF-0", "1-2-3"])
def test_a_token_that_no_write_answered_with_is_refused(shop, token):
    answer = shop.get("/v1/products", headers={"consistency-token": token})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Consistency-Token")


def test_rates_are_read_changed_and_put_back(shop):
    read = shop.get("/v1/rates")
    rates = read.json()["rates"]
    tin = {"kind": "metal", "key": "tin", "currency": "EUR", "amount": 1}
    tin["valid_from"] = "2026-01-01T00:00:00Z"
    kept = shop.put(
        "/v1/rates", json={"rates": [*rates, tin]}, headers={"if-match": read.headers["etag"]}
    )
    assert kept.status_code == 200
    assert [rate["amount"] for rate in kept.json()["rates"] if rate["key"] == "tin"] == [1]
    late = shop.put("/v1/rates", json={"rates": rates}, headers={"if-match": read.headers["etag"]})
    assert problem(late) == (412, "changed-meanwhile")
    back = shop.put("/v1/rates", json={"rates": rates}, headers={"if-match": kept.headers["etag"]})
    assert (back.json()["rates"], back.headers["etag"]) == (rates, read.headers["etag"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ([{}], (400, "invalid-body")),
        ({}, (400, "invalid-body")),
        ("twice", (400, "invalid-body")),
        ("overlap", (409, "rates-overlap")),
    ],
)
def test_rates_that_cannot_be_are_refused(shop, change, told):
    rates = shop.get("/v1/rates").json()["rates"]
    sent = (
        {
            "twice": [*rates, rates[0]],
            "overlap": [*rates, rates[-1] | {"valid_from": "2026-03-01T00:00:00Z"}],
        }.get(change, change)
        if isinstance(change, str)
        else change
    )
    assert problem(shop.put("/v1/rates", json={"rates": sent}, headers={"if-match": "*"})) == told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/products"),
        ("PUT", f"/v1/products/{RING}"),
        ("PATCH", f"/v1/products/{RING}"),
        ("DELETE", f"/v1/products/{RING}"),
        ("GET", f"/v1/products/{RING}/document"),
        ("GET", "/v1/products?status=draft"),
        ("GET", "/v1/rates"),
        ("PUT", "/v1/rates"),
    ],
)
def test_who_may_not_write_sees_and_changes_nothing_of_the_back_office(shop, method, path):
    url = f"{shop.base_url}".rstrip("/") + path
    assert problem(httpx.request(method, url)) == (401, "not-signed-in")
    assert problem(httpx.request(method, url, headers=READER)) == (403, "scope-missing")


def test_drafts_and_the_archive_are_listed_for_who_may_write(shop):
    create(shop, "drafted", status="draft")
    answer = shop.get("/v1/products?status=draft")
    assert answer.headers["cache-control"] == "no-store"
    assert [(one["id"], one["status"]) for one in answer.json()["products"]] == [
        ("drafted", "draft")
    ]
    assert shop.get("/v1/products?status=sold").status_code == 400


def test_every_change_is_told_once_and_what_changed_nothing_is_not(shop, selling):
    create(shop, "told", key="told")
    create(shop, "told", key="told")
    put(shop, "told", 1)
    put(shop, "told", 1, title="Other")
    put(shop, "told", 1, title="Too late")
    shop.delete("/v1/products/told", headers={"if-match": '"2"'})
    rows = asyncio.run(
        ask(selling, "SELECT topic, payload, caused_by FROM shop.outbox WHERE subject = 'told'")
    )
    told = [(topic, msgspec.json.decode(payload)["revision"]) for topic, payload, _ in rows]
    assert told == [("product.created", 1), ("product.updated", 2), ("product.deleted", 3)]
    assert {by for *_, by in rows} == {"back-office"}


def test_without_a_database_nothing_is_written(tmp_path):
    with run_server(COMPOSITIONS, tmp_path, api_tokens=TOKENS, file_tier_bytes=0) as server:
        answer = httpx.post(f"{server.url}/v1/products", json=ring(), headers=WRITER)
    assert problem(answer) == (503, "no-database")


async def tell(selling, statement):
    connection = await asyncpg.connect(selling["database_url"])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def ask(selling, statement):
    connection = await asyncpg.connect(selling["database_url"])
    try:
        return await connection.fetch(f"{statement} ORDER BY number")
    finally:
        await connection.close()
