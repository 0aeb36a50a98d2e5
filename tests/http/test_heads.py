"""How long the head of a request may be and may take: what a stranger can hold open is bounded."""

import asyncio
import json
import time

import httpx
import pytest

from render_service.http.protocol import HEAD_BYTES_MAX
from tests.http.server import MAIN, run_server
from tests.http.test_raw import Wire

IMPATIENT = "import render_service.http.protocol as p\np.HEAD_S_MAX = 0.5\n" + MAIN

CHUNK = b"y" * 50_000


def sent(wire, begin, chunks, between=b""):
    """Send `begin` and then chunk after chunk, until the server will have no more."""
    wire.socket.sendall(begin)
    for number in range(chunks):
        try:
            wire.socket.sendall(between + CHUNK)
        except ConnectionError:
            return number
    return chunks


def answer_of(wire):
    """The status, headers and problem of the answer; what follows it must be the end."""
    data = b""
    try:
        while chunk := wire.socket.recv(65_536):
            data += chunk
    except ConnectionResetError:
        # More was on its way when the server closed.
        assert data
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    return int(lines[0].split()[1]), lines[1:], json.loads(body)


def check_refused(wire, status):
    found, headers, problem = answer_of(wire)
    assert (found, problem["status"]) == (status, status)
    assert "content-type: application/problem+json" in headers
    assert "cache-control: no-store" in headers
    assert "connection: close" in headers
    assert any(line.startswith("date:") for line in headers)
    return headers, problem


def test_an_address_without_end_is_refused(server):
    with Wire(server) as wire:
        wire.socket.sendall(b"GET /r/" + b"y" * (HEAD_BYTES_MAX * 2))
        check_refused(wire, 414)


@pytest.mark.parametrize("line", [b"X: ", b"a: b\r\nX: "])
def test_headers_without_end_are_refused(server, line):
    with Wire(server) as wire:
        wire.socket.sendall(b"GET /livez HTTP/1.1\r\nHost: here\r\n" + line + CHUNK * 3)
        check_refused(wire, 431)


@pytest.mark.parametrize("begin", [b"GET /", b"GET /livez HTTP/1.1\r\nX: "])
def test_nobody_is_listened_to_for_a_hundred_megabytes(server, begin):
    with Wire(server) as wire:
        assert sent(wire, begin, 2000) < 2000


def test_the_second_request_of_a_connection_is_bounded_too(server):
    with Wire(server) as wire:
        wire.ask("/livez")
        assert wire.read()[0] == 200
        wire.socket.sendall(b"GET /livez HTTP/1.1\r\nX: " + CHUNK * 3)
        check_refused(wire, 431)


def test_a_head_that_is_long_is_answered(server):
    with Wire(server) as wire:
        wire.ask("/livez", headers=f"X: {'y' * 40_000}\r\n")
        assert wire.read()[0] == 200


def test_a_body_does_not_count(server):
    body = json.dumps({"selection": {}}) + " " * 60_000
    with Wire(server) as wire:
        for _ in range(3):
            headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            wire.ask("/v1/compositions/ring/resolve", method="POST", headers=headers)
            wire.socket.sendall(body.encode())
            assert wire.read()[0] == 200


def test_many_requests_in_one_breath_are_each_measured_alone(server):
    request = b"GET /livez HTTP/1.1\r\nHost: here\r\nX: " + b"y" * 3000 + b"\r\n\r\n"
    with Wire(server) as wire:
        wire.socket.sendall(request * 60)
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 60:
            chunk = wire.socket.recv(65_536)
            assert chunk
            data += chunk


@pytest.mark.parametrize(
    "request_", [b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"]
)
def test_what_is_no_request_is_told_so_as_a_problem(server, request_):
    with Wire(server) as wire:
        wire.socket.sendall(request_)
        _, problem = check_refused(wire, 400)
    assert httpx.get(server.url + problem["type"]).status_code == 200


def test_a_method_of_ones_own_is_not_allowed(server):
    with Wire(server) as wire:
        wire.ask("/r/ring", method="BREW")
        headers, _ = check_refused(wire, 405)
    assert "allow: get, head" in headers


@pytest.fixture(scope="module")
def impatient(catalogue, tmp_path_factory):
    """A server that waits for a head half a second."""
    with run_server(catalogue, tmp_path_factory.mktemp("impatient"), main=IMPATIENT) as server:
        yield server


@pytest.mark.parametrize("part", [b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: here\r\n"])
def test_a_head_that_does_not_end_is_given_up(impatient, part):
    with Wire(impatient) as wire:
        wire.socket.sendall(part)
        check_refused(wire, 408)


def test_a_head_that_trickles_in_is_given_up(impatient):
    with Wire(impatient) as wire:
        wire.socket.sendall(b"GET /livez HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            trickle(wire)


def trickle(wire):
    while True:
        wire.socket.sendall(b"X: y\r\n")
        time.sleep(0.05)


def test_a_connection_that_says_nothing_is_closed(impatient):
    with Wire(impatient) as wire:
        assert wire.socket.recv(100) == b""


def test_a_connection_in_use_is_not_closed(impatient):
    with Wire(impatient) as wire:
        for _ in range(8):
            wire.ask("/livez")
            assert wire.read()[0] == 200
            time.sleep(0.1)


async def test_a_picture_that_takes_long_keeps_its_connection(impatient, picture):
    paths = [picture(320, "avif", metal=metal) for metal in ("gold", "silver")]
    async with httpx.AsyncClient(base_url=impatient.url, timeout=30) as client:
        answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert [answer.status_code for answer in answers] == [200, 200]
