"""The store of layers: real files, mapped by real processes, killed and damaged."""

import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from render_service.adapters import bounded_files, raster_files
from render_service.adapters.raster_files import RasterFiles
from render_service.pixels.raster import Raster
from tests.rendering.builders import MIB

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from render_service.adapters.raster_files import RasterFiles
from tests.contracts.test_raster_store import name, raster

store = RasterFiles(Path(sys.argv[1]), budget_bytes=4 * 2**20)
number = 0
while True:
    store.put(name(number % 40), raster(number % 40, side=200))
    number += 1
    if number == 3:
        print("writing", flush=True)
"""


def name(number):
    return f"{number:064x}"[::-1]


def raster(number, side=20):
    pixels = np.random.default_rng(number).integers(0, 16384, (side, side, 4)).astype(np.uint16)
    return Raster(
        light=pixels[..., :3].copy(), alpha=pixels[..., 3].copy(), left_px=number, top_px=-number
    )


def is_same(found, wanted):
    return (
        (found.left_px, found.top_px) == (wanted.left_px, wanted.top_px)
        and np.array_equal(found.light, wanted.light)
        and np.array_equal(found.alpha, wanted.alpha)
    )


def files(folder: Path) -> list[Path]:
    return list((folder / "files").glob("??/*"))


@pytest.fixture
def store(tmp_path):
    return RasterFiles(tmp_path, budget_bytes=16 * MIB)


def test_what_was_put_is_given_back(store):
    store.put(name(1), raster(1))
    assert is_same(store.get(name(1)), raster(1))


def test_what_was_never_put_is_not_there(store):
    assert (store.has(name(1)), store.get(name(1))) == (False, None)


def test_it_outlives_its_process(store, tmp_path):
    store.put(name(1), raster(1))
    assert is_same(RasterFiles(tmp_path, budget_bytes=MIB).get(name(1)), raster(1))


def test_what_is_given_is_the_file_itself_and_no_copy(store, tmp_path):
    store.put(name(1), raster(1))
    found = store.get(name(1))
    (path,) = files(tmp_path)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as writable:
        writable[64:66] = b"\x39\x05"
    assert found.light[0, 0, 0] == 1337


def test_what_is_in_use_holds_no_descriptor_and_its_mapping_goes_with_it(store):
    for number in range(50):
        store.put(name(number), raster(number))
    before = psutil.Process().num_fds(), len(mappings())
    held = [store.get(name(number)) for number in range(50)]
    assert psutil.Process().num_fds() == before[0]
    assert len(mappings()) == before[1] + 50
    del held
    assert len(mappings()) == before[1]


def mappings() -> list[str]:
    """The rasters that this process has mapped."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in maps if "/files/" in line]


def test_what_is_in_use_stays_whole_when_its_file_goes(store, tmp_path):
    store.put(name(1), raster(1))
    found = store.get(name(1))
    files(tmp_path)[0].unlink()
    assert is_same(found, raster(1))


@pytest.mark.parametrize("at", [0, 8, 30, 64, -1])
def test_a_changed_byte_makes_a_miss_and_the_file_goes(store, tmp_path, at, caplog):
    store.put(name(1), raster(1))
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert store.get(name(1)) is None
    assert not path.exists()
    assert "damaged layer" in caplog.text


@pytest.mark.parametrize("length", [0, 1, 63, 64, 500])
def test_a_file_cut_short_is_a_miss(store, tmp_path, length):
    store.put(name(1), raster(1))
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert store.get(name(1)) is None


def test_the_files_stay_within_the_budget(tmp_path):
    store = RasterFiles(tmp_path, budget_bytes=100_000)
    for number in range(60):
        store.put(name(number), raster(number))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 100_000
    assert is_same(store.get(name(59)), raster(59))


def test_a_raster_over_the_whole_budget_is_not_kept(tmp_path):
    store = RasterFiles(tmp_path, budget_bytes=1000)
    assert store.put(name(1), raster(1)) is False
    assert store.get(name(1)) is None


def test_the_folder_may_be_removed_at_any_time(store, tmp_path):
    store.put(name(1), raster(1))
    found = store.get(name(1))
    shutil.rmtree(tmp_path)
    assert is_same(found, raster(1))
    assert store.get(name(1)) is None
    assert store.put(name(1), raster(1)) is True
    assert is_same(store.get(name(1)), raster(1))


def test_a_full_disk_costs_the_copy_and_nothing_else(store, monkeypatch, tmp_path, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bounded_files, "_write_count", full)
    assert store.put(name(1), raster(1)) is False
    assert "No space left" in caplog.text
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_a_mapping_that_the_system_refuses_is_a_miss(store, monkeypatch):
    store.put(name(1), raster(1))

    def refuse(*_, **__):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(raster_files, "map_file", refuse)
    assert store.get(name(1)) is None
    monkeypatch.undo()
    assert is_same(store.get(name(1)), raster(1))


def test_a_writer_killed_at_any_instant_leaves_only_whole_rasters(tmp_path):
    chance = random.Random(7)  # noqa: S311  # moments to kill at, the same each run
    for _ in range(4):
        kill_a_writer(tmp_path, chance.random() / 20)
        store = RasterFiles(tmp_path, budget_bytes=4 * MIB)
        there = [number for number in range(40) if store.has(name(number))]
        assert there
        assert all(is_same(store.get(name(n)), raster(n, side=200)) for n in there)
        assert list((tmp_path / "unfinished").iterdir()) == []


def kill_a_writer(folder: Path, after_s: float) -> None:
    """Let a process write rasters, and kill it `after_s` after its third."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # our own words
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        time.sleep(after_s)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
