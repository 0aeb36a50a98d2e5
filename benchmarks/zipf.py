"""A Zipf mix near what the service can do, and at twice that: goodput, p99 of hits, refusals.

The rule: arrivals wait for nobody (an open loop), and the mix is the same in every phase: pictures
of the demo catalogue as the shopper model likes them (loadtests/), large and small as the page has
them. Memory is so small that it holds the popular ones alone, and there is no other tier: as in a
catalogue too large to be held, a share of what is asked for is always drawn anew.

Each round measures what the service can do with that mix (a closed loop), then 0.8 of it, then
twice of it, one after the other. The generator shares the machine; its share is in the table.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Final

import uvloop

from benchmarks.arrivals import CLASSES, Answered, Load, Phase
from benchmarks.mix import Mix
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.serving import run_service
from loadtests.asking import read_products, wait_until_quiet
from render_service.settings import MIB, Settings
from render_service.wiring import open_studio

NEAR: Final = 0.8
TWICE: Final = 2.0

HITS_MIN: Final = 200
"""In all rounds: of fewer, the 99th percentile is one or two of them."""

PHASES: Final = ("closed loop", f"at {NEAR}", f"at {TWICE:.0f}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=3, help="how often each phase is measured")
    parser.add_argument("--seconds", type=float, default=20, help="length of a phase")
    parser.add_argument("--warm-s", type=float, default=60, help="until memory is full")
    parser.add_argument("--memory-mib", type=int, default=16, help="of pictures, in each process")
    parser.add_argument("--seed", type=int, default=1, help="what is liked, and the order")
    arguments = parser.parse_args()
    rounds = uvloop.run(_rounds(arguments))
    publish(_report(arguments, rounds), arguments.json)


async def _rounds(arguments: argparse.Namespace) -> list[dict[str, Phase]]:
    with tempfile.TemporaryDirectory(prefix="zipf-") as data:
        environment: dict[str, object] = {
            "RENDER_CATALOGUE": CATALOGUE,
            "RENDER_DATA": data,
            "RENDER_MEMORY_TIER_BYTES": arguments.memory_mib * MIB,
            "RENDER_FILE_TIER_BYTES": 0,
            "RENDER_GRACEFUL_STOP_S": 1,
            "RENDER_LOG_LEVEL": "error",
        }
        with run_service(environment, Path(data) / "log") as running:
            url = f"http://127.0.0.1:{running.port}"
            wait_until_quiet(url)
            mix = Mix(read_products(url)[0], open_studio(Settings()).planner, arguments.seed)
            load = Load(running.port, mix.draw)
            await load.closed(arguments.warm_s)
            rounds = [await _round(load, arguments.seconds) for _ in range(arguments.rounds)]
            await load.close()
            return rounds


async def _round(load: Load, seconds: float) -> dict[str, Phase]:
    full = await load.closed(seconds)
    # What is drawn a second over what a request takes on average, hits included: they take nothing.
    # By cost, so that what was refused in the closed loop, if anything was, does not count as done.
    mean_ms = fmean(answer.cost_ms for answer in full.answers)
    if not (done := goodput(full, Settings().deadline_s)):
        raise RuntimeError("Nothing was drawn in time: this machine has other work.")
    per_s = done / mean_ms
    near = await load.open(NEAR * per_s, seconds)
    twice = await load.open(TWICE * per_s, seconds)
    return dict(zip(PHASES, (full, near, twice), strict=True))


def in_time(answers: Sequence[Answered], deadline_s: float) -> list[Answered]:
    """Return those that were answered with the picture within `deadline_s`."""
    return [a for a in answers if a.status == 200 and a.latency_ms <= 1000 * deadline_s]


def goodput(phase: Phase, deadline_s: float) -> float:
    """Return the milliseconds of expected cost that were drawn and answered in time, a second."""
    return sum(a.cost_ms for a in in_time(phase.answers, deadline_s)) / phase.lasted_s


def p99_ms(answers: Sequence[Answered]) -> float:
    """Return the 99th percentile of latency; 0 where there are fewer than two answers."""
    if len(answers) < 2:
        return 0.0
    return quantiles([a.latency_ms for a in answers], n=100, method="inclusive")[98]


def of_kind(phase: Phase, kind: str) -> list[Answered]:
    """Return the answers of one class that brought a picture."""
    return [a for a in phase.answers if a.kind == kind and a.status == 200]


def _rows(rounds: Sequence[dict[str, Phase]], deadline_s: float) -> Iterator[tuple[Cell, ...]]:
    for name in PHASES:
        phases = [of[name] for of in rounds]
        for kind in CLASSES:
            yield _row(f"{name}: {kind}", kind, phases, deadline_s)


def _row(title: str, kind: str, phases: Sequence[Phase], deadline_s: float) -> tuple[Cell, ...]:
    answers = [[a for a in phase.answers if a.kind == kind] for phase in phases]
    given = [of_kind(phase, kind) for phase in phases]
    latencies = [[a.latency_ms for a in of] or [0.0] for of in given]
    return (
        title,
        median(len(of) / phase.lasted_s for of, phase in zip(answers, phases, strict=True)),
        median(
            len(in_time(of, deadline_s)) / phase.lasted_s
            for of, phase in zip(answers, phases, strict=True)
        ),
        sum(len(of) - len(in_time(of, deadline_s)) for of in given),
        sum(a.status == 503 for of in answers for a in of),
        sum(a.status not in (200, 503) for of in answers for a in of),
        median(map(median, latencies)),
        median(map(p99_ms, given)),
        median(phase.generator for phase in phases),
    )


def _verdicts(rounds: Sequence[dict[str, Phase]], deadline_s: float) -> tuple[str, ...]:
    full, near, twice = PHASES
    drawn = {
        name: median(
            goodput(of[name], deadline_s) / max(1e-9, goodput(of[full], deadline_s))
            for of in rounds
        )
        for name in (near, twice)
    }
    refused = median(
        sum(a.status == 503 for a in of[twice].answers) / max(1, len(of[twice].answers))
        for of in rounds
    )
    return (
        f"Drawn in time, by cost: {drawn[near]:.2f} of what can be done at {NEAR} of it, and "
        f"{drawn[twice]:.2f} at {TWICE:.0f} times.",
        f"{_about_hits(rounds)} {100 * refused:.0f} % of all requests are refused there.",
    )


def _about_hits(rounds: Sequence[dict[str, Phase]]) -> str:
    _, near, twice = PHASES
    slow, slower = (
        [a for of in rounds for a in of_kind(of[name], "hit")] for name in (near, twice)
    )
    if min(len(slow), len(slower)) < HITS_MIN:
        return (
            f"{len(slow)} hits at {NEAR} and {len(slower)} at {TWICE:.0f} times are too few for a "
            f"p99: {HITS_MIN} are needed. More --seconds or --warm-s gives them."
        )
    ratio = p99_ms(slower) / p99_ms(slow)
    return f"The p99 of hits at {TWICE:.0f} times is {ratio:.2f} times that at {NEAR}."


def _report(arguments: argparse.Namespace, rounds: Sequence[dict[str, Phase]]) -> Report:
    settings = Settings()
    return Report(
        question="A Zipf mix near what the service can do, and at twice that.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary", "uvicorn", "uvloop"),
        settings={
            "processes": settings.workers,
            "render threads in each": settings.render_threads,
            "memory MiB in each": arguments.memory_mib,
            "queue_s": settings.queue_s,
            "deadline_s": settings.deadline_s,
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
            "seed": arguments.seed,
        },
        columns=(
            "phase: class",
            "asked a second",
            "in time a second",
            "late",
            "503",
            "other",
            "p50 ms",
            "p99 ms",
            "generator, cores",
        ),
        rows=tuple(_rows(rounds, settings.deadline_s)),
        verdicts=_verdicts(rounds, settings.deadline_s),
    )


if __name__ == "__main__":
    main()
