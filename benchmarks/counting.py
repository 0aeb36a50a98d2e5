"""A client that counts bytes and never parses, so that a server of hits is the slower side.

The rule: it keeps its connections busy, each asking again as soon as its answer is whole; every
answer of a run has the size of the first one.
"""

import selectors
import socket
import time
from pathlib import Path
from typing import Final

import psutil

CONNECTIONS: Final = 8


class Rate:
    """What one round measured: requests per second, and per second of the server's processor."""

    def __init__(self, requests: int, wall_s: float, processor_s: float) -> None:
        self.per_s, self.per_processor_s = requests / wall_s, requests / processor_s


def measure(port: int, process: psutil.Process, path: str, requests: int) -> Rate:
    """Ask `requests` times over the connections, each as soon as its answer is whole."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: image/webp\r\n\r\n".encode()
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    size = _answer_size(sockets[0], request)
    processor_s, started_s = _processor_s(process), time.perf_counter()
    _ask(sockets, request, requests, size)
    wall_s = time.perf_counter() - started_s
    processor_s = _processor_s(process) - processor_s
    for connection in sockets:
        connection.close()
    return Rate(requests, wall_s, processor_s)


def _processor_s(process: psutil.Process) -> float:
    """Seconds of the processor that all its threads took, to the nanosecond: psutil has ticks."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _answer_size(connection: socket.socket, request: bytes) -> int:
    """Bytes of one whole answer, headers included; they are the same for every hit."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    if not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {data[:200]!r}")
    head = data[: data.index(b"\r\n\r\n")].lower()
    body_bytes = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    whole = len(head) + 4 + body_bytes
    while len(data) < whole:
        data += connection.recv(65536)
    return whole


def _ask(sockets: list[socket.socket], request: bytes, requests: int, size: int) -> None:
    with selectors.EpollSelector() as selector:
        missing = dict.fromkeys(sockets, size)
        for connection in sockets:
            selector.register(connection, selectors.EVENT_READ, connection)
            connection.sendall(request)
        asked, answered = len(sockets), 0
        room = bytearray(262_144)
        while answered < requests:
            for key, _ in selector.select():
                connection = key.data
                missing[connection] -= connection.recv_into(room)
                if missing[connection] > 0:
                    continue
                answered += 1
                if asked < requests:
                    missing[connection] = size
                    connection.sendall(request)
                    asked += 1
