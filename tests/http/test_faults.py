"""What fails around the service must not lose a picture."""

import shutil
import time

import httpx
import pytest

from tests.http.server import MAIN, run_server

# The kernel refuses to write a file beyond 500 bytes, as a full disk refuses: in mid-write.
FULL = (
    """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
"""
    + MAIN
)


@pytest.fixture
def full(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, main=FULL) as server:
        yield server


def test_a_full_disk_loses_no_picture_and_keeps_nothing_half(full, picture, tmp_path):
    for width in (160, 240, 320):
        assert httpx.get(full.url + picture(width, "png")).status_code == 200
    wait_for_status(full, "degraded")
    assert list((tmp_path / "data" / "unfinished").iterdir()) == []
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert all(path.stat().st_size < 500 for path in files)
    again = httpx.get(full.url + picture(320, "png"))
    assert again.headers["cache-status"] == "render-service; hit; detail=memory"


def test_a_store_that_goes_away_loses_no_picture_and_one_that_is_back_is_used(
    catalogue, tmp_path, picture
):
    with run_server(catalogue, tmp_path) as server:
        remove(tmp_path / "data")
        assert httpx.get(server.url + picture(320, "png")).status_code == 200
        wait_for_status(server, "degraded")
        for name in ("renditions", "unfinished"):
            (tmp_path / "data" / name).mkdir(parents=True)
        assert httpx.get(server.url + picture(240, "png")).status_code == 200
        wait_for_status(server, "ready")


def remove(folder):
    """Remove a folder in which layers may just be written: those of the placeholders."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_status(server, status):
    """Storing happens behind the answer, so readiness follows it by a moment."""
    deadline_s = time.monotonic() + 20
    while True:
        answer = httpx.get(f"{server.url}/readyz")
        assert answer.status_code == 200
        if answer.json()["status"] == status:
            return
        assert time.monotonic() < deadline_s, answer.json()
        time.sleep(0.05)
