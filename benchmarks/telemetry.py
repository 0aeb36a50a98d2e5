"""What does telemetry cost? Hits and renders with it over the same without.

The rule: the same code in the same process settings but for the recording; asked in turn within one
run, the figure being the median of the ratios of neighbouring rounds. "Off" is a service whose
calls to record do nothing; the service itself has no such switch, as counts cost what is shown.

Hits are asked of two or more servers of their own processes, as benchmarks/hit.py does; "traced" is
also sent to a collector, the default share of requests. Renders are whole requests through the
front door in one process, without memory or store, so that each is drawn; every layer is at hand.
"""

import argparse
import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from typing import Any, Final

from opentelemetry.trace import INVALID_SPAN

from benchmarks.counting import measure
from benchmarks.hit import make_service, path_of_hits, run_server, serve
from benchmarks.report import Report, Times, machine_facts, publish, ratio, time_in_turn
from render_service.environment import read_settings
from render_service.http import images, observed
from render_service.http.asgi import FrontDoor, make_app
from render_service.http.iiif import Zoom
from render_service.http.replies import App, Message, Receive, Scope, Send
from render_service.releases.live import LivePlanner
from render_service.settings import Settings
from render_service.telemetry import kinds, spans
from render_service.telemetry.running import Telemetry
from render_service.wiring import build_service, open_studio

COLLECTOR_PORT: Final = "BENCH_COLLECTOR_PORT"
GOAL: Final = 0.03
TRACE_RATIO: Final = Settings().trace_ratio
RENDERS: Final = 4
"""Renders timed at once, so that the clock's step is small beside them."""


def main() -> None:
    """Time it, print it, write it; or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=41, help="how often each is timed")
    parser.add_argument("--requests", type=int, default=2000, help="hits in each round")
    parser.add_argument("--serve", choices=("off", "on", "traced"), help=argparse.SUPPRESS)
    parser.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(_SERVERS[arguments.serve], arguments.descriptor)
        return
    hits = _time_hits(arguments.rounds, arguments.requests)
    renders = _time_renders(arguments.rounds)
    publish(_report(hits, renders, arguments.rounds, arguments.requests), arguments.json)


Ratios = tuple[float, float]


def _report(hits: dict[str, Ratios], renders: Ratios, rounds: int, requests: int) -> Report:
    rows = [
        *((f"hits, {name} / off", *found) for name, found in hits.items()),
        ("renders, on / off", *renders),
    ]
    worst = max(hits["on"][1], renders[1])
    met = "met" if worst <= 1 + GOAL else "missed"
    return Report(
        question="What does telemetry cost: time with it over time without?",
        machine=machine_facts("uvicorn", "opentelemetry-sdk"),
        settings={"rounds": rounds, "hits per round": requests, "renders per round": RENDERS},
        columns=("ratio of times, median of rounds", "wall clock", "processor"),
        rows=tuple((name, f"{wall:.4f}", f"{cpu:.4f}") for name, wall, cpu in rows),
        verdicts=(f"Goal: at most {GOAL:.0%} more processor time, on over off: {met}.",),
    )


def _time_hits(rounds: int, requests: int) -> dict[str, Ratios]:
    path = path_of_hits()
    with _collector() as port:
        os.environ[COLLECTOR_PORT] = str(port)
        with (
            run_server("telemetry", "off") as off,
            run_server("telemetry", "on") as on,
            run_server("telemetry", "traced") as traced,
        ):
            servers = {"off": off, "on": on, "traced": traced}
            taken = []
            for turn in range(rounds + 1):
                # Each round begins with another server.
                names = sorted(servers, key=lambda name: (len(name) + turn) % 3)
                taken.append({n: measure(*servers[n], path, requests) for n in names})
    found = {}
    for name in ("on", "traced"):
        wall = median(r["off"].per_s / r[name].per_s for r in taken[1:])
        cpu = median(r["off"].per_processor_s / r[name].per_processor_s for r in taken[1:])
        found[name] = (wall, cpu)
    return found


def _time_renders(rounds: int) -> Ratios:
    """Whole requests that are drawn, in this process, with and without recording."""
    settings = replace(
        read_settings(os.environ), memory_tier_bytes=0, file_tier_bytes=0, render_threads=1
    )
    with asyncio.Runner() as runner:
        app = runner.run(_app(settings))

        def draw() -> None:
            for _ in range(RENDERS):
                runner.run(_ask(app, path_of_hits_cached))

        def draw_unseen() -> None:
            with _unseen():
                draw()

        path_of_hits_cached = path_of_hits()
        cases = {"off": draw_unseen, "on": draw}
        found: list[dict[str, Times]] = [
            time_in_turn(cases, rounds, clock) for clock in (time.perf_counter, time.process_time)
        ]
    wall, processor = (ratio(times["on"], times["off"]) for times in found)
    return wall, processor


async def _app(settings: Settings) -> App:
    studio = open_studio(settings)
    return make_app(
        planner=LivePlanner(studio.planner), service=build_service(settings, studio), zoom=Zoom()
    )


async def _ask(app: App, path: str) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"it answered {message['status']}")

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await app(scope, receive, send)


def _make_unseen() -> FrontDoor:
    # For ever: this process serves nothing else.
    _unseen().__enter__()
    return make_service()


def _make_traced() -> FrontDoor:
    endpoint = f"http://127.0.0.1:{os.environ[COLLECTOR_PORT]}"
    Telemetry().export(endpoint, interval_s=60, trace_ratio=TRACE_RATIO, forced_per_s=10)
    return make_service()


_SERVERS: Final[dict[str, Callable[[], object]]] = {
    "off": _make_unseen,
    "on": make_service,
    "traced": _make_traced,
}


@contextmanager
def _unseen() -> Iterator[None]:
    """Let every call that records do nothing, as if it were not there."""
    replaced: list[tuple[Any, str, Any]] = [
        (kinds.Counter, "add", _nothing),
        (kinds.Gauge, "add", _nothing),
        (kinds.Gauge, "set", _nothing),
        (kinds.Histogram, "record", _nothing),
        (spans, "stage", _no_stage),
        (spans, "past", _nothing),
        (spans, "apart", _no_stage),
        (observed.Observed, "__call__", _unobserved),
        (images.ImageRoute, "__call__", _answer_hit),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


def _nothing(*_: object) -> None:
    return None


def _no_stage(*_: object, **__: object) -> Any:  # noqa: ANN401  # stands for two functions
    return nullcontext(INVALID_SPAN)


def _unobserved(
    self: Any,  # noqa: ANN401  # Observed, seen from inside
    scope: Scope,
    receive: Receive,
    send: Send,
    **_: object,
) -> Awaitable[None]:
    answer: Awaitable[None] = self._app(scope, receive, send)
    return answer


async def _answer_hit(
    self: Any,  # noqa: ANN401  # ImageRoute, seen from inside
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """The image route as it was before it was observed."""
    known = self._memo.get(scope["raw_path"])
    if known is not None and images._is_plain(scope):
        key, etag, start = known
        held = self._memory.get(key)
        if held is not None and held.etag == etag:
            await send(start)
            return await send({"type": "http.response.body", "body": held.body})
    await self._answer_or_fail(scope, receive, send)


@contextmanager
def _collector() -> Iterator[int]:
    """A collector that takes everything and keeps nothing; its port."""

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    with HTTPServer(("127.0.0.1", 0), Take) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


if __name__ == "__main__":
    main()
