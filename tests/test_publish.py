"""Publishing as a person does it: what is said, what is stored, and what is never touched."""

import asyncio
import json
import random
import subprocess
import sys
import time

import pytest
import pyvips

from render_service.adapters.release_folder import ReleaseFolder
from render_service.planning.key import PIPELINE_REVISION
from render_service.releases.model import asset_name
from render_service.releases.reading import read_live_state, read_releases, read_state
from tests.releases import (
    OTHER_PIPELINE,
    PROGRAM,
    change,
    command,
    digest_of,
    environment,
    publish,
    write_broken,
    write_silver,
    write_sound,
    write_without,
)

KILLS = 30
# Publishes to a copy of a store for each step on the disk, ended by SIGKILL just before that step,
# until one comes to its end; says how many there were. Forked, so that each costs no start.
SWEEP = """
import asyncio, os, pathlib, shutil, signal, sys
from render_service.adapters.catalogue_folder import FolderAssets, load_catalogue
from render_service.adapters.release_folder import ReleaseFolder
from render_service.pixels.encode import PROFILES
from render_service.releases.making import make_releases
from render_service.releases.publishing import move, read_base, upload

folder, store = sys.argv[1:]
found = load_catalogue(pathlib.Path(folder))
releases = make_releases(found.catalogue, PROFILES)
assets = FolderAssets(found.files, 2**30)

async def publish(copy):
    store = ReleaseFolder(pathlib.Path(copy))
    base = await read_base(store)
    await upload(store, releases, assets.read, lambda _: None)
    await move(store, base, releases)

def die_before(step):
    left = [step]
    def dying(real):
        def call(*words, **more):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*words, **more)
        return call
    os.fsync, os.link = dying(os.fsync), dying(os.link)
    pathlib.Path.rename = dying(pathlib.Path.rename)

step, status = 0, -signal.SIGKILL
while status == -signal.SIGKILL:
    step += 1
    copy = f"{store}-{step}"
    shutil.copytree(store, copy)
    child = os.fork()
    if child == 0:
        die_before(step)
        asyncio.run(publish(copy))
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert status == 0, status
print(step)
"""


@pytest.fixture
def store(tmp_path):
    return tmp_path / "published"


def live(store):
    return asyncio.run(read_live_state(ReleaseFolder(store)))


def read_whole(store):
    """The live state, with every document and layer file that it needs read and checked."""

    async def read():
        folder = ReleaseFolder(store)
        state = await read_live_state(folder)
        releases = await read_releases(folder, state)
        for release in releases.values():
            for asset in release.assets.values():
                assert await folder.get(asset_name(asset), bytes_max=2**30) is not None
        for number in range(1, state.number):
            assert (await read_state(folder, str(number))).number == number
        return state

    return asyncio.run(read())


def test_a_first_publication_says_what_is_new_and_what_was_uploaded(sound, store):
    said = publish(sound, releases=store)

    assert "State 1 is live" in said
    assert "new        ring: hero, top" in said
    assert "uploaded   6 layer files" in said
    assert read_whole(store).number == 1


def test_the_same_folder_again_changes_nothing_in_the_store(sound, store):
    publish(sound, releases=store)
    before = digest_of(store)

    said = publish(sound, releases=store)

    assert "State 1 is live and is exactly this; nothing changes." in said
    assert digest_of(store) == before


def test_a_change_is_told_by_its_views_and_only_new_files_are_uploaded(sound, silver, store):
    publish(sound, releases=store)

    said = publish(silver, releases=store)

    assert "State 2 is live" in said
    assert "changed    ring" in said
    assert said.count("→") == 2
    assert "uploaded" not in said
    assert "publish --release 1" in said


def test_a_composition_that_is_not_in_the_folder_is_removed(sound, store, tmp_path):
    two = write_sound(tmp_path / "two")
    (two / "ring").rename(two / "band")
    publish(two, releases=store)

    said = publish(sound, releases=store)

    assert "new        ring" in said
    assert "removed    band" in said


def test_a_broken_catalogue_is_refused_whole_with_all_faults_and_changes_nothing(
    sound, store, tmp_path
):
    publish(sound, releases=store)
    before = digest_of(store)

    done = command("publish", write_broken(tmp_path / "broken"), releases=store)

    assert done.returncode == 1
    assert "stone-ruby.png" in done.stderr
    assert "'brass'" in done.stderr
    assert "nothing was published" in done.stderr
    assert digest_of(store) == before


def test_a_file_that_vanishes_while_it_is_published_leaves_what_is_live(sound, store, tmp_path):
    publish(sound, releases=store)
    doomed = write_silver(tmp_path / "doomed")
    (doomed / "ring" / "stone-ruby.png").unlink()

    done = command("publish", doomed, releases=store)

    assert done.returncode == 1
    assert live(store).number == 1


def test_an_earlier_state_is_made_live_again_and_says_which_it_was(sound, silver, store):
    publish(sound, releases=store)
    publish(silver, releases=store)

    said = publish("--release", 1, releases=store)

    assert "State 3 is live" in said
    assert "which is state 1 again" in said
    assert live(store).restores == 1
    first = asyncio.run(read_state(ReleaseFolder(store), "1"))
    assert live(store).releases == first.releases


@pytest.mark.parametrize("name", ["0", "3", "nine", "-1", "1.0", "٣", "9" * 30])
def test_a_state_that_never_was_is_refused_with_those_that_were(sound, store, name):
    publish(sound, releases=store)

    done = command("publish", f"--release={name}", releases=store)

    assert done.returncode == 1
    assert "states: 1 to 1, or live" in done.stderr


