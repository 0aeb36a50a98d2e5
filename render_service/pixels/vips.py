"""libvips, set up once for the process; everything else imports pyvips from here.

The rule: libvips reads its environment when it is first loaded, so nothing may import pyvips before
this module has written it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from render_service.errors import RenderServiceError

# Rendering already runs one picture per thread of its own pool, so libvips adds none; its encoders
# take their thread count from the same variable. Pictures decode in memory: the limits bound them,
# and a scratch file of an evicted page would be input and output inside the core. BLAS is held to
# one thread for the same reason; results do not depend on it, the arithmetic is exact.
os.environ["VIPS_CONCURRENCY"] = "1"
os.environ["VIPS_DISC_THRESHOLD"] = "64g"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pyvips  # the environment comes first, see above

__all__ = ["pyvips", "translating"]

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
