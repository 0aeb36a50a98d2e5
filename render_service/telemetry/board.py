"""The counts of one process: cells of memory that other processes may read at any time.

A series is a run of cells that only its own process writes, with one plain store each, so counting
takes no lock and no call; when the process has died, by whatever signal, its cells still hold what
it counted. Written on the event loop alone (or under a lock of the caller's), as `+=` is two steps.
"""

import fcntl
import json
import logging
import mmap
import os
import secrets
import time
from array import array
from collections.abc import MutableSequence, Sequence
from pathlib import Path
from typing import Final, cast

CELLS: Final = 32_768
"""Cells of a process, 256 KiB: 600 histograms of requests with all their buckets, several times
what routes, methods and statuses come to. Reserved at once, so that a full disk is met at start."""

HEARTBEAT: Final = 0
"""The cell that holds when its process last beat: seconds of the machine's monotonic clock."""

RENDERING: Final = HEARTBEAT + 1
"""The cell that holds how many renders its process has under way."""

SPARE: Final = RENDERING + 1
"""Where series count that found no cells left: nobody reads there."""

SPARE_CELLS: Final = 64
"""Three times the cells of the largest histogram."""

CELLS_SUFFIX: Final = ".cells"
SERIES_SUFFIX: Final = ".series"

_CELL_BYTES: Final = 8

_log = logging.getLogger(__name__)


def own_prefix() -> str:
    """Return what the names of this process's files begin with."""
    return f"{os.getpid()}-"


class Board:
    """Cells and the series that lie on them. In private memory until it is shared.

    Attributes:
        cells: The numbers, by place. Replaced by `share`, so it is looked up at each use.
    """

    def __init__(self) -> None:
        self._hold(memoryview(array("d", bytes(CELLS * _CELL_BYTES))))
        self._used = SPARE + SPARE_CELLS
        self._lines: list[bytes] = []
        self._series_file = -1
        self._lock_file = -1

    def share(self, folder: Path) -> None:
        """Move to files in `folder`, where `gather` finds them as long as this process lives.

        Raises:
            OSError: The files cannot be made, or there is no room for them.
        """
        stem = own_prefix() + secrets.token_hex(4)
        # Made under a name that nobody looks for, and locked before it has its own: a file without
        # the lock of its owner is that of a process that has died.
        young = folder / f"{stem}.new"
        cells_file = os.open(young, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(cells_file, 0, CELLS * _CELL_BYTES)
            fcntl.flock(cells_file, fcntl.LOCK_EX)
            series = folder / f"{stem}{SERIES_SUFFIX}"
            series_file = os.open(series, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            os.close(cells_file)
            young.unlink()
            raise
        cells = memoryview(mmap.mmap(cells_file, CELLS * _CELL_BYTES)).cast("d")
        # The type of a view of doubles cannot be named in Python 3.11.
        shared = cast(memoryview, cells)
        shared[:] = self._memory
        self._hold(shared)
        self._lock_file, self._series_file = cells_file, series_file
        os.write(series_file, b"".join(self._lines))
        self.beat()
        young.rename(folder / f"{stem}{CELLS_SUFFIX}")

    def open_series(self, name: str, labels: Sequence[str], size: int, *, lasting: bool) -> int:
        """Return the first of `size` new cells for a series; when none are left, it is not shown.

        Args:
            name: Of the instrument.
            labels: Its labels' values, in their order.
            size: Cells.
            lasting: Whether what was counted stays true when the process has died.
        """
        at = self._used
        if at + size > CELLS:
            _log.warning("no cells are left to count %s %s; it is not shown", name, labels)
            return SPARE
        self._used += size
        line = json.dumps([at, size, lasting, name, list(labels)]).encode() + b"\n"
        self._lines.append(line)
        if self._series_file >= 0:
            os.write(self._series_file, line)
        return at

    def beat(self) -> None:
        """Say that the process is well."""
        self.cells[HEARTBEAT] = time.monotonic()

    def snapshot(self) -> tuple[bytes, bytes]:
        """Return the series, one a line, and the bytes of the cells, as the files hold them."""
        return b"".join(self._lines), self._memory.tobytes()

    def _hold(self, memory: memoryview) -> None:
        self._memory = memory
        # A view of doubles is one of these in all but its name.
        self.cells = cast(MutableSequence[float], memory)


BOARD: Final = Board()
"""The counts of this process. Like the log of a process there is one, and every layer may write."""