def test_an_old_state_of_another_pipeline_is_released_anew(sound, silver, store):
    publish(sound, program=OTHER_PIPELINE, releases=store)
    publish(silver, releases=store)

    publish("--release", 1, releases=store)

    state = live(store)
    (release,) = asyncio.run(read_releases(ReleaseFolder(store), state)).values()
    assert state.restores == 1
    assert release.pipeline == PIPELINE_REVISION
    for view, version in release.versions.items():
        assert (store / "versions" / "ring" / view / version).is_file()


def test_the_states_are_listed_newest_first(sound, silver, store):
    publish(sound, releases=store)
    publish(silver, releases=store)
    publish("--release", 1, releases=store)

    listed = json.loads(command("releases", "--json", releases=store).stdout)
    said = command("releases", "--limit", 2, releases=store).stdout

    assert [state["number"] for state in listed] == [3, 2, 1]
    assert [state["changed"] for state in listed] == [["ring"], ["ring"], []]
    assert listed[0]["restores"] == 1
    assert listed[2]["new"] == ["ring"]
    assert "and 1 earlier" in said


def test_nothing_published_is_said_and_is_no_failure(store):
    done = command("releases", releases=store)
    assert done.returncode == 0
    assert "Nothing is published" in done.stderr


def test_a_recheck_mends_what_is_damaged_in_the_store(sound, store):
    publish(sound, releases=store)
    before = digest_of(store)
    for pattern in ("assets/*/*", "releases/*/*", "versions/*/*/*"):
        path = next(store.glob(pattern))
        path.write_bytes(path.read_bytes()[:-1])

    publish(sound, "--recheck", releases=store)

    assert digest_of(store) == before


def test_of_two_publishers_at_once_one_wins_and_the_other_is_told(sound, silver, store):
    publish(sound, releases=store)
    others = [silver, write_without(store.parent / "without")]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "publish", str(folder)],
            env=environment(releases=store),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in others
    ]
    said = [process.communicate(timeout=120) for process in running]
    codes = [process.returncode for process in running]

    # They may also have come one after the other; then both are published.
    assert codes in ([0, 0], [0, 1], [1, 0])
    assert live(store).number == 2 + codes.count(0) - 1
    if 1 in codes:
        assert "Another publisher was first" in said[codes.index(1)][1]
    read_whole(store)


def test_a_publisher_that_began_before_another_ended_is_told_and_changes_nothing(
    sound, silver, store, tmp_path
):
    publish(sound, releases=store)
    # Held up after it has read what is live, by a check that reads its folder from a pipe.
    slow = (
        "import render_service.commands.publishing as p, subprocess, sys\n"
        "real = p.find_faults\n"
        "def held(*words):\n"
        "    print('begun', flush=True); sys.stdin.readline(); return real(*words)\n"
        "p.find_faults = held\n" + PROGRAM
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow, "publish", str(write_without(tmp_path / "without"))],
        env=environment(releases=store),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as held:
        assert held.stdout.readline() == "begun\n"
        publish(silver, releases=store)
        _, errors = held.communicate("\n", timeout=120)

    assert held.returncode == 1
    assert "state 1 was live when this one began, and 2 is now" in errors
    assert live(store).number == 2


class Publisher:
    """A publisher that has loaded its program and waits to begin."""

    def __init__(self, folder, store):
        ready = (
            "import sys, render_service.cli, render_service.commands.publishing\n"
            f"print('ready', flush=True); sys.stdin.readline()\n{PROGRAM}"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", ready, "publish", str(folder)],
            env=environment(releases=store),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def run(self, for_s=None):
        """Publish, for so long at most; return the exit status."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        try:
            self.process.wait(for_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.returncode


def assert_old_or_new(store, before):
    """The live state can be read whole, and is the one before or the next; return it."""
    after = read_whole(store)
    assert after.number in (before.number, before.number + 1)
    assert (after.releases == before.releases) == (after.number == before.number)
    return after


def test_a_publisher_killed_at_any_instant_leaves_the_old_state_or_the_new_one(
    sound, silver, store, tmp_path
):
    publish(sound, releases=store)
    begun_s = time.monotonic()
    assert Publisher(write_variant(tmp_path / "whole", KILLS), store).run() == 0
    took_s = time.monotonic() - begun_s
    dice = random.Random(1)  # noqa: S311  # instants, not secrets
    state = live(store)
    for number in range(KILLS):
        doomed = Publisher(write_variant(tmp_path / str(number), number), store)
        doomed.run(for_s=dice.uniform(0, took_s))
        state = assert_old_or_new(store, state)

    assert f"State {state.number + 1} is live" in publish(silver, releases=store)
    assert read_whole(store).number == state.number + 1


def test_a_publisher_killed_before_each_step_on_the_disk_leaves_a_state_that_can_be_read(
    sound, store, tmp_path
):
    publish(sound, releases=store)
    folder = write_variant(tmp_path / "next", 0)
    red = pyvips.Image.black(320, 240, bands=4).linear(1, [200, 0, 0, 255]).cast("uchar")
    red.copy(interpretation="srgb").pngsave(str(folder / "ring" / "ground.png"))
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(folder), str(store)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)

    before = live(store)
    numbers = [
        assert_old_or_new(store.with_name(f"published-{step}"), before).number
        for step in range(1, steps + 1)
    ]
    # The old state up to some step, the new one from there on; the last has come to its end.
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (before.number, before.number + 1)
    # A layer file, two versions, the release, the state before, the live one: two steps at least.
    assert steps > 6 * 2


def write_variant(folder, number):
    write_sound(folder)
    value = 0.99 - number / 100
    return change(
        folder / "materials.toml", "value = [1.0, 1.0, 1.0]", f"value = [{value}, 1.0, 1.0]"
    )
