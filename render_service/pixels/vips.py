"""libvips, set up once for the process; everything else imports pyvips from here.

The rule: what libvips reads from the environment is written by the package's `__init__`, which runs
before any of its modules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pyvips

from render_service.errors import RenderServiceError

__all__ = ["LIBVIPS", "pyvips", "translating"]

LIBVIPS: Final = ".".join(str(pyvips.version(part)) for part in range(3))
"""The release of libvips that decodes and encodes here."""

# No operation cache: it would keep decoded layers alive beside our own, bounded one.
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
pyvips.cache_set_max_files(0)
# The loaders that libvips itself does not trust with hostile files (SVG, PDF, and the like).
pyvips.block_untrusted_set(True)


@contextmanager
def translating(make_error: Callable[[str], RenderServiceError]) -> Iterator[None]:
    """Turn a pyvips error inside the block into one of ours.

    Args:
        make_error: Takes what libvips said, on one line, and returns the error to raise.

    Raises:
        RenderServiceError: What `make_error` returned, chained to the pyvips error.
    """
    try:
        yield
    except pyvips.Error as error:
        said = " ".join(str(error.detail or error.message).split())
        raise make_error(said or "no reason given") from error
