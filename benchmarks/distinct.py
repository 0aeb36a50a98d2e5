"""How many distinct configurations a second does a server draw: ours, and four others?

Six layers of 2048 px are laid over one another, at 512 and 1024 px, as WebP and as AVIF. The rule:
one client asks all servers in the same way, one after the other within every round, on one machine;
no picture is asked for twice; before anything is measured every server has had every layer once.

Equal work: the pictures are compared with ours before encoding, and each server's files with its
own picture before encoding, by SSIMULACRA2 (the `ssimulacra2` package); bytes are beside it. The
others get layers that have their colour already; ours are painted. Ours runs as `serve` does, one
process for each core, and stores what it draws on disk, as no other does.
"""

import argparse
import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from ssimulacra2 import compute_ssimulacra2

from benchmarks.client import ask_all, keep_busy
from benchmarks.peers import install, servers
from benchmarks.peers.art import (
    CHOICES,
    Art,
    Configuration,
    configurations,
    make_art,
    our_path,
)
from benchmarks.peers.servers import Peer
from benchmarks.report import Cell, Chart, Report, bar, machine_facts, publish, spread
from benchmarks.serving import OURS, run_service
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner

GOALS: Final = {
    "sharp, layers decoded": 6.0,
    "sharp, layers kept raw": 2.0,
    "thumbor": 10.0,
    "Pillow": 10.0,
}
"""Ours over theirs."""

SIDES_PX: Final = (512, 1024)
FORMATS: Final = (Format.WEBP, Format.AVIF)
AT_ONCE: Final = 2 * servers.CORES
"""Requests under way: while one is sent and read, another is drawn on each core."""

PATIENT: Final = {"RENDER_QUEUE_S": 600, "RENDER_DEADLINE_S": 600}
"""The others let everybody wait for ever; so does ours, here."""

JUDGED: Final = 2
"""Configurations whose pictures are scored."""


class Case(NamedTuple):
    """What is asked for in one table."""

    side_px: int
    format: Format

    def __str__(self) -> str:
        return f"{self.side_px} px {self.format}"


CASES: Final = tuple(Case(*case) for case in itertools.product(SIDES_PX, FORMATS))


class Quality(NamedTuple):
    """What a server's files are like: medians over the configurations judged.

    Attributes:
        score: SSIMULACRA2 of the file against the server's own picture, losslessly.
        size_bytes: Of the file.
        likeness: SSIMULACRA2 of the server's own picture against ours, both losslessly.
    """

    score: float
    size_bytes: float
    likeness: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="each is kept busy for")
    arguments = parser.parse_args()
    install.install_node()
    install.install_python()
    art = make_art()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="distinct-")))
        running = {OURS: _start_ours(stack, art, folder)}
        for name, start in servers.peers().items():
            running[name] = stack.enter_context(start(art, folder))
        for server in running.values():
            asyncio.run(_warm(server))
        quality = _judge(running)
        rates = _measure(running, arguments.rounds, arguments.seconds)
    publish(_report(rates, quality, arguments), arguments.json)


def _start_ours(stack: contextlib.ExitStack, art: Art, folder: Path) -> Peer:
    environment = {
        "RENDER_CATALOGUE": art.catalogue,
        "RENDER_DATA": folder / "data",
        **PATIENT,
    }
    port = stack.enter_context(run_service(environment, folder / "service.log")).port
    planner = Planner(load_catalogue(art.catalogue).catalogue, PROFILES)
    return Peer(
        port, lambda chosen, side, kind: our_path(planner, chosen, side, Format(kind)), keeps=True
    )


def _warming() -> list[Configuration]:
    """Configurations that have every layer among them, once for each time round; none measured."""
    grounds, metals, gems = CHOICES.values()
    return [
        Configuration((number + turn) % grounds, number % metals, (number + turn) % gems)
        for turn in range(2 * servers.CORES)
        for number in range(max(grounds, metals, gems))
    ]


async def _warm(server: Peer) -> None:
    """Have every process of a server that keeps layers hold all of them.

    A picture for each process: one that was drawn by one of ours the others would find on disk.
    """
    every = _warming() if server.keeps else _warming()[:AT_ONCE]
    step = max(CHOICES.values())
    for side, first in itertools.product(SIDES_PX, range(0, len(every), step)):
        # New connections reach the processes of a server in turn.
        paths = [server.path(one, side, "webp") for one in every[first : first + step]]
        await ask_all(server.port, paths, at_once=AT_ONCE)


