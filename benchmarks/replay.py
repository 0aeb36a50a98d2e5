"""Is the picture of a click already drawn when it is asked for, and how long until it is there?

Sessions of the shopper model (loadtests/shoppers.py) against a real service that has drawn nothing,
with a Valkey, as `make run` has it: `resolve` at every click, then the pictures it names, as the
page asks for them. The rule: think times are kept, so what is idle in between is what would be;
only the number of shoppers at once is chosen, and stated. They arrive at random, and wait for
nobody.

Three ways, one after the other: without drawing ahead; with it; and with a page that preloads the
neighbours it is told of, too. The generator shares the machine.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Final
from urllib.parse import urlsplit

import uvloop
from msgspec import Struct

from benchmarks.asking import Client
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.serving import run_service
from benchmarks.sessions import Look, Session, Way
from benchmarks.used import Used, read_used
from loadtests.asking import read_products, wait_until_quiet
from loadtests.shoppers import Kind, Population
from render_service.settings import Settings

GOAL_PERCENT: Final = 95.0
"""Clicks whose picture is there already, with drawing ahead: the goal."""

SESSIONS: Final = 400

AT_ONCE: Final = 8
"""Shoppers there at once: with the model's 4 s between clicks, two clicks a second."""

OPTIONS: Final = (Kind.CLICK, Kind.TAKE)


class Outcome(Struct, frozen=True, kw_only=True):
    """What one way came to.

    Attributes:
        looks: Every step.
        took_s: From the first session to the end of the last.
        used: What the service used meanwhile.
    """

    looks: tuple[Look, ...]
    took_s: float
    used: Used


async def replay(url: str, way: Way, sessions: int, at_once: float, seed: int) -> Outcome:
    """Send `sessions` shoppers to the service at `url`, of whom `at_once` are there on average."""
    population = Population(read_products(url), seed)
    # How long a session lasts is known from the model: dwell times do not depend on the service.
    lasting_s = fmean(_lasting_s(population, number) for number in range(sessions))
    chance = random.Random(f"arrivals/{seed}")  # noqa: S311  # no secret
    async with Client(urlsplit(url).port or 80) as client:
        shopping = [
            Session(client, population.shopper(number), number, way) for number in range(sessions)
        ]
        used, began_s = read_used(url), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for session in shopping:
                group.create_task(session.run())
                await asyncio.sleep(chance.expovariate(at_once / lasting_s))
        took_s = time.perf_counter() - began_s
    looks = tuple(look for session in shopping for look in session.looks)
    return Outcome(looks=looks, took_s=took_s, used=read_used(url).since(used))


def _lasting_s(population: Population, number: int) -> float:
    shopper = population.shopper(number)
    steps = [shopper.first_step(), *iter(shopper.next_step, None)]
    return sum(step.dwell_s for step in steps if step is not None)


def main() -> None:
    """Replay, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=1, help="each with other shoppers")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="in each way and round")
    parser.add_argument("--at-once", type=float, default=AT_ONCE, help="shoppers, on average")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument(
        "--ways", type=Way, nargs="+", choices=list(Way), default=list(Way), help="to compare"
    )
    arguments = parser.parse_args()
    ways = arguments.ways
    outcomes: dict[Way, list[Outcome]] = {way: [] for way in ways}
    for number in range(arguments.rounds):
        for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
            outcomes[way].append(_run(way, arguments, number))
    publish(_report(arguments, outcomes, _verdicts(outcomes)), arguments.json)


def _run(way: Way, arguments: argparse.Namespace, number: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="replay-") as data:
        environment: dict[str, object] = {
            "RENDER_CATALOGUE": CATALOGUE,
            "RENDER_DATA": data,
            "RENDER_AHEAD": 0 if way is Way.WITHOUT else Settings().ahead,
            "RENDER_REDIS_URL": "embedded",
            "RENDER_GRACEFUL_STOP_S": 1,
            "RENDER_LOG_LEVEL": "error",
        }
        with run_service(environment, Path(data) / "log") as running:
            url = f"http://127.0.0.1:{running.port}"
            wait_until_quiet(url)
            seed = arguments.seed + number
            return uvloop.run(replay(url, way, arguments.sessions, arguments.at_once, seed))


def there_percent(looks: Sequence[Look]) -> float:
    """Return the share of `looks` whose picture was in the browser or held by the service."""
    return 100 * fmean(look.source in ("browser", "held") for look in looks) if looks else 0.0


def held_percent(looks: Sequence[Look]) -> float:
    """Return the share of the pictures that the service was asked for, and held."""
    return there_percent([look for look in looks if look.source != "browser"])


def clicks_of(outcome: Outcome) -> list[Look]:
    """Return what came of the clicks on options, in the order of the sessions."""
    return [look for look in outcome.looks if look.kind in OPTIONS]


def _row(way: Way, outcomes: Sequence[Outcome]) -> tuple[Cell, ...]:
    clicks = [clicks_of(outcome) for outcome in outcomes]
    percentiles = [
        quantiles([c.latency_ms for c in of], n=100, method="inclusive") for of in clicks
    ]
    small = [
        100 * sum(c.small_held for c in outcome.looks) / max(1, sum(c.small for c in outcome.looks))
        for outcome in outcomes
    ]
    quarter = [max(1, len(of) // 4) for of in clicks]
    return (
        str(way),
        sum(map(len, clicks)),
        median(map(there_percent, clicks)),
        median(there_percent(of[:n]) for of, n in zip(clicks, quarter, strict=True)),
        median(there_percent(of[-n:]) for of, n in zip(clicks, quarter, strict=True)),
        median(map(held_percent, clicks)),
        median(small),
        sum(look.source == "refused" for outcome in outcomes for look in outcome.looks),
        median(at[49] for at in percentiles),
        median(at[94] for at in percentiles),
        round(median(outcome.used.renders for outcome in outcomes)),
        median(outcome.used.processor_s / outcome.took_s for outcome in outcomes),
    )


def _verdicts(outcomes: dict[Way, list[Outcome]]) -> list[str]:
    said = []
    for way, of in outcomes.items():
        there = median(there_percent(clicks_of(outcome)) for outcome in of)
        goal = "" if way is Way.WITHOUT else f" (goal {GOAL_PERCENT:.0f} %)"
        said.append(f"{way}: the picture of {there:.1f} % of clicks is already there{goal}.")
    return said


def _report(
    arguments: argparse.Namespace, outcomes: dict[Way, list[Outcome]], verdicts: Sequence[str]
) -> Report:
    took_s = [outcome.took_s for of in outcomes.values() for outcome in of]
    clicks = sum(len(clicks_of(outcome)) for of in outcomes.values() for outcome in of)
    return Report(
        question="Is the picture of a click already drawn, and how long until it is there?",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary", "uvicorn", "uvloop"),
        settings={
            "sessions": arguments.sessions,
            "shoppers at once": arguments.at_once,
            "clicks a second": round(clicks / sum(took_s), 2),
            "minutes of each way": round(median(took_s) / 60, 1),
            "rounds": arguments.rounds,
            "seed": arguments.seed,
            "ahead": Settings().ahead,
            "processes": Settings().workers,
            "render threads in each": Settings().render_threads,
        },
        columns=(
            "way",
            "clicks",
            "already there, %",
            "first quarter, %",
            "last quarter, %",
            "of those asked for, %",
            "small pictures, %",
            "refused",
            "click to picture p50 ms",
            "p95 ms",
            "drawn",
            "service, cores",
        ),
        rows=tuple(_row(way, of) for way, of in outcomes.items()),
        verdicts=tuple(verdicts),
    )


if __name__ == "__main__":
    main()
