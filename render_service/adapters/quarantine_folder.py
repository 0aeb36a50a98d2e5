"""Quarantine in a folder: an upload is a file of its own name, whole or not there.

A file is received under another name, is on disk before it gets its own, and is locked meanwhile:
what nobody holds was left by a process that died. So one form takes the room of one file, however
often it is posted at once.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from render_service.adapters.on_disk import sync_folder
from render_service.assets.policies import Policies
from render_service.assets.quarantine import Form, Slot
from render_service.errors import UploadsUnavailable, UploadUnderWay

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_LEFT_AFTER_S: Final = 60.0
"""A file that is being received is locked within milliseconds of being made."""


class Arriving:
    """A file while it is being received."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.is_whole = False

    async def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            UploadsUnavailable: It cannot be written.
        """
        with _folder_errors():
            await asyncio.to_thread(self._file.write, data)

    def end(self) -> None:
        """Say that this is all of it: it is kept when its context ends."""
        self.is_whole = True


class QuarantineFolder:
    """Implements `Quarantine` in a folder, made with the first file.

    Args:
        folder: Where it is; processes of one service share it.
        policies: Signs forms and knows them.
        url: Where forms are posted to.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        policies: Policies,
        *,
        url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._policies, self._url, self._now = folder, policies, url, now
        self._unfinished = folder / "unfinished"

    @property
    def place(self) -> str:
        return str(self._folder)

    async def offer(self, slot: Slot) -> Form:
        fields = {
            "key": slot.name,
            "Content-Type": slot.media_type,
            "policy": self._policies.sign(slot),
        }
        return Form(url=self._url, fields=fields)

    def slot_of(self, policy: str) -> Slot:
        """Return the slot that a form's policy is good for, now.

        Raises:
            UploadForbidden: It is none of ours, or its time is over.
        """
        return self._policies.verify(policy, int(self._now()))

    @asynccontextmanager
    async def receive(self, slot: Slot) -> AsyncIterator[Arriving]:
        """Yield what receives the file of `slot`; unless it is ended, nothing is left of it.

        Raises:
            UploadUnderWay: Another request is receiving it.
            UploadsUnavailable: It cannot be written.
        """
        with _folder_errors():
            file = await asyncio.to_thread(self._begin, slot.name)
        arriving = Arriving(file)
        try:
            yield arriving
        except BaseException:
            arriving.is_whole = False
            raise
        finally:
            with _folder_errors():
                await asyncio.shield(asyncio.to_thread(self._end, file, slot.name, arriving))

    async def size(self, name: str) -> int | None:
        with _folder_errors():
            try:
                return (await asyncio.to_thread(self._path(name).stat)).st_size
            except FileNotFoundError:
                return None

    async def fetch(self, name: str, *, bytes_max: int) -> bytes | None:
        with _folder_errors():
            return await asyncio.to_thread(self._fetch, name, bytes_max)

    async def remove(self, name: str) -> None:
        with _folder_errors():
            await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
            await asyncio.to_thread(self._remove_leftovers)

    async def close(self) -> None:
        return None

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name of an upload")
        return self._folder / name

    def _begin(self, name: str) -> BinaryIO:
        """Open the unfinished file of `name`, empty, and locked by this request alone."""
        self._path(name)
        self._unfinished.mkdir(parents=True, exist_ok=True)
        path = self._unfinished / name
        while True:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever held it may have ended between our opening and our locking it.
                if _is_at(file, path):
                    file.truncate(0)
                    return file
            except BlockingIOError as error:
                file.close()
                raise UploadUnderWay from error
            except BaseException:
                file.close()
                raise
            file.close()

    def _end(self, file: BinaryIO, name: str, arriving: Arriving) -> None:
        """Give a whole file its name, and remove any other; it is locked until then."""
        path = self._unfinished / name
        try:
            with file:
                if arriving.is_whole:
                    file.flush()
                    os.fsync(file.fileno())
                    path.rename(self._folder / name)
                    sync_folder(self._folder)
                else:
                    path.unlink(missing_ok=True)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def _fetch(self, name: str, bytes_max: int) -> bytes | None:
        try:
            with self._path(name).open("rb") as file:
                if os.fstat(file.fileno()).st_size > bytes_max:
                    return None
                return file.read()
        except FileNotFoundError:
            return None

    def _remove_leftovers(self) -> None:
        """Remove what processes that died left unfinished."""
        with contextlib.suppress(FileNotFoundError):
            for path in self._unfinished.iterdir():
                with contextlib.suppress(OSError), path.open("rb") as file:
                    if time.time() - os.fstat(file.fileno()).st_mtime > _LEFT_AFTER_S:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink(missing_ok=True)


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _folder_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "unknown")
        raise UploadsUnavailable(f"{error.filename or 'quarantine'}: {reason}") from error
