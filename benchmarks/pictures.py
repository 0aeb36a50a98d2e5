"""The pictures that benchmarks draw: a ring of the catalogue, or a made-up one of the same build.

The rule: both come as a plan and resident layers, painted at output scale, as the service holds
them; nothing here is timed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from render_service.adapters.catalogue_folder import load_catalogue
from render_service.formats import Format
from render_service.pixels.decode import decode
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.paint import paint
from render_service.pixels.raster import Raster, trim
from render_service.pixels.resample import frame_of, resample
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import (
    ONE,
    Blend,
    Encoding,
    Output,
    Placement,
    RenderPlan,
    Tone,
)
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest

CATALOGUE: Final = Path(__file__).parent.parent / "compositions"

Floats = NDArray[np.float64]


class Picture(Struct, frozen=True, kw_only=True, eq=False):
    """Something to draw.

    Attributes:
        name: What it shows.
        plan: Its plan; the format is replaced by each benchmark.
        tile: Its layers, resident.
    """

    name: str
    plan: RenderPlan
    tile: Callable[[Placement], Raster]

    def output(self, file_format: Format) -> Output:
        """Return the output of the plan in another format, with the profile in use."""
        return replace(self.plan.output, format=file_format, profile=PROFILES[file_format])


def ring(selection: Mapping[str, str], side_px: int) -> Picture:
    """Return the hero view of the demo ring, or the made-up ring while the catalogue has no art."""
    if not (CATALOGUE / "solitaire-ring" / "composition.toml").exists():
        return made_up_ring(side_px)
    folder = load_catalogue(CATALOGUE)
    request = RenderRequest(
        composition="solitaire-ring",
        view="hero",
        region=None,
        selection=tuple(selection.items()),
        width_px=800,
        format=Format.WEBP,
    )
    planned = Planner(folder.catalogue, PROFILES).plan(request).plan
    # 1024 is not on the ladder, but it is the size that the goals and other servers are stated at.
    high_px = side_px * planned.canvas_height_px // planned.canvas_width_px
    plan = replace(
        planned, output=replace(planned.output, width_px=side_px, height_px=max(1, high_px))
    )
    frame = frame_of(plan)
    tiles = {}
    for placement in plan.placements:
        data = folder.files[placement.asset].read_bytes()
        raster = decode(data, placement, DecodeLimits(), placement.asset)
        tiles[placement] = paint(resample(raster, placement, frame), placement)
    words = " ".join(selection.values()) or "defaults"
    return Picture(name=f"solitaire-ring hero, {words}", plan=plan, tile=tiles.__getitem__)


class RingLayer(NamedTuple):
    """A layer of the made-up ring, before it has a colour.

    Attributes:
        name: What it shows.
        blend: How it meets what is below.
        shade: [side, side] of linear light, premultiplied.
        alpha: [side, side], 0..1.
        tint: Linear R, G, B that the made-up ring has it in.
        chosen: The option that colours it, where there is a choice; "" for none.
    """

    name: str
    blend: Blend
    shade: Floats
    alpha: Floats
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    chosen: str = ""


def ring_layers(side_px: int) -> list[RingLayer]:
    """Return six layers as a ring has them: ground, shadow, band, prongs, stone, sparkle."""
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px - 0.5
    around, from_centre = np.arctan2(y, x), np.hypot(x, y)
    grain = np.random.default_rng(1).random((side_px, side_px))
    band = (np.abs(from_centre - 0.3) < 0.045) * (0.6 + 0.5 * np.sin(9 * around) + 0.02 * grain)
    stone_at, stone_around = np.hypot(x, y + 0.34), np.arctan2(y + 0.34, x)
    facets = 0.5 + 0.3 * np.floor(3 * np.sin(8 * stone_around) * np.cos(50 * stone_at))
    stone = (stone_at < 0.1) * np.clip(facets, 0.05, 2)
    prongs = (np.abs(stone_at - 0.1) < 0.012) * (np.sin(2 * stone_around) ** 8) * 0.9
    sparkle = np.clip(1 - 2000 * np.abs((x + 0.03) * (y + 0.37)) - 12 * stone_at, 0, 1)
    shadow = 0.6 * np.exp(-60 * (y - 0.36) ** 2 - 9 * x**2)
    gold, ruby = (0.93, 0.62, 0.52), (0.7, 0.02, 0.05)
    return [
        RingLayer("ground", Blend.OVER, 0.8 - 0.6 * from_centre, 1.0 + 0 * x, chosen="ground"),
        RingLayer("shadow", Blend.MULTIPLY, 0 * x, shadow),
        RingLayer("band", Blend.OVER, band, (band > 0) * 1.0, gold, "metal"),
        RingLayer("prongs", Blend.ADD, prongs, (prongs > 0) * 1.0, gold, "metal"),
        RingLayer("stone", Blend.OVER, stone, (stone > 0) * 1.0, ruby, "gem"),
        RingLayer("sparkle", Blend.OVER, 4 * sparkle, sparkle),
    ]


def made_up_ring(side_px: int) -> Picture:
    """Return the made-up ring, its layers resident at the size of the canvas."""
    layers = [
        (layer.blend, _tinted(layer.shade, layer.tint, layer.alpha))
        for layer in ring_layers(side_px)
    ]
    tiles = {
        _placement(number, side_px, blend): _raster(light, alpha)
        for number, (blend, (light, alpha)) in enumerate(layers)
    }
    plan = RenderPlan(
        pipeline=PIPELINE_REVISION,
        canvas_width_px=side_px,
        canvas_height_px=side_px,
        placements=tuple(tiles),
        tone=Tone(exposure=ONE, knee=ONE * 6 // 10, white=3 * ONE),
        alpha=False,
        output=Output(
            format=Format.WEBP, width_px=side_px, height_px=side_px, profile=PROFILES[Format.WEBP]
        ),
    )
    return Picture(name="a made-up ring", plan=plan, tile=tiles.__getitem__)


def _tinted(
    light: Floats, tint: tuple[float, float, float], alpha: Floats
) -> tuple[Floats, Floats]:
    return np.maximum(light, 0)[..., np.newaxis] * np.array(tint), alpha


def _raster(light: Floats, alpha: Floats) -> Raster:
    scaled = np.clip(light * ONE, 0, 65535).astype(np.uint16)
    return trim(scaled, np.clip(alpha * ONE, 0, ONE).astype(np.uint16), 0, 0)


def _placement(number: int, side_px: int, blend: Blend) -> Placement:
    return Placement(
        asset=f"{number:064x}",
        left_px=0,
        top_px=0,
        width_px=side_px,
        height_px=side_px,
        pages=1,
        bands=3,
        encoding=Encoding.LINEAR,
        blend=blend,
        paint=None,
        ramp=None,
    )
