"""A plan and its layer files → the finished file, in one call and without any cache.

The rule: this is the whole pipeline, stage after stage, and the service's own route (which keeps
what each stage made) must give the same bytes.
"""

from collections.abc import Callable

from render_service.pixels.compose import Canvas, draw
from render_service.pixels.decode import decode
from render_service.pixels.encode import encode
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.paint import paint
from render_service.pixels.raster import Raster
from render_service.pixels.resample import frame_of, resample
from render_service.planning.plan import Placement, RenderPlan

Read = Callable[[str], bytes]
"""Returns the bytes of the layer file whose SHA-256 (lower-case hex) is given."""


def render(plan: RenderPlan, read: Read, limits: Limits) -> bytes:
    """Return the file that a plan describes.

    Raises:
        InvalidPlan: The plan is over a limit, or not one this release can draw.
        AssetFailure: A layer's file cannot be used; or whatever else `read` raises.
        RenderFailed: The encoder failed.
    """
    return encode(render_canvas(plan, read, limits), plan.output)


def render_canvas(plan: RenderPlan, read: Read, limits: Limits) -> Canvas:
    """Return the picture before encoding; errors as `render`."""
    check_plan(plan, limits)
    frame = frame_of(plan)

    def tile(placement: Placement) -> Raster:
        data = read(placement.asset)
        raster = decode(data, placement, limits.decode, placement.asset)
        return paint(resample(raster, placement, frame), placement)

    return draw(plan, tile)
