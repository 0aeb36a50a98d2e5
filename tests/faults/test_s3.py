"""S3 slow, silent, refusing, cut in mid-body: pictures are drawn, and stored when it is back.

Between one service process and a real Ceph gateway stands the proxy; what is in the bucket is read
past it.
"""

import asyncio
import time
import urllib.parse

import pytest

from render_service.adapters.s3_tier import S3Tier
from render_service.adapters.seal import store_name
from tests.faults.proxy import ASKED, run_proxy
from tests.faults.service import (
    CACHE_ONLY,
    ask,
    bodies_of,
    readiness,
    run_watched,
    sources,
    wait_for_readiness,
)
from tests.rendering.builders import MIB
from tests.servers import wait_until

PAUSE_S = 0.25

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BROKEN = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/xml\r\n"
    b"Content-Length: 54\r\n\r\n<Error><Code>InternalError</Code><Message/></Error>    "
)
WRONG = (
    b"HTTP/1.1 200 OK\r\nContent-Type: image/webp\r\nContent-Length: 12\r\nETag: 1\r\n\r\n"
    b"RIFF....WEBP"
)

FAULTS = {
    "refused": lambda proxy: proxy.refuse(),
    "silent": lambda proxy: proxy.silence(),
    "slow": lambda proxy: proxy.delay(3),
    "resetting": lambda proxy: proxy.reset(),
    "cut in mid-head": lambda proxy: proxy.cut(100),
    "cut in mid-question": lambda proxy: proxy.cut(300, ASKED),
    "dripping": lambda proxy: proxy.drip(200),
    "too busy": lambda proxy: proxy.make_up(BUSY),
    "broken": lambda proxy: proxy.make_up(BROKEN),
    "no S3": lambda proxy: proxy.make_up(b"-ERR unknown command\r\n"),
}
"""Each is an outage of reading and writing."""


@pytest.fixture(scope="module")
def bucket(ceph):
    from tests.ceph import make_bucket  # beside the credentials that it needs

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", ceph.access_key)
        environment.setenv("AWS_SECRET_ACCESS_KEY", ceph.secret_key)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield make_bucket(ceph)


@pytest.fixture(scope="module")
def fleet(bucket, catalogue, tmp_path_factory):
    port = urllib.parse.urlsplit(bucket.endpoint).port
    folder = tmp_path_factory.mktemp("service")
    settings = {"breaker_pause_s": PAUSE_S, "s3_bucket": bucket.name, "s3_timeout_s": 0.5}
    with (
        run_proxy(port) as proxy,
        run_watched(
            catalogue, folder, s3_endpoint=proxy.http_url, **CACHE_ONLY, **settings
        ) as service,
    ):
        yield service, proxy


def held(bucket, keys):
    """What the bucket holds under `keys`, read directly and believed only with its seal."""

    async def read():
        tier = S3Tier(
            bucket=bucket.name, endpoint=bucket.endpoint, timeout_s=30, object_bytes_max=MIB
        )
        found = [await tier.get(key) for key in keys]
        await tier.close()
        return [one.body if one else None for one in found]

    return asyncio.run(read())


def empty(bucket, keys):
    async def delete():
        async with bucket.client() as client:
            for key in keys:
                await client.delete_object(Bucket=bucket.name, Key=store_name(key))

    asyncio.run(delete())


@pytest.mark.parametrize("fault", FAULTS)
def test_pictures_flow_and_s3_is_found_again(fleet, bucket, pictures, keys, fault):
    service, proxy = fleet
    paths = list(pictures)[:8]
    wait_for_readiness(service, "ready", paths)
    FAULTS[fault](proxy)

    assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]
    wait_until(lambda: readiness(service)["status"] == "degraded", lambda: service.log.read_text())
    assert readiness(service) == {"status": "degraded", "unavailable": ["s3"]}
    proxy.flow()
    wait_for_readiness(service, "ready", paths)
    assert set(held(bucket, [keys[path] for path in paths])) <= {
        None,
        *(pictures[path] for path in paths),
    }


def test_a_body_that_is_cut_is_never_served_nor_kept(fleet, pictures):
    service, proxy = fleet
    paths = list(pictures)[12:20]
    ask(service, paths)
    wait_until(lambda: "s3" in sources(ask(service, paths)), lambda: service.log.read_text())
    proxy.cut(700)
    assert bodies_of(ask(service, paths * 2)) == [pictures[path] for path in paths * 2]
    proxy.flow()
    assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]


def test_what_could_not_be_stored_is_stored_when_s3_is_back(
    catalogue, bucket, pictures, keys, tmp_path
):
    paths = list(pictures)[20:24]
    expected = [pictures[path] for path in paths]
    port = urllib.parse.urlsplit(bucket.endpoint).port
    settings = {"s3_bucket": bucket.name, "file_tier_bytes": 0, "graceful_stop_s": 1}
    with run_proxy(port) as proxy:
        proxy.refuse()
        settings |= {"s3_endpoint": proxy.http_url, "breaker_pause_s": PAUSE_S}
        with run_watched(catalogue, tmp_path, **settings) as service:
            assert bodies_of(ask(service, paths)) == expected
            proxy.flow()
            wait_until(
                lambda: held(bucket, [keys[path] for path in paths]) == expected,
                lambda: service.log.read_text(),
                step_s=0.5,
            )
            wait_for_readiness(service, "ready", list(pictures)[30:40])


def test_a_wrong_body_is_never_served_nor_kept(fleet, bucket, pictures):
    service, proxy = fleet
    paths = list(pictures)[24:28]
    proxy.make_up(WRONG)
    assert bodies_of(ask(service, paths * 2)) == [pictures[path] for path in paths * 2]
    proxy.flow()
    assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]


def test_an_object_that_was_cut_short_is_drawn_anew_and_replaced(fleet, bucket, pictures, keys):
    service, _ = fleet
    path = list(pictures)[28]
    wait_for_readiness(service, "ready", list(pictures)[:4])
    wait_until(lambda: sources(ask(service, [path])) == ["s3"], lambda: service.log.read_text())

    async def cut():
        async with bucket.client() as client:
            where = {"Bucket": bucket.name, "Key": store_name(keys[path])}
            found = await client.get_object(**where)
            body = await found["Body"].read()
            await client.put_object(**where, Body=body[:-9], Metadata=found["Metadata"])

    asyncio.run(cut())
    assert bodies_of(ask(service, [path])) == [pictures[path]]
    wait_until(lambda: sources(ask(service, [path])) == ["s3"], lambda: service.log.read_text())


def test_a_stop_waits_for_no_silent_s3(catalogue, bucket, pictures, tmp_path):
    paths = list(pictures)[:6]
    port = urllib.parse.urlsplit(bucket.endpoint).port
    # Puts have fifty times as long as reads: a minute, if the stop waited for them.
    settings = {"s3_bucket": bucket.name, "s3_timeout_s": 1.2, "file_tier_bytes": 0}
    with run_proxy(port) as proxy:
        proxy.silence()
        settings |= {"s3_endpoint": proxy.http_url, "graceful_stop_s": 1}
        with run_watched(catalogue, tmp_path, **settings) as service:
            assert bodies_of(ask(service, paths)) == [pictures[path] for path in paths]
            begun_s = time.monotonic()
            service.stop()
            assert time.monotonic() - begun_s < 30
        assert "not stored in time" in service.log.read_text()
