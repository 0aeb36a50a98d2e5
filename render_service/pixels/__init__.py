"""Drawing. Pure; the only home of pyvips and numpy.

The rule: libvips and BLAS read the environment when they are first loaded, so it is written here,
before any module of the package can load them.
"""

import os

# Rendering already runs one picture per thread of its own pool, so libvips adds none; its encoders
# take their thread count from the same variable. Pictures decode in memory: the limits bound them,
# and a scratch file of an evicted page would be input and output inside the core.
os.environ["VIPS_CONCURRENCY"] = "1"
os.environ["VIPS_DISC_THRESHOLD"] = "64g"
# BLAS likewise: on a busy machine its threads wait for each other ten times as long as they work
# (scaling a 1600 px layer: 0.12 s of one core, 1.6 s on two). Results do not depend on it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
