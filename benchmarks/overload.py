"""Does the service keep its promises at twice what it can do? Goodput, and the latency of hits.

The rule: real server processes, and arrivals that wait for nobody (an open loop): a request is sent
at its time whether or not the last was answered, and its latency counts from that time. Every
picture asked for is cold, and asked for once; hits are asked for at one steady rate beside them.

Each round measures what the service can do (a closed loop, always something waiting), then half of
that, then twice that, one after the other. The figure is the median over rounds. The generator
shares the machine; its own share of the processor is in the table.
"""

import argparse
import asyncio
import itertools
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import uvloop
from msgspec import Struct

from benchmarks.asking import Client
from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.serving import run_service
from render_service.formats import Format
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.planning.planner import PlannedImage
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import build_image_path
from render_service.rendering.cost import work_of
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters
from render_service.settings import Settings
from render_service.wiring import open_studio

GOODPUT_GOAL: Final = 0.9
HITS_GOAL: Final = 3.0
HITS_A_SECOND: Final = 50
BUSY: Final = 12
"""Requests at once while capacity is measured: three for each render thread of two processes."""

RAMP_S: Final = 3.0
"""Not measured at the start of each phase: the line fills, or empties."""

FORMATS: Final = (Format.AVIF, Format.WEBP, Format.AVIF, Format.WEBP, Format.JPEG)


class Picture(Struct, frozen=True, kw_only=True):
    """A picture to ask for, and what it is expected to take: drawing and encoding, no layers."""

    path: str
    cost_ms: float


class Answer(Struct, frozen=True, kw_only=True):
    """What came of one request."""

    cost_ms: float
    status: int
    latency_s: float
    at_s: float


class Phase(Struct, frozen=True, kw_only=True):
    """What one phase measured: cost answered in time for each second, latency of hits, the rest."""

    goodput: float
    hits_ms: tuple[float, ...]
    statuses: dict[int, int]
    late: int
    generator: float

    @property
    def p99_ms(self) -> float:
        """Of the hits."""
        return quantiles(self.hits_ms, n=100)[98]


