"""Releases in a folder: a file for each document, whole or not there, whoever is killed and when.

A file comes into being under a temporary name, is on disk before it gets its own, and its folder is
on disk before anybody is told. The live document is replaced under a lock that a killed publisher
cannot keep, so a reader sees the old state or the new one.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from render_service.adapters.on_disk import sync_folder
from render_service.errors import ReleasesUnavailable, ReleaseUnreadable
from render_service.releases.model import LIVE, check_whole, is_name
from render_service.releases.ports import Pointer

_LEFT_AFTER_S: Final = 60.0
"""A temporary file is locked within milliseconds of being made; a minute is far beyond that."""


class ReleaseFolder:
    """A store of releases in a folder, shared by the processes that see it.

    Attributes:
        folder: The folder; made with the first document.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unfinished = folder / "unfinished"
        self._cleared = False

    @property
    def place(self) -> str:
        return str(self.folder)

    async def get(self, name: str, *, bytes_max: int) -> bytes | None:
        return await asyncio.to_thread(self._get, name, bytes_max)

    async def has(self, name: str) -> bool:
        with _store_errors():
            return is_name(name) and await asyncio.to_thread((self.folder / name).is_file)

    async def put(self, name: str, data: bytes, *, replace: bool = False) -> bool:
        return await asyncio.to_thread(self._put, name, data, replace)

    async def read_live(self, known: Pointer | None = None) -> Pointer | None:
        found = await asyncio.to_thread(self._read_live)
        return known if known is not None and found == known else found

    async def move_live(self, data: bytes, expected: Pointer | None) -> bool:
        return await asyncio.to_thread(self._move_live, data, expected)

    async def recall_live(self) -> Pointer | None:
        return None

    async def close(self) -> None:
        return None

    def _get(self, name: str, bytes_max: int) -> bytes | None:
        if not is_name(name):
            return None
        with _store_errors():
            try:
                with (self.folder / name).open("rb") as file:
                    size_bytes = os.fstat(file.fileno()).st_size
                    if size_bytes > bytes_max:
                        problem = f"has {size_bytes} bytes; at most {bytes_max} are read"
                        raise ReleaseUnreadable(name, problem, too_large=True)
                    data = file.read()
            except FileNotFoundError:
                return None
        check_whole(name, data)
        return data

    def _put(self, name: str, data: bytes, replace: bool) -> bool:
        if not is_name(name) or name == LIVE:
            raise ValueError(f"{name!r} is no name of a document")
        path = self.folder / name
        with _store_errors(), self._written(data) as temporary:
            _make_folders(path.parent)
            if replace:
                temporary.rename(path)
            else:
                try:
                    # Unlike a rename, a link never takes the place of what is there.
                    os.link(temporary, path)
                except FileExistsError:
                    return False
            sync_folder(path.parent)
        return True

    def _read_live(self) -> Pointer | None:
        data = self._get(LIVE, 2**63)
        return None if data is None else Pointer(hashlib.sha256(data).hexdigest(), data)

    def _move_live(self, data: bytes, expected: Pointer | None) -> bool:
        with _store_errors(), self._written(data) as temporary, self._lock():
            if self._read_live() != expected:
                return False
            temporary.rename(self.folder / LIVE)
            sync_folder(self.folder)
        return True

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "publishers.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        """Write `data` to a temporary name, on disk; what is still there at the end is removed."""
        _make_folders(self._unfinished)
        if not self._cleared:
            self._remove_leftovers()
            self._cleared = True
        temporary = self._unfinished / secrets.token_hex(16)
        try:
            with temporary.open("xb") as file:
                # Held while in use: what nobody holds was left by a publisher that died.
                fcntl.flock(file, fcntl.LOCK_EX)
                _write(file, data)
                yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _remove_leftovers(self) -> None:
        for path in self._unfinished.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as file:
                # One that was made a moment ago may not be locked yet.
                if time.time() - os.fstat(file.fileno()).st_mtime > _LEFT_AFTER_S:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _make_folders(folder: Path) -> None:
    """Make `folder` and those above it, each on disk before the next."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


@contextlib.contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "unknown")
        raise ReleasesUnavailable(f"{where}{reason}") from error
