"""The folder in which the processes of one service count together: made and removed by the parent.

It is the parent's as long as that holds the lock in it. One whose parent was killed has nobody left
to remove it: the next service to start does.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder in it, for this user alone
"""Where Linux keeps files in memory: pages of a file on a disk are written out again and again."""

_PREFIX: Final = "render-service-counts-"
_LOCK: Final = "parent.lock"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that no other user can enter; remove it at the end, and abandoned ones now.

    Raises:
        OSError: It cannot be made.
    """
    usable = SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK)
    place = SHARED_MEMORY if usable else Path(tempfile.gettempdir())
    sweep(place)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        # Locked before it has the name by which others judge it.
        with (folder / f"{_LOCK}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)
            yield folder


def sweep(place: Path) -> None:
    """Remove the folders in `place` whose parent has died."""
    for folder in place.glob(f"{_PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        # Held, or being made, or another user's.
        return False
    return True
