import pytest
from msgspec.structs import replace

from render_service.errors import InvalidPlan
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits, check_plan
from render_service.planning.plan import ONE, RenderPlan, Tone
from tests.pixels.builders import placement, plan

GOOD = plan(placement(), placement(pages=4, paint=[[1] * 12] * 3))


def refusal(bad: RenderPlan, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidPlan) as caught:
        check_plan(bad, limits or Limits())
    return str(caught.value)


def test_a_good_plan_passes():
    check_plan(GOOD, Limits())


def test_another_pipeline_revision_is_refused():
    assert "revision 999; this release draws" in refusal(replace(GOOD, pipeline=999))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_canvas_pixels=255), "canvas in pixels is 256; the most is 255"),
        (Limits(max_output_pixels=255), "output in pixels is 256; the most is 255"),
        (Limits(max_layers=1), "number of layers is 2; the most is 1"),
        (Limits(max_layer_pixels=1279), "sum of its layers in pixels is 1280; the most is 1279"),
    ],
)
def test_each_limit_is_named_with_what_was_found(limits, said):
    assert said in refusal(GOOD, limits)


def test_a_side_longer_than_the_format_allows_is_refused():
    wide = plan(canvas=(17000, 2), file_format=Format.WEBP)

    assert "longer side in webp is 17000; the most is 16383" in refusal(wide)


def test_alpha_in_a_jpeg_is_refused():
    assert "keeps alpha, which jpg cannot hold" in refusal(
        plan(alpha=True, file_format=Format.JPEG)
    )


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_size_below_one_pixel_is_refused(size):
    assert "the least is 1" in refusal(plan(size=size))


def test_a_matrix_of_another_width_than_its_layer_is_refused():
    bad = plan(placement(paint=[[1] * 12] * 3))

    assert "placements[0].paint has rows of [12] numbers; its layer has 3 bands" in refusal(bad)


def test_a_layer_of_many_bands_without_paint_is_refused():
    assert "placements[0] has 12 bands and no paint" in refusal(plan(placement(pages=4)))


def test_a_ramp_that_does_not_rise_is_refused():
    bad = plan(placement(ramp=((5, 0, 0, 0), (5, 1, 1, 1))))

    assert "placements[0].ramp has stops at [5, 5]; needed: one or more, rising" in refusal(bad)


@pytest.mark.parametrize(
    "tone",
    [
        Tone(exposure=0, knee=0, white=ONE),
        Tone(exposure=ONE, knee=ONE, white=2 * ONE),
        Tone(exposure=ONE, knee=0, white=ONE - 1),
    ],
)
def test_a_tone_without_meaning_is_refused(tone):
    assert "needed: exposure > 0 and 0 <= knee < 16384 <= white" in refusal(plan(tone=tone))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quality": 0}, "output.profile.quality is 0; the least is 1"),
        ({"quality": 101}, "output.profile.quality is 101; the most is 100"),
        ({"alpha_quality": 0}, "output.profile.alpha_quality is 0; the least is 1"),
        ({"effort": 10}, "output.profile.effort is 10; the most is 9"),
        ({"alpha_effort": 10}, "output.profile.alpha_effort is 10; the most is 9"),
        ({"chroma": 422}, "output.profile.chroma is 422; needed: one of (420, 444)"),
        ({"bit_depth": 10}, "output.profile.bit_depth is 10; needed: one of (8,)"),
    ],
)
def test_a_profile_off_the_encoder_s_scale_is_refused(change, said):
    output = replace(GOOD.output, profile=replace(GOOD.output.profile, **change))

    assert said in refusal(replace(GOOD, output=output))


@pytest.mark.parametrize("file_format", Format)
def test_every_profile_in_use_is_on_its_encoder_s_scale(file_format):
    output = replace(GOOD.output, format=file_format, profile=PROFILES[file_format])

    check_plan(replace(GOOD, output=output), Limits())
