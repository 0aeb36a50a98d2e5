"""What the file tier promises on top of the port: faults of disks and of processes."""

import asyncio
import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from render_service.adapters import bounded_files
from render_service.adapters.file_tier import FileTier
from render_service.errors import TierUnavailable
from tests.rendering.builders import MIB, key, rendition

WRITER = """
import asyncio, sys
from pathlib import Path
from render_service.adapters.file_tier import FileTier
from tests.rendering.builders import key, rendition

async def write_for_ever(folder):
    tier = FileTier(folder, budget_bytes=2**22)
    number = 0
    while True:
        await tier.put(key(number % 40), rendition(b"%d " % (number % 40) * 20_000))
        number += 1
        if number == 3:
            print("writing", flush=True)

asyncio.run(write_for_ever(Path(sys.argv[1])))
"""


@pytest.fixture
async def tier(tmp_path):
    tier = FileTier(tmp_path, budget_bytes=16 * MIB)
    yield tier
    await tier.close()


def only_file(folder: Path) -> Path:
    return next((folder / "renditions").glob("??/*"))


async def test_a_file_is_named_by_its_key_under_its_first_two_digits(tier, tmp_path):
    await tier.put(key(1), rendition())
    assert only_file(tmp_path) == tmp_path / "renditions" / key(1)[:2] / key(1)


async def test_a_file_begins_with_the_picture_itself(tier, tmp_path):
    await tier.put(key(1), rendition(b"RIFF picture"))
    assert only_file(tmp_path).read_bytes().startswith(b"RIFF picture")


@pytest.mark.parametrize("at", [0, 3, 8, -1, -20, -60])
async def test_one_changed_byte_makes_a_miss_and_the_file_goes(tier, tmp_path, at):
    await tier.put(key(1), rendition(b"picture of some length"))
    path = only_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert await tier.get(key(1)) is None
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 1, 30, 55, 56, 70])
async def test_a_file_cut_short_is_a_miss(tier, tmp_path, length):
    await tier.put(key(1), rendition(b"picture of some length"))
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert await tier.get(key(1)) is None


async def test_a_whole_file_under_anothers_name_is_a_miss(tier, tmp_path):
    await tier.put(key(1), rendition())
    path = tmp_path / "renditions" / key(2)[:2] / key(2)
    path.parent.mkdir(exist_ok=True)
    only_file(tmp_path).rename(path)
    assert await tier.get(key(2)) is None


async def test_what_is_no_key_never_becomes_a_path(tier):
    with pytest.raises(ValueError, match="render key"):
        await tier.get("../../../etc/passwd")


async def test_it_outlives_its_process(tier, tmp_path):
    await tier.put(key(1), rendition())
    again = FileTier(tmp_path, budget_bytes=MIB)
    assert await again.get(key(1)) == rendition()
    await again.close()


async def test_the_files_stay_within_the_budget(tmp_path):
    tier = FileTier(tmp_path, budget_bytes=100_000)
    for number in range(60):
        await tier.put(key(number), rendition(bytes(5_000)))
        assert used_bytes(tmp_path) <= 100_000
    await tier.close()


async def test_two_processes_share_one_budget(tmp_path):
    tiers = [FileTier(tmp_path, budget_bytes=100_000) for _ in range(2)]
    for number in range(60):
        await tiers[number % 2].put(key(number), rendition(bytes(5_000)))
    assert used_bytes(tmp_path) <= 100_000
    for tier in tiers:
        await tier.close()


async def test_the_least_recently_used_goes_first(tmp_path):
    tier = FileTier(tmp_path, budget_bytes=100_000)
    for number in range(15):
        await tier.put(key(number), rendition(bytes(5_000)))
        path = tmp_path / "renditions" / key(number)[:2] / key(number)
        long_ago_s = time.time() - 10_000 + number
        os.utime(path, (long_ago_s, long_ago_s))
    await tier.get(key(0))
    for number in range(15, 25):
        await tier.put(key(number), rendition(bytes(5_000)))
    assert await tier.get(key(0)) is not None
    assert await tier.get(key(1)) is None
    await tier.close()


async def test_a_rendition_over_the_whole_budget_is_not_kept(tmp_path):
    tier = FileTier(tmp_path, budget_bytes=1000)
    await tier.put(key(1), rendition(bytes(2000)))
    assert await tier.get(key(1)) is None
    await tier.close()


async def test_a_put_does_not_walk_the_folders(tier, monkeypatch):
    await tier.put(key(1), rendition())
    monkeypatch.setattr(bounded_files, "_list", lambda *_: pytest.fail("walked"))
    await tier.put(key(2), rendition())
    assert await tier.get(key(2)) is not None


