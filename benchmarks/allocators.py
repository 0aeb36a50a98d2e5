"""Which allocator holds least after a mixed load, and does it cost speed?

The rule: services of one process each, alike but for the variables that set the allocator up, which
it reads when a process starts; each is kept busy in turn within every round with the same pictures
in the same order, sizes and formats mixed, and one hit after every cold picture. What they keep on
purpose is small and full after the first round: what is left of the memory is the allocator's.
"""

import asyncio
import contextlib
import ctypes.util
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.client import keep_busy
from benchmarks.demo import demo_planner, distinct_paths
from benchmarks.memory import Held, read_held
from benchmarks.pictures import CATALOGUE
from benchmarks.report import (
    Bar,
    Cell,
    Chart,
    Report,
    machine_facts,
    parse_arguments,
    publish,
    spread,
)
from benchmarks.serving import Running, run_service
from render_service.formats import Format

AT_ONCE: Final = 8
SECONDS: Final = 5.0
WIDTHS_PX: Final = (160, 320, 640, 1080, 1600)

NOW: Final = "glibc, 2 arenas"
"""What `serve` sets for its workers."""

_ARENAS: Final[dict[str, object]] = {"MALLOC_ARENA_MAX": 2}
_MMAP: Final = 2**20
"""Blocks of this and more come from the kernel and go back to it: a layer, a canvas, a strip."""

_LIBRARIES: Final = {"jemalloc": "jemalloc", "mimalloc": "mimalloc"}

_BUDGETS: Final = {
    "RENDER_MEMORY_TIER_BYTES": 2 * 2**20,
    "RENDER_RASTER_CACHE_BYTES": 64 * 2**20,
    "RENDER_FILE_TIER_BYTES": 0,
    # Layers mapped from disk are resident, too, and no allocator's.
    "RENDER_RASTER_STORE_BYTES": 0,
    "RENDER_QUEUE_S": 600,
    "RENDER_DEADLINE_S": 600,
}


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments(__doc__ or "", rounds=5)
    set_ups = _set_ups()
    planner = demo_planner()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="allocators-")))
        running = {
            name: _start(stack, folder / str(number), name, variables)
            for number, (name, variables) in enumerate(set_ups.items())
        }
        paths = {
            name: _mixed(distinct_paths(planner, WIDTHS_PX, tuple(Format), seed=1))
            for name in running
        }
        rates: dict[str, list[float]] = {name: [] for name in running}
        names = list(running)
        for turn in range(arguments.rounds + 1):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                busy = keep_busy(running[name].port, paths[name], at_once=AT_ONCE, seconds=SECONDS)
                rates[name].append(asyncio.run(busy))
        held = {name: read_held(name, service.pid) for name, service in running.items()}
    # Caches were filled in the first round.
    publish(_report({name: r[1:] for name, r in rates.items()}, held), arguments.json)


def _set_ups() -> dict[str, dict[str, object]]:
    """Return the variables of every set-up, by its name; those that this machine has not, not."""
    found: dict[str, dict[str, object]] = {
        NOW: _ARENAS,
        "glibc as it is": {"MALLOC_ARENA_MAX": 8 * (os.cpu_count() or 1)},
        "glibc, 1 arena": {"MALLOC_ARENA_MAX": 1},
        "glibc, 2 arenas, mmap from 1 MiB, trim at 1 MiB": {
            **_ARENAS,
            "MALLOC_MMAP_THRESHOLD_": _MMAP,
            "MALLOC_TRIM_THRESHOLD_": _MMAP,
        },
        "glibc, 2 arenas, mmap and trim at 128 KiB, fixed": {
            **_ARENAS,
            "MALLOC_MMAP_THRESHOLD_": 2**17,
            "MALLOC_TRIM_THRESHOLD_": 2**17,
        },
    }
    for name, library in _LIBRARIES.items():
        file = ctypes.util.find_library(library)
        if file is not None:
            found[name] = {"LD_PRELOAD": file}
    if "jemalloc" in found:
        decay = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0"
        found["jemalloc, decay in 1 s"] = {**found["jemalloc"], "MALLOC_CONF": decay}
    return found


def _start(
    stack: contextlib.ExitStack, folder: Path, name: str, variables: dict[str, object]
) -> Running:
    folder.mkdir()
    environment = {
        "RENDER_CATALOGUE": CATALOGUE,
        "RENDER_DATA": folder / "data",
        "RENDER_WORKERS": 1,
        **_BUDGETS,
        **variables,
    }
    return stack.enter_context(run_service(environment, folder / "log", name=name))


def _mixed(cold: Iterator[str]) -> Iterator[str]:
    """A cold picture, and the same again."""
    for path in cold:
        yield path
        yield path


def _report(rates: dict[str, list[float]], held: dict[str, Held]) -> Report:
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            f"{held[name].peak_bytes / 1e6:.0f}",
            f"{held[name].end_bytes / 1e6:.0f}",
            held[name].end_bytes / held[NOW].end_bytes,
            spread(found, 2),
            median(one / now for one, now in zip(found, rates[NOW], strict=True)),
        )
        for name, found in rates.items()
    ]
    missing = [name for name in _LIBRARIES if name not in rates]
    least = min(held.values(), key=lambda one: one.end_bytes)
    fastest = max(rows, key=lambda row: float(row[-1]))
    return Report(
        question="Which allocator holds least after a mixed load, and does it cost speed?",
        method=__doc__ or "",
        machine=machine_facts("pyvips-binary", "numpy"),
        settings={
            "widths": " ".join(map(str, WIDTHS_PX)),
            "requests under way": AT_ONCE,
            "seconds each": SECONDS,
            "rounds": len(rates[NOW]),
            "memory tier": f"{_BUDGETS['RENDER_MEMORY_TIER_BYTES'] >> 20} MiB",
            "raster cache": f"{_BUDGETS['RENDER_RASTER_CACHE_BYTES'] >> 20} MiB",
            "not on this machine": ", ".join(missing) or "none",
        },
        columns=("allocator", "peak MB", "end MB", "end over now", "answers/s", "over now"),
        rows=tuple(rows),
        verdicts=(
            f"Least at the end: {least.name}, {least.end_bytes / 1e6:.0f} MB, where {NOW} has "
            f"{held[NOW].end_bytes / 1e6:.0f} MB. Fastest: {fastest[0]}, {fastest[-1]:.2f} of it.",
        ),
        charts=(
            Chart(
                title="Resident after a mixed load, and at the most (whisker)",
                unit="MB",
                bars=tuple(
                    Bar(
                        label=name,
                        value=one.end_bytes / 1e6,
                        low=one.end_bytes / 1e6,
                        high=one.peak_bytes / 1e6,
                    )
                    for name, one in held.items()
                ),
            ),
        ),
    )


if __name__ == "__main__":
    main()
