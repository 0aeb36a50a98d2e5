"""From what is asked for to the plan, its key and its canonical path."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.composition.configuration import valid_configurations
from render_service.errors import (
    AlphaNotOffered,
    ForbiddenConfiguration,
    UnknownComposition,
    UnknownOption,
    UnknownValue,
    UnknownVersion,
    UnknownView,
    WidthNotOffered,
)
from render_service.formats import Format
from render_service.planning.key import derive_key, encode_plan
from render_service.planning.plan import ONE, RenderPlan
from render_service.planning.planner import Planner
from render_service.planning.url import AliasPath, build_image_path, parse_image_path
from tests.builders import MATERIALS, PROFILES, RING, build_composition, build_planner, request

PLANNER = build_planner()
COMPOSITION = build_composition()
CONFIGURATIONS = list(valid_configurations(COMPOSITION, tuple(COMPOSITION.options)))


def versions_and_keys(planner):
    """(view, version, key) of both views, the ring in gold with a ruby."""
    found = {}
    for view in ("hero", "side"):
        planned = planner.plan(request(view, metal="gold", gem="ruby"))
        found[view] = (planned.image.version, planned.key)
    return found


def changed_views(planner):
    """Per view: (did its version change, did the key of the ruby ring change)."""
    before, after = versions_and_keys(PLANNER), versions_and_keys(planner)
    return {
        view: (before[view][0] != after[view][0], before[view][1] != after[view][1])
        for view in before
    }


@given(
    st.sampled_from(CONFIGURATIONS),
    st.randoms(use_true_random=False),
    st.sampled_from(("hero", "side")),
)
def test_any_spelling_of_one_meaning_reaches_one_key_and_one_canonical_path(
    configuration, random, view
):
    spelled = list(configuration.items())
    random.shuffle(spelled)
    defaults = COMPOSITION.defaults
    kept = {o: v for o, v in spelled if v != defaults[o] or random.random() < 0.5}

    planned = PLANNER.plan(request(view, **kept))
    canonical = PLANNER.plan(request(view, **configuration))

    assert planned.key == canonical.key
    assert build_image_path(planned.image) == build_image_path(canonical.image)


@given(st.sampled_from(CONFIGURATIONS), st.sampled_from(CONFIGURATIONS))
def test_an_option_that_a_view_does_not_show_never_changes_its_key(one, other):
    other = {**other, "metal": one["metal"]}

    assert PLANNER.plan(request("side", **one)).key == PLANNER.plan(request("side", **other)).key


@given(st.sampled_from(CONFIGURATIONS), st.sampled_from(CONFIGURATIONS))
def test_configurations_that_a_view_shows_apart_have_different_keys(one, other):
    same = PLANNER.plan(request(**one)).key == PLANNER.plan(request(**other)).key

    assert same == (one == other)


@given(st.sampled_from(CONFIGURATIONS))
def test_the_canonical_path_leads_to_the_same_plan(configuration):
    planned = PLANNER.plan(request(**configuration))
    path = build_image_path(planned.image)

    again = PLANNER.plan_image(parse_image_path(path))

    assert again == planned


def test_a_plan_survives_json_and_keeps_its_key():
    planned = PLANNER.plan(request(gem="ruby"))

    again = msgspec.json.decode(encode_plan(planned.plan), type=RenderPlan)

    assert again == planned.plan
    assert derive_key(again) == planned.key


def test_a_changed_layer_file_changes_only_the_view_that_shows_it():
    planner = build_planner(changed=frozenset({"side/band.tif"}))

    assert changed_views(planner) == {"hero": (False, False), "side": (True, True)}


def test_a_changed_layer_file_of_another_stone_changes_the_version_but_not_this_key():
    planner = build_planner(
        changed=frozenset({"hero/stone-oval-beryl.tif", "hero/stone-round-beryl.tif"})
    )

    assert changed_views(planner) == {"hero": (True, False), "side": (False, False)}


def test_a_changed_metal_changes_every_view_that_it_paints():
    planner = build_planner(materials=MATERIALS.replace("0.773", "0.774"))

    assert changed_views(planner) == {"hero": (True, True), "side": (True, True)}


def test_a_changed_gem_leaves_the_view_without_stones_alone():
    planner = build_planner(materials=MATERIALS.replace("[0.80, 0.05", "[0.80, 0.06"))

    assert changed_views(planner) == {"hero": (True, True), "side": (False, False)}


def test_a_changed_tone_changes_every_view():
    planner = build_planner(materials=MATERIALS.replace("knee = 0.6", "knee = 0.5"))

    assert changed_views(planner) == {"hero": (True, True), "side": (True, True)}


def test_a_tone_that_is_not_used_changes_nothing():
    planner = build_planner(materials=MATERIALS.replace("knee = 0.0", "knee = 0.1"))

    assert changed_views(planner) == {"hero": (False, False), "side": (False, False)}


def test_a_changed_canvas_changes_only_its_view():
    planner = build_planner(RING.replace("height_px = 1200", "height_px = 1208"))

    assert changed_views(planner) == {"hero": (True, True), "side": (False, False)}


def test_a_changed_title_changes_nothing():
    planner = build_planner(RING.replace('title = "Three-quarter"', 'title = "Hero"'))

    assert changed_views(planner) == {"hero": (False, False), "side": (False, False)}


def test_a_changed_default_changes_the_version_because_redirects_to_it_last():
    planner = build_planner(RING.replace('default = "round"', 'default = "oval"'))

    assert planner.plan(request()).image.version != PLANNER.plan(request()).image.version
    assert planner.plan(request("side")).image == PLANNER.plan(request("side")).image


def test_a_changed_encode_profile_changes_versions_because_bytes_change():
    louder = {**PROFILES, Format.PNG: msgspec.structs.replace(PROFILES[Format.PNG], effort=9)}
    planner = Planner(PLANNER.catalogue, louder)

    assert planner.plan(request()).image.version != PLANNER.plan(request()).image.version


def test_the_paint_of_a_node_picks_that_node():
    materials = MATERIALS.replace("[0.991, 0.985, 0.974]", "[0.30, 0.65, 1.00]")

    plan = build_planner(materials=materials).plan(request("side", metal="silver")).plan

    assert plan.placements[0].paint == ((ONE, 0, 0), (0, ONE, 0), (0, 0, ONE))


def test_a_stone_layer_is_painted_by_the_outer_product_of_gem_and_metal():
    plan = PLANNER.plan(request(gem="ruby")).plan
    stone = plan.placements[-1]

    assert (stone.pages, stone.bands) == (4, 3)
    assert [len(row) for row in stone.paint] == [12, 12, 12]
    assert all(abs(sum(row) - ONE) <= 12 for row in stone.paint)


def test_a_region_is_a_canvas_of_its_size_with_the_layers_moved():
    plan = PLANNER.plan(request(region="stone", width_px=320)).plan

    assert (plan.canvas_width_px, plan.canvas_height_px) == (560, 500)
    assert {(p.left_px, p.top_px) for p in plan.placements} == {(-520, -180)}
    assert (plan.output.width_px, plan.output.height_px) == (320, 286)


def test_a_transparent_background_keeps_alpha():
    assert PLANNER.plan(request(background="transparent")).plan.alpha
    assert not PLANNER.plan(request(background="white")).plan.alpha


def test_jpeg_refuses_a_transparent_background():
    with pytest.raises(AlphaNotOffered, match="avif, webp, png"):
        PLANNER.plan(request(background="transparent", file_format=Format.JPEG))


@pytest.mark.parametrize("width_px", [1, 161, 2048, 99_999])
def test_a_width_off_the_ladder_or_over_the_view_is_refused(width_px):
    with pytest.raises(WidthNotOffered, match="160, 240, 320"):
        PLANNER.plan(request(width_px=width_px))


def test_a_region_offers_widths_up_to_its_own():
    with pytest.raises(WidthNotOffered) as refused:
        PLANNER.plan(request(region="stone", width_px=640))

    assert refused.value.facts["offered"] == [160, 240, 320, 480]


def test_unknown_names_are_refused_with_what_is_offered():
    with pytest.raises(UnknownView, match="hero, hero:stone, side"):
        PLANNER.plan(request("front"))
    with pytest.raises(UnknownView, match="'hero:band'"):
        PLANNER.plan(request(region="band"))
    with pytest.raises(UnknownOption, match="metal, shape, gem, background"):
        PLANNER.plan(request(colour="gold"))
    with pytest.raises(UnknownValue, match="gold, silver, rhodium"):
        PLANNER.plan(request(metal="brass"))
    with pytest.raises(UnknownComposition, match="compositions: ring"):
        PLANNER.plan(msgspec.structs.replace(request(), composition="brooch"))


def test_a_forbidden_configuration_is_refused_with_its_reason_and_the_nearest():
    with pytest.raises(ForbiddenConfiguration, match="round only") as refused:
        PLANNER.plan(request(shape="oval", gem="emerald", metal="silver"))

    assert refused.value.facts["nearest"] == {
        "metal": "silver",
        "shape": "round",
        "gem": "emerald",
        "background": "studio",
    }


def test_a_rule_about_options_that_a_view_does_not_show_does_not_forbid_its_pictures():
    assert PLANNER.plan(request("side", shape="oval", gem="emerald"))


def test_a_version_that_is_not_current_is_refused():
    image = PLANNER.plan(request()).image

    with pytest.raises(UnknownVersion, match=image.version):
        PLANNER.plan_image(msgspec.structs.replace(image, version="0000000000"))


@pytest.mark.parametrize(
    ("asked_px", "given_px"), [(1, 160), (160, 160), (161, 240), (801, 1080), (9999, 1600)]
)
def test_an_alias_rounds_its_width_up_to_the_ladder(asked_px, given_px):
    alias = AliasPath(
        composition="ring", view="hero", region=None, width_px=asked_px, format=Format.WEBP
    )

    assert PLANNER.plan_alias(alias, {}, None).image.width_px == given_px


def test_an_alias_without_a_format_negotiates_and_never_drops_transparency():
    alias = AliasPath(composition="ring", view="hero", region=None, width_px=800, format=None)

    opaque = PLANNER.plan_alias(alias, {}, "image/avif,*/*;q=0.5")
    plain = PLANNER.plan_alias(alias, {}, "image/jpeg")
    clear = PLANNER.plan_alias(alias, {"background": "transparent"}, "image/jpeg")

    assert [p.image.format for p in (opaque, plain, clear)] == [
        Format.AVIF,
        Format.JPEG,
        Format.PNG,
    ]


AT = """
[[views.hero.layers]]
asset = "hero/tag.png"
at = [40, 60, 100, 80]
"""


def test_a_placed_layer_keeps_the_size_of_its_file_and_moves_with_the_region():
    planner = build_planner(RING.replace("[views.side]", AT + "\n[views.side]"))
    whole = planner.plan(request()).plan.placements[-1]

    assert (whole.left_px, whole.top_px, whole.width_px, whole.height_px) == (40, 60, 100, 80)


def test_a_layer_outside_the_region_leaves_no_trace_in_its_plan():
    planner = build_planner(RING.replace("[views.side]", AT + "\n[views.side]"))

    with_tag = planner.plan(request(region="stone", width_px=320))
    without = PLANNER.plan(request(region="stone", width_px=320))

    assert with_tag.key == without.key
    assert with_tag.image.version != without.image.version