async def test_a_lost_count_is_made_again_from_the_files(tmp_path):
    tier = FileTier(tmp_path, budget_bytes=100_000)
    for number in range(15):
        await tier.put(key(number), rendition(bytes(5_000)))
    (tmp_path / "renditions.bytes").write_bytes(b"rubbish")
    for number in range(15, 30):
        await tier.put(key(number), rendition(bytes(5_000)))
    assert used_bytes(tmp_path) <= 100_000
    await tier.close()


async def test_a_file_that_is_renamed_while_a_sweep_counts_is_counted(tmp_path, monkeypatch):
    tier = FileTier(tmp_path, budget_bytes=100_000)
    for number in range(18):
        await tier.put(key(number), rendition(bytes(5_000)))
    moving = tmp_path / "unfinished" / "moving"
    moving.write_bytes(bytes(5_100))
    counted = bounded_files._list

    def list_and_rename(folder, pattern):
        """As `_list`, and what another process was writing is finished at that moment."""
        found = list(counted(folder, pattern))
        if moving.exists():
            moving.rename(tmp_path / "renditions" / "00" / "moved")
        return iter(found)

    (tmp_path / "renditions" / "00").mkdir(exist_ok=True)
    (tmp_path / "renditions.bytes").write_bytes(b"lost")
    monkeypatch.setattr(bounded_files, "_list", list_and_rename)
    with moving.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # a writer that lives
        await tier.put(key(20), rendition(bytes(5_000)))
    assert used_bytes(tmp_path) <= 100_000
    await tier.close()


async def test_a_file_that_a_failing_disk_does_not_keep_is_not_counted(tmp_path, monkeypatch):
    tier = FileTier(tmp_path, budget_bytes=MIB)
    await tier.put(key(1), rendition())
    count = (tmp_path / "renditions.bytes").read_bytes()

    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(bounded_files, "sync_folder", fail)  # after the rename
    with pytest.raises(TierUnavailable, match="Input/output"):
        await tier.put(key(2), rendition())
    assert (tmp_path / "renditions.bytes").read_bytes() == count
    assert used_bytes(tmp_path) == int(count)
    await tier.close()


async def test_what_a_dead_writer_left_is_removed_at_start(tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "left").write_bytes(b"half a pic")
    await FileTier(tmp_path, budget_bytes=MIB).close()
    assert list((tmp_path / "unfinished").iterdir()) == []


async def test_what_a_living_writer_is_at_is_left_alone(tmp_path):
    (tmp_path / "unfinished").mkdir()
    with (tmp_path / "unfinished" / "busy").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        await FileTier(tmp_path, budget_bytes=MIB).close()
    assert [path.name for path in (tmp_path / "unfinished").iterdir()] == ["busy"]


async def test_a_full_disk_is_an_unavailable_tier_that_keeps_nothing_half(tmp_path, monkeypatch):
    tier = FileTier(tmp_path, budget_bytes=MIB)
    await tier.put(key(1), rendition())

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bounded_files.os, "fsync", full)
    with pytest.raises(TierUnavailable, match="No space left"):
        await tier.put(key(2), rendition())
    assert await tier.get(key(2)) is None
    assert await tier.get(key(1)) == rendition()
    assert list((tmp_path / "unfinished").iterdir()) == []
    await tier.close()


async def test_a_folder_that_cannot_be_made_is_an_unavailable_tier(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(TierUnavailable):
        FileTier(tmp_path / "file", budget_bytes=MIB)


async def test_a_store_that_cannot_be_read_is_an_unavailable_tier(tier, tmp_path):
    (tmp_path / "renditions" / key(1)[:2] / key(1)).mkdir(parents=True)
    with pytest.raises(TierUnavailable):
        await tier.get(key(1))


async def test_a_writer_killed_at_any_instant_leaves_only_whole_renditions(tmp_path):
    chance = random.Random(7)  # noqa: S311  # moments to kill at, the same each run
    for _ in range(6):
        await asyncio.to_thread(kill_a_writer, tmp_path, chance.random() / 20)
        tier = FileTier(tmp_path, budget_bytes=2**22)
        found = [(number, await tier.get(key(number))) for number in range(40)]
        await tier.close()
        assert [f.body for n, f in found if f] == [b"%d " % n * 20_000 for n, f in found if f]
        assert len(list((tmp_path / "renditions").glob("??/*"))) == sum(
            f is not None for _, f in found
        )
        assert used_bytes(tmp_path) <= 2**22
        assert list((tmp_path / "unfinished").iterdir()) == []


def kill_a_writer(folder: Path, after_s: float) -> None:
    """Let a process write renditions, and kill it `after_s` after its third."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)


def used_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "renditions").glob("??/*"))
