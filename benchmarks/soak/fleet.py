"""The processes of a soak: services that share a data folder and, where there is one, a Valkey.

Its one rule: every budget is so small that it is full after a tenth of the pictures; what grows
after that is no cache filling up.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from render_service.adapters.embedded_valkey import run_valkey

PROCESSES: Final = 2

KIB: Final = 2**10
MIB: Final = 2**20

BUDGETS: Final = {
    "RENDER_MEMORY_TIER_BYTES": 512 * KIB,
    "RENDER_RASTER_CACHE_BYTES": 8 * MIB,
    "RENDER_FILE_TIER_BYTES": 2 * MIB,
    "RENDER_QUEUE_S": 600,
    "RENDER_DEADLINE_S": 600,
}
"""Full after some 700 pictures of 3 kB, 40 layers of 0.4 MB, 2,700 files; nothing is refused."""

_STARTS_WITHIN_S: Final = 60.0


@contextlib.contextmanager
def run_fleet(catalogue: Path, folder: Path) -> Iterator[dict[int, psutil.Process]]:
    """Run the services of `catalogue` with what they keep in `folder`; yield them by port.

    Raises:
        RuntimeError: One did not start; says why.
    """
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(run_valkey(folder / "valkey"))
        ports = {}
        for number in range(PROCESSES):
            log = folder / f"service-{number}.log"
            port, process = _start(catalogue, folder, log, redis_url)
            stack.callback(_stop, process)
            _wait_until_ready(port, process, log)
            ports[port] = psutil.Process(process.pid)
        yield ports


def _start(
    catalogue: Path, folder: Path, log: Path, redis_url: str
) -> tuple[int, subprocess.Popen[bytes]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    given = {
        "RENDER_CATALOGUE": catalogue,
        "RENDER_DATA": folder / "data",
        "RENDER_PORT": port,
        "RENDER_WORKERS": 1,
        "RENDER_REDIS_URL": redis_url,
        "RENDER_GRACEFUL_STOP_S": 5,
        **BUDGETS,
    }
    ours = {name: str(value) for name, value in given.items()}
    others = {name: value for name, value in os.environ.items() if not name.startswith("RENDER_")}
    # As `serve` has it for its workers (see http/server.py): read when a process starts.
    environment = {**others, "MALLOC_ARENA_MAX": "2", **ours}
    with log.open("wb") as out:
        process = subprocess.Popen(  # our own module, our own words
            [sys.executable, "-m", "benchmarks.soak.server"],
            env=environment,
            stdout=out,
            stderr=out,
        )
    return port, process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{port}/readyz"
            with urllib.request.urlopen(url):  # a loopback address of our own
                return
        time.sleep(0.05)
    raise RuntimeError(f"a service did not start:\n{log.read_text(errors='replace')}")
