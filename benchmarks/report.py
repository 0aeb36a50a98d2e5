"""What every benchmark shares: interleaved timing, facts of the machine, a table, a JSON file.

The rule: things that are compared are timed in turn within one run, and the figure is the median,
so that a busy moment of the machine falls on all of them alike.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

from msgspec import Struct, to_builtins

from benchmarks.memory import Held, all_held, megabytes

Cell = str | int | float


class Times(Struct, frozen=True, kw_only=True):
    """How long something took, over the rounds of a run.

    Attributes:
        median_ms: The middle one.
        low_ms: First quartile.
        high_ms: Third quartile.
        rounds_ms: Every round, in order.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    rounds_ms: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.median_ms:.1f} ({self.low_ms:.1f}-{self.high_ms:.1f})"


def time_in_turn(
    cases: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Times]:
    """Time every case once per round, each round beginning with another case, after one unmeasured.

    Args:
        cases: What to time, by name.
        rounds: At least 2.
        clock: In seconds. `time.process_time` counts the work of this process alone, so that other
            processes stretch it little; it is the one for work that never waits.
    """
    names = list(cases)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for case in cases.values():
        case()
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            start = clock()
            cases[name]()
            taken[name].append((clock() - start) * 1000)
    return {name: summarise(values) for name, values in taken.items()}


def summarise(values_ms: Sequence[float]) -> Times:
    """Return the median and quartiles of at least 2 durations in milliseconds."""
    low, _, high = quantiles(values_ms, n=4, method="inclusive")
    return Times(median_ms=median(values_ms), low_ms=low, high_ms=high, rounds_ms=tuple(values_ms))


def ratio(over: Times, under: Times) -> float:
    """Return the median of the ratios within each round: what slows a round slows both."""
    pairs = zip(over.rounds_ms, under.rounds_ms, strict=True)
    return median(one / other for one, other in pairs)


def machine_facts(*packages: str) -> dict[str, str]:
    """Return what a figure depends on: processor, cores, load, system, Python, package versions."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load average": load,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }
    return facts | {package: version(package) for package in packages}


def _processor() -> str:
    """The processor's name, as Linux gives it; what Python knows elsewhere."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class Bar(Struct, frozen=True, kw_only=True):
    """One bar of a plot.

    Attributes:
        label: What it stands for.
        value: Its length: a median.
        low: First quartile; the value itself where there is one measurement.
        high: Third quartile; likewise.
    """

    label: str
    value: float
    low: float
    high: float


class Chart(Struct, frozen=True, kw_only=True):
    """A plot: bars of one unit, and the goal as a line.

    Attributes:
        title: What is compared.
        unit: Of every bar.
        bars: From top to bottom.
        goal: Where the goal lies, in the unit; None where there is none.
    """

    title: str
    unit: str
    bars: tuple[Bar, ...]
    goal: float | None = None


def bar(label: str, values: Sequence[float]) -> Bar:
    """Return the median of `values`, at least one, and their quartiles, as a bar."""
    if len(values) == 1:
        return Bar(label=label, value=values[0], low=values[0], high=values[0])
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Bar(label=label, value=middle, low=low, high=high)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median of `values` and their quartiles, for a table."""
    found = bar("", values)
    return f"{found.value:.{digits}f} ({found.low:.{digits}f}-{found.high:.{digits}f})"


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one benchmark.

    Attributes:
        question: What it answers, as one sentence.
        machine: From `machine_facts`.
        settings: Everything that was chosen: sizes, rounds, encoder settings.
        columns: Titles of the columns, units included.
        rows: One per thing measured.
        verdicts: Sentences that hold a figure against its goal.
        method: How it was measured: the docstring of the benchmark, as a rule.
        charts: The figures as plots.
    """

    question: str
    machine: Mapping[str, str]
    settings: Mapping[str, Cell]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    verdicts: tuple[str, ...] = ()
    method: str = ""
    charts: tuple[Chart, ...] = ()


def parse_arguments(description: str, rounds: int) -> argparse.Namespace:
    """Return `json` (a path or None) and `rounds` from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each is timed")
    return parser.parse_args()


def publish(report: Report, json_path: Path | None) -> None:
    """Print a report as text, and write it as JSON where a path is given."""
    print(report.question)
    for title, facts in (("machine", report.machine), ("settings", report.settings)):
        print(f"  {title}: " + " · ".join(f"{name} {value}" for name, value in facts.items()))
    print()
    cells = [report.columns, *([_text(cell) for cell in row] for row in report.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(report.columns))]
    for row in cells:
        first = row[0].ljust(widths[0])
        others = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join([first, *others]))
    for verdict in report.verdicts:
        print(f"\n{verdict}")
    held = all_held()
    print("\nMemory:", *megabytes(held), sep="\n  ")
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(_as_json(report, held), indent=2) + "\n")


def _text(cell: Cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def _as_json(report: Report, held: Sequence[Held]) -> dict[str, object]:
    return {
        "question": report.question,
        "method": report.method,
        "machine": dict(report.machine),
        "settings": dict(report.settings),
        "rows": [dict(zip(report.columns, row, strict=True)) for row in report.rows],
        "verdicts": list(report.verdicts),
        "charts": to_builtins(report.charts),
        "memory": to_builtins(held),
    }
