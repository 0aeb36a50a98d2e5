"""`warm`, run as a person runs it, against stores that servers read."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.catalogues import write_catalogue
from tests.http.catalogue import write_catalogue as write_ring
from tests.http.server import run_server
from tests.servers import wait_until
from tests.telemetry.scrapes import scrape

COMMAND = [sys.executable, "-m", "render_service"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A catalogue of large layers."""
    return write_ring(tmp_path_factory.mktemp("slow"), scale=8)


@pytest.fixture
def environment(folder, tmp_path):
    ours = {"RENDER_CATALOGUE": str(folder), "RENDER_DATA": str(tmp_path / "data")}
    return {key: value for key, value in os.environ.items() if "RENDER_" not in key} | ours


@pytest.fixture
def warm(environment):
    """Run `warm`; return its report, or what it said where it failed."""

    def run(*words, status=0, **more):
        done = subprocess.run(
            [*COMMAND, "warm", *map(str, words), "--json"],
            env=environment
            | {f"RENDER_{name.upper()}": str(value) for name, value in more.items()},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == status, done.stderr.decode()
        return json.loads(done.stdout) if done.stdout else done.stderr.decode()

    return run


def test_everything_that_views_show_is_made_once(warm):
    report = warm("--all", "--widths", 160)
    assert report["complete"]
    assert report["rendered"] == report["distinct"] > 0
    assert report["found"] == report["failed"] == report["unstored"] == 0


def test_a_view_has_no_pictures_of_options_that_it_does_not_show(warm):
    report = warm("--all", "--views", "side", "--formats", "webp", "--widths", 160)
    assert report["shown"] < report["lattice"]
    assert report["rendered"] <= report["shown"]


def test_what_is_there_is_found_and_not_rendered_again(warm):
    first = warm("--all", "--widths", 160, "--formats", "webp")
    again = warm("--all", "--widths", 160, "--formats", "webp")
    assert (again["rendered"], again["found"]) == (0, first["rendered"])
    assert again["bytes"] == first["bytes"]


def test_a_budget_of_bytes_ends_it_and_counts_what_is_there(warm):
    first = warm("--bytes", "2K", "--widths", 160)
    again = warm("--bytes", "2K", "--widths", 160)
    assert not first["complete"]
    assert first["bytes"] >= 2048
    assert again["rendered"] == 0


def test_a_folder_that_is_full_ends_it_before_the_first_pictures_go(warm):
    report = warm("--all", "--widths", 160, file_tier_bytes=4096)
    assert not report["complete"]
    assert "RENDER_FILE_TIER_BYTES" in report["ended"]


def test_a_budget_of_seconds_ends_it(warm):
    report = warm("--seconds", "0.001", "--widths", 160)
    assert (report["complete"], report["reached"]) == (False, 0)


def test_the_most_popular_comes_first(warm, valkey):
    week = int(time.time() // (7 * 24 * 60 * 60))
    with Redis.from_url(valkey.url) as client:
        client.hset(f"changes/ring/{week}", "gem=ruby", 1000)
    report = warm("--bytes", "1", "--widths", 160, redis_url=valkey.url, redis_timeout_s=5)
    assert report["by_counts"]
    assert report["stores"] == ["redis", "file"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bangle"], "compositions: ring"),
        (["--views", "back"], "views and regions: hero"),
        (["--widths", "161"], "widths in pixels: 160"),
        (["--all", "--seconds", "3"], "without a budget"),
    ],
)
def test_what_is_not_on_offer_is_refused_with_what_is(warm, words, said):
    assert said in warm(*words, status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--formats", "gif"], "of avif, webp, jpg, png"),
        (["--bytes", "3X"], "500M"),
        (["--seconds", "0"], "above 0"),
        (["--widths", "wide"], "not a width"),
    ],
)
def test_a_word_that_is_not_understood_is_refused_with_what_would_be(warm, words, said):
    assert said in warm(*words, status=2)


def test_without_a_store_there_is_nothing_to_warm(warm):
    assert "RENDER_FILE_TIER_BYTES" in warm(status=1, file_tier_bytes=0)


def test_a_picture_that_cannot_be_drawn_is_told_and_the_rest_is_made(tmp_path, warm):
    broken = write_catalogue(tmp_path / "broken")
    (broken / "ring" / "side" / "band.tif").write_bytes(b"GIF89a")
    report = warm("--all", "--widths", 160, "--formats", "webp", status=1, catalogue=broken)
    assert report["failed"] > 0
    assert report["rendered"] > report["failed"]


def stopped(environment, how):
    """Stop a run once it has begun to store; return its status and its report."""
    process = subprocess.Popen(
        [*COMMAND, "warm", "--all", "--widths", "2048", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stored = environment["RENDER_DATA"]
    wait_until(
        lambda: process.poll() is not None or renditions(stored), lambda: "nothing was stored"
    )
    process.send_signal(how)
    out, _ = process.communicate(timeout=120)
    return process.returncode, json.loads(out)


def renditions(folder):
    return len(list(Path(folder).glob("renditions/*/*")))


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_it_gets_the_table_and_the_next_run_goes_on(environment, slow, warm, how, status):
    environment["RENDER_CATALOGUE"] = str(slow)
    found, report = stopped(environment, how)
    assert (found, report["ended"], report["complete"]) == (status, "stopped", False)
    assert renditions(environment["RENDER_DATA"]) == report["rendered"] > 0
    again = warm("--all", "--widths", 2048, catalogue=slow)
    assert again["complete"]
    assert again["found"] == report["rendered"]


def test_beside_a_service_nothing_is_drawn_twice(slow, tmp_path, warm, valkey):
    shared = {"redis_url": valkey.url, "redis_timeout_s": 10, "file_tier_bytes": 0}
    words = ("--all", "--views", "hero", "--widths", 1080, "--formats", "webp")
    with run_server(slow, tmp_path, **shared) as server, ThreadPoolExecutor(1) as threads:
        views = httpx.get(f"{server.url}/v1/compositions/ring").json()["views"]
        template = next(view["url_template"] for view in views if view["id"] == "hero")
        running = threads.submit(warm, *words, catalogue=slow, **shared)
        while not running.done():
            for metal, gem in (("gold", "ruby"), ("gold", "sapphire"), ("silver", "ruby")):
                for ground in ("white", "transparent"):
                    chosen = f"metal={metal},gem={gem},background={ground}"
                    path = template.format(configuration=chosen, width=1080, format="webp")
                    assert httpx.get(server.url + path, timeout=60).status_code == 200
        drawn = scrape(server.url).total(
            "render_service_renders_total",
            render_service_result="made",
            render_service_format="webp",
        )
        report = running.result()
    assert report["distinct"] == 6
    assert drawn + report["rendered"] == 6


def test_what_is_warm_is_there_for_a_service(folder, tmp_path, warm, environment):
    warm("--all", "--widths", 160, "--formats", "webp")
    with run_server(folder, tmp_path, data=environment["RENDER_DATA"]) as server:
        resolved = httpx.post(f"{server.url}/v1/compositions/ring/resolve", json={}).json()
        src = resolved["images"]["hero"]["src"].rpartition("/")[0] + "/160.webp"
        answer = httpx.get(server.url + src)
    assert answer.headers["cache-status"] == "render-service; hit; detail=file"


def test_the_live_release_is_warmed_where_no_folder_is_named(environment, folder, warm):
    del environment["RENDER_CATALOGUE"]
    assert "publish" in warm(status=1)
    subprocess.run([*COMMAND, "publish", folder], env=environment, check=True, capture_output=True)
    assert warm("--all", "--widths", 160, "--formats", "webp")["complete"]
