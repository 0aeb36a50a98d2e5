"""The basis layers, painted, against direct renders in the real metal and gem.

The truth in `tests/truth/` was path-traced by another code path (see its README): real reflectance
and absorption, no classes, no basis. Errors are in 8-bit display levels, after the view transform.
"""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pyvips

from render_service.environment import read_settings
from render_service.formats import Format
from render_service.pixels.tone import tone_table
from render_service.planning.plan import ONE
from render_service.planning.request import RenderRequest, offered_widths
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters
from render_service.wiring import open_studio

ROOT = Path(__file__).parent.parent
TRUTH = ROOT / "tests" / "truth"
ENTRIES = json.loads((TRUTH / "truth.json").read_text())

# Mean and 99.5th percentile of the absolute error; None is not bounded.
BOUNDS = {"metal": (0.3, 6.0), "gem": (1.0, 12.0), "undivided": (0.5, None)}


@pytest.fixture(scope="module")
def studio():
    return open_studio(read_settings({}), ROOT / "compositions")


@pytest.fixture(scope="module")
def rasters():
    return Rasters(budget_bytes=2**30)


def painted(studio, rasters, entry):
    """The crop of `entry`, drawn by the service from its layers."""
    composition = studio.planner.catalogue.composition("solitaire-ring")
    view = composition.views[entry["view"]]
    request = RenderRequest(
        composition=composition.id,
        view=view.id,
        region=None,
        selection=tuple(entry["selection"].items()),
        width_px=offered_widths(view.width_px)[-1],
        format=Format.PNG,
    )
    plan = studio.planner.plan(request).plan
    full = {"width_px": view.width_px, "height_px": view.height_px}
    plan = msgspec.structs.replace(plan, output=msgspec.structs.replace(plan.output, **full))
    canvas = draw_with(plan, rasters, studio.assets.read_now, studio.limits)
    left, top = entry["left_px"], entry["top_px"]
    return canvas[top : top + entry["height_px"], left : left + entry["width_px"], :3], plan.tone


def displayed(entry, tone):
    """The crop of the direct render, through the same view transform."""
    image = pyvips.Image.new_from_file(str(TRUTH / entry["file"]))
    encoded = image.numpy()[..., :3].astype(np.float64) / np.iinfo(image.numpy().dtype).max
    linear = np.clip(np.rint(4 * encoded**2 * ONE), 0, 65535).astype(np.uint16)
    return tone_table(tone)[linear]


def masked(entry, error):
    if entry.get("mask") is None:
        return error
    mask = pyvips.Image.new_from_file(str(TRUTH / entry["mask"])).numpy()
    return error[mask.reshape((*error.shape[:2], -1))[..., 0] > 127]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: Path(entry["file"]).stem)
def test_painted_layers_agree_with_a_direct_render(studio, rasters, entry):
    picture, tone = painted(studio, rasters, entry)
    truth = displayed(entry, tone)

    error = masked(entry, np.abs(picture.astype(np.float64) - truth))

    mean, worst = BOUNDS[entry["kind"]]
    assert error.mean() <= mean
    if worst is not None:
        assert np.percentile(error, 99.5) <= worst


def test_the_truth_covers_what_it_is_meant_to_show():
    metals = {e["selection"]["metal"] for e in ENTRIES if e["kind"] == "metal"}
    gems = {e["selection"]["gem"] for e in ENTRIES if e["kind"] == "gem"}

    assert len(metals) >= 4
    assert len(gems) >= 5
    assert {e["view"] for e in ENTRIES} == {"hero", "top"}
    assert any(e["kind"] == "undivided" for e in ENTRIES)
