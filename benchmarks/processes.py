"""Do two processes draw twice as many distinct pictures as one?

The rule: services of their own folders, kept busy in turn within every round by one client, each
with pictures that it has not drawn. Processes are compared with one render thread each, so that one
process has one core to draw on; what they are by default is shown beside it.
"""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from benchmarks.client import keep_busy
from benchmarks.demo import demo_planner, distinct_paths
from benchmarks.pictures import CATALOGUE
from benchmarks.report import (
    Chart,
    Report,
    bar,
    machine_facts,
    parse_arguments,
    publish,
    spread,
)
from benchmarks.serving import run_service
from render_service.formats import Format

GOAL: Final = 1.8
"""Of two processes over one."""

WIDTH_PX: Final = 640
AT_ONCE: Final = 8
SECONDS: Final = 4.0


class SetUp(NamedTuple):
    """A service of so many processes, each with so many render threads."""

    processes: int
    threads: int

    def __str__(self) -> str:
        return f"{self.processes} x {self.threads}"


ONE, TWO = SetUp(1, 1), SetUp(2, 1)
SET_UPS: Final = (ONE, TWO, SetUp(1, 2), SetUp(2, 2))


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments(__doc__ or "", rounds=7)
    rates: dict[SetUp, list[float]] = {set_up: [] for set_up in SET_UPS}
    planner = demo_planner()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="processes-")))
        ports = {set_up: _start(stack, folder, set_up) for set_up in SET_UPS}
        paths = {
            set_up: distinct_paths(planner, (WIDTH_PX,), (Format.WEBP, Format.AVIF), seed=1)
            for set_up in SET_UPS
        }
        for turn in range(arguments.rounds + 1):
            shift = turn % len(SET_UPS)
            for set_up in SET_UPS[shift:] + SET_UPS[:shift]:
                busy = keep_busy(ports[set_up], paths[set_up], at_once=AT_ONCE, seconds=SECONDS)
                rates[set_up].append(asyncio.run(busy))
    # Layers were decoded in the first round.
    publish(_report({name: found[1:] for name, found in rates.items()}), arguments.json)


def _start(stack: contextlib.ExitStack, folder: Path, set_up: SetUp) -> int:
    environment = {
        "RENDER_CATALOGUE": CATALOGUE,
        "RENDER_DATA": folder / f"data-{set_up.processes}-{set_up.threads}",
        "RENDER_WORKERS": set_up.processes,
        "RENDER_RENDER_THREADS": set_up.threads,
        "RENDER_QUEUE_S": 600,
        "RENDER_DEADLINE_S": 600,
        "MALLOC_ARENA_MAX": 2,
    }
    log = folder / f"service-{set_up.processes}-{set_up.threads}.log"
    name = f"the service, {set_up} threads"
    return stack.enter_context(run_service(environment, log, name=name)).port


def _report(rates: dict[SetUp, list[float]]) -> Report:
    over = {
        set_up: [one / other for one, other in zip(found, rates[ONE], strict=True)]
        for set_up, found in rates.items()
    }
    grown = median(over[TWO])
    met = "met" if grown >= GOAL else "missed"
    cores = len(os.sched_getaffinity(0))
    return Report(
        question="Do two processes draw twice as many distinct pictures as one?",
        method=__doc__ or "",
        machine=machine_facts("pyvips-binary", "uvicorn"),
        settings={
            "picture": f"{WIDTH_PX} px of the demo ring, WebP and AVIF in equal numbers",
            "requests under way": AT_ONCE,
            "seconds each": SECONDS,
            "rounds": len(rates[ONE]),
        },
        columns=("processes x render threads", "pictures/s", "over 1 x 1"),
        rows=tuple(
            (str(set_up), spread(found, 2), spread(over[set_up], 2))
            for set_up, found in rates.items()
        ),
        verdicts=(
            f"Goal: 2 processes at least {GOAL} times 1: {grown:.2f}: {met}. "
            f"The client is on the same {cores} cores.",
        ),
        charts=(
            Chart(
                title="Distinct pictures, over one process of one render thread",
                unit="times",
                bars=tuple(bar(str(set_up), found) for set_up, found in over.items()),
                goal=GOAL,
            ),
        ),
    )


if __name__ == "__main__":
    main()
