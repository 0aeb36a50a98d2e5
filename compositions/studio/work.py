"""The work folder: every finished trace is a file, so a stopped render goes on where it was.

A trace is named by what it is, and its quality is in the name; there is no other state. Delete a
file to have it traced again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How many samples each kind of trace takes per pixel; powers of two.

    Attributes:
        name: Prefix of the files in the work folder.
        cover: Finding out which pixels show the ring.
        stone: Stone and head, by view; `top` has twice as many of their pixels.
        band: Shank and pavé, by view.
        ground: The ground, at half resolution.
        contact: The ground where the ring touches it.
    """

    name: str
    cover: int
    stone: dict[str, int]
    band: dict[str, int]
    ground: int
    contact: int

    @property
    def seed(self) -> int:
        """One seed for all: bands of a set must share their noise."""
        return 7


QUALITIES = {
    "draft": Quality(
        name="draft",
        cover=16,
        stone={"hero": 16, "top": 16},
        band={"hero": 16, "top": 16},
        ground=16,
        contact=64,
    ),
    "final": Quality(
        name="final",
        cover=16,
        stone={"hero": 256, "top": 256},
        band={"hero": 256, "top": 256},
        ground=128,
        contact=1024,
    ),
}
BATCH_SAMPLES = 1 << 22  # about 1 GB at the widest point


def remember(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays stored at a path; make and store them first when there are none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **make())  # type: ignore[arg-type]
        partial.rename(path)
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def batches(pixels: NDArray[np.uint32], samples_per_px: int) -> Iterator[NDArray[np.uint32]]:
    """Yield pixels in lots that fit in memory."""
    size = max(1, BATCH_SAMPLES // samples_per_px)
    for start in range(0, len(pixels), size):
        yield pixels[start : start + size]
