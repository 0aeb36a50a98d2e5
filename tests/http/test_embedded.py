"""A service that brings its Valkey along: as `make run` starts it."""

import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest

from tests.http.server import run_server
from tests.servers import valkey_program, wait_until

EMBEDDED = {"redis_url": "embedded", "redis_timeout_s": 5, "file_tier_bytes": 0}


@pytest.fixture
def folder(tmp_path):
    valkey_program()
    return tmp_path


@pytest.fixture(scope="module")
def service(catalogue, tmp_path_factory):
    """A service with a Valkey, and its data folder."""
    valkey_program()
    folder = tmp_path_factory.mktemp("embedded")
    with run_server(catalogue, folder, **EMBEDDED) as server:
        yield server, folder / "data"


def family(server):
    """The processes of a service, but for its first."""
    return psutil.Process(server.process.pid).children(recursive=True)


def valkeys(server):
    return [child for child in family(server) if child.name() == "valkey-server"]


@pytest.mark.parametrize(("workers", "how"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_stop_leaves_nothing_behind(catalogue, folder, workers, how):
    with run_server(catalogue, folder, workers=workers, graceful_stop_s=1, **EMBEDDED) as server:
        processes = family(server)
        (valkey,) = valkeys(server)
        server.stop(how)
        assert not valkey.is_running()
        assert psutil.wait_procs(processes, timeout=10)[1] == []


def test_pictures_are_found_in_it_after_a_restart(catalogue, folder, picture):
    with run_server(catalogue, folder, graceful_stop_s=1, **EMBEDDED) as server:
        drawn = httpx.get(server.url + picture())
    with run_server(catalogue, folder, graceful_stop_s=1, **EMBEDDED) as server:
        found = httpx.get(server.url + picture())
    assert found.headers["cache-status"] == "render-service; hit; detail=redis"
    assert found.content == drawn.content


def test_it_listens_on_no_port_and_in_a_folder_that_is_ours_alone(service):
    server, data = service
    (valkey,) = valkeys(server)
    place = Path((data / "valkey/owner").read_text().partition("unix://")[2])

    assert valkey.net_connections("inet") == []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))
    assert place.parent.stat().st_mode & 0o077 == 0


def test_it_ends_with_its_service_however_that_ends(catalogue, folder):
    with run_server(catalogue, folder, **EMBEDDED) as server:
        (valkey,) = valkeys(server)
        server.stop(signal.SIGKILL)
        assert psutil.wait_procs([valkey], timeout=60)[1] == []


def test_a_second_service_on_the_same_data_uses_the_first_ones(catalogue, service, folder, picture):
    first, data = service
    drawn = httpx.get(first.url + picture())
    with run_server(catalogue, folder, **{**EMBEDDED, "data": data}) as second:
        found = httpx.get(second.url + picture())
        assert valkeys(second) == []
    assert found.headers["cache-status"] == "render-service; hit; detail=redis"
    assert found.content == drawn.content


def test_pictures_keep_flowing_when_it_is_killed_and_it_is_started_again(
    catalogue, folder, picture
):
    settings = {**EMBEDDED, "memory_tier_bytes": 0, "breaker_pause_s": 0.1, "graceful_stop_s": 1}
    with run_server(catalogue, folder, **settings) as server:
        drawn = httpx.get(server.url + picture())
        (first,) = valkeys(server)
        wait_until(lambda: is_found(server, picture()), lambda: server.log.read_text())

        first.kill()
        assert httpx.get(server.url + picture()).content == drawn.content
        wait_until(lambda: is_found(server, picture()), lambda: server.log.read_text())
        (second,) = valkeys(server)
        second.kill()
        wait_until(lambda: is_found(server, picture()), lambda: server.log.read_text())

        assert len({first.pid, second.pid, *(one.pid for one in valkeys(server))}) == 3
        assert httpx.get(server.url + picture()).content == drawn.content
        last = valkeys(server)
    assert psutil.wait_procs(last, timeout=10)[1] == []


def is_found(server, path):
    """Whether a picture comes from the Valkey."""
    answer = httpx.get(server.url + path)
    assert answer.status_code == 200
    return answer.headers["cache-status"].endswith("detail=redis")


def test_one_that_was_started_again_ends_with_its_service_however_that_ends(catalogue, folder):
    with run_server(catalogue, folder, **EMBEDDED) as server:
        (first,) = valkeys(server)
        first.kill()
        wait_until(
            lambda: [one.pid for one in valkeys(server)] not in ([], [first.pid]),
            lambda: server.log.read_text(),
        )
        (second,) = valkeys(server)
        server.stop(signal.SIGKILL)
        assert psutil.wait_procs([second], timeout=60)[1] == []


def test_a_folder_it_cannot_use_stops_the_start_and_says_so(catalogue, folder):
    (folder / "data").mkdir()
    (folder / "data" / "valkey").write_text("not a folder")
    with (
        pytest.raises(AssertionError, match="The embedded Valkey"),
        run_server(catalogue, folder, **EMBEDDED),
    ):
        pass
