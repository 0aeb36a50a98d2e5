"""What does a tile of deep zoom cost as the canvas grows? And what does the first one cost?

The rule: every canvas shows the same pixels, over and over, so that its tiles differ in nothing but
what lies around them; they are timed in turn in one run, by the processor time of this process.
"""

import time
from collections.abc import Callable

import numpy as np
from msgspec import Struct

from benchmarks.report import (
    Chart,
    Report,
    bar,
    machine_facts,
    parse_arguments,
    publish,
    ratio,
    time_in_turn,
)
from render_service.formats import Format
from render_service.pixels.compose import draw
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.pixels.vips import pyvips
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import (
    ONE,
    Blend,
    Encoding,
    Output,
    Placement,
    RenderPlan,
    Tone,
    Window,
)
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters

SIDES_PX = (1600, 3200, 6400, 12_800)
TILE_PX = 400
"""What each of these canvases is halved to until it fits in 512."""

SCALES = (1, 4)
GOAL = 1.2
"""A tile of the largest canvas over one of the smallest."""


class Scene(Struct, frozen=True, kw_only=True, eq=False):
    """A ground over the whole canvas and a layer over the middle half of it.

    Attributes:
        side_px: Of the canvas.
        placements: The two layers.
        files: Their files, by name.
        rasters: Room for all that is made of them.
    """

    side_px: int
    placements: tuple[Placement, ...]
    files: dict[str, bytes]
    rasters: Rasters

    def tile(self, scale: int) -> Callable[[], bytes]:
        """Return what draws and encodes a tile in the middle."""
        span = TILE_PX * scale
        # On the grid of tiles, and over the edge of the layer in the middle.
        left = self.side_px // 4 // span * span
        window = Window(left_px=left, top_px=left, width_px=span, height_px=span)
        output = Output(
            format=Format.WEBP, width_px=TILE_PX, height_px=TILE_PX, profile=PROFILES[Format.WEBP]
        )
        plan = RenderPlan(
            pipeline=PIPELINE_REVISION,
            canvas_width_px=self.side_px,
            canvas_height_px=self.side_px,
            placements=self.placements,
            tone=Tone(exposure=ONE, knee=ONE * 6 // 10, white=3 * ONE),
            alpha=False,
            output=output,
            window=window,
        )

        def make() -> bytes:
            limits = DecodeLimits(max_bytes=2**31, max_pixels=2**31)
            layers = Layers(self.rasters, plan.placements, frame_of(plan), limits)
            return encode(draw(plan, lambda p: layers.tile(p, self.files)), output)

        return make


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=25)
    scenes = [make_scene(side_px) for side_px in SIDES_PX]
    cases: dict[str, Callable[[], bytes]] = {}
    firsts: dict[str, float] = {}
    for scene in scenes:
        for scale in SCALES:
            name = f"{scene.side_px} px, scale {scale}"
            cases[name] = scene.tile(scale)
            start = time.process_time()
            cases[name]()
            firsts[name] = time.process_time() - start
    times = time_in_turn(cases, arguments.rounds, time.process_time)
    least = {scale: times[f"{SIDES_PX[0]} px, scale {scale}"] for scale in SCALES}
    ratios = {
        f"{side} px, scale {scale}": ratio(times[f"{side} px, scale {scale}"], least[scale])
        for side in SIDES_PX
        for scale in SCALES
    }
    worst = max(ratios.values())
    met = "met" if worst <= GOAL else "missed"
    report = Report(
        question="A tile, drawn and encoded, with its layers at hand; and the first one.",
        method=__doc__ or "",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings={"tile": f"{TILE_PX} px", "rounds": arguments.rounds, "clock": "processor time"},
        columns=("canvas", "tile ms", "over the smallest", "first tile ms"),
        rows=tuple(
            (name, str(times[name]), ratios[name], f"{1000 * firsts[name]:.0f}") for name in cases
        ),
        verdicts=(
            f"At most {worst:.2f} times the smallest canvas's; the goal is {GOAL}: {met}.",
            "The first tile at scale 1 decodes both layers; that at scale 4 scales them, decoded.",
        ),
        charts=tuple(
            Chart(
                title=f"Cost of a tile at scale {scale}, over that of {SIDES_PX[0]} px",
                unit="times",
                bars=tuple(
                    bar(
                        f"{side} px",
                        [
                            one / other
                            for one, other in zip(
                                times[f"{side} px, scale {scale}"].rounds_ms,
                                least[scale].rounds_ms,
                                strict=True,
                            )
                        ],
                    )
                    for side in SIDES_PX
                ),
                goal=GOAL,
            )
            for scale in SCALES
        ),
    )
    publish(report, arguments.json)


def make_scene(side_px: int) -> Scene:
    """Return a canvas of `side_px` with two layers of one pattern, as JPEG files."""
    random = np.random.default_rng(1)
    cell = random.integers(0, 256, (25, 25, 3)).astype(np.uint8)
    # Blocks of 16 pixels: 400 px that every scale can draw, and no encoder finds empty.
    pattern = pyvips.Image.new_from_array(cell.repeat(16, axis=0).repeat(16, axis=1)).gaussblur(3)
    repeats = side_px // TILE_PX
    picture = pattern.cast("uchar").replicate(repeats, repeats).copy(interpretation="srgb")
    half = side_px // 2
    boxes = {"ground": (0, side_px), "layer": (side_px // 4, half)}
    files = {
        name: picture.crop(0, 0, side, side).jpegsave_buffer(Q=90)
        for name, (_, side) in boxes.items()
    }
    placements = tuple(
        Placement(
            asset=name,
            left_px=left,
            top_px=left,
            width_px=side,
            height_px=side,
            pages=1,
            bands=3,
            encoding=Encoding.SRGB,
            blend=Blend.OVER if name == "ground" else Blend.ADD,
            paint=None,
            ramp=None,
        )
        for name, (left, side) in boxes.items()
    )
    return Scene(
        side_px=side_px, placements=placements, files=files, rasters=Rasters(budget_bytes=2**34)
    )


if __name__ == "__main__":
    main()
