"""What every ReleaseStore does, whatever it is made of."""

import asyncio
import hashlib

import pytest

from render_service.adapters.release_bucket import ReleaseBucket
from render_service.adapters.release_folder import ReleaseFolder
from render_service.errors import ReleasesUnavailable, ReleaseUnreadable
from render_service.releases.model import LIVE, asset_name, seal, state_name, version_name

MIB = 2**20
# Patient: on a busy machine a healthy server may take longer than it would in production.
PATIENT_S = 60


class Place:
    """A store of releases, and a way past it to what it keeps.

    Attributes:
        stores: Two of them on the same documents, as two machines have them.
    """

    async def close(self):
        for store in self.stores:
            await store.close()


class Folder(Place):
    def __init__(self, request):
        self.folder = request.getfixturevalue("tmp_path") / "published"
        self.stores = [ReleaseFolder(self.folder), ReleaseFolder(self.folder)]

    async def overwrite(self, name, data):
        (self.folder / name).write_bytes(data)


class Bucket(Place):
    def __init__(self, request):
        self.bucket = request.getfixturevalue("bucket")
        self.stores = [self._store(), self._store()]

    def _store(self):
        return ReleaseBucket(
            bucket=self.bucket.name, endpoint=self.bucket.endpoint, timeout_s=PATIENT_S
        )

    async def overwrite(self, name, data):
        async with self.bucket.client() as client:
            await client.put_object(Bucket=self.bucket.name, Key=name, Body=data)


@pytest.fixture(params=[Folder, Bucket])
async def place(request):
    place = request.param(request)
    yield place
    await place.close()


@pytest.fixture
def store(place):
    return place.stores[0]


def asset(data):
    return asset_name(hashlib.sha256(data).hexdigest())


async def test_what_was_never_put_is_not_there(store):
    assert await store.get(asset(b"x"), bytes_max=MIB) is None
    assert not await store.has(asset(b"x"))
    assert await store.read_live() is None


async def test_what_was_put_is_got_whole_by_everyone(place):
    data = bytes(range(256)) * 4096
    assert await place.stores[0].put(asset(data), data)
    assert await place.stores[1].get(asset(data), bytes_max=MIB) == data
    assert await place.stores[1].has(asset(data))


async def test_a_document_is_put_only_if_absent(store):
    name = version_name("ring", "hero", "0123456789")
    assert await store.put(name, seal(b"first"))
    assert not await store.put(name, seal(b"second"))
    assert await store.get(name, bytes_max=MIB) == seal(b"first")


async def test_of_many_that_put_one_name_at_once_one_does(place):
    puts = [
        place.stores[n % 2].put(state_name(1), seal(b"%d" % n * 5000), replace=False)
        for n in range(8)
    ]
    assert sorted(await asyncio.gather(*puts)) == [False] * 7 + [True]


async def test_a_damaged_document_is_refused_and_can_be_replaced(place, store):
    await store.put(asset(b"layer"), b"layer")
    await place.overwrite(asset(b"layer"), b"laye")
    with pytest.raises(ReleaseUnreadable, match="damaged"):
        await store.get(asset(b"layer"), bytes_max=MIB)
    assert await store.put(asset(b"layer"), b"layer", replace=True)
    assert await store.get(asset(b"layer"), bytes_max=MIB) == b"layer"


async def test_what_is_over_the_limit_is_not_read(store):
    await store.put(asset(bytes(101)), bytes(101))
    assert await store.get(asset(bytes(101)), bytes_max=101) == bytes(101)
    with pytest.raises(ReleaseUnreadable, match="at most 100"):
        await store.get(asset(bytes(101)), bytes_max=100)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "", "a" * 300, "a/../b", "A"])
async def test_a_name_that_is_none_is_never_there_and_never_put(store, name):
    assert await store.get(name, bytes_max=MIB) is None
    assert not await store.has(name)
    with pytest.raises(ValueError, match="no name"):
        await store.put(name, b"")


async def test_the_live_document_is_not_put_but_moved(store):
    with pytest.raises(ValueError, match="no name"):
        await store.put(LIVE, seal(b"x"))


async def test_the_live_document_moves_in_one_step_for_everyone(place):
    first, second = place.stores
    assert await first.move_live(seal(b"one"), None)
    read = await second.read_live()
    assert read.data == seal(b"one")
    assert await second.move_live(seal(b"two"), read)
    assert (await first.read_live()).data == seal(b"two")


async def test_a_live_document_that_did_not_change_is_not_read_anew(store):
    await store.move_live(seal(b"one"), None)
    read = await store.read_live()
    assert await store.read_live(read) is read


async def test_who_read_an_earlier_live_document_cannot_move_it(place):
    first, second = place.stores
    await first.move_live(seal(b"one"), None)
    read = await first.read_live()
    await second.move_live(seal(b"two"), read)
    assert not await first.move_live(seal(b"three"), read)
    assert not await first.move_live(seal(b"three"), None)
    assert (await second.read_live()).data == seal(b"two")


@pytest.mark.parametrize("begun", [False, True])
async def test_of_many_publishers_at_once_one_wins_and_all_others_are_told(place, begun):
    if begun:
        await place.stores[0].move_live(seal(b"zero"), None)
    read = await place.stores[1].read_live()
    documents = [seal(b"%d" % n) for n in range(8)]
    moved = await asyncio.gather(
        *(place.stores[n % 2].move_live(data, read) for n, data in enumerate(documents))
    )
    assert sorted(moved) == [False] * 7 + [True]
    assert (await place.stores[0].read_live()).data == documents[moved.index(True)]


async def test_a_damaged_live_document_is_refused(place, store):
    await store.move_live(seal(b"one"), None)
    await place.overwrite(LIVE, seal(b"one")[:-1])
    with pytest.raises(ReleaseUnreadable, match="damaged"):
        await store.read_live()


async def test_a_folder_that_cannot_be_used_is_an_unavailable_store(tmp_path):
    (tmp_path / "published").write_text("not a folder")
    store = ReleaseFolder(tmp_path / "published")
    with pytest.raises(ReleasesUnavailable, match="published"):
        await store.put(asset(b"x"), b"x")


async def test_a_bucket_that_is_not_there_or_does_not_answer_is_an_unavailable_store(bucket):
    for name, endpoint in (("no-such-bucket", bucket.endpoint), ("x", "http://127.0.0.1:1")):
        store = ReleaseBucket(bucket=name, endpoint=endpoint, timeout_s=PATIENT_S)
        with pytest.raises(ReleasesUnavailable):
            await store.read_live()
        with pytest.raises(ReleasesUnavailable):
            await store.put(asset(b"x"), b"x")
        await store.close()
