"""What does a memory hit cost? The image route over a bare ASGI answer with the same body.

The rule: two servers of the same uvicorn in the same settings, asked in turn by the same client,
one core for each side; the figure is the median of the ratios of neighbouring rounds.

The client keeps eight connections busy and counts bytes: it never parses, so it is not what is
measured. Processor time of the server is shown beside wall-clock time, which a busy machine blurs.
"""

import argparse
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import psutil
import uvicorn

from benchmarks.report import Report, machine_facts, publish
from render_service.formats import Format
from render_service.http.asgi import FrontDoor, make_app
from render_service.http.iiif import Zoom
from render_service.http.protocol import PreparedHeads
from render_service.http.replies import Receive, Scope, Send
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path
from render_service.releases.live import LivePlanner
from render_service.rendering.rendition import make_rendition
from render_service.settings import read_settings
from render_service.wiring import build_service, open_studio

BODY: Final = bytes(range(256)) * 117 + bytes(48)
"""30,000 bytes: a picture of some 640 pixels."""

CONNECTIONS: Final = 8
GOAL: Final = 0.85


class Rate:
    """What one round measured: requests per second, and per second of the server's processor."""

    def __init__(self, requests: int, wall_s: float, processor_s: float) -> None:
        self.per_s, self.per_processor_s = requests / wall_s, requests / processor_s


def main() -> None:
    """Time it, print it, write it; or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=31, help="how often each is timed")
    parser.add_argument("--requests", type=int, default=2000, help="requests in each round")
    parser.add_argument("--serve", choices=("bare", "service"), help=argparse.SUPPRESS)
    parser.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(_bare if arguments.serve == "bare" else make_service, arguments.descriptor)
        return
    path = path_of_hits()
    with run_server("hit", "bare") as bare, run_server("hit", "service") as service:
        pairs = [
            (
                measure(*bare, path, arguments.requests),
                measure(*service, path, arguments.requests),
            )
            for _ in range(arguments.rounds + 1)
        ][1:]
    publish(_report(pairs, arguments.requests), arguments.json)


def _report(pairs: list[tuple[Rate, Rate]], requests: int) -> Report:
    wall = median(service.per_s / bare.per_s for bare, service in pairs)
    processor = median(s.per_processor_s / b.per_processor_s for b, s in pairs)
    rows = [
        (
            name,
            round(median(r.per_s for r in rates)),
            round(median(r.per_processor_s for r in rates)),
        )
        for name, rates in zip(("bare ASGI", "image route"), zip(*pairs, strict=True), strict=True)
    ]
    met = "met" if wall >= GOAL else "missed"
    return Report(
        question="What does a memory hit cost over a bare ASGI answer with the same body?",
        machine=machine_facts("uvicorn", "uvloop", "httptools"),
        settings={
            "body": f"{len(BODY)} bytes",
            "connections": CONNECTIONS,
            "requests per round": requests,
            "rounds": len(pairs),
        },
        columns=("server", "requests/s", "requests per processor second"),
        rows=(*rows, ("ratio, median of rounds", wall, processor)),
        verdicts=(f"Goal: at least {GOAL:.2f} of the bare answer's requests per second: {met}.",),
    )


def path_of_hits() -> str:
    """Return the path that `make_service` answers from memory."""
    return build_image_path(_picture(open_studio(read_settings(os.environ)).planner).image)


def _picture(planner: Planner) -> PlannedImage:
    """The smallest default picture of the first view of the catalogue."""
    composition = next(iter(planner.catalogue.compositions.values()))
    view = next(iter(composition.views.values()))
    request = RenderRequest(
        composition=composition.id,
        view=view.id,
        region=None,
        selection=(),
        width_px=160,
        format=Format.WEBP,
    )
    return planner.plan(request)


def serve(factory: Callable[[], object], descriptor: int) -> None:
    """Serve what `factory` makes on a socket that was opened before. Blocks."""
    config = uvicorn.Config(
        factory,
        factory=True,
        interface="asgi3",
        loop="uvloop",
        http=PreparedHeads,
        ws="none",
        lifespan="off",  # no placeholders drawn while hits are timed
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    # A socket and not `fd=`: uvicorn takes a descriptor for a unix socket and leaves Nagle on.
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def _bare() -> object:
    headers = [(b"content-type", b"image/webp"), (b"content-length", str(len(BODY)).encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    return answer


def make_service() -> FrontDoor:
    """Return the application, with one picture in its memory."""
    settings = read_settings(os.environ)
    studio = open_studio(settings)
    service = build_service(settings, studio)
    planned = _picture(studio.planner)
    output = planned.plan.output
    service.memory.put(
        planned.key, make_rendition(BODY, output.format, output.width_px, output.height_px)
    )
    return make_app(planner=LivePlanner(studio.planner), service=service, zoom=Zoom())


@contextmanager
def run_server(module: str, which: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run `python -m benchmarks.{module} --serve {which}`; yield its port and the process."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        os.set_inheritable(listener.fileno(), True)
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", f"benchmarks.{module}", "--serve", which, "--descriptor"]
        process = subprocess.Popen(  # noqa: S603  # our own module, our own words
            [*command, str(listener.fileno())], pass_fds=[listener.fileno()]
        )
    try:
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


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
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + len(BODY):
        data += connection.recv(65536)
    if not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {data[:200]!r}")
    return len(data)


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


if __name__ == "__main__":
    main()
