"""From quarantine to the store of assets, or to a reason: each step safe to do twice."""

import asyncio
import hashlib
from types import SimpleNamespace

import asyncpg
import pytest
from msgspec.structs import replace

from render_service.adapters.asset_store import ReleaseAssetStore
from render_service.adapters.migrations import migrate
from render_service.adapters.picture_checker import PictureChecker
from render_service.adapters.postgres import Database
from render_service.adapters.quarantine_folder import QuarantineFolder
from render_service.adapters.release_folder import ReleaseFolder
from render_service.adapters.upload_table import UploadRows
from render_service.assets.ingest import Ingest
from render_service.assets.model import AssetKind, MediaType, UploadStatus
from render_service.assets.policies import Policies
from render_service.assets.uploads import Uploads
from render_service.errors import (
    RefusedFor,
    ReleasesUnavailable,
    TooManyUploads,
    UnknownAsset,
    UnknownUpload,
    UploadExpired,
    UploadNotArrived,
)
from render_service.releases.model import asset_name
from tests.assets.files import announced, file_of
from tests.assets.test_checker import PATIENT
from tests.contracts.test_quarantine import KEYS
from tests.postgres import make_database

DATA = file_of(MediaType.PNG)


@pytest.fixture(scope="module")
def url(postgres_18_server):
    address = make_database(postgres_18_server)
    asyncio.run(migrate(address))
    return address


@pytest.fixture
async def house(url, tmp_path):
    """Everything that an upload meets, and a caller of its own for each test."""
    database = Database(url)
    quarantine = QuarantineFolder(tmp_path / "uploads", Policies(KEYS), url="/")
    store, table = ReleaseFolder(tmp_path / "published"), UploadRows(database)
    yield SimpleNamespace(
        database=database,
        quarantine=quarantine,
        table=table,
        store=store,
        caller=tmp_path.name,
        uploads=Uploads(table, quarantine, bytes_max=2**26),
        ingest=Ingest(
            table=table,
            quarantine=quarantine,
            store=ReleaseAssetStore(store),
            checker=PictureChecker(PATIENT),
        ),
    )
    await database.close()


class Attempt:
    """A job's attempt that notes how it was ended."""

    def __init__(self, upload):
        self.job = SimpleNamespace(payload={"upload": upload})
        self.ended = []

    async def report(self, done, total=0, note=""):
        pass

    async def finish(self, connection, result):
        assert connection.is_in_transaction()
        self.ended.append(result)


def true_of(data, **words):
    return replace(announced(data, **words), sha256=hashlib.sha256(data).hexdigest())


async def arrived(house, data=DATA, said=None, **words):
    """Begin an upload whose file is in quarantine."""
    begun = await house.uploads.begin(said or true_of(data, **words), house.caller)
    slot = house.quarantine.slot_of(begun.form.fields["policy"])
    async with house.quarantine.receive(slot) as arriving:
        await arriving.write(data)
        arriving.end()
    return begun.upload.id


async def check(house, upload):
    attempt = Attempt(upload)
    await house.ingest.handle(attempt)
    return attempt.ended


async def test_a_sound_file_is_kept_under_its_digest_and_gone_from_quarantine(house):
    upload = await arrived(house)
    checking = await house.uploads.complete(upload, "me")
    assert (checking.status, checking.reason) == (UploadStatus.CHECKING, None)
    assert await check(house, upload) == [{"upload": upload, "status": "accepted", "reason": None}]
    accepted = await house.uploads.get(upload)
    assert accepted.status is UploadStatus.ACCEPTED
    sha256 = accepted.announced.sha256
    assert await house.store.get(asset_name(sha256), bytes_max=2**20) == DATA
    assert await house.quarantine.size(upload) is None
    asset = await house.uploads.get_asset(sha256)
    assert (asset.facts.width_px, asset.facts.height_px) == (60, 40)
    assert AssetKind.LAYER in asset.kinds


async def test_completing_twice_orders_one_job(house, url):
    upload = await arrived(house)
    done = await asyncio.gather(*(house.uploads.complete(upload, "me") for _ in range(8)))
    assert len({one.job for one in done}) == 1
    connection = await asyncpg.connect(url)
    counted = await connection.fetchval("SELECT count(*) FROM shop.job WHERE key = $1", upload)
    await connection.close()
    assert counted == 1


async def test_a_check_that_is_done_again_changes_nothing(house):
    upload = await arrived(house)
    await house.uploads.complete(upload, "me")
    await check(house, upload)
    assert await check(house, upload) == []
    assert (await house.uploads.get(upload)).status is UploadStatus.ACCEPTED


async def test_a_check_whose_worker_died_before_the_end_is_done_by_the_next(house):
    upload = await arrived(house)
    await house.uploads.complete(upload, "me")

    class Dying(Attempt):
        async def finish(self, connection, result):
            raise ConnectionResetError

    with pytest.raises(Exception, match=r".*"):
        await house.ingest.handle(Dying(upload))
    assert (await house.uploads.get(upload)).status is UploadStatus.CHECKING
    assert len(await check(house, upload)) == 1
    assert (await house.uploads.get(upload)).status is UploadStatus.ACCEPTED


