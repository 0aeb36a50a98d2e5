"""What copies of a store far away promise on top of the port."""

import asyncio
import hashlib

import pytest

from render_service.adapters.kept_releases import KeptReleases
from render_service.adapters.release_assets import ReleaseAssets
from render_service.adapters.release_folder import ReleaseFolder
from render_service.errors import AssetMissing, AssetTooLarge, ReleasesUnavailable
from render_service.releases.model import asset_name, seal

MIB = 2**20


class Far(ReleaseFolder):
    """A store that counts what is fetched from it, and can be away."""

    def __init__(self, folder):
        super().__init__(folder)
        self.fetched, self.away = [], False

    async def get(self, name, *, bytes_max):
        self.fetched.append(name)
        await asyncio.sleep(0.01)
        if self.away:
            raise ReleasesUnavailable("it is away")
        return await super().get(name, bytes_max=bytes_max)

    async def read_live(self, known=None):
        if self.away:
            raise ReleasesUnavailable("it is away")
        return await super().read_live(known)


@pytest.fixture
def far(tmp_path):
    return Far(tmp_path / "far")


@pytest.fixture
def near(far, tmp_path):
    return keep(far, tmp_path)


def keep(far, tmp_path, *, budget_bytes=MIB, pause_s=0.0):
    return KeptReleases(far, tmp_path / "near", budget_bytes=budget_bytes, pause_s=pause_s)


def digest(data):
    return hashlib.sha256(data).hexdigest()


async def put(far, data):
    await far.put(asset_name(digest(data)), data)
    return asset_name(digest(data))


def copies(tmp_path):
    return sorted(path.name for path in (tmp_path / "near").glob("assets/*/*"))


async def test_a_file_is_fetched_once_however_many_ask_at_once(far, near):
    name = await put(far, b"layer")
    found = await asyncio.gather(*(near.get(name, bytes_max=MIB) for _ in range(50)))
    assert found == [b"layer"] * 50
    assert far.fetched == [name]


async def test_a_file_is_read_from_the_disk_by_the_next_process_while_the_store_is_away(
    far, near, tmp_path
):
    name = await put(far, b"layer")
    await near.get(name, bytes_max=MIB)
    far.away = True
    assert await keep(far, tmp_path).get(name, bytes_max=MIB) == b"layer"


async def test_who_leaves_does_not_take_the_file_from_the_others(far, near):
    name = await put(far, b"layer")
    first, second = (asyncio.create_task(near.get(name, bytes_max=MIB)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == b"layer"


async def test_a_damaged_copy_is_fetched_anew_and_replaced(far, near, tmp_path):
    name = await put(far, b"layer")
    await near.get(name, bytes_max=MIB)
    (tmp_path / "near" / name).write_bytes(b"laye")
    assert await near.get(name, bytes_max=MIB) == b"layer"
    assert (tmp_path / "near" / name).read_bytes() == b"layer"


async def test_copies_stay_within_their_budget_and_the_least_recently_used_go_first(far, tmp_path):
    near = keep(far, tmp_path, budget_bytes=1000)
    names = [await put(far, bytes([n]) * 300) for n in range(5)]
    for name in names:
        await near.get(name, bytes_max=MIB)
        await asyncio.sleep(0.01)
    assert copies(tmp_path) == sorted(name.rpartition("/")[2] for name in names[-3:])


async def test_a_file_over_the_budget_is_passed_on_and_not_kept(far, tmp_path):
    near = keep(far, tmp_path, budget_bytes=4)
    name = await put(far, b"layer")
    assert await near.get(name, bytes_max=MIB) == b"layer"
    assert copies(tmp_path) == []


async def test_what_is_not_there_is_not_remembered_as_such(far, near):
    name = asset_name(digest(b"layer"))
    assert await near.get(name, bytes_max=MIB) is None
    await put(far, b"layer")
    assert await near.get(name, bytes_max=MIB) == b"layer"


async def test_a_store_that_failed_is_left_alone_for_a_while(far, tmp_path):
    near = keep(far, tmp_path, pause_s=3600)
    far.away = True
    for data in (b"one", b"two"):
        with pytest.raises(ReleasesUnavailable):
            await near.get(asset_name(digest(data)), bytes_max=MIB)
    assert len(far.fetched) == 1


async def test_the_last_live_document_is_recalled_while_the_store_is_away(far, near, tmp_path):
    await far.move_live(seal(b"one"), None)
    await near.read_live()
    far.away = True
    again = keep(far, tmp_path)
    with pytest.raises(ReleasesUnavailable):
        await again.read_live()
    assert (await again.recall_live()).data == seal(b"one")


async def test_a_disk_that_cannot_be_used_costs_the_copy_and_nothing_else(far, tmp_path):
    (tmp_path / "near").write_text("not a folder")
    name = await put(far, b"layer")
    await far.move_live(seal(b"one"), None)
    near = keep(far, tmp_path)
    assert await near.get(name, bytes_max=MIB) == b"layer"
    assert (await near.read_live()).data == seal(b"one")
    assert await near.recall_live() is None


async def test_layer_files_that_cannot_be_had_are_named(far, near):
    assets = ReleaseAssets(near, 4, lambda asset: "ring/band.tif")
    with pytest.raises(AssetMissing, match=r"ring/band\.tif is not in the store"):
        await assets.read(digest(b"nothing"))
    await put(far, b"layer")
    with pytest.raises(AssetTooLarge, match=r"ring/band\.tif has 5 bytes; at most 4"):
        await assets.read(digest(b"layer"))
    far.away = True
    with pytest.raises(AssetMissing, match="cannot be read now"):
        await assets.read(digest(b"other"))
