"""The processes of a soak: services that share a data folder and, where there is one, a Valkey.

Its one rule: every budget is so small that it is full after a tenth of the pictures; what grows
after that is no cache filling up.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from benchmarks.serving import run_service
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
            environment = {
                # As `serve` has it for its workers (see http/server.py): read at a start.
                "MALLOC_ARENA_MAX": "2",
                "RENDER_CATALOGUE": catalogue,
                "RENDER_DATA": folder / "data",
                "RENDER_WORKERS": 1,
                "RENDER_REDIS_URL": redis_url,
                "RENDER_GRACEFUL_STOP_S": 5,
                **BUDGETS,
            }
            log = folder / f"service-{number}.log"
            running = stack.enter_context(run_service(environment, log, ["benchmarks.soak.server"]))
            ports[running.port] = psutil.Process(running.pid)
        yield ports