class Load:
    """Asks a server of `port` for cold pictures and for hits."""

    def __init__(
        self, port: int, cold: Iterator[Picture], hot: list[str], deadline_s: float
    ) -> None:
        self._port, self._cold, self._hot, self._deadline_s = port, cold, hot, deadline_s
        self._random = random.Random(1)  # noqa: S311  # the same arrivals in every run

    async def capacity(self, duration_s: float) -> Phase:
        """Keep the server busy: as many at once as there are, and no more."""
        answers: list[Answer] = []
        ends_s = time.perf_counter() + RAMP_S + duration_s

        async def stay(client: Client) -> None:
            while time.perf_counter() < ends_s:
                await self._ask(client, next(self._cold), answers)

        async with Client(self._port) as client:
            asking = [asyncio.create_task(stay(client)) for _ in range(BUSY)]
            return await self._measure(duration_s, answers, asking)

    async def arrivals(self, per_s: float, duration_s: float) -> Phase:
        """Let pictures of `per_s` milliseconds of cost arrive each second, at random instants."""
        answers, asked = list[Answer](), set[asyncio.Task[None]]()

        async def arrive(client: Client) -> None:
            at_s = time.perf_counter()
            ends_s = at_s + RAMP_S + duration_s
            while at_s < ends_s:
                picture = next(self._cold)
                # The mean gap is the picture's own cost over the rate, so cost arrives evenly.
                at_s += self._random.expovariate(1.0) * picture.cost_ms / per_s
                await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
                asked.add(asyncio.create_task(self._ask(client, picture, answers, at_s)))

        async with Client(self._port) as client:
            asking = [asyncio.create_task(arrive(client))]
            phase = await self._measure(duration_s, answers, asking)
            await asyncio.gather(*asked)
        return phase

    async def warm(self) -> None:
        """Have every process hold the hits: through as many connections as it takes."""
        for _ in range(20):
            async with Client(self._port) as client:
                await asyncio.gather(*(client.get(path) for path in self._hot))

    async def _ask(
        self, client: Client, picture: Picture, answers: list[Answer], at_s: float | None = None
    ) -> None:
        asked_s = time.perf_counter() if at_s is None else at_s
        status = (await client.get(picture.path)).status
        now_s = time.perf_counter()
        answers.append(
            Answer(cost_ms=picture.cost_ms, status=status, latency_s=now_s - asked_s, at_s=now_s)
        )

    async def _measure(
        self, duration_s: float, answers: list[Answer], asking: list[asyncio.Task[None]]
    ) -> Phase:
        hits: list[float] = []
        await asyncio.sleep(RAMP_S)
        started_s, used_s = time.perf_counter(), _processor_s()
        await self._hits(duration_s, hits)
        ended_s = time.perf_counter()
        generator = (_processor_s() - used_s) / (ended_s - started_s)
        counted = [answer for answer in answers if started_s <= answer.at_s < ended_s]
        await asyncio.gather(*asking)
        good = [a for a in counted if a.status == 200 and a.latency_s <= self._deadline_s]
        return Phase(
            goodput=sum(answer.cost_ms for answer in good) / (ended_s - started_s),
            hits_ms=tuple(hits),
            statuses=dict(Counter(answer.status for answer in counted)),
            late=sum(a.status == 200 for a in counted) - len(good),
            generator=generator,
        )

    async def _hits(self, duration_s: float, taken_ms: list[float]) -> None:
        asked, began_s = set[asyncio.Task[None]](), time.perf_counter()

        async def hit(client: Client, path: str, at_s: float) -> None:
            await client.get(path)
            taken_ms.append(1000 * (time.perf_counter() - at_s))

        async with Client(self._port) as client:
            for number in range(int(duration_s * HITS_A_SECOND)):
                at_s = began_s + number / HITS_A_SECOND
                await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
                path = self._random.choice(self._hot)
                asked.add(asyncio.create_task(hit(client, path, at_s)))
            await asyncio.gather(*asked)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=3, help="how often each phase is measured")
    parser.add_argument("--seconds", type=float, default=15, help="length of a phase")
    parser.add_argument("--workers", type=int, default=2, help="server processes")
    parser.add_argument(
        "--nice", type=int, nargs="+", default=[10, 0], help="niceness of render threads to compare"
    )
    arguments = parser.parse_args()
    rows: list[tuple[Cell, ...]] = []
    verdicts: list[str] = []
    for nice in arguments.nice:
        rounds = uvloop.run(_rounds(arguments, nice))
        rows += [_row(nice, name, [r[name] for r in rounds]) for name in rounds[0]]
        verdicts += _verdicts(nice, rounds)
    publish(_report(arguments, rows, verdicts), arguments.json)


async def _rounds(arguments: argparse.Namespace, nice: int) -> list[dict[str, Phase]]:
    settings = Settings()
    cold, hot = _pictures(settings)
    with _server(arguments.workers, nice) as port:
        load = Load(port, cold, hot, settings.deadline_s)
        await load.warm()
        # The layers of the ring are decoded once, in every process.
        await load.capacity(arguments.seconds)
        rounds = []
        for _ in range(arguments.rounds):
            full = await load.capacity(arguments.seconds)
            half = await load.arrivals(full.goodput / 2, arguments.seconds)
            twice = await load.arrivals(full.goodput * 2, arguments.seconds)
            rounds.append({"closed loop": full, "half": half, "twice": twice})
        return rounds


