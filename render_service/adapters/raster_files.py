"""Layers that were decoded and scaled, as files that every process of this machine maps.

A mapped file is one copy in the page cache, however many processes draw with it, and the kernel
takes it back when memory is short. The rule: nothing here is needed. Whatever is missing, damaged
or refused by the disk is a miss, is removed, and is made again from the layer file.
"""

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from render_service.adapters.bounded_files import BoundedFiles
from render_service.adapters.mapped_file import map_file
from render_service.pixels.packed import pack, unpack
from render_service.pixels.raster import Raster

_log = logging.getLogger(__name__)

_FOLDER: Final = "files"
_DIGITS: Final = 2
"""Hex digits of a folder: 256 folders of some twenty files each."""


class RasterFiles:
    """A folder of rasters, bounded in bytes, the least recently used out first. Every call blocks.

    Attributes:
        root: Holds the folder and its count; made if it is not there.
        budget_bytes: The most that all files may take together.
    """

    def __init__(self, root: Path, *, budget_bytes: int) -> None:
        """Use `root`.

        Raises:
            OSError: It cannot be made or used.
        """
        self.root, self.budget_bytes = root, budget_bytes
        # A cut power may tear a file: it is then no whole raster, and is made again. To wait for
        # the disk would cost more than to decode.
        self._files = BoundedFiles(root, _FOLDER, budget_bytes=budget_bytes, durable=False)

    def has(self, name: str) -> bool:
        return self._path(name).exists()

    def get(self, name: str) -> Raster | None:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                facts = os.fstat(file.fileno())
                mapped = map_file(file.fileno())
        except FileNotFoundError:
            return None
        except ValueError:
            self._remove(path, "it is empty")
            return None
        except OSError as error:
            _log.warning("a layer could not be read, %s: %s", path, error)
            return None
        raster = unpack(name, mapped)
        if raster is None:
            self._remove(path, "it is not what was written")
            return None
        self._files.touch(path, facts.st_mtime)
        return raster

    def put(self, name: str, raster: Raster) -> bool:
        try:
            # Who wants the space back deletes it; the folder that it is in stays.
            self.root.mkdir(exist_ok=True)
            return self._files.write(self._relative(name), pack(name, raster))
        except OSError as error:
            _log.warning("a layer was not kept in %s: %s", self.root, error)
            return False

    def _remove(self, path: Path, reason: str) -> None:
        _log.warning("removed a damaged layer, %s: %s", path, reason)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._files.folder / self._relative(name)

    def _relative(self, name: str) -> str:
        return f"{name[:_DIGITS]}/{name[_DIGITS:]}"
