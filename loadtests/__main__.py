"""`make load`: one scenario against a service of its own, or one that runs on this machine already.

The rule: the exit status is 0 only if every invariant held; 1 where one was broken, 2 where the run
could not be had.
"""

# Locust replaces the sockets of the standard library, and so comes before who uses them.
import locust  # noqa: F401  # isort: skip

import argparse
import contextlib
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import gevent

from benchmarks.serving import run_service
from loadtests.asking import NoService, NotThisMachine, check_loopback
from loadtests.running import SCENARIOS, Outcome, Plan, describe, run
from loadtests.shapes import SHAPES

ROOT: Final = Path(__file__).resolve().parent.parent
REPORTS: Final = ROOT / "build" / "load"

REQUESTS_MAX: Final = 1_000_000
"""More than two cores answer in ten minutes at 1,500 a second; a run is not to go on for ever."""

USERS_MAX: Final = 1_000
"""Each has a few connections of its own, and one process of Locust keeps some hundreds busy."""

FILES: Final = 16_384
"""Open at once: a thousand visitors with ten connections each, as a pool of Locust's may have."""

_TIME: Final = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    arguments = _parse()
    _allow_files()
    # Whoever is asked to stop stops the service, too; with SIGINT Python sees to it.
    asked = gevent.getcurrent()
    gevent.signal_handler(signal.SIGTERM, gevent.kill, asked, KeyboardInterrupt)
    try:
        with _service(arguments) as (url, log):
            outcome = run(_plan(arguments, url))
            faults = [] if log is None else _faults(log)
    except (NoService, NotThisMachine, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped before its end: nothing is said of what was asked.", file=sys.stderr)
        return 2
    return _tell(outcome, faults, _report(arguments))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make load", description="Send visitors to a service on this machine, and check it."
    )
    parser.add_argument("--scenario", choices=SCENARIOS, default="shoppers", help="who comes")
    parser.add_argument("--shape", choices=SHAPES, default="steady", help="how many, and when")
    parser.add_argument("--users", type=_number(USERS_MAX), default=20, help="at most at once")
    parser.add_argument("--time", type=_seconds, default=30.0, help="90, 90s, 5m, 1h30m")
    parser.add_argument(
        "--requests", type=_number(REQUESTS_MAX), default=100_000, help="ends after so many"
    )
    parser.add_argument("--seed", type=int, default=1, help="other visitors")
    parser.add_argument("--url", default="", help="a service that runs; else one is started")
    parser.add_argument("--report", type=Path, help="default: build/load/{scenario}-{shape}.html")
    return parser.parse_args()


def _number(most: int) -> Callable[[str], int]:
    """Return what reads a whole number of 1 to `most`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 to {most:,}")
        return int(text)

    return read


def _seconds(text: str) -> float:
    """Read a time as `90`, `90s`, `5m` or `1h30m`."""
    found = _TIME.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not (total_s := 3600 * hours + 60 * minutes + seconds):
        raise argparse.ArgumentTypeError(f"{text!r} is no time, like 30s, 5m or 1h30m")
    return float(total_s)


def _allow_files() -> None:
    """Raise the limit of open files, here and for the service, as far as it may be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@contextlib.contextmanager
def _service(arguments: argparse.Namespace) -> Iterator[tuple[str, Path | None]]:
    """The service to ask, and its log where it is one of ours."""
    if arguments.url:
        check_loopback(arguments.url)
        yield arguments.url.rstrip("/"), None
        return
    with tempfile.TemporaryDirectory(prefix="load-") as data:
        # As `make run` has it: the demo catalogue, a Valkey of its own; nothing drawn yet.
        environment = {
            "RENDER_CATALOGUE": ROOT / "compositions",
            "RENDER_DATA": data,
            "RENDER_REDIS_URL": "embedded",
            "RENDER_GRACEFUL_STOP_S": 2,
            "RENDER_LOG_LEVEL": "warning",
        }
        REPORTS.mkdir(parents=True, exist_ok=True)
        log = REPORTS / "service.log"
        with run_service(environment, log) as running:
            yield f"http://127.0.0.1:{running.port}", log


def _plan(arguments: argparse.Namespace, url: str) -> Plan:
    return Plan(
        url=url,
        scenario=arguments.scenario,
        shape=arguments.shape,
        users=arguments.users,
        run_s=arguments.time,
        requests_max=arguments.requests,
        seed=arguments.seed,
        report=_report(arguments),
    )


def _report(arguments: argparse.Namespace) -> Path:
    given: Path | None = arguments.report
    return given or REPORTS / f"{arguments.scenario}-{arguments.shape}.html"


def _faults(log: Path) -> list[str]:
    """Lines of the service's log that say something went wrong on its side."""
    return [
        line for line in log.read_text().splitlines() if " ERROR " in line or "Traceback" in line
    ]


def _tell(outcome: Outcome, faults: list[str], report: Path) -> int:
    print("\n".join(describe(outcome)))
    if faults:
        print(f"The service logged {len(faults)} errors, in {REPORTS / 'service.log'}:")
        print("\n".join(f"  {line}" for line in faults[:10]))
    shown = report.relative_to(ROOT) if report.is_relative_to(ROOT) else report
    print(f"Report: {shown}")
    return 1 if outcome.sentences or faults else 0


if __name__ == "__main__":
    sys.exit(main())
