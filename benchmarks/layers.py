"""What does the first picture of a process cost, and what do two processes hold together?

First: rings at one width, their layers decoded, mapped from the store, or in memory; timed in turn
in one run. Then: two services that draw the same pictures, without the store and with it, and the
memory of both: what is private to them, and what they share.
"""

import itertools
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from benchmarks.pictures import CATALOGUE
from benchmarks.report import (
    Cell,
    Report,
    machine_facts,
    parse_arguments,
    publish,
    ratio,
    time_in_turn,
)
from benchmarks.serving import run_service
from render_service.adapters.catalogue_folder import CatalogueFolder, load_catalogue
from render_service.adapters.raster_files import RasterFiles
from render_service.formats import Format
from render_service.pixels.compose import draw
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.planning.plan import RenderPlan
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters

WIDTHS_PX: Final = (320, 800)
GIB: Final = 2**30
STORE: Final = 4 * GIB
SERVICES: Final = 2


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments(__doc__ or "", rounds=9)
    folder = load_catalogue(CATALOGUE)
    planner = Planner(folder.catalogue, PROFILES)
    with tempfile.TemporaryDirectory(prefix="layers-") as at:
        rows = _first_pictures(folder, planner, Path(at), arguments.rounds)
        held = {
            name: _hold(planner, Path(at) / name.replace(" ", "-"), budget_bytes)
            for name, budget_bytes in (("without a store", 0), ("with a store", STORE))
        }
    report = Report(
        question="The first picture of a process, by where its layers come from.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings={"format": "webp", "rounds": arguments.rounds, "clock": "wall clock"},
        columns=("picture", "decoded ms", "mapped ms", "in memory ms", "mapped/decoded"),
        rows=tuple(rows),
        verdicts=tuple(_say_held(name, sizes) for name, sizes in held.items()),
    )
    publish(report, arguments.json)


def _first_pictures(
    folder: CatalogueFolder, planner: Planner, at: Path, rounds: int
) -> list[tuple[Cell, ...]]:
    """A row for each picture, its layers at hand in three ways."""
    rows: list[tuple[Cell, ...]] = []
    store = RasterFiles(at / "first", budget_bytes=STORE)
    for view, width_px in itertools.product(("hero", "top"), WIDTHS_PX):
        plan = _plan(planner, view, width_px, {}).plan
        warm = Rasters(budget_bytes=GIB, store=store)
        _render(folder, plan, warm)
        # What is stored behind a render is all there when this returns.
        warm.close()
        memory = Rasters(budget_bytes=GIB)
        _render(folder, plan, memory)

        def render(rasters: Callable[[], Rasters], plan: RenderPlan = plan) -> Callable[[], bytes]:
            return lambda: _render(folder, plan, rasters())

        times = time_in_turn(
            {
                "decoded": render(lambda: Rasters(budget_bytes=GIB)),
                "mapped": render(lambda: Rasters(budget_bytes=GIB, store=store)),
                "in memory": render(partial(_same, memory)),
            },
            rounds,
        )
        rows.append(
            (
                f"{view} {width_px} px",
                *(str(times[name]) for name in ("decoded", "mapped", "in memory")),
                ratio(times["mapped"], times["decoded"]),
            )
        )
    return rows


def _same(rasters: Rasters) -> Rasters:
    return rasters


def _render(folder: CatalogueFolder, plan: RenderPlan, rasters: Rasters) -> bytes:
    layers = Layers(rasters, plan.placements, frame_of(plan), DecodeLimits())
    layers.load()
    files = {asset: folder.files[asset].read_bytes() for asset in layers.assets}
    return encode(draw(plan, lambda placement: layers.tile(placement, files)), plan.output)


def _plan(planner: Planner, view: str, width_px: int, selection: Mapping[str, str]) -> PlannedImage:
    return planner.plan(
        RenderRequest(
            composition="solitaire-ring",
            view=view,
            region=None,
            selection=tuple(selection.items()),
            width_px=width_px,
            format=Format.WEBP,
        )
    )


def _hold(planner: Planner, at: Path, budget_bytes: int) -> tuple[float, float, float]:
    """Have two services draw the same pictures; return MB: private, shared, and on disk."""
    at.mkdir()
    shapes, bands = (
        planner.catalogue.composition("solitaire-ring").options[option].ids
        for option in ("shape", "band")
    )
    paths = [
        build_image_path(_plan(planner, view, width, {"shape": shape, "band": band}).image)
        for view, width, shape, band in itertools.product(
            ("hero", "top"), (320, 640, 800), shapes, bands
        )
    ]
    environment = {
        "RENDER_CATALOGUE": CATALOGUE,
        "RENDER_DATA": at / "data",
        "RENDER_WORKERS": 1,
        "RENDER_FILE_TIER_BYTES": 0,
        "RENDER_RASTER_STORE_BYTES": budget_bytes,
        "RENDER_RASTER_CACHE_BYTES": 2 * GIB,
        "MALLOC_ARENA_MAX": 2,
    }
    private = shared = 0
    with (
        run_service(environment, at / "first.log") as first,
        run_service(environment, at / "second.log") as second,
    ):
        for service in (first, second):
            for path in paths:
                with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}") as answer:
                    answer.read()
        for service in (first, second):
            info = psutil.Process(service.pid).memory_full_info()
            private += info.uss
            # What is mapped by both counts half in each.
            shared += info.pss - info.uss
    disk = sum(file.stat().st_size for file in (at / "data").rglob("*") if file.is_file())
    return private / 1e6, shared / 1e6, disk / 1e6


def _say_held(name: str, sizes: tuple[float, float, float]) -> str:
    private, shared, disk = sizes
    return (
        f"{SERVICES} services that drew the same pictures, {name}: {private:.0f} MB private to "
        f"them, {shared:.0f} MB shared between them, {disk:.0f} MB on disk."
    )


if __name__ == "__main__":
    main()
