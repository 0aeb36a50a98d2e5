"""The counts of all processes of a service as one: sums that never fall while the service runs.

Whoever is asked reads the files of every process; nobody is waited for, so one that has died or is
stopped holds nothing up. What a dead process counted stays in the sums; what it held does not. Its
file is folded into one by the next process that starts, so that files do not pile up.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from render_service.telemetry.board import BOARD, CELLS_SUFFIX, HEARTBEAT, SERIES_SUFFIX

SILENT_S: Final = 10.0
"""Ten beats: a process that has not beaten for so long is held up, or stopped."""

Sums = dict[tuple[str, tuple[str, ...]], list[float]]

_GONE: Final = "gone.json"
_LOCK: Final = "fold.lock"
_TRIES: Final = 5


class Reading(Struct, frozen=True, kw_only=True):
    """What all processes have counted.

    Attributes:
        sums: (instrument, values of its labels) → its cells, summed over processes.
        alive: Processes that are well.
        silent: Processes that live and have not beaten lately.
        ended: Processes that have ended since the service was started.
    """

    sums: Sums
    alive: int
    silent: int
    ended: int


class _Gone(Struct, frozen=True, kw_only=True):
    """What processes that have ended had counted; `stems` name those whose files may linger."""

    stems: tuple[str, ...] = ()
    ended: int = 0
    sums: tuple[tuple[str, tuple[str, ...], tuple[float, ...]], ...] = ()


def gather(folder: Path | None) -> Reading:
    """Return the sums of the processes that share `folder`; of this process alone, without one.

    Raises:
        OSError: The folder cannot be read.
    """
    if folder is None:
        sums: Sums = {}
        _add(sums, *BOARD.snapshot(), dead=False)
        return Reading(sums=sums, alive=1, silent=0, ended=0)
    for _ in range(_TRIES):
        gone = _read_gone(folder)
        reading = _read_all(folder, gone)
        # A file is folded before it is removed: only if `gone` is still the same was none missed.
        if _read_gone(folder) == gone:
            break
    return reading


def fold(folder: Path) -> None:
    """Put the files of processes that have ended together in one; none is counted twice or lost.

    If another process does just that, nothing is done.

    Raises:
        OSError: The folder cannot be written.
    """
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        _fold(folder)


def _fold(folder: Path) -> None:
    gone = _read_gone(folder)
    lingering = [stem for stem in gone.stems if _cells_of(folder, stem).exists()]
    sums: Sums = {(name, labels): list(cells) for name, labels, cells in gone.sums}
    dead = [stem for stem in _stems(folder) if stem not in lingering and not _lives(folder, stem)]
    for stem in dead:
        _add(sums, *_read(folder, stem), dead=True)
    now = _Gone(
        stems=(*lingering, *dead),
        ended=gone.ended + len(dead),
        sums=tuple((name, labels, tuple(cells)) for (name, labels), cells in sums.items()),
    )
    written = folder / f"{_GONE}.new"
    rows = [[name, labels, cells] for name, labels, cells in now.sums]
    written.write_text(json.dumps({"stems": now.stems, "ended": now.ended, "sums": rows}))
    written.rename(folder / _GONE)
    for stem in now.stems:
        for suffix in (CELLS_SUFFIX, SERIES_SUFFIX):
            (folder / f"{stem}{suffix}").unlink(missing_ok=True)


def _read_all(folder: Path, gone: _Gone) -> Reading:
    sums: Sums = {(name, labels): list(cells) for name, labels, cells in gone.sums}
    alive = silent = 0
    ended = gone.ended
    for stem in _stems(folder):
        if stem in gone.stems:
            continue
        # Asked before it is read: one that dies in between is read as living, this once.
        lives = _lives(folder, stem)
        # Folded and removed since it was listed: `gone` has changed, and all is read again.
        with contextlib.suppress(FileNotFoundError):
            series, cells = _read(folder, stem)
            _add(sums, series, cells, dead=not lives)
            silent_s = time.monotonic() - memoryview(cells).cast("d")[HEARTBEAT]
            alive += lives and silent_s <= SILENT_S
            silent += lives and silent_s > SILENT_S
            ended += not lives
    return Reading(sums=sums, alive=alive, silent=silent, ended=ended)


def _stems(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob(f"*{CELLS_SUFFIX}")):
        yield path.stem


def _cells_of(folder: Path, stem: str) -> Path:
    return folder / f"{stem}{CELLS_SUFFIX}"


def _read(folder: Path, stem: str) -> tuple[bytes, bytes]:
    """The cells first: a series opened meanwhile has cells of 0 there and then."""
    cells = _cells_of(folder, stem).read_bytes()
    return (folder / f"{stem}{SERIES_SUFFIX}").read_bytes(), cells


def _lives(folder: Path, stem: str) -> bool:
    """Whether the process still holds the lock on its file; the kernel lets go of it at its end."""
    try:
        file = os.open(_cells_of(folder, stem), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)


def _add(sums: Sums, series: bytes, cells: bytes, *, dead: bool) -> None:
    numbers = memoryview(cells).cast("d")
    # What follows the last line break was being written when its process died.
    for line in series.split(b"\n")[:-1]:
        at, size, lasting, name, labels = json.loads(line)
        if dead and not lasting:
            continue
        total = sums.setdefault((name, tuple(labels)), [0.0] * size)
        for place in range(size):
            total[place] += numbers[at + place]


def _read_gone(folder: Path) -> _Gone:
    try:
        found = json.loads((folder / _GONE).read_bytes())
    except FileNotFoundError:
        return _Gone()
    return _Gone(
        stems=tuple(found["stems"]),
        ended=found["ended"],
        sums=tuple((name, tuple(labels), tuple(cells)) for name, labels, cells in found["sums"]),
    )
