"""Finished renditions as files: `renditions/{first two hex}/{key}`, shared by several processes.

A file is the picture itself and a seal after its last byte, so that any viewer opens it. It comes
into being whole (temporary name, fsync, rename, fsync of the folder) and is believed only when its
seal agrees: whatever is killed or torn, a reader sees a whole rendition or a miss.

Bytes are counted in one locked file that all processes share. It is added to before a file is
written and corrected by the sweep that makes room, so a process that dies in between leaves the
count too high, never too low, and no put has to walk the folders.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeVar

from render_service.adapters.on_disk import sync_folder
from render_service.adapters.seal import make_seal, store_name, unseal_joined
from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition

T = TypeVar("T")

_log = logging.getLogger(__name__)

_SWEEP_TO: Final = 0.9
"""A sweep leaves this share of the budget, so that one walk of the folders pays for the next tenth
of the budget written."""

_TOUCH_AFTER_S: Final = 60.0
"""A file read again within a minute keeps its time: the order of use is kept to a minute, and a
popular rendition costs one metadata write a minute, not one per read."""

_READERS: Final = 4
"""Threads that read: small files from the page cache; more would only take turns at the lock."""


class _Entry(NamedTuple):
    used_ns: int
    size_bytes: int
    path: Path


class FileTier:
    """A folder of renditions, bounded in bytes, the least recently used out first.

    Attributes:
        folder: The folder `renditions` and the shared count stand in; made if it is not there.
        budget_bytes: The most that all files may take together.
    """

    name = "file"

    def __init__(self, folder: Path, *, budget_bytes: int) -> None:
        self.folder, self.budget_bytes = folder, budget_bytes
        self._renditions = folder / "renditions"
        self._unfinished = folder / "unfinished"
        self._count = folder / "renditions.bytes"
        # Two pools: a put that waits for a sweep must not keep a get waiting.
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="file-get")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="file-put")
        with _tier_errors():
            self._renditions.mkdir(parents=True, exist_ok=True)
            self._unfinished.mkdir(exist_ok=True)
            with self._locked_count():
                self._remove_leftovers()

    async def get(self, key: RenderKey) -> Rendition | None:
        return await self._on(self._readers, lambda: self._read(key))

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        await self._on(self._writer, lambda: self._write(key, rendition))

    async def close(self) -> None:
        for pool in (self._readers, self._writer):
            await asyncio.to_thread(pool.shutdown)

    async def _on(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        with _tier_errors():
            return await asyncio.get_running_loop().run_in_executor(pool, work)

    def _path(self, key: RenderKey) -> Path:
        return self.folder / store_name(key)

    def _read(self, key: RenderKey) -> Rendition | None:
        path = self._path(key)
        try:
            with path.open("rb") as file:
                used_s = os.fstat(file.fileno()).st_mtime
                data = file.read()
        except FileNotFoundError:
            return None
        rendition = unseal_joined(key, data)
        if rendition is None:
            _log.warning("removed a damaged rendition: %s", key)
            path.unlink(missing_ok=True)
        elif time.time() - used_s > _TOUCH_AFTER_S:
            with contextlib.suppress(OSError):  # swept away meanwhile, or a read-only disk
                os.utime(path)
        return rendition

    def _write(self, key: RenderKey, rendition: Rendition) -> None:
        path = self._path(key)
        seal = make_seal(key, rendition)
        size_bytes = len(rendition.body) + len(seal)
        if size_bytes > self.budget_bytes:
            return
        temporary, file = self._reserve(size_bytes)
        try:
            with file:
                file.write(rendition.body)
                file.write(seal)
                file.flush()
                os.fsync(file.fileno())
                path.parent.mkdir(exist_ok=True)
                # While it is locked: what is renamed is no leftover.
                temporary.rename(path)
            sync_folder(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            self._add(-size_bytes)
            raise

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

    def _add(self, size_bytes: int) -> None:
        with contextlib.suppress(OSError), self._locked_count() as count:
            _write_count(count, max(0, (_read_count(count) or 0) + size_bytes))

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
        entries = sorted(self._entries("renditions/??/*"))
        used_bytes = sum(entry.size_bytes for entry in entries)
        used_bytes += sum(entry.size_bytes for entry in self._entries("unfinished/*"))
        if used_bytes + wanted_bytes <= self.budget_bytes:
            return used_bytes
        target_bytes = min(int(self.budget_bytes * _SWEEP_TO), self.budget_bytes - wanted_bytes)
        for entry in entries:
            if used_bytes <= target_bytes:
                break
            entry.path.unlink(missing_ok=True)
            used_bytes -= entry.size_bytes
        return used_bytes

    def _entries(self, pattern: str) -> Iterator[_Entry]:
        for path in self.folder.glob(pattern):
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


@contextlib.contextmanager
def _tier_errors() -> Iterator[None]:
    """Turn what the file system refuses into TierUnavailable."""
    try:
        yield
    except OSError as error:
        raise TierUnavailable(f"The file tier: {error}.") from error
