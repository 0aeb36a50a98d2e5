"""Services for benchmarks: started as people start them, on a free port, and stopped by their pid.

The rule: settings of whoever runs the benchmark do not reach the service; what a benchmark does not
set is at its default, but that nothing is drawn ahead: it would be drawn while another server is
measured, and not when it is asked for. What each holds in memory is noted before it is stopped.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.memory import note_held

SERVE: Final = ("render_service", "serve")
"""`python -m` this: the service as it is run."""

OURS: Final = "the service"

_STARTS_WITHIN_S: Final = 600.0
"""Ten thousand compositions are read in less, also on a busy machine."""

_STOPS_WITHIN_S: Final = 60.0


class Running(NamedTuple):
    """A service that answers.

    Attributes:
        port: It listens there, on 127.0.0.1.
        pid: Of its process; of the supervisor, where there are workers.
        started_s: Seconds from its start until it said that it was ready.
    """

    port: int
    pid: int
    started_s: float = 0.0


@contextlib.contextmanager
def run_service(
    environment: Mapping[str, object],
    log: Path,
    module: Sequence[str] = SERVE,
    name: str = OURS,
) -> Iterator[Running]:
    """Run a service until the block ends.

    Args:
        environment: Its variables: `RENDER_…`, but for the port, and what else it is to have.
        log: Everything it says is written there.
        module: What `python -m` runs.
        name: What reports call it.

    Raises:
        RuntimeError: It did not start; says what it said.
    """
    port = free_port()
    ours = {"RENDER_PORT": port, "RENDER_AHEAD": 0, **environment}
    command = [sys.executable, "-m", *module]
    with run_command(command, ours, log, Ready(port, "/readyz"), name) as running:
        yield running


class Ready(NamedTuple):
    """Where a server is asked whether it is ready.

    Attributes:
        port: It listens there, on 127.0.0.1.
        path: Answered with a 200 once it is.
    """

    port: int
    path: str


@contextlib.contextmanager
def run_command(
    command: Sequence[str | Path],
    environment: Mapping[str, object],
    log: Path,
    ready: Ready,
    name: str,
) -> Iterator[Running]:
    """Run any server until the block ends; then it and what it started are stopped, by their pids.

    Raises:
        RuntimeError: It did not start; says what it said.
    """
    others = {key: value for key, value in os.environ.items() if not key.startswith("RENDER_")}
    given = {key: str(value) for key, value in environment.items()}
    began_s = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # our own words
            [*command], env={**others, **given}, stdout=out, stderr=out
        )
    try:
        _wait_until_ready(ready, process, log)
        yield Running(ready.port, process.pid, time.perf_counter() - began_s)
    finally:
        note_held(name, process.pid)
        _stop(process)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_until_ready(ready: Ready, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{ready.port}{ready.path}"
            with urllib.request.urlopen(url):  # a loopback address of our own
                return
        time.sleep(0.02)
    raise RuntimeError(f"a service did not start:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; then those of its children that outlived it, as tornado's do."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(children, timeout=1)
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    _, left = psutil.wait_procs(left, timeout=10)
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
