"""What does each step of a render take, and how well is a whole render expected from that?

The rule: every weight of `render_service.rendering.cost` is a row here, measured on the demo ring
and held against the one in use; then whole renders, none of which made the weights, are held
against what was expected of them.

Processor time of this process, one picture after the other: what is expected is the work of one
thread, and how long that takes on a busy machine is learnt by the running service.
"""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import quantiles
from typing import Final

import numpy as np

from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell, Report, machine_facts, parse_arguments, publish
from render_service.adapters.catalogue_folder import CatalogueFolder, load_catalogue
from render_service.composition.model import TRANSPARENT
from render_service.formats import FACTS, Format
from render_service.pixels.compose import draw
from render_service.pixels.decode import decode
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.packed import pack, unpack
from render_service.pixels.paint import paint
from render_service.pixels.raster import Raster
from render_service.pixels.resample import frame_of, resample
from render_service.planning.plan import Placement, RenderPlan
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.rendering.cost import NS_A_MS, WEIGHTS, Weight, Weights, work_of
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters

WIDTHS_PX: Final = (160, 320, 640, 1080)
FITTED: Final = (
    {"gem": "ruby"},
    {"shape": "oval", "background": "white"},
    {"background": "transparent"},
)
TRIED: Final = {"shape": "emerald-cut", "gem": "emerald", "band": "pave"}
VIEWS: Final = ("hero", "top")

Samples = dict[str, list[tuple[tuple[float, ...], float]]]
"""Step → what it depends on, and milliseconds, for each time it was measured."""


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=3)
    folder = load_catalogue(CATALOGUE)
    samples: Samples = defaultdict(list)
    for _ in range(arguments.rounds):
        for selection in FITTED:
            # Decoding does not depend on size and format: once for each ring is enough.
            decoded: dict[str, Raster] = {}
            for plan in _plans(folder, selection):
                _sample(folder, plan, decoded, samples)
    fitted = _fit(samples)
    taken = [(plan, *_render(folder, plan)) for plan in _plans(folder, TRIED)]
    report = Report(
        question="What each step of a render takes, and how far whole renders are from the sum.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings={
            "widths": " ".join(map(str, WIDTHS_PX)),
            "rounds": arguments.rounds,
            "clock": "processor time",
        },
        columns=("step", "measured", "in use"),
        rows=tuple(_rows(fitted)),
        verdicts=(_verdict("in use", WEIGHTS, taken), _verdict("measured now", fitted, taken)),
    )
    publish(report, arguments.json)


def _plans(folder: CatalogueFolder, selection: Mapping[str, str]) -> Iterator[RenderPlan]:
    """Both views of one ring in every format and size."""
    planner = Planner(folder.catalogue, PROFILES)
    formats = [one for one in Format if FACTS[one].alpha or TRANSPARENT not in selection.items()]
    for view, width_px, file_format in itertools.product(VIEWS, WIDTHS_PX, formats):
        request = RenderRequest(
            composition="solitaire-ring",
            view=view,
            region=None,
            selection=tuple(selection.items()),
            width_px=width_px,
            format=file_format,
        )
        yield planner.plan(request).plan


class _Watch:
    """Processor time since it was last looked at."""

    def __init__(self) -> None:
        self._at_s = time.process_time()

    def lap_ms(self) -> float:
        last_s, self._at_s = self._at_s, time.process_time()
        return 1000 * (self._at_s - last_s)


def _sample(
    folder: CatalogueFolder, plan: RenderPlan, decoded: dict[str, Raster], samples: Samples
) -> None:
    """Do every step of one render, and note how long each took; files in `decoded` are at hand."""
    scale = plan.output.width_px / plan.canvas_width_px
    tiles: dict[Placement, Raster] = {}
    for placement in plan.placements:
        stored = float(placement.width_px * placement.height_px * placement.pages)
        data = folder.files[placement.asset].path.read_bytes()
        watch = _Watch()
        if placement.asset not in decoded:
            raster = decode(data, placement, DecodeLimits(), placement.asset)
            samples["decode"].append(((stored,), watch.lap_ms()))
            decoded[placement.asset] = raster
        scaled = resample(decoded[placement.asset], placement, frame_of(plan))
        samples["scale"].append(((stored, stored * scale * scale), watch.lap_ms()))
        _map(scaled, samples)
        watch = _Watch()
        tiles[placement] = paint(scaled, placement)
        samples["paint"].append(((stored * scale * scale,), watch.lap_ms()))
    pixels = float(plan.output.width_px * plan.output.height_px)
    watch = _Watch()
    canvas = draw(plan, tiles.__getitem__)
    samples["draw"].append(((pixels * len(tiles),), watch.lap_ms()))
    encode(canvas, plan.output)
    samples[_encoding(plan.output.format, alpha=plan.alpha)].append(((1.0, pixels), watch.lap_ms()))


