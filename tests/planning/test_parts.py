"""Parts of a view: what of it they draw, and what their keys are."""

import json

import pytest
from msgspec.structs import replace

from render_service.errors import AlphaNotOffered, UnknownVersion
from render_service.formats import Format
from render_service.planning.key import derive_key, encode_plan
from render_service.planning.plan import Tint, Window
from render_service.planning.request import PartRequest, RenderRequest
from tests.builders import RING, build_planner

# The band lies in the left half only, the ground everywhere.
HALF = RING.replace(
    'asset = "hero/band.tif"\n', 'asset = "hero/band.tif"\nat = [0, 0, 800, 1200]\n'
)
PLANNER = build_planner(HALF)


def shown(**selection):
    composition = PLANNER.catalogue.composition("ring")
    view = composition.view("hero")
    return PLANNER.show("ring", "hero", PLANNER.version(composition, view), selection)


def part(left=0, top=0, width=400, height=400, scale=1, file_format=Format.WEBP, **facts):
    return PartRequest(
        window=Window(left_px=left, top_px=top, width_px=width, height_px=height),
        width_px=width // scale,
        height_px=height // scale,
        format=file_format,
        **facts,
    )


def layers(request):
    return len(PLANNER.plan_part(shown(), request).placements)


def test_a_part_is_drawn_of_the_layers_that_it_meets():
    assert layers(part(left=0)) == layers(part(left=799, width=1)) == 3
    assert layers(part(left=801)) == 2


def test_a_layer_that_reaches_over_the_edge_by_scaling_is_met():
    assert layers(part(left=800, width=400, scale=4)) == 3
    assert layers(part(left=804, width=400, scale=4)) == 2


def test_the_whole_of_a_view_has_the_key_that_the_image_route_gives_it():
    whole = replace(part(width=1600, height=1200), width_px=800, height_px=600)
    request = RenderRequest(
        composition="ring",
        view="hero",
        region=None,
        selection=(),
        width_px=800,
        format=Format.WEBP,
    )
    assert derive_key(PLANNER.plan_part(shown(), whole)) == PLANNER.plan(request).key


def test_what_is_not_used_leaves_no_trace_in_the_plan():
    whole = replace(part(width=1600, height=1200), width_px=800, height_px=600)
    preimage = json.loads(encode_plan(PLANNER.plan_part(shown(), whole)))
    assert "window" not in preimage
    assert set(preimage["output"]) == {"format", "width_px", "height_px", "profile"}


@pytest.mark.parametrize(
    "change",
    [
        {"tint": Tint.GRAY},
        {"tint": Tint.BITONAL},
        {"mirrored": True},
        {"quarter_turns": 1},
        {"width_px": 399},
        {"window": Window(left_px=1, top_px=0, width_px=400, height_px=400)},
    ],
)
def test_whatever_changes_a_pixel_changes_the_key(change):
    plain, other = part(), replace(part(), **change)
    keys = {derive_key(PLANNER.plan_part(shown(), asked)) for asked in (plain, other)}
    assert len(keys) == 2


def test_a_transparent_part_is_no_jpeg():
    with pytest.raises(AlphaNotOffered):
        PLANNER.plan_part(shown(background="transparent"), part(file_format=Format.JPEG))


def test_another_version_is_not_shown():
    with pytest.raises(UnknownVersion):
        PLANNER.show("ring", "hero", "0123456789", {})
