"""Writing a command's result where the user named it.

The rule: a regular file comes into being whole or not at all; a pipe or a device is written
through, and a link is followed: neither is ever replaced by a file.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from render_service.errors import InvalidRequest

STANDARD_OUTPUT: Final = "-"


def write_output(output: str, body: bytes) -> None:
    """Write `body` to the file `output`, or to standard output where that is `-`.

    Raises:
        InvalidRequest: It cannot be written; nothing half-written stays.
    """
    if output == STANDARD_OUTPUT:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    target = Path(output).resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(body)
        else:
            _write_whole(target, body)
    except OSError as error:
        raise InvalidRequest(f"{output} cannot be written ({error.strerror}).") from error


def _write_whole(target: Path, body: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            file.write(body)
            file.flush()
            # A temporary file is for its owner alone; this one is to be as any other.
            os.chmod(file.name, 0o666 & ~_umask())
            Path(file.name).replace(target)
        except OSError:
            Path(file.name).unlink()
            raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
