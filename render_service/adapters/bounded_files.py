"""A folder of files within a budget of bytes, shared by several processes.

A file comes into being whole (temporary name, rename), so whoever opens one never sees half of it;
what was used least recently goes first.

Bytes are counted in one locked file that all processes share. It is added to before a file is
written and corrected by the sweep that makes room, so a process that dies in between leaves the
count too high, never too low, and no write has to walk the folders.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from render_service.adapters.on_disk import sync_folder

_SWEEP_TO: Final = 0.9
"""A sweep leaves this share of the budget, so that one walk of the folders pays for the next tenth
of the budget written."""

_TOUCH_AFTER_S: Final = 60.0
"""A file used again within a minute keeps its time: the order of use is kept to a minute, and what
is popular costs one metadata write a minute, not one per use."""


class _Entry(NamedTuple):
    used_ns: int
    size_bytes: int
    path: Path


class BoundedFiles:
    """Files named `{two characters}/{name}` in one folder, bounded together. Every call blocks.

    Attributes:
        folder: Where they are.
        budget_bytes: The most that all of them may take together.
    """

    def __init__(self, root: Path, name: str, *, budget_bytes: int, durable: bool) -> None:
        """Use `root`, made if it is not there, and remove what processes that died left in it.

        Args:
            root: Holds the folder, what is being written, and the shared count.
            name: Of the folder in it.
            budget_bytes: The most that all files may take together.
            durable: A file that was written is still there, and whole, after a power cut.

        Raises:
            OSError: The folder cannot be made or used.
        """
        self.folder, self.budget_bytes = root / name, budget_bytes
        self._durable = durable
        self._unfinished = root / "unfinished"
        self._count = root / f"{name}.bytes"
        root.mkdir(parents=True, exist_ok=True)
        self._make_folders()
        with self._locked_count():
            self._remove_leftovers()

    def write(self, name: str, parts: Sequence[bytes | memoryview]) -> bool:
        """Write `parts`, one after the other, as the file `name`, whole or not at all.

        Returns:
            Whether it is there; one that is over the budget by itself is not written.

        Raises:
            OSError: It could not be written; nothing of it is left.
        """
        path = self.folder / name
        size_bytes = sum(memoryview(part).nbytes for part in parts)
        if size_bytes > self.budget_bytes:
            return False
        temporary, file = self._reserve(size_bytes)
        written = temporary
        try:
            with file:
                for part in parts:
                    file.write(part)
                file.flush()
                if self._durable:
                    os.fsync(file.fileno())
                path.parent.mkdir(exist_ok=True)
                # While it is locked: what is renamed is no leftover.
                written = temporary.rename(path)
            if self._durable:
                sync_folder(path.parent)
        except OSError:
            self._take_back(written, size_bytes)
            raise
        return True

    def touch(self, path: Path, used_s: float) -> None:
        """Note that `path` was used; last noted was `used_s`, in seconds since 1970."""
        if time.time() - used_s > _TOUCH_AFTER_S:
            with contextlib.suppress(OSError):  # swept away meanwhile, or a read-only disk
                os.utime(path)

    def _make_folders(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._unfinished.mkdir(exist_ok=True)

    def _remove_leftovers(self) -> None:
        """Remove what was left by processes that died; call it with the count locked."""
        for path in self._unfinished.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)

    def _reserve(self, size_bytes: int) -> tuple[Path, BinaryIO]:
        """Count `size_bytes` in before they are written, making room first if they need it.

        Return a temporary file of that size, so that whoever sweeps meanwhile counts it, locked
        for as long as it is open: what nobody holds was left by a process that died.
        """
        # Anyone may empty the root at any time; one that is gone may be a disk that is away.
        self._make_folders()
        with self._locked_count() as count:
            used_bytes = _read_count(count)
            if used_bytes is None or used_bytes + size_bytes > self.budget_bytes:
                used_bytes = self._sweep(size_bytes)
            temporary = self._unfinished / secrets.token_hex(16)
            file = temporary.open("xb")
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.truncate(size_bytes)
                _write_count(count, used_bytes + size_bytes)
            except OSError:
                file.close()
                temporary.unlink(missing_ok=True)
                raise
            return temporary, file

    def _take_back(self, written: Path, size_bytes: int) -> None:
        """Remove what could not be written, and count it out, unless a sweep has done both."""
        with contextlib.suppress(OSError), self._locked_count() as count:
            written.unlink()
            _write_count(count, max(0, (_read_count(count) or 0) - size_bytes))

    @contextlib.contextmanager
    def _locked_count(self) -> Iterator[int]:
        """The shared count's descriptor, locked against the other processes."""
        descriptor = os.open(self._count, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _sweep(self, wanted_bytes: int) -> int:
        """Remove the least recently used until there is room; return the bytes that are left."""
        self._remove_leftovers()
        # In this order: a file that is renamed in between is counted twice rather than never.
        used_bytes = sum(entry.size_bytes for entry in _list(self._unfinished, "*"))
        entries = sorted(_list(self.folder, "??/*"))
        used_bytes += sum(entry.size_bytes for entry in entries)
        if used_bytes + wanted_bytes <= self.budget_bytes:
            return used_bytes
        target_bytes = min(int(self.budget_bytes * _SWEEP_TO), self.budget_bytes - wanted_bytes)
        for entry in entries:
            if used_bytes <= target_bytes:
                break
            entry.path.unlink(missing_ok=True)
            used_bytes -= entry.size_bytes
        return used_bytes


def _list(folder: Path, pattern: str) -> Iterator[_Entry]:
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            yield _Entry(facts.st_mtime_ns, facts.st_size, path)


def _read_count(descriptor: int) -> int | None:
    """The count, or None where it was never written or is not a number."""
    text = os.pread(descriptor, 32, 0)
    return int(text) if text.strip().isdigit() else None


def _write_count(descriptor: int, used_bytes: int) -> None:
    # Always 20 digits: 2^64 has 20, and the file's length never changes.
    os.pwrite(descriptor, b"%020d" % used_bytes, 0)
