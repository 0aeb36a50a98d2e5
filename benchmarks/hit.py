"""What does a hit cost? From memory, Redis and disk, beside a bare ASGI answer and beside nginx.

The rule: servers of one process each, asked in turn by the same client, one core for each side; the
figure is the median of the ratios of neighbouring rounds. Every server answers with the same body;
the bare one is the same uvicorn in the same settings, nginx has it as a file.

"From Redis" and "from disk" are the service with no memory of its own, so that every request goes
the whole way there and back: path, plan, key, store. The client keeps eight connections busy and
counts bytes: it never parses, so it is not what is measured. Processor time of the server is shown
beside wall-clock time, which a busy machine blurs; Redis' own is not in it.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import psutil
import uvicorn

from benchmarks.counting import CONNECTIONS, Rate, measure
from benchmarks.memory import note_held
from benchmarks.nginx import run_nginx
from benchmarks.report import Chart, Report, bar, machine_facts, publish, spread
from render_service.adapters.embedded_valkey import run_valkey
from render_service.adapters.file_tier import FileTier
from render_service.adapters.redis_connection import connect_redis
from render_service.adapters.redis_tier import RedisTier
from render_service.environment import read_settings
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
from render_service.wiring import build_service, open_studio

BODY: Final = bytes(range(256)) * 117 + bytes(48)
"""30,000 bytes: a picture of some 640 pixels."""

GOAL: Final = 0.9
"""Memory hits a second over those of the bare answer."""

BARE, MEMORY, REDIS, DISK, NGINX = "bare ASGI", "memory", "Redis", "disk", "nginx, the same file"

_NO_MEMORY: Final = {"RENDER_MEMORY_TIER_BYTES": "0", "RENDER_REDIS_TIMEOUT_S": "10"}


def main() -> None:
    """Time it, print it, write it; or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=31, help="how often each is timed")
    parser.add_argument("--requests", type=int, default=2000, help="requests in each round")
    parser.add_argument("--serve", choices=tuple(_FACTORIES), help=argparse.SUPPRESS)
    parser.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(_FACTORIES[arguments.serve], arguments.descriptor)
        return
    rates = _measure_all(arguments.rounds, arguments.requests)
    publish(_report(rates, arguments.requests), arguments.json)


def _measure_all(rounds: int, requests: int) -> dict[str, list[Rate]]:
    path = path_of_hits()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hit-")))
        url = stack.enter_context(run_valkey(folder / "valkey"))
        asyncio.run(_store(url, folder / "data"))
        root = folder / "root"
        (root / path.strip("/")).parent.mkdir(parents=True)
        (root / path.strip("/")).write_bytes(BODY)
        servers = {
            BARE: run_server("hit", "bare"),
            MEMORY: run_server("hit", "service"),
            REDIS: run_server("hit", "tiers", _NO_MEMORY | {"RENDER_REDIS_URL": url}),
            DISK: run_server("hit", "tiers", _NO_MEMORY | {"RENDER_DATA": str(folder / "data")}),
            NGINX: run_nginx(root, folder),
        }
        running = {name: stack.enter_context(server) for name, server in servers.items()}
        rates: dict[str, list[Rate]] = {name: [] for name in running}
        names = list(running)
        for turn in range(rounds + 1):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                rates[name].append(measure(*running[name], path, requests))
    # The first round opened files and filled caches.
    return {name: found[1:] for name, found in rates.items()}


async def _store(redis_url: str, data: Path) -> None:
    """Put the body where Redis hits and file hits find it."""
    planned = _picture(open_studio(read_settings({})).planner)
    output = planned.plan.output
    rendition = make_rendition(BODY, output.format, output.width_px, output.height_px)
    redis = RedisTier(
        connect_redis(redis_url), timeout_s=10, expiry_s=3600, value_bytes_max=len(BODY)
    )
    for tier in (redis, FileTier(data, budget_bytes=10 * len(BODY))):
        await tier.put(planned.key, rendition)
        await tier.close()


def _report(rates: dict[str, list[Rate]], requests: int) -> Report:
    bare = rates[BARE]
    over = {
        name: [one.per_s / other.per_s for one, other in zip(found, bare, strict=True)]
        for name, found in rates.items()
    }
    memory = median(over[MEMORY])
    rows = [
        (
            name,
            spread([rate.per_s for rate in found], 0),
            spread([rate.per_processor_s for rate in found], 0),
            spread(over[name], 2),
        )
        for name, found in rates.items()
    ]
    beside_nginx = median(
        m.per_s / n.per_s for m, n in zip(rates[MEMORY], rates[NGINX], strict=True)
    )
    return Report(
        question="What does a hit cost, from memory, Redis and disk, beside bare ASGI and nginx?",
        method=__doc__ or "",
        machine=machine_facts("uvicorn", "uvloop", "httptools", "redis", "hiredis"),
        settings={
            "body": f"{len(BODY)} bytes",
            "connections": CONNECTIONS,
            "requests per round": requests,
            "rounds": len(bare),
        },
        columns=("served from", "requests/s", "requests per processor second", "over bare ASGI"),
        rows=tuple(rows),
        verdicts=(
            f"Goal: memory hits at least {GOAL:.2f} of the bare answer's requests per second: "
            f"{memory:.2f}: {'met' if memory >= GOAL else 'missed'}.",
            f"Memory hits are {beside_nginx:.2f} of nginx's requests per second.",
        ),
        charts=(
            Chart(
                title="Hits a second, one process",
                unit="requests/s",
                bars=tuple(
                    bar(name, [rate.per_s for rate in found]) for name, found in rates.items()
                ),
            ),
            Chart(
                title="Over a bare ASGI answer",
                unit="times",
                bars=tuple(bar(name, found) for name, found in over.items() if name != BARE),
                goal=GOAL,
            ),
        ),
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


def _make_tiers() -> FrontDoor:
    """Return the application, with what its stores hold."""
    settings = read_settings(os.environ)
    studio = open_studio(settings)
    return make_app(
        planner=LivePlanner(studio.planner), service=build_service(settings, studio), zoom=Zoom()
    )


_FACTORIES: Final[dict[str, Callable[[], object]]] = {
    "bare": _bare,
    "service": make_service,
    "tiers": _make_tiers,
}


@contextmanager
def run_server(
    module: str, which: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, psutil.Process]]:
    """Run `python -m benchmarks.{module} --serve {which}`; yield its port and the process."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        os.set_inheritable(listener.fileno(), True)
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", f"benchmarks.{module}", "--serve", which, "--descriptor"]
        process = subprocess.Popen(  # noqa: S603  # our own module, our own words
            [*command, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            env={**os.environ, **(environment or {})},
        )
    try:
        yield port, psutil.Process(process.pid)
    finally:
        note_held(f"server ({which})", process.pid)
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
