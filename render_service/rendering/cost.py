"""What a render is expected to take, before it is begun: milliseconds of one thread.

The rule: an expectation is a sum over what will really be done now, so a layer that is at hand
costs nothing, and one that two renders need costs once. The weights were measured on one machine;
`Pace` corrects them for the one it runs on, and for who shares its cores.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Final

from msgspec import Struct

from render_service.formats import Format
from render_service.planning.plan import RenderPlan
from render_service.rendering.layers import How, Layers
from render_service.rendering.rasters import RasterKey

NS_A_MS: Final = 1e6

HALF_LIFE_MS: Final = 2000.0
"""Half of the pace is what the last 2 s of work took: some twenty renders, or two with layers to
decode. Sooner would follow single pictures, later would be late for a burst."""

LEAP: Final = 4.0
"""One render moves the pace as if it took at most 4 times what was expected, or at least a
quarter: a process that was stopped for a minute, or a disk that slept, is no pace."""


class Weight(Struct, frozen=True, kw_only=True):
    """What encoding takes: `ms` for any picture, and `ns_px` more for each of its pixels."""

    ms: float
    ns_px: float


class Weights(Struct, frozen=True, kw_only=True):
    """What each step takes on the machine they were measured on.

    Attributes:
        encode: Encoding, by format and whether there is alpha, with the profiles in use.
        draw_ns_px: Blending one layer and its share of the tone, for each pixel of the picture.
        decode_ns_px: Decoding a layer file, for each pixel of each of its pages.
        read_ns_px: Scaling it, for each such pixel.
        scale_ns_px: Scaling it, for each pixel of each page as scaled.
        paint_ns_px: Painting it, likewise.
        map_ns_sample: Mapping what was decoded or scaled from the store, for each of its samples.
    """

    encode: Mapping[tuple[Format, bool], Weight]
    draw_ns_px: float
    decode_ns_px: float
    read_ns_px: float
    scale_ns_px: float
    paint_ns_px: float
    map_ns_sample: float


# `python -m benchmarks.cost` measures these; docs/decisions/0040-admission-by-cost.md says where
# they were, and how far pictures lie from them.
WEIGHTS: Final = Weights(
    encode={
        (Format.AVIF, False): Weight(ms=31.0, ns_px=400.0),
        (Format.AVIF, True): Weight(ms=43.0, ns_px=400.0),
        (Format.WEBP, False): Weight(ms=4.3, ns_px=78.0),
        (Format.WEBP, True): Weight(ms=26.0, ns_px=290.0),
        (Format.JPEG, False): Weight(ms=3.8, ns_px=61.0),
        (Format.PNG, False): Weight(ms=5.9, ns_px=131.0),
        (Format.PNG, True): Weight(ms=5.9, ns_px=131.0),
    },
    draw_ns_px=4.3,
    decode_ns_px=143.0,
    read_ns_px=22.0,
    scale_ns_px=168.0,
    paint_ns_px=22.0,
    map_ns_sample=1.4,
)


class Work(Struct, frozen=True, kw_only=True):
    """What one render is expected to take on the machine of the weights.

    Attributes:
        own_ms: Drawing and encoding: done by this render alone.
        layers_ms: Making each layer raster that is not at hand, by what is made: done once,
            however many renders want it.
    """

    own_ms: float
    layers_ms: Mapping[Hashable, float] = {}

    @property
    def total_ms(self) -> float:
        """All of it, if nobody else makes a layer of it first."""
        return self.own_ms + sum(self.layers_ms.values())


def work_of(plan: RenderPlan, layers: Layers, weights: Weights = WEIGHTS) -> Work:
    """Return what rendering `plan` is expected to take, with `layers` looked up just now."""
    encode = weights.encode[plan.output.format, plan.alpha]
    encode_ms = encode.ms + _pixels(plan) * encode.ns_px / NS_A_MS
    drawing = drawing_of(plan, layers, weights)
    return Work(own_ms=encode_ms + drawing.own_ms, layers_ms=drawing.layers_ms)


def drawing_of(plan: RenderPlan, layers: Layers, weights: Weights = WEIGHTS) -> Work:
    """Return what drawing `plan` without encoding it is expected to take."""
    draw_ns_px = weights.draw_ns_px
    if plan.window is not None:
        # A window is scaled and painted for itself; what it is cut from may be at hand.
        draw_ns_px += weights.scale_ns_px + weights.paint_ns_px
    draw_ns_px *= len(plan.placements)
    return Work(
        own_ms=_pixels(plan) * draw_ns_px / NS_A_MS,
        layers_ms={key: step_ms(how, key, plan, weights) for how, key, _ in layers.missing},
    )


def step_ms(how: How, key: RasterKey, plan: RenderPlan, weights: Weights) -> float:
    """Return the milliseconds that a raster of `plan` is expected to take to come to hand."""
    step, placement, _ = key
    stored = placement.width_px * placement.height_px * placement.pages
    shown_px = plan.canvas_width_px if plan.window is None else plan.window.width_px
    scale = plan.output.width_px / shown_px
    scaled = stored * scale * scale
    match how:
        case "mapped":
            pages_px = stored if step == "decoded" else scaled
            # Coverage has one sample for all pages.
            samples = pages_px * (placement.bands + 1 / placement.pages)
            taken_ns = samples * weights.map_ns_sample
        case "decoded":
            taken_ns = stored * weights.decode_ns_px
        case "scaled":
            # At full size there is nothing to scale.
            factor = 0.0 if scale == 1 else 1.0
            taken_ns = factor * (stored * weights.read_ns_px + scaled * weights.scale_ns_px)
        case "painted":
            taken_ns = scaled * weights.paint_ns_px
    return taken_ns / NS_A_MS


def _pixels(plan: RenderPlan) -> int:
    return plan.output.width_px * plan.output.height_px


class Pace:
    """How much longer than expected work takes here and now: a moving ratio, 1 at first.

    It is measured on the wall clock, so it rises when other processes want the same cores, and the
    expectations of all of them rise with it.
    """

    def __init__(self) -> None:
        self._ratio = 1.0

    @property
    def ratio(self) -> float:
        """Milliseconds taken for each millisecond expected."""
        return self._ratio

    def learn(self, *, expected_ms: float, taken_ms: float) -> None:
        """Count one render, by its share of the recent work."""
        if expected_ms <= 0:
            return
        seen = min(max(taken_ms / expected_ms, self._ratio / LEAP), self._ratio * LEAP)
        share = 1 - math.pow(0.5, expected_ms / HALF_LIFE_MS)
        self._ratio += share * (seen - self._ratio)
