"""Whether a draft can be drawn: the faults that `check` finds in a folder, within a bound.

The rule: what is small enough is tried whole; of what is not, a sample that shows every value once
is tried, and the answer says so.
"""

from typing import Final

from msgspec import Struct

from render_service.composition.model import Composition
from render_service.drafts.sampling import sample
from render_service.errors import Fault
from render_service.pixels.limits import Limits
from render_service.pixels.offline import Read
from render_service.planning.planner import Planner
from render_service.rendering.check import Check, Gallery

PICTURES_MAX: Final = 48
"""Pictures of 320 pixels drawn for one check: some seconds of one thread."""

COUNTED_MAX: Final = 5_000
"""Configurations that are counted out to find how many pictures there are to try."""

RASTERS_BYTES: Final = 256 * 2**20
"""Layers kept while one draft is tried: this runs beside what serves."""


class Checked(Struct, frozen=True, kw_only=True):
    """What drawing a draft came to.

    Attributes:
        faults: Everything wrong with what was tried.
        drawn: Pictures tried.
        complete: Whether that is every combination of its layer files, and every option.
    """

    faults: tuple[Fault, ...]
    drawn: int
    complete: bool


def check_pictures(planner: Planner, read: Read, limits: Limits) -> Checked:
    """Draw what stands for the one composition of `planner`. Blocks for seconds."""
    (composition,) = planner.catalogue.compositions.values()
    if _lattice(composition) <= COUNTED_MAX:
        check = Check(planner, read, limits, rasters_bytes=RASTERS_BYTES)
        if check.steps - len(composition.options) <= PICTURES_MAX:
            return Checked(faults=tuple(check.run(_ignore)), drawn=check.steps, complete=True)
    gallery = Gallery(planner, read, limits, composition, rasters_bytes=RASTERS_BYTES)
    tried = sample(composition, PICTURES_MAX)
    faults = [fault for view, one in tried for fault in gallery.try_picture(view, one)]
    return Checked(faults=tuple(faults), drawn=len(tried), complete=False)


def _lattice(composition: Composition) -> int:
    return sum(composition.lattice_size(view.options) for view in composition.views.values())


def _ignore(_: str) -> None:
    """Nobody watches."""
