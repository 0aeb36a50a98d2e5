"""One cold picture, a thousand clients at once: how often is it drawn, how long do they wait?

The rule: the service as `make run` runs it, one process for each core and a Valkey between them;
every round takes another picture, and the time of one render is that of its neighbour, asked for
alone in the same round. All connections are open before the first request is sent.

The client counts bytes and shares the machine, so the same herd comes once more when the picture is
there: what it takes then is answering, and no drawing.
"""

import asyncio
import resource
import selectors
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

from benchmarks.client import ask_all
from benchmarks.demo import demo_planner, distinct_paths
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Chart, Report, bar, machine_facts, parse_arguments, publish
from benchmarks.serving import run_service
from render_service.formats import Format

CLIENTS: Final = 1000
WIDTH_PX: Final = 1080
WARMING: Final = 24
"""Pictures drawn first, so that layers are at hand: half a dozen for each render thread."""


class Herd(NamedTuple):
    """What a thousand clients saw.

    Attributes:
        waited_ms: From the first request of all to each one's whole answer.
        renders: Answers that were drawn for, and not with another.
        statuses: Answers by status.
    """

    waited_ms: list[float]
    renders: int
    statuses: dict[int, int]

    @property
    def p99_ms(self) -> float:
        """All but one in a hundred waited no longer."""
        return quantiles(self.waited_ms, n=100)[98]


class Round(NamedTuple):
    """One cold picture: the render of its neighbour, the herd, and the herd again."""

    render_ms: float
    cold: Herd
    warm: Herd


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments(__doc__ or "", rounds=7)
    _allow_files()
    paths = distinct_paths(demo_planner(), (WIDTH_PX,), (Format.AVIF,), seed=1)
    with tempfile.TemporaryDirectory(prefix="herd-") as at:
        folder = Path(at)
        environment = {
            "RENDER_CATALOGUE": CATALOGUE,
            "RENDER_DATA": folder / "data",
            "RENDER_REDIS_URL": "embedded",
            # A look into Redis may take longer here, where the client takes a core of its own.
            "RENDER_REDIS_TIMEOUT_S": 1,
        }
        with run_service(environment, folder / "service.log") as service:
            for _ in range(WARMING):
                asyncio.run(ask_all(service.port, [next(paths)]))
            rounds = [_round(service.port, paths) for _ in range(arguments.rounds)]
    publish(_report(rounds), arguments.json)


def _round(port: int, paths: Iterator[str]) -> Round:
    began_s = time.perf_counter()
    asyncio.run(ask_all(port, [next(paths)]))
    render_ms = 1000 * (time.perf_counter() - began_s)
    path = next(paths)
    return Round(render_ms, _herd(port, path), _herd(port, path))


def _herd(port: int, path: str) -> Herd:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(CLIENTS)]
    answers: dict[socket.socket, bytearray] = {one: bytearray() for one in waiting}
    waited_ms, heads = list[float](), list[str]()
    with selectors.EpollSelector() as selector:
        for one in waiting:
            selector.register(one, selectors.EVENT_READ, one)
        began_s = time.perf_counter()
        for one in waiting:
            one.sendall(request)
        while len(heads) < CLIENTS:
            for key, _ in selector.select():
                connection = key.data
                answer = answers[connection]
                answer += _receive(connection, path)
                if (head := _whole(answer)) is not None:
                    waited_ms.append(1000 * (time.perf_counter() - began_s))
                    heads.append(head)
                    selector.unregister(connection)
    for one in waiting:
        one.close()
    return Herd(waited_ms, sum(_is_render(head) for head in heads), _statuses(heads))


def _receive(connection: socket.socket, path: str) -> bytes:
    data = connection.recv(262_144)
    if not data:
        raise ConnectionError(f"the service closed a connection before it answered {path}")
    return data


def _whole(answer: bytearray) -> str | None:
    """The head of an answer that is there to its last byte."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = answer[:end].decode("latin-1").lower()
    size = int(head.partition("content-length:")[2].partition("\r\n")[0])
    return head if len(answer) >= end + 4 + size else None


def _is_render(head: str) -> bool:
    status = head.partition("cache-status:")[2].partition("\r\n")[0]
    return "fwd=miss" in status and "collapsed" not in status


def _statuses(heads: list[str]) -> dict[int, int]:
    found: dict[int, int] = {}
    for head in heads:
        status = int(head.split()[1])
        found[status] = found.get(status, 0) + 1
    return found


def _allow_files() -> None:
    """As many open files as this user may have: a thousand connections are more than usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _report(rounds: list[Round]) -> Report:
    over = [one.cold.p99_ms / one.render_ms for one in rounds]
    renders = [one.cold.renders for one in rounds]
    failed = sum(CLIENTS - one.cold.statuses.get(200, 0) for one in rounds)
    rows: list[tuple[Cell, ...]] = [
        (
            str(number + 1),
            one.cold.renders,
            f"{one.render_ms:.0f}",
            f"{median(one.cold.waited_ms):.0f}",
            f"{one.cold.p99_ms:.0f}",
            over[number],
            f"{one.warm.p99_ms:.0f}",
        )
        for number, one in enumerate(rounds)
    ]
    return Report(
        question="One cold key and 1,000 clients: how many renders, and how long do they wait?",
        method=__doc__ or "",
        machine=machine_facts("uvicorn", "uvloop", "redis"),
        settings={
            "clients": CLIENTS,
            "picture": f"{WIDTH_PX} px AVIF of the demo ring",
            "rounds": len(rounds),
        },
        columns=(
            *("round", "renders", "one render ms", "p50 ms", "p99 ms", "p99 over one render"),
            "p99 ms when it is there",
        ),
        rows=tuple(rows),
        verdicts=(
            f"Drawn {max(renders)} times at the most for {CLIENTS} clients; {failed} were not "
            "answered with 200.",
            f"p99 is {median(over):.2f} times one render, by the median of rounds.",
        ),
        charts=(
            Chart(
                title="One cold key, 1,000 clients",
                unit="ms",
                bars=(
                    bar("one render", [one.render_ms for one in rounds]),
                    bar("herd, p50", [median(one.cold.waited_ms) for one in rounds]),
                    bar("herd, p99", [one.cold.p99_ms for one in rounds]),
                    bar("the same herd, picture there, p99", [one.warm.p99_ms for one in rounds]),
                ),
            ),
        ),
    )


if __name__ == "__main__":
    main()
