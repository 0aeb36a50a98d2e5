"""Once a second: what a process is now, as against what it has done.

It runs on the event loop, because it reads what the loop owns and because its being late is itself
a figure. What it does takes some 0.1 ms.
"""

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Final

from render_service.telemetry.board import BOARD
from render_service.telemetry.instruments import cpu_time, loop_lag, memory_usage, open_files

PERIOD_S: Final = 1.0
"""A tenth of the shortest time between two scrapes that is usual."""

_STATM: Final = Path("/proc/self/statm")
_DESCRIPTORS: Final = Path("/proc/self/fd")


async def pulse(note: Callable[[], None], period_s: float = PERIOD_S) -> None:
    """Note how the process is, now and every `period_s`, until cancelled.

    Args:
        note: Notes the rest, such as what caches hold. Called on the event loop.
        period_s: Seconds between.
    """
    loop = asyncio.get_running_loop()
    while True:
        BOARD.beat()
        note_process()
        note()
        due_s = loop.time() + period_s
        await asyncio.sleep(period_s)
        loop_lag.record(max(0.0, loop.time() - due_s))


def note_process() -> None:
    """Note what this process takes of the machine."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_time.reach(used.ru_utime, "user")
    cpu_time.reach(used.ru_stime, "system")
    resident_pages = int(_STATM.read_text().split()[1])
    memory_usage.set(resident_pages * resource.getpagesize())
    open_files.set(len(os.listdir(_DESCRIPTORS)))
