"""What every RenditionTier does, whatever it is made of."""

import asyncio

import pytest

from render_service.adapters.file_tier import FileTier
from render_service.formats import Format
from render_service.rendering.breaker import GuardedTier
from render_service.rendering.memory import Memory, MemoryTier
from tests.contracts.test_redis_tier import redis_tier
from tests.contracts.test_s3_tier import s3_tier
from tests.rendering.builders import MIB, key, rendition


def memory_tier(request):
    return MemoryTier(Memory(budget_bytes=16 * MIB))


def file_tier(request):
    return FileTier(request.getfixturevalue("tmp_path"), budget_bytes=16 * MIB)


def valkey_tier(request):
    return redis_tier(request.getfixturevalue("valkey"))


def redis_7_tier(request):
    return redis_tier(request.getfixturevalue("redis_7"))


def guarded_tier(request):
    return GuardedTier(memory_tier(request), pause_s=1)


def ceph_tier(request):
    return s3_tier(request.getfixturevalue("bucket"))


@pytest.fixture(params=[memory_tier, file_tier, valkey_tier, redis_7_tier, ceph_tier, guarded_tier])
async def tier(request):
    tier = request.param(request)
    yield tier
    await tier.close()


async def test_it_has_a_short_name(tier):
    assert tier.name.isalnum()


async def test_what_was_never_put_is_a_miss(tier):
    assert await tier.get(key("never put")) is None


@pytest.mark.parametrize("file_format", list(Format))
async def test_what_was_put_is_got_whole(tier, file_format):
    put = rendition(bytes(range(256)) * 99, file_format)
    await tier.put(key(1, file_format), put)
    assert await tier.get(key(1, file_format)) == put


async def test_one_key_does_not_answer_for_another(tier):
    await tier.put(key(1), rendition(b"one"))
    await tier.put(key(2), rendition(b"two"))
    assert (await tier.get(key(1))).body == b"one"
    assert (await tier.get(key(2))).body == b"two"


async def test_the_same_picture_in_another_format_is_another_entry(tier):
    await tier.put(key(1, "webp"), rendition(b"one"))
    assert await tier.get(key(1, "avif")) is None


async def test_putting_again_leaves_one_of_the_two_whole(tier):
    await tier.put(key(1), rendition(b"old"))
    await tier.put(key(1), rendition(b"new and longer"))
    assert (await tier.get(key(1))).body in (b"old", b"new and longer")


async def test_an_empty_body_is_kept_as_such(tier):
    await tier.put(key(1), rendition(b""))
    assert (await tier.get(key(1))).body == b""


async def test_a_mebibyte_is_kept_byte_for_byte(tier):
    body = bytes(range(256)) * 4096
    await tier.put(key(1), rendition(body))
    assert (await tier.get(key(1))).body == body


async def test_many_at_once_do_not_mix(tier):
    async def put_and_get(number):
        await tier.put(key(number), rendition(b"%d" % number * 1000))
        return (await tier.get(key(number))).body

    bodies = await asyncio.gather(*(put_and_get(number) for number in range(50)))
    assert bodies == [b"%d" % number * 1000 for number in range(50)]


async def test_the_same_key_put_by_many_at_once_is_whole(tier):
    bodies = [b"%d" % number * 5000 for number in range(8)]
    await asyncio.gather(*(tier.put(key(1), rendition(body)) for body in bodies))
    assert (await tier.get(key(1))).body in bodies
