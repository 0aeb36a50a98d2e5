"""Finished renditions as files: `renditions/{first two hex}/{key}`, shared by several processes.

A file is the picture itself and a seal after its last byte, so that any viewer opens it. It is
written whole, also if the power goes, and is believed only when its seal agrees: whatever is killed
or torn, a reader sees a whole rendition or a miss.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from render_service.adapters.bounded_files import BoundedFiles
from render_service.adapters.seal import make_seal, store_name, unseal_joined
from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition

T = TypeVar("T")

_log = logging.getLogger(__name__)

_FOLDER: Final = "renditions"

_READERS: Final = 4
"""Threads that read: small files from the page cache; more would only take turns at the lock."""


class FileTier:
    """A folder of renditions, bounded in bytes, the least recently used out first.

    Attributes:
        folder: The folder `renditions` and the shared count stand in; made if it is not there.
        budget_bytes: The most that all files may take together.
    """

    name = "file"

    def __init__(self, folder: Path, *, budget_bytes: int) -> None:
        self.folder, self.budget_bytes = folder, budget_bytes
        # Two pools: a put that waits for a sweep must not keep a get waiting.
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="file-get")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="file-put")
        with _tier_errors():
            self._files = BoundedFiles(folder, _FOLDER, budget_bytes=budget_bytes, durable=True)

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

    def _read(self, key: RenderKey) -> Rendition | None:
        path = self.folder / store_name(key)
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
        else:
            self._files.touch(path, used_s)
        return rendition

    def _write(self, key: RenderKey, rendition: Rendition) -> None:
        name = store_name(key).removeprefix(f"{_FOLDER}/")
        self._files.write(name, [rendition.body, make_seal(key, rendition)])


@contextlib.contextmanager
def _tier_errors() -> Iterator[None]:
    """Turn what the file system refuses into TierUnavailable."""
    try:
        yield
    except OSError as error:
        raise TierUnavailable(f"The file tier: {error}.") from error
