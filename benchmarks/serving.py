"""Services for benchmarks: started as people start them, on a free port, and stopped by their pid.

The rule: settings of whoever runs the benchmark do not reach the service; what a benchmark does not
set is at its default.
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

SERVE: Final = ("render_service", "serve")
"""`python -m` this: the service as it is run."""

_STARTS_WITHIN_S: Final = 60.0


class Running(NamedTuple):
    """A service that answers.

    Attributes:
        port: It listens there, on 127.0.0.1.
        pid: Of its process; of the supervisor, where there are workers.
    """

    port: int
    pid: int


@contextlib.contextmanager
def run_service(
    environment: Mapping[str, object], log: Path, module: Sequence[str] = SERVE
) -> Iterator[Running]:
    """Run a service until the block ends.

    Args:
        environment: Its variables: `RENDER_…`, but for the port, and what else it is to have.
        log: Everything it says is written there.
        module: What `python -m` runs.

    Raises:
        RuntimeError: It did not start; says what it said.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    others = {name: value for name, value in os.environ.items() if not name.startswith("RENDER_")}
    ours = {name: str(value) for name, value in environment.items()}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # our own module, our own words
            [sys.executable, "-m", *module],
            env={**others, **ours, "RENDER_PORT": str(port)},
            stdout=out,
            stderr=out,
        )
    try:
        _wait_until_ready(port, process, log)
        yield Running(port, process.pid)
    finally:
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
