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
import json
import random
import tempfile
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop
from msgspec import Struct

from benchmarks.client import Answer, Client
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.serving import run_service
from benchmarks.used import Used, read_used
from loadtests.asking import COMPOSITIONS, read_products, wait_until_quiet
from loadtests.shoppers import Kind, Population, Shopper, Step
from render_service.settings import Settings

GOAL_PERCENT: Final = 95.0
"""Clicks whose picture is there already, with drawing ahead: the goal of the issue."""

SESSIONS: Final = 400

AT_ONCE: Final = 8
"""Shoppers there at once: with the model's 4 s between clicks, two clicks a second."""

OPTIONS: Final = (Kind.CLICK, Kind.TAKE)


class Way(StrEnum):
    """How what comes next is seen to."""

    WITHOUT = "without"
    AHEAD = "drawn ahead"
    PRELOADED = "drawn ahead, preloaded"


class Look(Struct, frozen=True, kw_only=True):
    """What came of one step of a session.

    Attributes:
        kind: The step.
        source: `browser`: it had the picture; `held`: the service had; `waited`: it had not;
            `refused`: there was none.
        small_held: Of the small pictures that were asked for, those the service had.
        small: How many of these were asked for.
        latency_ms: From the step until the large picture was there.
        number: Of the session.
    """

    kind: Kind
    source: str
    small_held: int
    small: int
    latency_ms: float
    number: int


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


class Session:
    """One shopper in a browser that keeps what it was sent."""

    def __init__(self, client: Client, shopper: Shopper, number: int, way: Way) -> None:
        self._client, self._shopper, self._number, self._way = client, shopper, number, way
        self._held = set[str]()
        self._preloading = set[asyncio.Task[None]]()
        self._resolved: dict[str, Any] = {}
        self.looks: list[Look] = []

    async def run(self) -> None:
        """Live through it."""
        step: Step | None = self._shopper.first_step()
        while step is not None:
            await asyncio.sleep(step.dwell_s)
            step = await self._follow(step) or self._shopper.next_step()
        await self._give_up_preloading()

    async def _follow(self, step: Step) -> Step | None:
        clicked_s = time.perf_counter()
        # As the page does: what may come next gives way to what was asked for.
        await self._give_up_preloading()
        if step.kind is not Kind.TURN:
            asked = self._shopper.asks(step, hints=self._way is not Way.WITHOUT)
            path = f"{COMPOSITIONS}/{self._shopper.product.id}/resolve"
            answer = await self._client.post(path, json.dumps(asked).encode())
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {answer.body.decode()}")
            self._resolved = json.loads(answer.body)
            if not self._resolved["valid"]:
                return self._shopper.take(self._resolved["nearest"])
        large, *small = self._shopper.looks_at(self._resolved["images"], step)
        wanted = [url for url in small if url not in self._held]
        others = asyncio.gather(*(self._fetch(url) for url in wanted))
        source = await self._see(large)
        latency_ms = 1000 * (time.perf_counter() - clicked_s)
        seen = await others
        self.looks.append(
            Look(
                kind=step.kind,
                source=source,
                small_held=sum(answer.was_held for answer in seen),
                small=len(seen),
                latency_ms=latency_ms,
                number=self._number,
            )
        )
        if self._way is Way.PRELOADED:
            self._preload()
        return None

    async def _see(self, url: str) -> str:
        if url in self._held:
            return "browser"
        answer = await self._fetch(url)
        if answer.status != 200:
            return "refused"
        return "held" if answer.was_held else "waited"

    async def _fetch(self, url: str) -> Answer:
        answer = await self._client.get(urlsplit(url).path, self._shopper.browser.accept)
        if answer.status == 200:
            self._held.add(url)
        elif answer.status != 503:
            raise RuntimeError(f"{url} answered {answer.status}: {answer.body.decode()}")
        return answer

    def _preload(self) -> None:
        async def fetch(url: str) -> None:
            await self._fetch(url)

        for url in self._shopper.preloads(self._resolved["neighbours"]):
            if url not in self._held:
                self._preloading.add(asyncio.create_task(fetch(url)))

    async def _give_up_preloading(self) -> None:
        for task in self._preloading:
            task.cancel()
        ended = await asyncio.gather(*self._preloading, return_exceptions=True)
        self._preloading.clear()
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def replay(url: str, way: Way, sessions: int, at_once: float, seed: int) -> Outcome:
    """Send `sessions` shoppers to the service at `url`, of whom `at_once` are there on average."""
    population = Population(read_products(url), seed)
    # How long a session lasts is known from the model: dwell times do not depend on the service.
    lasting_s = fmean(_lasting_s(population, number) for number in range(sessions))
    chance = random.Random(f"arrivals/{seed}")  # noqa: S311  # no secret
    client = Client(urlsplit(url).port or 80)
    shopping = [
        Session(client, population.shopper(number), number, way) for number in range(sessions)
    ]
    used, began_s = read_used(url), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for session in shopping:
            group.create_task(session.run())
            await asyncio.sleep(chance.expovariate(at_once / lasting_s))
    took_s = time.perf_counter() - began_s
    client.close()
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
    arguments = parser.parse_args()
    draws_ahead = hasattr(Settings(), "ahead")
    ways = list(Way) if draws_ahead else [Way.WITHOUT]
    outcomes: dict[Way, list[Outcome]] = {way: [] for way in ways}
    for number in range(arguments.rounds):
        for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
            outcomes[way].append(_run(way, arguments, number))
    verdicts = _verdicts(outcomes) if draws_ahead else ["This service does not draw ahead."]
    publish(_report(arguments, outcomes, verdicts), arguments.json)


def _run(way: Way, arguments: argparse.Namespace, number: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="replay-") as data:
        environment: dict[str, object] = {
            "RENDER_CATALOGUE": CATALOGUE,
            "RENDER_DATA": data,
            "RENDER_REDIS_URL": "embedded",
            "RENDER_GRACEFUL_STOP_S": 1,
            "RENDER_LOG_LEVEL": "error",
        }
        if way is Way.WITHOUT and hasattr(Settings(), "ahead"):
            environment["RENDER_AHEAD"] = 0
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
            "ahead": getattr(Settings(), "ahead", 0),
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
