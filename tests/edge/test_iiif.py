"""Deep zoom through a real edge: tiles are kept, what is refused is not, types are kept apart."""

import pytest

from tests.edge.test_pictures import OF_THE_SERVICE


@pytest.fixture
def base(site):
    sent = {"selection": {}}
    url = f"{site.origin.url}/v1/compositions/ring/resolve"
    images = site.client.post(url, json=sent).json()["images"]
    return images["hero"]["iiif"]


def test_a_picture_of_the_api_is_fetched_once_and_then_served_from_the_edge(site, base):
    path = f"{base}/full/240,180/0/default.webp"

    first, second = site.get(path, cookie="a=1"), site.get(path)

    assert [first.status_code, second.status_code] == [200, 200]
    assert second.headers["x-cache"] == "HIT"
    assert len(site.fetches(path)) == 1
    assert {name: first.headers.get(name) for name in OF_THE_SERVICE} == {
        name: second.headers.get(name) for name in OF_THE_SERVICE
    }
    assert second.headers["access-control-allow-origin"] == "*"


def test_what_needs_a_signature_is_refused_each_time_anew(site, base):
    path = f"{base}/full/7,/0/default.webp"

    answers = [site.get(path) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert len(site.fetches(path)) == 2


def test_a_signature_reaches_the_service(site, base):
    path = f"{base}/full/7,/0/default.webp"

    answer = site.get(f"{path}?kid=k1&sig=x")

    assert answer.json()["type"] == "/problems/bad-signature"


def test_the_document_has_the_type_that_each_client_asks_for(site, base):
    path = f"{base}/info.json"

    types = [
        site.get(path, accept=accept).headers["content-type"].partition(";")[0]
        for accept in ("application/json", "application/ld+json", "application/json")
    ]

    assert types == ["application/json", "application/ld+json", "application/json"]
