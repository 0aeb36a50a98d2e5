"""Drawing and encoding a plan: the part of a render that runs on its thread."""

import time
from collections.abc import Callable
from typing import NamedTuple

from render_service.errors import RenderFailed, RenderServiceError
from render_service.pixels.compose import draw
from render_service.pixels.encode import encode
from render_service.pixels.raster import Raster
from render_service.planning.plan import Placement, RenderPlan
from render_service.rendering.rendition import Rendition, make_rendition
from render_service.rendering.served import Timings


class Drawn(NamedTuple):
    """A rendition, and when its stages were over, by `time.perf_counter`."""

    rendition: Rendition
    started_s: float
    composed_s: float
    encoded_s: float

    def timings(self, queue_s: float, fetch_s: float, store_s: float) -> Timings:
        """Return where the time went, what was before and behind the drawing among it."""
        return Timings(
            queue_ms=1000 * queue_s,
            fetch_ms=1000 * fetch_s,
            compose_ms=1000 * (self.composed_s - self.started_s),
            encode_ms=1000 * (self.encoded_s - self.composed_s),
            store_ms=1000 * store_s,
        )


def draw_and_encode(plan: RenderPlan, tile: Callable[[Placement], Raster]) -> Drawn:
    """Draw and encode. Blocks.

    Raises:
        RenderFailed: Something that no error of ours foresees went wrong; chained to it.
    """
    output = plan.output
    try:
        started_s = time.perf_counter()
        canvas = draw(plan, tile)
        composed_s = time.perf_counter()
        body = encode(canvas, output)
        encoded_s = time.perf_counter()
    except RenderServiceError:
        raise
    except Exception as error:
        raise RenderFailed(f"The picture could not be drawn: {error!r}.") from error
    rendition = make_rendition(body, output.format, *output.file_size_px)
    return Drawn(rendition, started_s, composed_s, encoded_s)