async def test_another_file_than_was_announced_is_refused(house):
    upload = await arrived(house, said=replace(true_of(DATA), sha256="0" * 64))
    await house.uploads.complete(upload, "me")
    await check(house, upload)
    refused = await house.uploads.get(upload)
    assert (refused.status, refused.reason) == (UploadStatus.REFUSED, RefusedFor.DIGEST)
    assert "was announced" in refused.explanation
    assert await house.quarantine.size(upload) is None
    with pytest.raises(UnknownAsset):
        await house.uploads.get_asset("0" * 64)


async def test_a_file_that_fails_its_check_is_refused_with_the_reason_and_not_kept(house):
    data = DATA + b"PK\3\4"
    upload = await arrived(house, data)
    await house.uploads.complete(upload, "me")
    assert (await check(house, upload))[0]["reason"] == "trailing"
    refused = await house.uploads.get(upload)
    assert "follow the end of the picture" in refused.explanation
    sha256 = refused.announced.sha256
    assert not await house.store.has(asset_name(sha256))


async def test_a_file_that_is_gone_is_refused(house):
    upload = await arrived(house)
    await house.uploads.complete(upload, "me")
    await house.quarantine.remove(upload)
    await check(house, upload)
    assert (await house.uploads.get(upload)).reason is RefusedFor.LENGTH


async def test_the_same_file_twice_is_one_asset_for_both_kinds(house):
    for kind in (AssetKind.LAYER, AssetKind.PHOTO, AssetKind.LAYER):
        upload = await arrived(house, kind=kind)
        await house.uploads.complete(upload, "me")
        await check(house, upload)
    asset = await house.uploads.get_asset(hashlib.sha256(DATA).hexdigest())
    assert sorted(asset.kinds) == ["layer", "photo"]


async def test_a_store_that_is_away_leaves_the_upload_to_the_next_attempt(house, tmp_path):
    upload = await arrived(house, file_of(MediaType.WEBP), media_type=MediaType.WEBP)
    await house.uploads.complete(upload, "me")
    (tmp_path / "published").write_text("in the way")
    with pytest.raises(ReleasesUnavailable):
        await check(house, upload)
    assert (await house.uploads.get(upload)).status is UploadStatus.CHECKING
    (tmp_path / "published").unlink()
    await check(house, upload)
    assert (await house.uploads.get(upload)).status is UploadStatus.ACCEPTED


async def test_a_damaged_asset_in_the_store_is_put_right(house, tmp_path):
    sha256 = hashlib.sha256(DATA).hexdigest()
    place = tmp_path / "published" / asset_name(sha256)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"damaged")
    upload = await arrived(house)
    await house.uploads.complete(upload, "me")
    await check(house, upload)
    assert place.read_bytes() == DATA


async def test_what_has_not_arrived_cannot_be_completed(house):
    begun = await house.uploads.begin(true_of(DATA), house.caller)
    with pytest.raises(UploadNotArrived):
        await house.uploads.complete(begun.upload.id, "me")
    with pytest.raises(UnknownUpload):
        await house.uploads.complete("nonsense", "me")


async def test_open_uploads_are_bounded_by_caller_also_at_once(house):
    begins = (house.table.begin(true_of(DATA), house.caller, form_s=60, most=3) for _ in range(8))
    begun = await asyncio.gather(*begins, return_exceptions=True)
    refused = [one for one in begun if isinstance(one, TooManyUploads)]
    assert len(refused) == 5
    assert all(0 < one.retry_after_s <= 60 for one in refused)
    assert await house.table.begin(true_of(DATA), f"{house.caller}-other", form_s=60, most=3)


OLD = {
    "expires_at": "UPDATE shop.upload SET expires_at = now() - interval '60 days'",
    "ended_at": "UPDATE shop.upload SET ended_at = now() - interval '60 days'",
}


async def backdate(url, upload, column="expires_at"):
    connection = await asyncpg.connect(url)
    await connection.execute(f"{OLD[column]} WHERE id = $1::text::uuid", upload)
    await connection.close()


async def test_what_was_never_completed_is_swept_and_forgotten(house, url):
    upload = await arrived(house)
    await backdate(url, upload)
    assert (await house.uploads.get(upload)).status is UploadStatus.EXPIRED
    assert await house.uploads.sweep() >= 1
    assert await house.quarantine.size(upload) is None
    with pytest.raises(UnknownUpload):
        await house.uploads.get(upload)


async def test_an_upload_whose_time_is_over_without_its_file_says_so(house, url):
    begun = await house.uploads.begin(true_of(DATA), house.caller)
    await backdate(url, begun.upload.id)
    with pytest.raises(UploadExpired):
        await house.uploads.complete(begun.upload.id, "me")


async def test_what_is_waiting_or_being_checked_is_not_swept(house, url):
    waiting, checking = await arrived(house), await arrived(house)
    await house.uploads.complete(checking, "me")
    await backdate(url, checking)
    await house.uploads.sweep()
    assert await house.quarantine.size(waiting) == len(DATA)
    assert await house.quarantine.size(checking) == len(DATA)


async def test_what_was_judged_long_ago_is_forgotten_and_its_asset_stays(house, url):
    upload = await arrived(house)
    await house.uploads.complete(upload, "me")
    await check(house, upload)
    await backdate(url, upload, "ended_at")
    await house.uploads.sweep()
    with pytest.raises(UnknownUpload):
        await house.uploads.get(upload)
    assert await house.uploads.get_asset(hashlib.sha256(DATA).hexdigest())
