"""Does drawing ahead delay anybody? Hits and cold pictures, with it and without.

The rule: two services that differ in `RENDER_AHEAD` alone take the same load in turn, so that what
the machine does besides falls on both. A phase begins when the other service has drawn all that it
guessed. Cold pictures arrive at random instants whether or not the last was answered (latency
counts from then); only those are compared that were drawn for the request. What was there already
is the gain, and in a column of its own. Every phase is followed by minutes of waiting: twenty
pictures leave hundreds of guesses to draw. Four rounds take a quarter of an hour or more.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import uvloop
from msgspec import Struct

from benchmarks.asking import Answer, Client
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.serving import run_service
from render_service.formats import Format
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path
from render_service.settings import Settings
from render_service.wiring import open_studio

AHEAD: Final = Settings().ahead
HITS_A_SECOND: Final = 50
COLD_EACH_S: Final = 0.8
"""Between two cold pictures, in the mean: two cores are idle for most of it, so there is room to
draw ahead, and most cold pictures come while something is drawn."""

WIDTHS_PX: Final = (480, 640)
BACKGROUNDS: Final = ("studio", "white")
FORMATS: Final = (Format.WEBP, Format.AVIF)
LAYERS: Final = 48
"""One metal in every gem, background, view and width: the layers of all pictures that are asked
for, which take a second each to decode and are none of what is asked here."""

HOT: Final = 20
"""Pictures that hits are asked of."""

GOAL: Final = 1.1
"""The medians with drawing ahead may be this many times those without."""

QUIET_S: Final = 3.0
"""Nothing was drawn ahead for so long, as layers take to be decoded: all is drawn."""


class Phase(Struct, frozen=True, kw_only=True):
    """What one phase measured; `cold_ms` by path, of those drawn for the request."""

    hits_ms: list[float]
    cold_ms: dict[str, float]
    found: int
    refused: int


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=4, help="how often each service is asked")
    parser.add_argument("--seconds", type=float, default=20, help="length of a phase")
    parser.add_argument("--workers", type=int, default=2, help="processes of each service")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = {
            ahead: stack.enter_context(_serve(Path(folder), ahead, arguments.workers))
            for ahead in (AHEAD, 0)
        }
        phases = uvloop.run(_rounds(ports, arguments.rounds, arguments.seconds))
    publish(_report(arguments, phases), arguments.json)


@contextlib.contextmanager
def _serve(folder: Path, ahead: int, workers: int) -> Iterator[int]:
    environment = {
        "RENDER_CATALOGUE": CATALOGUE,
        "RENDER_DATA": folder / str(ahead),
        "RENDER_WORKERS": workers,
        "RENDER_AHEAD": ahead,
        "RENDER_GRACEFUL_STOP_S": 1,
        "RENDER_LOG_LEVEL": "error",
    }
    with run_service(environment, folder / f"{ahead}.log") as running:
        yield running.port


async def _rounds(ports: dict[int, int], rounds: int, duration_s: float) -> dict[int, list[Phase]]:
    paths = _paths()
    first = list(itertools.islice(paths, LAYERS))
    hot = first[:HOT]
    for port in ports.values():
        await _warm(port, first)
    phases: dict[int, list[Phase]] = {ahead: [] for ahead in ports}
    for number in range(rounds):
        # The same pictures for both, and another first each time.
        cold = list(itertools.islice(paths, int(2 * duration_s / COLD_EACH_S)))
        for ahead in sorted(ports, reverse=bool(number % 2)):
            for port in ports.values():
                await _settle(port)
            phases[ahead].append(await _phase(ports[ahead], cold, hot, duration_s, seed=number))
    return phases


def _paths() -> Iterator[str]:
    """Pictures of one ring, each once: first those whose layers are all that any of them has."""
    planner = open_studio(Settings(), Path(CATALOGUE)).planner
    ring = planner.catalogue.composition("solitaire-ring")
    metals, gems = ring.options["metal"].ids, ring.options["gem"].ids
    found = [
        build_image_path(
            planner.plan(
                RenderRequest(
                    composition=ring.id,
                    view=view,
                    region=None,
                    selection=(("metal", metal), ("gem", gem), ("background", background)),
                    width_px=width_px,
                    format=file_format,
                )
            ).image
        )
        for metal in metals
        for file_format in FORMATS
        for gem in gems
        for background in BACKGROUNDS
        for view in ring.views
        for width_px in WIDTHS_PX
    ]
    rest = found[LAYERS:]
    random.Random(3).shuffle(rest)  # noqa: S311  # the same order in every run
    return iter([*found[:LAYERS], *rest])


async def _warm(port: int, first: Sequence[str]) -> None:
    """Have every process hold the hits and the layers: through as many connections as it takes."""
    for path in first:
        await _ask(port, path)
    for _ in range(10):
        await asyncio.gather(*(_ask(port, path) for path in first[:HOT]))


async def _settle(port: int) -> None:
    """Wait until a service draws nothing ahead any more."""
    made, seen_s = -1.0, time.perf_counter()
    while time.perf_counter() - seen_s < QUIET_S:
        text = (await _ask(port, "/metrics")).body.decode()
        lines = [line for line in text.splitlines() if line.startswith("render_service_ahead")]
        now = sum(float(line.rpartition(" ")[2]) for line in lines)
        if now != made:
            made, seen_s = now, time.perf_counter()
        await asyncio.sleep(0.1)


async def _phase(
    port: int, cold: Sequence[str], hot: Sequence[str], duration_s: float, *, seed: int
) -> Phase:
    chance = random.Random(seed)  # noqa: S311  # the same instants for both services
    gaps = iter(lambda: chance.expovariate(1 / COLD_EACH_S), None)
    began_s = time.perf_counter()

    async def ask(path: str, at_s: float) -> tuple[str, Answer, float]:
        answer = await _ask(port, path)
        return path, answer, 1000 * (time.perf_counter() - at_s)

    async def arrive(
        paths: Iterator[str], gaps: Iterator[float]
    ) -> list[tuple[str, Answer, float]]:
        at_s, asked = began_s, []
        for path, gap_s in zip(paths, gaps, strict=False):
            at_s += gap_s
            if at_s > began_s + duration_s:
                break
            await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
            asked.append(asyncio.create_task(ask(path, at_s)))
        return await asyncio.gather(*asked)

    answers, hits = await asyncio.gather(
        arrive(iter(cold), gaps),
        arrive(itertools.cycle(hot), itertools.repeat(1 / HITS_A_SECOND)),
    )
    return Phase(
        hits_ms=[taken_ms for _, _, taken_ms in hits],
        cold_ms={
            path: taken_ms
            for path, answer, taken_ms in answers
            if answer.status == 200 and not answer.was_held
        },
        found=sum(answer.was_held for _, answer, _ in answers),
        refused=sum(answer.status != 200 for _, answer, _ in answers),
    )


async def _ask(port: int, path: str) -> Answer:
    """The answer on a connection of its own, so that every process has its share of them."""
    async with Client(port) as client:
        return await client.get(path)


def _report(arguments: argparse.Namespace, phases: dict[int, list[Phase]]) -> Report:
    rows: list[tuple[Cell, ...]] = [
        (
            f"ahead {ahead}",
            sum(len(phase.hits_ms) for phase in found),
            median(median(phase.hits_ms) for phase in found),
            median(quantiles(phase.hits_ms, n=100)[98] for phase in found),
            sum(len(phase.cold_ms) for phase in found),
            median(median(phase.cold_ms.values()) for phase in found),
            median(quantiles(phase.cold_ms.values(), n=20)[18] for phase in found),
            sum(phase.found for phase in found),
            sum(phase.refused for phase in found),
        )
        for ahead, found in phases.items()
    ]
    pairs = list(zip(phases[AHEAD], phases[0], strict=True))
    ratios = {
        "hits": median(median(one.hits_ms) / median(other.hits_ms) for one, other in pairs),
        # Of the same pictures: what was found ahead is not among them, and was not the heaviest.
        "cold pictures": median(
            taken_ms / other.cold_ms[path]
            for one, other in pairs
            for path, taken_ms in one.cold_ms.items()
            if path in other.cold_ms
        ),
    }
    return Report(
        question="Hits and cold pictures, while the next click is drawn ahead and while not.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary", "uvicorn", "uvloop"),
        settings={
            "processes of each": arguments.workers,
            "hits a second": HITS_A_SECOND,
            "seconds between cold pictures": COLD_EACH_S,
            "widths, pixels": ", ".join(map(str, WIDTHS_PX)),
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
        },
        columns=(
            *("service", "hits", "hit p50 ms", "hit p99 ms"),
            *("drawn", "drawn p50 ms", "drawn p95 ms", "found ahead", "refused"),
        ),
        rows=tuple(rows),
        verdicts=tuple(
            f"{name}: {ratio:.2f} times as long with drawing ahead as without (goal {GOAL})."
            for name, ratio in ratios.items()
        ),
    )


if __name__ == "__main__":
    main()
