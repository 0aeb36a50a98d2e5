import pytest

from render_service.formats import FACTS, Format
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.rendering.cost import WEIGHTS, Pace, drawing_of, work_of
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters
from tests.rendering.builders import MIB, Workshop


@pytest.fixture(scope="module")
def planner(catalogue):
    return Workshop(catalogue)


def look_up(plan, rasters=None):
    rasters = rasters or Rasters(budget_bytes=0)
    return Layers(rasters, plan.placements, frame_of(plan), DecodeLimits())


def expected(planner, **asked):
    plan = planner.plan(**asked).plan
    return work_of(plan, look_up(plan))


def test_every_format_has_a_weight_and_one_with_alpha_where_it_holds_alpha():
    assert set(WEIGHTS.encode) == {
        (one, alpha) for one in Format for alpha in {False, FACTS[one].alpha}
    }


def test_a_larger_picture_is_expected_to_take_longer(planner):
    taken = [expected(planner, width_px=width).own_ms for width in (160, 240, 320)]
    assert taken == sorted(set(taken))


def test_an_avif_is_expected_to_take_longer_than_a_webp(planner):
    avif, webp = (expected(planner, file_format=f) for f in (Format.AVIF, Format.WEBP))
    assert avif.own_ms > webp.own_ms


def test_every_layer_that_is_not_at_hand_is_expected(planner):
    plan = planner.plan().plan
    work = work_of(plan, look_up(plan))
    assert work.layers_ms.keys() == {key for _, key, _ in look_up(plan).missing}
    assert work.total_ms == work.own_ms + sum(work.layers_ms.values())


def test_layers_at_hand_are_expected_to_take_nothing(catalogue):
    plan = Workshop(catalogue).plan().plan
    rasters = Rasters(budget_bytes=64 * MIB)
    layers = look_up(plan, rasters)
    files = {asset: read(catalogue, asset) for asset in layers.assets}
    for placement in plan.placements:
        layers.tile(placement, files)
    assert work_of(plan, look_up(plan, rasters)).layers_ms == {}


def read(catalogue, asset):
    return Workshop(catalogue).assets._assets.read_now(asset)


def test_layers_that_differ_in_paint_alone_share_what_is_decoded(planner):
    gold, silver = (expected(planner, metal=metal).layers_ms for metal in ("gold", "silver"))
    shared = {key[0] for key in gold.keys() & silver.keys()}
    assert {"decoded", "scaled"} <= shared
    assert gold.keys() != silver.keys()


def test_drawing_alone_is_expected_to_take_no_encoding(planner):
    plan = planner.plan().plan
    drawing, whole = drawing_of(plan, look_up(plan)), work_of(plan, look_up(plan))
    encode = WEIGHTS.encode[plan.output.format, plan.alpha]
    pixels = plan.output.width_px * plan.output.height_px
    assert whole.own_ms - drawing.own_ms == pytest.approx(encode.ms + pixels * encode.ns_px / 1e6)


def test_the_pace_follows_what_renders_take():
    pace = Pace()
    for _ in range(100):
        pace.learn(expected_ms=100, taken_ms=250)
    assert pace.ratio == pytest.approx(2.5, rel=0.05)


def test_long_renders_move_the_pace_more_than_short_ones():
    short, long = Pace(), Pace()
    short.learn(expected_ms=10, taken_ms=20)
    long.learn(expected_ms=1000, taken_ms=2000)
    assert 1 < short.ratio < long.ratio < 2


def test_two_seconds_of_work_move_the_pace_half_of_the_way():
    pace = Pace()
    for _ in range(20):
        pace.learn(expected_ms=100, taken_ms=200)
    assert pace.ratio == pytest.approx(1.5)


def test_what_is_expected_to_take_nothing_teaches_nothing():
    pace = Pace()
    pace.learn(expected_ms=0, taken_ms=1000)
    assert pace.ratio == 1
