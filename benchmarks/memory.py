"""What processes hold in memory: at the most, and at the end.

The rule: the kernel's own figures, read from outside, so that nothing that is measured has to take
part; what is shared by several processes is counted once in one of the figures, and it says which.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

_KB: Final = 1024
"""What /proc calls kB (proc(5))."""


class Held(Struct, frozen=True, kw_only=True):
    """The memory of a process and those it started.

    Attributes:
        name: Which.
        processes: How many of them.
        peak_bytes: Sum of the most that each had resident (VmHWM). Pages that they share count in
            each of them.
        end_bytes: Sum of what each had resident at the end (VmRSS); likewise.
        share_bytes: What they had resident at the end, each page counted once among its users
            (Pss).
    """

    name: str
    processes: int
    peak_bytes: int
    end_bytes: int
    share_bytes: int


_noted: dict[str, Held] = {}


def read_held(name: str, pid: int) -> Held:
    """Return what the process `pid` and everything below it hold now."""
    family = [psutil.Process(pid)]
    family += family[0].children(recursive=True)
    found = [_read(process.pid) for process in family]
    return Held(
        name=name,
        processes=len(found),
        peak_bytes=sum(peak for peak, _, _ in found),
        end_bytes=sum(end for _, end, _ in found),
        share_bytes=sum(share for _, _, share in found),
    )


def note_held(name: str, pid: int) -> None:
    """Note what a service holds, for the report: call it just before the service is stopped.

    Of several that run under one name the largest is kept.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        held = read_held(name, pid)
        last = _noted.get(name)
        if last is None or held.peak_bytes > last.peak_bytes:
            _noted[name] = held


def all_held(own: str = "the benchmark") -> tuple[Held, ...]:
    """Return what this process holds, and what was noted of the services it ran."""
    me = read_held(own, psutil.Process().pid)
    return (me, *_noted.values())


def megabytes(held: Iterable[Held]) -> list[str]:
    """Return a sentence for each."""
    return [
        f"{one.name} ({one.processes} process{'es' * (one.processes > 1)}): "
        f"at most {one.peak_bytes / 1e6:.0f} MB resident, {one.end_bytes / 1e6:.0f} MB at the end, "
        f"{one.share_bytes / 1e6:.0f} MB with shared pages counted once"
        for one in held
    ]


def _read(pid: int) -> tuple[int, int, int]:
    """Peak, end and share of one process; nothing of one that has just ended."""
    folder = Path(f"/proc/{pid}")
    try:
        status = _table(folder / "status")
        rollup = _table(folder / "smaps_rollup")
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0, 0
    return status.get("VmHWM", 0), status.get("VmRSS", 0), rollup.get("Pss", 0)


def _table(file: Path) -> dict[str, int]:
    """The lines of /proc that are sizes, in bytes."""
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0].removesuffix(":"): int(row[1]) * _KB for row in rows if row[-1:] == ["kB"]}