def _measure(
    running: dict[str, Peer], rounds: int, seconds: float
) -> dict[Case, dict[str, list[float]]]:
    """Answers a second of every server, by case; a round is every case and every server once."""
    asked = {case: _paths(running, case) for case in CASES}
    rates: dict[Case, dict[str, list[float]]] = {c: {n: [] for n in running} for c in CASES}
    names = list(running)
    for turn in range(rounds):
        shift = turn % len(names)
        for case, name in itertools.product(CASES, names[shift:] + names[:shift]):
            busy = keep_busy(
                running[name].port, asked[case][name], at_once=AT_ONCE, seconds=seconds
            )
            rates[case][name].append(asyncio.run(busy))
    return rates


def _paths(running: dict[str, Peer], case: Case) -> dict[str, Iterator[str]]:
    """The same configurations in the same order for all, none of them twice."""
    side, file_format = case

    warming = frozenset(_warming())

    def paths(server: Peer) -> Iterator[str]:
        for chosen in configurations(seed=side):
            if chosen not in warming:
                yield server.path(chosen, side, file_format)

    return {name: paths(server) for name, server in running.items()}


def _judge(running: dict[str, Peer]) -> dict[Case, dict[str, Quality]]:
    """Score each server's files against its own picture, and its picture against ours."""
    found: dict[Case, dict[str, list[Quality]]] = {c: {n: [] for n in running} for c in CASES}
    for side in SIDES_PX:
        for chosen in _warming()[:JUDGED]:
            whole = {name: _get(server, chosen, side, "png") for name, server in running.items()}
            like = {name: _score(whole[OURS], picture) for name, picture in whole.items()}
            for file_format, (name, server) in itertools.product(FORMATS, running.items()):
                coded = _get(server, chosen, side, file_format)
                quality = Quality(_score(whole[name], coded), len(coded), like[name])
                found[Case(side, file_format)][name].append(quality)
    return {
        case: {name: _middle(qualities) for name, qualities in by_name.items()}
        for case, by_name in found.items()
    }


def _middle(qualities: list[Quality]) -> Quality:
    return Quality(*(median(values) for values in zip(*qualities, strict=True)))


def _get(server: Peer, chosen: Configuration, side_px: int, ending: str) -> bytes:
    return asyncio.run(ask_all(server.port, [server.path(chosen, side_px, ending)]))[0].body


def _score(original: bytes, coded: bytes) -> float:
    """SSIMULACRA2; 100 for the same picture."""
    if original == coded:
        return 100.0
    return float(compute_ssimulacra2(BytesIO(original), BytesIO(coded)))


def _report(
    rates: dict[Case, dict[str, list[float]]],
    quality: dict[Case, dict[str, Quality]],
    arguments: argparse.Namespace,
) -> Report:
    rows: list[tuple[Cell, ...]] = []
    least: dict[str, float] = {}
    for case, by_name in rates.items():
        ours = by_name[OURS]
        for name, values in by_name.items():
            over = median(o / t for o, t in zip(ours, values, strict=True))
            least[name] = min(over, least.get(name, over))
            judged = quality[case][name]
            goal: Cell = GOALS.get(name, "-")
            rows.append(
                (
                    *(str(case), name, spread(values), over, goal, round(judged.score, 1)),
                    *(round(judged.size_bytes / 1000, 1), round(judged.likeness, 1)),
                )
            )
    return Report(
        question="How many distinct configurations a second, six layers, and against whom?",
        method=__doc__ or "",
        machine=machine_facts("pyvips-binary", "numpy", "uvicorn", "ssimulacra2")
        | install.versions(),
        settings={
            "requests under way": AT_ONCE,
            "rounds": arguments.rounds,
            "seconds each": arguments.seconds,
            "configurations": " by ".join(f"{count} {name}" for name, count in CHOICES.items()),
            "ours": f"{servers.CORES} processes, as `serve` is by default, but "
            "that nobody is refused for a long queue",
            **servers.settings(),
        },
        columns=(
            *("picture", "server", "pictures/s", "ours over it", "goal"),
            *("SSIMULACRA2", "kB", "like ours"),
        ),
        rows=tuple(rows),
        verdicts=tuple(_verdict(name, least[name], goal) for name, goal in GOALS.items()),
        charts=tuple(
            Chart(
                title=f"Distinct configurations a second, {case}",
                unit="pictures/s",
                bars=tuple(bar(name, values) for name, values in by_name.items()),
            )
            for case, by_name in rates.items()
        ),
    )


def _verdict(name: str, over: float, goal: float) -> str:
    met = "met" if over >= goal else "missed"
    return f"Goal: at least {goal:.0f} times {name}: at least {over:.1f} in every case: {met}."


if __name__ == "__main__":
    main()