def _pictures(settings: Settings) -> tuple[Iterator[Picture], list[str]]:
    """Cold pictures of one ring in every metal, gem and size, each once; and the hits."""
    studio = open_studio(settings)
    planner, rasters = studio.planner, Rasters(budget_bytes=0)
    composition = planner.catalogue.composition("solitaire-ring")
    seen: dict[str, Picture] = {}
    for view, metal, gem, background in itertools.product(
        composition.views.values(),
        composition.options["metal"].ids,
        composition.options["gem"].ids,
        composition.options["background"].ids,
    ):
        selection = (("metal", metal), ("gem", gem), ("background", background))
        for width_px, file_format in itertools.product(offered_widths(view.width_px), FORMATS[1:]):
            if background == "transparent" and file_format is Format.JPEG:
                continue
            request = RenderRequest(
                composition=composition.id,
                view=view.id,
                region=None,
                selection=selection,
                width_px=width_px,
                format=file_format,
            )
            planned = planner.plan(request)
            seen[planned.key] = price(planned, rasters)
    pictures = list(seen.values())
    random.Random(2).shuffle(pictures)  # noqa: S311  # the same order in every run
    return iter(pictures[20:]), [picture.path for picture in pictures[:20]]


def price(planned: PlannedImage, rasters: Rasters) -> Picture:
    """Return a planned picture with what the service would expect it to take."""
    layers = Layers(rasters, planned.plan.placements, frame_of(planned.plan), DecodeLimits())
    return Picture(
        path=build_image_path(planned.image), cost_ms=work_of(planned.plan, layers).own_ms
    )


@contextmanager
def _server(workers: int, nice: int) -> Iterator[int]:
    """The service as it is run, with an empty data folder; its port."""
    with tempfile.TemporaryDirectory() as data:
        environment = {
            "RENDER_CATALOGUE": CATALOGUE,
            "RENDER_DATA": data,
            "RENDER_WORKERS": workers,
            "RENDER_RENDER_NICE": nice,
            "RENDER_GRACEFUL_STOP_S": 1,
            "RENDER_LOG_LEVEL": "error",
        }
        with run_service(environment, Path(data) / "log") as running:
            yield running.port


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _row(nice: int, name: str, phases: list[Phase]) -> tuple[Cell, ...]:
    statuses = sum((Counter(phase.statuses) for phase in phases), Counter[int]())
    return (
        f"{name}, nice {nice}",
        round(median(phase.goodput for phase in phases)),
        statuses[200],
        statuses[503],
        sum(statuses.values()) - statuses[200] - statuses[503],
        sum(phase.late for phase in phases),
        median(median(phase.hits_ms) for phase in phases),
        median(phase.p99_ms for phase in phases),
        median(phase.generator for phase in phases),
    )


def _verdicts(nice: int, rounds: list[dict[str, Phase]]) -> Iterator[str]:
    goodput = median(r["twice"].goodput / r["closed loop"].goodput for r in rounds)
    hits = median(r["twice"].p99_ms / r["half"].p99_ms for r in rounds)
    yield (
        f"nice {nice}: goodput at twice the capacity is {goodput:.2f} of it (goal {GOODPUT_GOAL}); "
        f"the p99 of hits is {hits:.2f} times that at half of it (goal {HITS_GOAL:.0f})."
    )


def _report(
    arguments: argparse.Namespace, rows: list[tuple[Cell, ...]], verdicts: list[str]
) -> Report:
    return Report(
        question="Goodput and the latency of hits at twice the capacity.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary", "uvicorn", "uvloop"),
        settings={
            "processes": arguments.workers,
            "render threads in each": Settings().render_threads,
            "queue_s": Settings().queue_s,
            "deadline_s": Settings().deadline_s,
            "hits a second": HITS_A_SECOND,
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
        },
        columns=(
            "phase",
            "goodput, cost ms/s",
            "200",
            "503",
            "other",
            "late",
            "hit p50 ms",
            "hit p99 ms",
            "generator, cores",
        ),
        rows=tuple(rows),
        verdicts=tuple(verdicts),
    )


if __name__ == "__main__":
    main()
