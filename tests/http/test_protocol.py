"""Heads made before: the same answer as uvicorn's own, only sooner."""

import httpx
import pytest

from render_service.http.protocol import join_head
from tests.http.server import PLAIN, run_server
from tests.http.test_raw import Wire


def test_a_head_is_its_headers_a_line_each():
    headers = [(b"etag", b'"x"'), (b"content-length", b"3")]
    assert join_head(headers) == b'etag: "x"\r\ncontent-length: 3\r\n'


@pytest.mark.parametrize("text", [b"a\r\nset-cookie: x", b"a\nb", b"a\0b"])
def test_a_header_that_would_begin_another_is_refused(text):
    with pytest.raises(ValueError, match="line break"):
        join_head([(b"etag", text)])
    with pytest.raises(ValueError, match="line break"):
        join_head([(text, b"x")])


@pytest.fixture(scope="module")
def plain(catalogue, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    with run_server(catalogue, folder, main=PLAIN, workers=2) as server:
        yield server


def headers_of_a_hit(url, path):
    with httpx.Client(base_url=url) as client:
        for _ in range(3):
            answer = client.get(path)
    assert "hit" in answer.headers["cache-status"]
    return [(name, value) for name, value in answer.headers.multi_items() if name != "date"]


def test_any_uvicorn_serves_the_same_headers(server, plain, picture):
    path = picture(240, "png")
    given = [pair for pair in headers_of_a_hit(plain.url, path) if pair[0] != "server"]
    assert headers_of_a_hit(server.url, path) == given


def test_a_hit_on_a_connection_that_closes_says_so(server, client, picture):
    client.get(picture())
    with Wire(server) as wire:
        wire.ask(picture(), headers="Connection: close\r\n")
        data = wire.socket.makefile("rb").read()
    assert b"\r\nconnection: close\r\n" in data.partition(b"\r\n\r\n")[0].lower() + b"\r\n"


def test_hits_and_others_take_turns_on_one_connection(server, client, picture):
    held = client.get(picture())
    with Wire(server) as wire:
        for _ in range(3):
            wire.ask(picture())
            assert wire.read() == (200, held.content)
            wire.ask(picture(), headers=f"If-None-Match: {held.headers['etag']}\r\n")
            assert wire.read() == (304, b"")
            wire.ask("/r/nonsense")
            assert wire.read()[0] == 400
