"""Drafts over a bucket: what is live there is moved by the store's own compare-and-set."""

import threading

import pytest

from tests.drafts.asking import begin, put
from tests.drafts.conftest import client_of, make_service
from tests.drafts.test_publishing import PICTURE, activity, darken, live, publish
from tests.drafts.test_routes import RED, problem
from tests.http.server import run_server


@pytest.fixture
def server(postgres_18_server, sound, bucket, tmp_path):
    settings = make_service(
        postgres_18_server, sound, f"s3://{bucket.name}", s3_endpoint=bucket.endpoint
    )
    with run_server("", tmp_path, **settings) as server:
        yield server


def test_of_two_who_publish_one_composition_at_once_one_wins_and_the_other_is_told(server):
    with client_of(server, "anna") as anna, client_of(server, "ben") as ben:
        mine, other = darken(anna, begin(anna), 0.7), darken(ben, begin(ben), 0.8)
        shown = anna.get(f"{mine['preview']['url']}/{PICTURE}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
        answers = {}

        def send(client, draft):
            answers[draft["id"]] = publish(client, draft)

        threads = [
            threading.Thread(target=send, args=pair) for pair in ((anna, mine), (ben, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers.values()) == [200, 409]
        refused = next(answer for answer in answers.values() if answer.status_code == 409)
        assert refused.json()["type"] == "/problems/base-moved"
        assert live(anna)["number"] == 2
        published = [e for e in activity(anna) if e["action"] == "release.published"]
        assert len(published) == 1
        back = anna.post("/v1/releases/1/restore", headers={"if-match": '"2"'})
        assert (back.status_code, live(anna)["restores"]) == (200, 1)


def test_a_digest_that_the_bucket_does_not_hold_is_refused(server):
    with client_of(server, "anna") as anna:
        answer = put(anna, begin(anna), "assets", "band.png", json={"sha256": RED})
        assert problem(answer) == (422, "asset-not-stored")
