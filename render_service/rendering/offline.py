"""Drawing many plans in a row without a service: layers are kept, pictures are not.

For the command line: checks and contact sheets draw the same layers over and over.
"""

from render_service.pixels.compose import Canvas, draw
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.offline import Read
from render_service.pixels.resample import frame_of
from render_service.planning.plan import RenderPlan
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters


def draw_with(plan: RenderPlan, rasters: Rasters, read: Read, limits: Limits) -> Canvas:
    """Return the canvas of `plan`, its layers taken from `rasters` or made and kept there.

    Raises:
        InvalidPlan: The plan is over a limit.
        AssetFailure: A layer file is missing or cannot be used.
    """
    check_plan(plan, limits)
    layers = Layers(rasters, plan.placements, frame_of(plan), limits.decode)
    files = {asset: read(asset) for asset in layers.assets}
    return draw(plan, lambda placement: layers.tile(placement, files))
