"""What is to be on disk before the next step is taken.

A file that was renamed is there after a power cut only when its folder was written, too.
"""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on disk.

    Raises:
        OSError: They could not be written.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