def _map(raster: Raster, samples: Samples) -> None:
    """Note what reading a stored raster takes, whose pages are in the page cache."""
    packed = memoryview(b"".join(pack("layer", raster)))
    watch = _Watch()
    unpack("layer", packed)
    samples["map"].append(((float(raster.light.size + raster.alpha.size),), watch.lap_ms()))


def _fit(samples: Samples) -> Weights:
    """Return the weights that leave the least relative errors."""
    read_ms_px, scale_ms_px = _solve(samples["scale"])
    return Weights(
        encode={
            (file_format, alpha): Weight(ms=float(ms), ns_px=float(ms_px) * NS_A_MS)
            for file_format, alpha in WEIGHTS.encode
            for ms, ms_px in [_solve(samples[_encoding(file_format, alpha=alpha)])]
        },
        draw_ns_px=_solve(samples["draw"])[0] * NS_A_MS,
        decode_ns_px=_solve(samples["decode"])[0] * NS_A_MS,
        read_ns_px=read_ms_px * NS_A_MS,
        scale_ns_px=scale_ms_px * NS_A_MS,
        paint_ns_px=_solve(samples["paint"])[0] * NS_A_MS,
        map_ns_sample=_solve(samples["map"])[0] * NS_A_MS,
    )


def _solve(measured: list[tuple[tuple[float, ...], float]]) -> list[float]:
    """Least squares of errors over the root of what was measured.

    Between relative errors, which the shortest rule, and plain ones, which the longest rule.
    """
    units = np.array([units for units, _ in measured])
    taken_ms = np.array([ms for _, ms in measured])
    weight = 1 / np.sqrt(np.maximum(taken_ms, 0.1))
    found = np.linalg.lstsq(units * weight[:, np.newaxis], taken_ms * weight, rcond=None)[0]
    return [max(0.0, float(unit)) for unit in found]


def _render(folder: CatalogueFolder, plan: RenderPlan) -> tuple[Layers, float]:
    """Render with no layer at hand; return what was missing, and milliseconds."""
    rasters = Rasters(budget_bytes=2**30)
    layers = Layers(rasters, plan.placements, frame_of(plan), DecodeLimits())
    files = {asset: folder.files[asset].path.read_bytes() for asset in layers.assets}
    watch = _Watch()
    encode(draw(plan, lambda placement: layers.tile(placement, files)), plan.output)
    return layers, watch.lap_ms()


def _rows(fitted: Weights) -> Iterator[tuple[Cell, ...]]:
    for name, unit in (
        ("decode", "ns for each pixel of each page"),
        ("read", "ns for each such pixel, to scale it"),
        ("scale", "ns for each pixel of each page as scaled"),
        ("paint", "ns for each such pixel"),
        ("draw", "ns for each pixel and layer"),
    ):
        field = f"{name}_ns_px"
        yield f"{name}, {unit}", getattr(fitted, field), getattr(WEIGHTS, field)
    yield "map, ns for each sample", fitted.map_ns_sample, WEIGHTS.map_ns_sample
    for (file_format, alpha), used in WEIGHTS.encode.items():
        now, name = fitted.encode[file_format, alpha], _encoding(file_format, alpha=alpha)
        yield f"{name}, ms for a picture", now.ms, used.ms
        yield f"{name}, ns for each pixel", now.ns_px, used.ns_px


def _encoding(file_format: Format, *, alpha: bool) -> str:
    return f"{file_format} with alpha" if alpha else str(file_format)


def _verdict(name: str, weights: Weights, taken: Sequence[tuple[RenderPlan, Layers, float]]) -> str:
    ratios = [ms / work_of(plan, layers, weights).total_ms for plan, layers, ms in taken]
    low, middle, high = quantiles(ratios, n=4)
    return (
        f"Weights {name}: {len(ratios)} other pictures with no layer at hand took {middle:.2f} "
        f"times what was expected (quartiles {low:.2f} and {high:.2f}, all within "
        f"{min(ratios):.2f} and {max(ratios):.2f})."
    )


if __name__ == "__main__":
    main()
