"""Layer files that went bad behind a running service, and clients that leave in a crowd."""

import socket
import struct

import httpx
import psutil

from tests.faults.service import ask, bodies_of, run_watched
from tests.http.catalogue import write_catalogue
from tests.servers import wait_until

LEAVING = 40


def test_a_layer_file_that_went_bad_is_named_with_502_and_its_pictures_come_back_with_it(
    tmp_path, pictures
):
    folder = write_catalogue(tmp_path / "catalogue")
    band = folder / "ring" / "band.png"
    whole = band.read_bytes()
    paths = list(pictures)
    kept_bytes = {"file_tier_bytes": 0, "raster_cache_bytes": 0, "raster_store_bytes": 0}
    settings = kept_bytes | {"graceful_stop_s": 1}
    named = "The layer file ring/band.png"
    with run_watched(folder, tmp_path, expected=named, **settings) as service:
        kept = ask(service, paths[:2])
        for bad in (whole[: len(whole) // 2], b"", b"<html>", whole[:-1] + b"?"):
            band.write_bytes(bad)
            refused = ask(service, paths[2:4])
            assert [answer.status_code for answer in refused] == [502, 502]
            assert all("ring/band.png" in answer.json()["detail"] for answer in refused)
            assert {answer.headers["cache-control"] for answer in refused} == {"no-store"}
            assert [one.content for one in ask(service, paths[:2])] == bodies_of(kept)
        band.write_bytes(whole)
        assert bodies_of(ask(service, paths)) == list(pictures.values())


def test_clients_that_leave_in_a_crowd_leave_nothing_behind(tmp_path, catalogue, pictures):
    settings = {"file_tier_bytes": 0, "render_threads": 1, "queue_s": 60, "deadline_s": 60}
    paths = list(pictures)
    with run_watched(catalogue, tmp_path, graceful_stop_s=1, **settings) as service:
        ask(service, paths[:1])
        process = psutil.Process(service.process.pid)
        before = process.num_fds()
        for path in (paths * 2)[:LEAVING]:
            leave_at_once(service, path)
        assert httpx.get(f"{service.url}/livez").status_code == 200

        assert bodies_of(ask(service, paths)) == list(pictures.values())
        wait_until(lambda: process.num_fds() <= before, lambda: service.log.read_text())


def leave_at_once(service, path):
    """Ask, and reset the connection."""
    with socket.create_connection(("127.0.0.1", service.port)) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
