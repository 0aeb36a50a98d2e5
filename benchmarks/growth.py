"""Does a hit or a miss cost more when there are ten, a thousand, ten thousand compositions?

The rule: services of one process each, alike but for the catalogue, asked in turn within every
round; of each as many compositions are asked for, spread over all, layers at hand. The cost is the
processor time of the server for one request, all its threads together: what the client takes, and
what a busy machine adds, is not in it.

Start-up is from the start of the process until it is ready. Placeholders of all views are drawn
behind that; nothing is measured before the server has nothing left to do.
"""

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import psutil

from benchmarks.client import ask_all
from benchmarks.growing import VISITED, WIDTH_PX, distinct_paths, write_catalogue
from benchmarks.memory import read_held
from benchmarks.report import (
    Bar,
    Chart,
    Report,
    bar,
    machine_facts,
    parse_arguments,
    publish,
    spread,
)
from benchmarks.serving import Running, run_service
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner

SIZES: Final = (10, 1000, 10_000)
GOAL: Final = 1.1
"""Of the largest catalogue over the smallest."""

HITS: Final = 2000
MISSES: Final = 100
AT_ONCE: Final = 8

_IDLE: Final = 0.05
"""Of a core: a server that takes less over two seconds has nothing left to draw."""


class Served(NamedTuple):
    """A service of a catalogue, and what it is asked.

    Attributes:
        running: Where it listens, and how long it took to start.
        settled_s: From then until it had nothing left to do.
        at_rest_bytes: Resident by then.
        cold: Paths of pictures that it has not drawn.
        hot: Paths of some that it has.
    """

    running: Running
    settled_s: float
    at_rest_bytes: int
    cold: Iterator[str]
    hot: list[str]


class Cost(NamedTuple):
    """Processor time of the server for one request."""

    hit_us: float
    miss_ms: float


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments(__doc__ or "", rounds=15)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-")))
        services = {size: _serve(stack, folder / str(size), size) for size in SIZES}
        costs: dict[int, list[Cost]] = {size: [] for size in SIZES}
        for turn in range(arguments.rounds):
            shift = turn % len(SIZES)
            for size in SIZES[shift:] + SIZES[:shift]:
                costs[size].append(_measure(services[size]))
    publish(_report(services, costs), arguments.json)


def _serve(stack: contextlib.ExitStack, folder: Path, size: int) -> Served:
    folder.mkdir()
    catalogue = write_catalogue(folder, size)
    paths = distinct_paths(Planner(load_catalogue(catalogue).catalogue, PROFILES), size)
    environment = {
        "RENDER_CATALOGUE": catalogue,
        "RENDER_DATA": folder / "data",
        "RENDER_WORKERS": 1,
        "RENDER_QUEUE_S": 600,
        "RENDER_DEADLINE_S": 600,
        "MALLOC_ARENA_MAX": 2,
    }
    name = f"the service of {size} compositions"
    running = stack.enter_context(run_service(environment, folder / "log", name=name))
    settled_s = _settle(running.pid)
    at_rest_bytes = read_held(name, running.pid).end_bytes
    hot = list(itertools.islice(paths, 10 * VISITED))
    asyncio.run(ask_all(running.port, hot, at_once=AT_ONCE))
    return Served(running, settled_s, at_rest_bytes, paths, hot)


def _settle(pid: int) -> float:
    """Wait until a process takes next to nothing of the processor; return the seconds waited."""
    began_s, process = time.perf_counter(), psutil.Process(pid)
    process.cpu_percent()
    while True:
        time.sleep(2)
        if process.cpu_percent() < 100 * _IDLE:
            return time.perf_counter() - began_s


def _measure(served: Served) -> Cost:
    port, pid = served.running.port, served.running.pid
    hits = list(itertools.islice(itertools.cycle(served.hot), HITS))
    misses = list(itertools.islice(served.cold, MISSES))
    return Cost(
        1e6 * _processor_s(port, pid, hits) / HITS,
        1e3 * _processor_s(port, pid, misses) / MISSES,
    )


def _processor_s(port: int, pid: int, paths: list[str]) -> float:
    before_s = _used_s(pid)
    asyncio.run(ask_all(port, paths, at_once=AT_ONCE))
    return _used_s(pid) - before_s


def _used_s(pid: int) -> float:
    """Of the processor, by all threads of a process that are there."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _report(services: dict[int, Served], costs: dict[int, list[Cost]]) -> Report:
    least = costs[SIZES[0]]
    hits, misses = (
        {
            size: [one[field] / other[field] for one, other in zip(found, least, strict=True)]
            for size, found in costs.items()
        }
        for field in range(2)
    )
    worst = max(median(grown[SIZES[-1]]) for grown in (hits, misses))
    rows = tuple(
        (
            str(size),
            spread([cost.hit_us for cost in costs[size]], 0),
            median(hits[size]),
            spread([cost.miss_ms for cost in costs[size]], 2),
            median(misses[size]),
            f"{services[size].running.started_s:.1f}",
            f"{services[size].settled_s:.0f}",
            f"{services[size].at_rest_bytes / 1e6:.0f}",
        )
        for size in SIZES
    )
    met = "met" if worst <= GOAL else "missed"
    return Report(
        question="Does a hit or a miss cost more as the catalogue grows? What does a start take?",
        method=__doc__ or "",
        machine=machine_facts("msgspec", "uvicorn"),
        settings={
            "hits a round": HITS,
            "misses a round": MISSES,
            "rounds": len(least),
            "compositions asked for": VISITED,
            "picture": f"{WIDTH_PX} px WebP of two layers",
        },
        columns=(
            *("compositions", "hit us", "over the least", "miss ms", "over its least"),
            *("start s", "placeholders s", "resident MB"),
        ),
        rows=rows,
        verdicts=(
            f"Goal: {SIZES[-1]} compositions at most {GOAL} times {SIZES[0]}: {worst:.2f}: {met}.",
        ),
        charts=(
            *(
                Chart(
                    title=f"Cost of a {name}, over that with {SIZES[0]} compositions",
                    unit="times",
                    bars=tuple(bar(str(size), found) for size, found in grown.items()),
                    goal=GOAL,
                )
                for name, grown in (("hit", hits), ("miss", misses))
            ),
            Chart(
                title="From start to ready",
                unit="s",
                bars=tuple(
                    _one(str(size), served.running.started_s) for size, served in services.items()
                ),
            ),
            Chart(
                title="Resident before the first request",
                unit="MB",
                bars=tuple(
                    _one(str(size), served.at_rest_bytes / 1e6) for size, served in services.items()
                ),
            ),
        ),
    )


def _one(label: str, value: float) -> Bar:
    return bar(label, [value])


if __name__ == "__main__":
    main()
