"""Does a server that has run for long hold as much as when it was warm? `make soak`.

Services that share a Valkey and a data folder draw thousands of different pictures and serve ten
times as many hits; a hundred times on the way the traffic pauses and everything they hold is
counted. The exit status says whether memory, files, connections, threads and tasks stayed flat.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from tqdm import tqdm

from benchmarks.report import Cell, Report, machine_facts, publish
from benchmarks.soak.catalogue import list_paths, write_catalogue
from benchmarks.soak.census import GROWTH, Sample, as_json, judge, take_sample
from benchmarks.soak.fleet import PROCESSES, run_fleet
from benchmarks.soak.plot import draw_plot
from benchmarks.soak.traffic import Traffic
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner

RENDERS: Final = 20_000
HITS: Final = 200_000
SAMPLES: Final = 100
SEED: Final = 20_000


def main() -> int:
    """Run the soak, print it, write it; return the exit status."""
    arguments = _parse()
    with tempfile.TemporaryDirectory(prefix="soak-") as at:
        folder = Path(at)
        catalogue = write_catalogue(folder / "catalogue")
        planner = Planner(load_catalogue(catalogue).catalogue, PROFILES)
        paths = list_paths(planner, arguments.renders)
        with run_fleet(catalogue, folder) as ports:
            traffic = Traffic(list(ports), seed=SEED)
            samples = [take_sample(ports, asked=0, rendered=0)]
            for number in tqdm(range(arguments.samples), disable=None, unit="sample"):
                share = slice(
                    len(paths) * number // arguments.samples,
                    len(paths) * (number + 1) // arguments.samples,
                )
                hits = arguments.hits * (number + 1) // arguments.samples
                hits -= arguments.hits * number // arguments.samples
                asyncio.run(traffic.run(paths[share], hits=hits))
                asked, rendered = traffic.sources.total(), traffic.sources["render"]
                samples.append(take_sample(ports, asked=asked, rendered=rendered))
            logs = "".join(log.read_text() for log in sorted(folder.glob("service-*.log")))
    faults = [*judge(samples, processes=PROCESSES), *_check(traffic, len(paths), logs)]
    _publish(arguments, samples, traffic, faults)
    return 1 if faults else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--renders", type=int, default=RENDERS, help="different pictures to draw")
    parser.add_argument("--hits", type=int, default=HITS, help="pictures to ask for again")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="how often is counted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them there, as SVG")
    arguments = parser.parse_args()
    if arguments.samples < 10 or arguments.renders < arguments.samples or arguments.hits < 0:
        parser.error("at least 10 samples, a render for each, and no hits fewer than 0")
    return arguments


def _check(traffic: Traffic, pictures: int, logs: str) -> list[str]:
    """Return what makes the figures worthless, a sentence each."""
    faults = []
    if traffic.sources["render"] < pictures:
        faults.append(f"{traffic.sources['render']} of {pictures} pictures were drawn.")
    if "Traceback" in logs or " ERROR " in logs:
        faults.append(f"The services logged errors:\n{logs[-4000:]}")
    return faults


def _publish(
    arguments: argparse.Namespace, samples: list[Sample], traffic: Traffic, faults: list[str]
) -> None:
    tenths = [samples[len(samples[1:]) * tenth // 10] for tenth in range(11)]
    warm = tenths[1]
    sources = ", ".join(f"{count} {name}" for name, count in traffic.sources.most_common())
    report = Report(
        question="Does a server that has run for long hold as much as when it was warm?",
        machine=machine_facts("uvicorn", "pyvips", "redis"),
        settings={"services": PROCESSES, "samples": len(samples) - 1, "answers": sources},
        columns=(
            *("asked", "drawn", "resident MB", "of the first tenth"),
            *("private MB", "files", "connections", "threads", "tasks", "objects"),
        ),
        rows=tuple(_row(sample, warm) for sample in tenths),
        verdicts=tuple(faults) or (f"Flat: memory within {100 * GROWTH:.0f} %, and every count.",),
    )
    publish(report, arguments.json)
    if arguments.json is not None:
        figures = json.loads(arguments.json.read_text()) | {"samples": as_json(samples)}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    if arguments.plot is not None:
        arguments.plot.write_text(draw_plot(samples))


def _row(sample: Sample, warm: Sample) -> tuple[Cell, ...]:
    return (
        *(str(sample.asked), sample.rendered),
        *(round(sample.memory_bytes / 1e6, 1), sample.memory_bytes / warm.memory_bytes),
        round(sample.private_bytes / 1e6, 1),
        *(sample.files, sample.connections, sample.threads, sample.tasks, sample.objects),
    )


if __name__ == "__main__":
    sys.exit(main())
