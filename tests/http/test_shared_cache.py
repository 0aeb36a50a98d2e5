"""Two services that share nothing but a Redis or a bucket, and what they do when it is gone."""

import httpx
import pytest

from tests.http.server import run_server
from tests.servers import run_redis, valkey_program, wait_until

PATIENT = {"redis_timeout_s": 5, "file_tier_bytes": 0, "graceful_stop_s": 1}


@pytest.fixture
def cache(tmp_path):
    with run_redis(valkey_program(), tmp_path) as server:
        yield server


@pytest.fixture
def service(catalogue, cache, tmp_path):
    # Without a memory, every request asks the tiers.
    settings = {**PATIENT, "breaker_pause_s": 0.1, "memory_tier_bytes": 0}
    with run_server(catalogue, tmp_path, redis_url=cache.url, **settings) as server:
        yield server


@pytest.fixture(params=["redis", "s3"])
def shared(request):
    """A store that two services share: its name, and the settings that lead to it."""
    if request.param == "redis":
        return "redis", {"redis_url": request.getfixturevalue("valkey").url}
    bucket = request.getfixturevalue("bucket")
    settings = {"s3_bucket": bucket.name, "s3_endpoint": bucket.endpoint, "s3_timeout_s": 30}
    return "s3", settings


def test_what_one_machine_drew_another_finds(catalogue, shared, tmp_path_factory, picture):
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    name, settings = shared[0], {**PATIENT, **shared[1]}
    with run_server(catalogue, folders[0], **settings) as first:
        drawn = httpx.get(first.url + picture())
    with run_server(catalogue, folders[1], **settings) as second:
        found = httpx.get(second.url + picture())

    assert drawn.headers["cache-status"].endswith("fwd=miss; stored; detail=render")
    assert found.headers["cache-status"] == f"render-service; hit; detail={name}"
    for header in ("content-type", "etag", "content-length"):
        assert found.headers[header] == drawn.headers[header]
    assert found.content == drawn.content


def test_without_its_redis_every_picture_is_served_and_readiness_says_degraded(
    service, cache, picture
):
    cache.stop()
    with httpx.Client(base_url=service.url) as client:
        answers = [client.get(picture(width)) for width in (160, 240, 320)]
        health = client.get("/readyz")

    assert [answer.status_code for answer in answers] == [200] * 3
    assert health.status_code == 200
    assert health.json() == {"status": "degraded", "unavailable": ["redis"]}


def test_a_redis_that_is_back_is_used_again(service, cache, picture):
    with httpx.Client(base_url=service.url) as client:
        cache.stop()
        client.get(picture(240))
        cache.start()

        def recovered():
            client.get(picture(240))
            return client.get("/readyz").json()["status"] == "ready"

        wait_until(recovered, lambda: client.get("/readyz").text)


def test_an_address_of_redis_that_is_none_stops_the_start(catalogue, tmp_path):
    with (
        pytest.raises(AssertionError, match="RENDER_REDIS_URL"),
        run_server(catalogue, tmp_path, redis_url="redis://cache:nine/0"),
    ):
        pass
