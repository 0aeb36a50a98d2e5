"""What the S3 tier promises on top of the port, against a real Ceph gateway."""

import asyncio
import socket
import urllib.request

import pytest

from render_service.adapters.s3_tier import S3Tier
from render_service.adapters.seal import store_name
from render_service.errors import TierUnavailable
from render_service.formats import Format
from render_service.rendering.rendition import IMMUTABLE
from tests.rendering.builders import MIB, key, rendition

# Patient: on a busy machine a healthy server may take longer than it would in production.
PATIENT_S = 30


def s3_tier(bucket, *, timeout_s=PATIENT_S, object_bytes_max=16 * MIB):
    return S3Tier(
        bucket=bucket.name,
        endpoint=bucket.endpoint,
        timeout_s=timeout_s,
        object_bytes_max=object_bytes_max,
    )


@pytest.fixture
async def tier(bucket):
    tier = s3_tier(bucket)
    yield tier
    await tier.close()


@pytest.fixture
async def raw(bucket):
    async with bucket.client() as client:
        yield client


async def change(raw, bucket, body, *, name=None, **facts):
    """Put `body` in the place of the first picture, with that one's metadata."""
    held = await raw.head_object(Bucket=bucket.name, Key=store_name(key(1)))
    await raw.put_object(
        Bucket=bucket.name,
        Key=name or store_name(key(1)),
        Body=body,
        **{"Metadata": held["Metadata"], **facts},
    )


async def names(raw, bucket):
    listed = await raw.list_objects_v2(Bucket=bucket.name)
    return [entry["Key"] for entry in listed.get("Contents", [])]


async def test_an_object_is_the_bare_picture_under_the_name_of_every_store(tier, raw, bucket):
    await tier.put(key(1), rendition(b"RIFF picture"))
    assert await names(raw, bucket) == [f"renditions/{key(1)[:2]}/{key(1)}"]
    held = await raw.get_object(Bucket=bucket.name, Key=store_name(key(1)))
    assert await held["Body"].read() == b"RIFF picture"


@pytest.mark.parametrize("file_format", list(Format))
async def test_a_cdn_may_read_the_bucket_directly(tier, raw, bucket, file_format):
    put = rendition(b"picture", file_format)
    await tier.put(key(1, file_format), put)
    where = {"Bucket": bucket.name, "Key": store_name(key(1, file_format))}
    url = await raw.generate_presigned_url("get_object", Params=where)
    answer = await asyncio.to_thread(urllib.request.urlopen, url)
    with answer:
        assert answer.headers["content-type"] == put.media_type
        assert answer.headers["cache-control"] == IMMUTABLE
        assert answer.read() == put.body


async def test_what_is_there_is_not_put_again(tier, raw, bucket):
    await tier.put(key(1), rendition(b"first"))
    before = await raw.head_object(Bucket=bucket.name, Key=store_name(key(1)))
    await tier.put(key(1), rendition(b"second"))
    after = await raw.head_object(Bucket=bucket.name, Key=store_name(key(1)))
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])


@pytest.mark.parametrize("body", [b"", b"pictur", b"picturE", b"picture and more"])
async def test_a_damaged_object_is_a_miss_and_goes(tier, raw, bucket, body):
    await tier.put(key(1), rendition(b"picture"))
    await change(raw, bucket, body)
    assert await tier.get(key(1)) is None
    assert await names(raw, bucket) == []


@pytest.mark.parametrize("metadata", [{}, {"seal": "rubbish"}, {"seal": "00" * 56}])
async def test_an_object_without_its_seal_is_a_miss(tier, raw, bucket, metadata):
    await tier.put(key(1), rendition(b"picture"))
    await change(raw, bucket, b"picture", Metadata=metadata)
    assert await tier.get(key(1)) is None


async def test_a_whole_object_under_anothers_name_is_a_miss(tier, raw, bucket):
    await tier.put(key(1), rendition(b"picture"))
    await change(raw, bucket, b"picture", name=store_name(key(2)))
    assert await tier.get(key(2)) is None


async def test_a_damaged_object_can_be_put_anew(tier, raw, bucket):
    await tier.put(key(1), rendition(b"picture"))
    await change(raw, bucket, b"rubbish")
    await tier.get(key(1))
    await tier.put(key(1), rendition(b"picture"))
    assert await tier.get(key(1)) == rendition(b"picture")


async def test_a_picture_over_the_limit_is_neither_kept_nor_read(bucket, tier):
    small = s3_tier(bucket, object_bytes_max=1000)
    await small.put(key(1), rendition(bytes(1001)))
    assert await tier.get(key(1)) is None
    await tier.put(key(1), rendition(bytes(1001)))
    assert await small.get(key(1)) is None
    await small.close()


async def test_a_bucket_that_is_not_there_is_an_unavailable_tier(bucket):
    bucket.name = "no-such-bucket"
    tier = s3_tier(bucket)
    with pytest.raises(TierUnavailable, match="NoSuchBucket"):
        await tier.get(key(1))
    with pytest.raises(TierUnavailable, match="NoSuchBucket"):
        await tier.put(key(1), rendition())
    await tier.close()


async def test_a_wrong_secret_is_an_unavailable_tier(bucket, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    tier = s3_tier(bucket)
    with pytest.raises(TierUnavailable, match="SignatureDoesNotMatch"):
        await tier.get(key(1))
    await tier.close()


async def test_a_server_that_accepts_and_is_silent_is_given_up_in_time(bucket):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bucket.endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        tier = s3_tier(bucket, timeout_s=0.2)
        with pytest.raises(TierUnavailable):
            await tier.get(key(1))
        await tier.close()


async def test_a_server_that_is_not_there_is_an_unavailable_tier(bucket):
    bucket.endpoint = "http://127.0.0.1:1"
    tier = s3_tier(bucket)
    with pytest.raises(TierUnavailable):
        await tier.get(key(1))
    with pytest.raises(TierUnavailable):
        await tier.put(key(1), rendition())
    await tier.close()


async def test_an_answer_that_is_no_s3_is_an_unavailable_tier(bucket):
    async def babble(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n<html><b>")
        writer.close()

    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\npict")
        writer.close()

    for answer in (babble, cut):
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            bucket.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            tier = s3_tier(bucket)
            with pytest.raises(TierUnavailable):
                await tier.get(key(1))
            await tier.close()
