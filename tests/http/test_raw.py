"""What only a raw socket can say: pipelines, cut connections, nonsense."""

import socket
import time

import httpx
import pytest


class Wire:
    """A connection that sends bytes as they are."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, path, *, method="GET", headers="", version="HTTP/1.1"):
        self.socket.sendall(
            f"{method} {path} {version}\r\nHost: here\r\n{headers}\r\n".encode("latin-1")
        )

    def read(self):
        """Read one answer: its status and body; (0, b"") for a connection closed without one."""
        file = self.socket.makefile("rb")
        line = file.readline()
        if not line:
            return 0, b""
        length = 0
        while (header := file.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        return int(line.split()[1]), file.read(length)

    def cut(self):
        """Reset the connection instead of closing it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


@pytest.fixture
def wire(server):
    with Wire(server) as wire:
        yield wire


def test_requests_in_one_breath_are_answered_in_their_order(wire, client, picture):
    paths = [picture(160), "/livez", picture(240), "/r/nonsense", picture(320)]
    bodies = [client.get(path).content for path in paths]
    request = "".join(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n" for path in paths)
    wire.socket.sendall(request.encode())
    file = wire.socket.makefile("rb")
    for body in bodies:
        headers = b""
        while not headers.endswith(b"\r\n\r\n"):
            headers += file.readline()
        assert file.read(len(body)) == body


def test_a_request_that_arrives_byte_by_byte_is_answered(wire, picture):
    for byte in f"GET {picture()} HTTP/1.1\r\nHost: here\r\n\r\n".encode():
        wire.socket.sendall(bytes([byte]))
    assert wire.read()[0] == 200


def test_an_old_client_gets_its_picture_too(wire, picture):
    wire.ask(picture(), version="HTTP/1.0")
    assert wire.read()[0] == 200


def test_a_body_on_a_get_is_read_past(wire, picture):
    wire.ask(picture(), headers="Content-Length: 5\r\n")
    wire.socket.sendall(b"hello")
    assert wire.read()[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/r/../../etc/passwd",
        "/r/" + "x" * 20_000,
        "/r/" + "/".join("x" * 3000),
        "/r/%",
        "/r/%2e%2e/%2e%2e/etc/passwd",
        "/r/ring//hero/0123456789/-/160.webp",
        "/img/" + "%41" * 5000,
    ],
)
def test_a_path_of_nonsense_is_refused(wire, path):
    wire.ask(path)
    status, body = wire.read()
    assert status == 400
    assert len(body) < 2000


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET /r/\xff\xfe HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: here\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: here\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"\0" * 1000,
    ],
)
def test_what_is_no_request_does_no_harm(server, client, request_):
    with Wire(server) as wire:
        try:
            wire.socket.sendall(request_)
            wire.socket.shutdown(socket.SHUT_WR)
            wire.read()
        except OSError:
            assert server.process.poll() is None
    assert client.get("/livez").status_code == 200


def test_clients_that_leave_before_their_answer_harm_nobody(server, client, picture):
    for extension in ("avif", "png", "webp", "jpg"):
        for _ in range(10):
            wire = Wire(server)
            wire.ask(picture(320, extension, metal="silver"))
            wire.cut()
    answer = client.get(picture(320, "avif", metal="silver"))
    assert answer.status_code == 200
    assert "incident" not in server.log.read_text()


def test_a_client_that_stops_reading_keeps_nobody_else_waiting(server, client, picture):
    with Wire(server) as stuck:
        stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(200):
            stuck.ask(picture(320, "png"))
        assert client.get(picture(320, "png")).status_code == 200


def test_a_connection_is_kept_for_the_next_request(wire, picture):
    for _ in range(3):
        wire.ask(picture())
        assert wire.read()[0] == 200


def test_many_clients_for_one_cold_picture_are_one_render(server, picture):
    wires = [Wire(server) for _ in range(40)]
    for wire in wires:
        wire.ask(picture(320, "png", gem="sapphire", background="transparent"))
    bodies = {wire.read() for wire in wires}
    for wire in wires:
        wire.socket.close()
    assert len(bodies) == 1
    query = "view=hero&width=320&format=png&gem=sapphire&background=transparent"
    body = httpx.get(f"{server.url}/v1/compositions/ring/explain?{query}").json()
    assert body["held_by"][0] == "memory"


def test_the_date_is_now(client, picture):
    given = client.get(picture()).headers["date"]
    stamp_s = time.mktime(time.strptime(given, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert abs(stamp_s - time.time()) < 60
