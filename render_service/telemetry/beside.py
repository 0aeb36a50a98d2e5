"""What the processes of a service render at this moment, read from their cells.

The rule: whoever asks waits for nobody and may be answered a moment too late. It serves to leave
room for others and to send work where there is room, never to decide what they may do.
"""

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from struct import Struct as Layout
from typing import Final

from render_service.telemetry.board import BOARD, CELLS_SUFFIX, HEARTBEAT, RENDERING, own_prefix
from render_service.telemetry.gather import SILENT_S

_HEAD: Final = Layout(f"={RENDERING + 1}d")


def renders_under_way(folder: Path | None) -> int:
    """Return the renders of the processes that share `folder`; of this process alone, without one.

    Takes some 30 microseconds for each process. One that has not beaten for ten seconds has died,
    or is stopped: what it last rendered is not counted.
    """
    if folder is None:
        return round(BOARD.cells[RENDERING])
    return round(sum(renders for _, renders in _living(folder)))


def least_renders_beside(folder: Path | None) -> float:
    """Return the renders of the process that has fewest, this one left out; infinity for none.

    Takes as long as `renders_under_way`, and passes over the same processes.
    """
    if folder is None:
        return math.inf
    own = own_prefix()
    return min(
        (renders for name, renders in _living(folder) if not name.startswith(own)),
        default=math.inf,
    )


def _living(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield the file and the renders of each process that has beaten lately."""
    now_s = time.monotonic()
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.endswith(CELLS_SUFFIX):
                with contextlib.suppress(OSError), (folder / name).open("rb", buffering=0) as file:
                    head = _HEAD.unpack(file.read(_HEAD.size))
                    if now_s - head[HEARTBEAT] <= SILENT_S:
                        yield name, head[RENDERING]
