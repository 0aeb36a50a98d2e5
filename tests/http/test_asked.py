"""What the JSON API is asked: bodies, queries and media types that are not of the form."""

import socket
import time

import pytest

from tests.http.test_raw import Wire

RESOLVE = "/v1/compositions/ring/resolve"
NUMBER = "expected a whole number, 0 to 32"
WIDTH = "expected a whole number, 1 to 65535, got a string"
FORMATS = "'gif' is not offered; formats: avif, webp, jpg, png"
KNOWN = "not known; fields: selection, changed, neighbours, shown"
EXPLAIN = "/v1/compositions/ring/explain"
JSON = {"content-type": "application/json"}


def post(client, body, headers=JSON):
    return client.post(RESOLVE, content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [b'{"selection":{"gem":"\xff"}}', b"[" * 60_000, b'{"a":' * 10_000, b'{"a":"\\ud800"}'],
)
def test_text_that_is_not_utf8_and_brackets_without_end_are_no_fault_of_ours(client, body):
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/invalid-body"


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (b"", "body", "expected JSON, got nothing"),
        (b"{", "body", "expected JSON in UTF-8"),
        (b"[]", "body", "expected an object, got an array"),
        (b"null", "body", "expected an object, got null"),
        (b'{"selection": {"gem": 3}}', "selection.gem", "expected a string, got a number"),
        (b'{"selection": {"gem": true}}', "selection.gem", "expected a string, got a boolean"),
        (b'{"selection": "ruby"}', "selection", "expected an object, got a string"),
        (b'{"selektion": {}}', "selektion", KNOWN),
        (b'{"changed": ["gem"]}', "changed", "expected the id of an option, got an array"),
        (b'{"neighbours": 33}', "neighbours", f"{NUMBER}, got 33"),
        (b'{"neighbours": -1}', "neighbours", f"{NUMBER}, got -1"),
        (b'{"neighbours": true}', "neighbours", f"{NUMBER}, got a boolean"),
        (b'{"neighbours": 1.5}', "neighbours", f"{NUMBER}, got 1.5"),
        (b'{"shown": "hero"}', "shown", "expected an object, got a string"),
        (b'{"shown": {"view": "hero", "width": 160}}', "shown.format", "missing"),
        (b'{"shown": {"view": "hero", "width": "160", "format": "avif"}}', "shown.width", WIDTH),
        (b'{"shown": {"view": "hero", "width": 160, "format": "gif"}}', "shown.format", FORMATS),
    ],
)
def test_a_wrong_field_of_a_body_is_named_in_full(client, body, field, problem):
    assert post(client, body).json()["errors"] == [{"field": field, "problem": problem}]


def test_several_wrong_fields_are_all_named(client):
    errors = post(client, b'{"a": 1, "selection": {"gem": 1, "metal": 2}}').json()["errors"]
    assert [error["field"] for error in errors] == ["a", "selection.gem", "selection.metal"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "json"])
def test_a_body_that_says_it_is_not_json_is_refused(client, kind):
    answer = post(client, b"{}", {"content-type": kind})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")
    assert answer.headers["accept-post"] == "application/json"


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json; charset=utf-8"}])
def test_a_body_that_says_nothing_of_itself_is_taken_for_json(client, headers):
    assert post(client, b"{}", headers).status_code == 200


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_incident(server, client):
    before = server.log.stat().st_size
    for _ in range(3):
        with Wire(server) as wire:
            wire.ask(RESOLVE, method="POST", headers="Content-Length: 100\r\n")
            wire.socket.sendall(b'{"selection"')
            time.sleep(0.05)
            wire.socket.shutdown(socket.SHUT_RDWR)
    assert client.get("/livez").status_code == 200
    time.sleep(0.2)
    assert "incident" not in server.log.read_text()[before:]


@pytest.mark.parametrize("query", ["x=1", "&", "&&&", "="])
@pytest.mark.parametrize("path", ["/v1/compositions", "/v1/compositions/ring"])
def test_a_query_where_none_is_taken_is_refused(client, path, query):
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unknown-query-key")


def test_a_query_to_resolve_is_refused(client):
    answer = client.post(f"{RESOLVE}?gem=ruby", json={})
    assert (answer.status_code, answer.json()["key"]) == (400, "gem")


@pytest.mark.parametrize("query", ["view=hero&view=top", "view=hero&width=160&width=160"])
def test_explain_takes_each_key_once(client, query):
    answer = client.get(f"{EXPLAIN}?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-path")


def test_explain_takes_a_region_as_the_address_spells_it(client):
    spelled = client.get(f"{EXPLAIN}?view=hero:stone").json()
    assert spelled["url"] == client.get(f"{EXPLAIN}?view=hero&region=stone").json()["url"]
    assert "/hero:stone/" in spelled["url"]


def test_explain_takes_a_region_in_one_way(client):
    assert client.get(f"{EXPLAIN}?view=hero:stone&region=stone").status_code == 400


def test_what_explain_says_is_never_cached(client):
    assert client.get(f"{EXPLAIN}?view=hero").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("gem=ruby", "view"),
        ("view=", "view"),
        ("view=hero&format=gif", "format"),
        ("view=hero&width=wide", "width"),
        ("view=hero&width=-1", "width"),
        ("view=hero&width=0", "width"),
        ("view=hero&width=99999", "width"),
    ],
)
def test_explain_names_the_key_that_is_wrong(client, query, field):
    problem = client.get(f"{EXPLAIN}?{query}").json()
    assert problem["type"] == "/problems/invalid-query"
    assert [error["field"] for error in problem["errors"]] == [field]
