"""Calibrated qualities in plans, keys and versions."""

import pytest
from msgspec.structs import replace

from render_service.formats import Format
from render_service.planning.plan import Window
from render_service.planning.request import PartRequest
from render_service.planning.url import build_image_path
from tests.builders import ENCODING, PROFILES, build_planner, calibrated_planner, request

FIXED = build_planner()
PLANNER = calibrated_planner()


def plan(planner, *arguments, **named):
    return planner.plan(request(*arguments, **named))


def quality(*arguments, **named):
    return plan(PLANNER, *arguments, **named).plan.output.profile.quality


def test_the_plan_holds_the_quality_and_all_else_of_the_profile():
    found = plan(PLANNER, metal="silver", gem="ruby").plan.output.profile

    assert found == replace(PROFILES[Format.WEBP], quality=83)


def test_a_picture_without_a_table_has_the_fixed_profile_and_the_key_it_had():
    for named in (
        {"file_format": Format.PNG},
        {"file_format": Format.AVIF},
        {"width_px": 1600},
        {"view": "side"},
    ):
        assert plan(PLANNER, **named).plan == plan(FIXED, **named).plan


def test_a_table_changes_the_version_of_the_view_it_is_of_and_of_no_other():
    versions = [
        {view: plan(planner, view).image.version for view in ("hero", "side")}
        for planner in (FIXED, PLANNER)
    ]

    assert versions[0]["hero"] != versions[1]["hero"]
    assert versions[0]["side"] == versions[1]["side"]


def test_a_quality_that_changes_changes_the_keys_of_the_pictures_it_is_of_and_no_others():
    louder = calibrated_planner(ENCODING.replace("ruby = 4.2", "ruby = 9.2"))
    rubies = [plan(planner, gem="ruby").key for planner in (PLANNER, louder)]
    diamonds = [plan(planner, gem="diamond").key for planner in (PLANNER, louder)]

    assert rubies[0] != rubies[1]
    assert diamonds[0] == diamonds[1]


def test_an_immutable_url_has_the_shape_it_had():
    images = [plan(planner, gem="ruby").image for planner in (FIXED, PLANNER)]
    paths = [build_image_path(image).split("/") for image in images]

    assert [part for at, part in enumerate(paths[0]) if at != 4] == [
        part for at, part in enumerate(paths[1]) if at != 4
    ]


def test_an_option_that_the_view_does_not_show_leaves_the_key_alone():
    keys = {plan(PLANNER, "side", width_px=640, gem=gem).key for gem in ("ruby", "diamond")}

    assert len(keys) == 1


@pytest.mark.parametrize(("width_px", "wider_px"), [(800, 800), (500, 640)])
def test_the_whole_as_a_part_has_the_quality_of_the_image_route(width_px, wider_px):
    hero = PLANNER.catalogue.composition("ring").view("hero")
    version = PLANNER.version(PLANNER.catalogue.composition("ring"), hero)
    part = PartRequest(
        window=Window(left_px=0, top_px=0, width_px=1600, height_px=1200),
        width_px=width_px,
        height_px=width_px * 3 // 4,
        format=Format.WEBP,
    )
    drawn = PLANNER.plan_part(PLANNER.show("ring", "hero", version, {}), part)

    assert drawn.output.profile == plan(PLANNER, width_px=wider_px).plan.output.profile


def test_a_tile_has_the_quality_of_the_whole_at_its_scale():
    hero = PLANNER.catalogue.composition("ring").view("hero")
    version = PLANNER.version(PLANNER.catalogue.composition("ring"), hero)
    tile = PartRequest(
        window=Window(left_px=0, top_px=0, width_px=800, height_px=800),
        width_px=320,
        height_px=320,
        format=Format.WEBP,
    )
    drawn = PLANNER.plan_part(PLANNER.show("ring", "hero", version, {}), tile)

    assert drawn.output.profile == plan(PLANNER, width_px=640).plan.output.profile
