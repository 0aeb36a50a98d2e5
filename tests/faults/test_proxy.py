"""The proxy that the other tests here stand on does what its modes say, at a real server."""

import socket

import pytest

from tests.faults.proxy import ASKED, run_proxy

VALUE = b"x" * 1000
ANSWER = b"$1000\r\n" + VALUE + b"\r\n"
GET = b"GET value\r\n"


@pytest.fixture
def proxy(valkey):
    with socket.create_connection(("127.0.0.1", valkey.port)) as direct:
        direct.sendall(b"SET value " + VALUE + b"\r\n")
        assert direct.recv(16) == b"+OK\r\n"
    with run_proxy(valkey.port) as proxy:
        yield proxy


@pytest.fixture
def wire(proxy):
    with connect(proxy) as wire:
        yield wire


def connect(proxy):
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def read(wire, found=b""):
    """Everything until the answer is whole, or the connection ends; `found` is read already."""
    while len(found) < len(ANSWER) and (data := wire.recv(4096)):
        found += data
    return found


def test_it_passes_everything_on_and_counts_it(proxy, wire):
    wire.sendall(GET)
    assert read(wire) == ANSWER
    assert (proxy.connections, proxy.count(b"GET")) == (1, 1)


def test_silent_it_holds_back_and_passes_on_late(proxy, wire):
    proxy.silence()
    wire.sendall(GET)
    wire.settimeout(0.1)
    with pytest.raises(TimeoutError):
        wire.recv(1)
    wire.settimeout(10)
    proxy.flow()
    assert read(wire) == ANSWER


@pytest.mark.parametrize("after_bytes", [0, 1, 500])
def test_it_cuts_an_answer_where_it_is_told(proxy, wire, after_bytes):
    proxy.cut(after_bytes)
    wire.sendall(GET)
    assert read(wire) == ANSWER[:after_bytes]


def test_it_cuts_a_question_where_it_is_told(proxy, wire):
    proxy.cut(4, ASKED)
    wire.sendall(GET)
    assert read(wire) == b""


def test_it_resets(proxy, wire):
    proxy.reset()
    wire.sendall(GET)
    with pytest.raises(ConnectionResetError):
        wire.recv(1)


def test_it_drips_a_whole_answer(proxy, wire):
    proxy.drip(5000)
    wire.sendall(GET)
    first = wire.recv(4096)
    assert len(first) < len(ANSWER)
    proxy.flow()
    assert read(wire, first) == ANSWER


def test_late_answers_are_whole(proxy, wire):
    proxy.delay(0.05)
    wire.sendall(GET)
    assert read(wire) == ANSWER


def test_it_answers_for_the_server(proxy, wire):
    proxy.make_up(b"-LOADING\r\n")
    wire.sendall(GET)
    assert wire.recv(100) == b"-LOADING\r\n"


def test_refused_is_refused_until_it_flows_again(proxy, wire):
    proxy.refuse()
    assert wire.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.flow()
    with connect(proxy) as again:
        again.sendall(GET)
        assert read(again) == ANSWER
