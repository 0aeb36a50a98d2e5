"""What is offered as the next click, and in which order."""

from hypothesis import given
from hypothesis import strategies as st

from render_service.composition.configuration import forbids, valid_configurations
from render_service.formats import Format
from render_service.planning.neighbours import (
    format_beside,
    neighbouring_pictures,
    neighbours,
    what_is_drawn,
)
from tests.builders import build_composition, build_planner, request

RING = build_composition()
PLANNER = build_planner()
CONFIGURATIONS = list(valid_configurations(RING, tuple(RING.options)))
anywhere = st.sampled_from(CONFIGURATIONS)


def changes(configuration, **how):
    return [(n.option, n.value) for n in neighbours(RING, configuration, **how)]


def picture(view="hero", file_format=Format.AVIF, **asked):
    return PLANNER.plan(request(view, file_format=file_format, **asked))


def test_without_counts_the_order_is_that_of_the_definition():
    assert changes(RING.defaults) == [
        *[("metal", "silver"), ("metal", "rhodium"), ("shape", "oval")],
        *[("gem", "ruby"), ("gem", "sapphire"), ("gem", "emerald")],
        *[("background", "white"), ("background", "transparent")],
    ]


def test_what_shoppers_changed_to_most_comes_first():
    counts = {("gem", "sapphire"): 7.0, ("metal", "rhodium"): 3.0, ("metal", "gold"): 99.0}
    assert changes(RING.defaults, counts=counts)[:3] == [
        ("gem", "sapphire"),
        ("metal", "rhodium"),
        ("metal", "silver"),
    ]


def test_more_values_of_the_option_changed_last_come_before_those_of_others():
    assert changes(RING.defaults, changed="gem")[0] == ("gem", "ruby")


def test_counts_weigh_more_than_what_was_changed_last():
    first = changes(RING.defaults, changed="gem", counts={("shape", "oval"): 1.0})[0]
    assert first == ("shape", "oval")


def test_a_change_that_is_not_made_alone_takes_others_with_it_and_comes_last():
    oval = {**RING.defaults, "shape": "oval"}
    last = list(neighbours(RING, oval))[-1]
    assert (last.option, last.value) == ("gem", "emerald")
    assert last.configuration["shape"] == "round"


@given(anywhere)
def test_every_neighbour_is_made_and_keeps_its_change(configuration):
    for neighbour in neighbours(RING, configuration):
        assert not forbids(RING, neighbour.configuration)
        assert neighbour.configuration[neighbour.option] == neighbour.value
        assert neighbour.value != configuration[neighbour.option]


@given(anywhere, anywhere, st.sampled_from(sorted(RING.views)))
def test_what_is_drawn_is_equal_exactly_where_keys_are(one, other, view):
    shown = RING.views[view]
    keys = {picture(view, **c).key for c in (one, other)}
    drawn = {what_is_drawn(RING, shown, c) for c in (one, other)}
    assert len(keys) == len(drawn)


def test_pictures_are_of_the_width_format_and_region_just_asked_for():
    asked = picture(width_px=320, file_format=Format.WEBP, region="stone").image
    for planned in neighbouring_pictures(PLANNER, asked):
        assert planned.image.width_px == 320
        assert planned.image.format is Format.WEBP
        assert planned.image.region == "stone"


def test_no_picture_is_there_twice_nor_the_one_that_is_shown():
    asked = picture()
    keys = [planned.key for planned in neighbouring_pictures(PLANNER, asked.image)]
    assert asked.key not in keys
    assert len(keys) == len(set(keys)) > 0


def test_an_option_that_the_view_does_not_show_has_no_picture_there():
    asked = picture("side").image
    shown = [dict(p.image.selection) for p in neighbouring_pictures(PLANNER, asked)]
    assert shown == [{"metal": "silver"}, {"metal": "rhodium"}]


def test_a_neighbour_is_planned_only_when_it_is_taken():
    pictures = neighbouring_pictures(PLANNER, picture().image)
    assert next(pictures).image.selection[0] == ("metal", "silver")


def test_who_sees_jpeg_is_shown_png_where_the_neighbour_is_transparent():
    clear, opaque = {"background": "transparent"}, {"background": "white"}
    assert format_beside(Format.JPEG, opaque, clear) is Format.PNG
    assert format_beside(Format.PNG, clear, opaque) is Format.JPEG
    assert format_beside(Format.AVIF, opaque, clear) is Format.AVIF
    assert format_beside(Format.PNG, opaque, opaque) is Format.PNG
