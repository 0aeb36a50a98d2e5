# ruff: noqa: E501 - one case a line, as a table
"""Definitions: what is read from them, and how their faults are reported."""

import tomllib
from contextlib import suppress
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.composition import parse, parse_materials
from render_service.composition.faults import Faults
from render_service.composition.names import Names
from render_service.composition.parse import parse_composition
from render_service.errors import InvalidCatalogue
from tests.builders import MATERIALS, RING, build_composition, build_materials


def faults(text=RING, materials=MATERIALS):
    """The faults of a composition, as the lines a person reads."""
    with pytest.raises(InvalidCatalogue) as refused:
        build_composition(text, materials=materials)
    return [str(fault) for fault in refused.value.faults]


def material_faults(old, new):
    assert old in MATERIALS
    with pytest.raises(InvalidCatalogue) as refused:
        build_materials(MATERIALS.replace(old, new))
    return [str(fault) for fault in refused.value.faults]


def test_options_come_in_the_order_of_the_file():
    assert list(build_composition().options) == ["metal", "shape", "gem", "background"]


def test_an_option_of_materials_without_values_offers_them_all():
    assert build_composition().options["metal"].ids == ("gold", "silver", "rhodium")


def test_a_family_among_the_values_stands_for_its_members():
    assert build_composition().options["gem"].ids == ("diamond", "ruby", "sapphire", "emerald")


def test_a_family_in_a_condition_stands_for_its_members():
    layer = build_composition().views["hero"].layers[3]

    assert layer.when == {"gem": ("ruby", "sapphire")}


def test_adding_a_gem_to_a_family_is_one_entry():
    entry = """
[materials.gem.padparadscha]
title = "Padparadscha"
family = "corundum"
value = [0.9, 0.4, 0.3]
source = "test"
"""
    composition = build_composition(materials=MATERIALS + entry)

    assert "padparadscha" in composition.options["gem"].ids
    assert "padparadscha" in composition.views["hero"].layers[3].when["gem"]


def test_which_options_a_view_depends_on_is_computed_from_its_layers():
    views = build_composition().views

    assert views["hero"].options == ("metal", "shape", "gem", "background")
    assert views["side"].options == ("metal",)


def test_titles_are_taken_from_materials_or_spoken_from_ids():
    options = build_composition(
        RING.replace('"round", "oval"', '"round", "emerald-cut"').replace(
            'shape = "oval"', 'shape = "emerald-cut"'
        )
    ).options

    assert [v.title for v in options["metal"].values][2] == "Black rhodium"
    assert [v.title for v in options["shape"].values] == ["Round", "Emerald cut"]


def test_swatches_show_the_colour_of_the_material():
    ruby = build_composition().options["gem"].values[1].material

    assert ruby.swatch == "#e73f59"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("schema = 1", "schema = 2", "ring/composition.toml: schema: 2 is not offered; 1"),
        ('title = "Ring"', "", "ring/composition.toml: title: is missing; keys here: schema, title, tone"),
        ('tone = "studio"', 'tone = "noir"', "tone: 'noir' is not a tone of materials.toml; known: studio, plain"),
        ('title = "Ring"', 'title = "Ring"\ncolour = 1', "ring/composition.toml: colour: is not a key of this table; keys here: schema, title, tone"),
        ("width_px = 800", "widht_px = 800", "[views.side] widht_px: is not a key of this table; keys here: title, width_px"),
        ("width_px = 800", 'width_px = "800"', "[views.side] width_px: Expected `int`, got `str`"),
        ("width_px = 800", "width_px = 90000", "[views.side] width_px: Expected `int` <= 16383"),
        ('material = "metal"', 'material = "metl"', "[options.metal] material: 'metl' is not a basis; known: metal, gem, patina"),
        ('default = "gold"', 'default = "brass"', "[options.metal] default: 'brass' is not one of the option's values; known: gold, silver, rhodium"),
        ('"diamond", "corundum"', '"diamond", "quartz"', "[options.gem] values: 'quartz' is not a material or family of gem"),
        ('values = ["round", "oval"]', 'values = ["round", "round"]', "'round' is listed twice"),
        ('values = ["round", "oval"]', "values = []", "[options.shape] values: Expected `array` of length >= 1"),
        ('values = ["round", "oval"]', 'values = ["round", "Oval"]', "an id is lower-case letters"),
        ('values = ["round", "oval"]', "", "[options.shape] values: list the values, or name the basis"),
        ('when = { gem = "beryl" }', 'when = { gem = "topaz" }', "[views.hero.layers[4]] when.gem: 'topaz' is not a value of gem"),
        ('when = { gem = "beryl" }', 'when = { gme = "beryl" }', "[views.hero.layers[4]] when: 'gme' is not an option; known: metal, shape, gem, background"),
        ('when = { gem = "beryl" }', "when = { gem = 3 }", "[views.hero.layers[4]] when.gem: Expected `str | array`"),
        ("stone-{shape}-beryl", "stone-{form}-beryl", "[views.hero.layers[4]] asset: 'form' is not an option"),
        ("hero/band.tif", "../band.tif", "'../band.tif' is not a file below the composition's folder"),
        ("hero/band.tif", "/etc/passwd", "is not a file below"),
        ('paint = "metal"\nencoding', 'paint = "shape"\nencoding', "paint: 'shape' is not an option of materials; known: metal, gem"),
        ('paint = ["gem", "metal"]', 'paint = ["gem", "gem"]', "name one option, or two different ones"),
        ('blend = "add"', 'blend = "screen"', "blend: 'screen' is not offered; over, add, multiply"),
        ('paint = "metal"\nencoding', 'at = [0, 0, 801, 10]\npaint = "metal"\nencoding', "[views.side.layers[0]] at: [left, top, width, height] = [0, 0, 801, 10] must lie on the canvas"),
        ("[520, 180, 560, 500]", "[1200, 180, 560, 500]", "[views.hero.regions] stone: [left, top, width, height] = [1200, 180, 560, 500] must lie on the canvas of 1600 x 1200 px"),
        ("[520, 180, 560, 500]", "[520, 180, 560]", "[views.hero] regions.stone: Expected `array` of length 4"),
        ('all = { shape = "oval", gem = "emerald" }', 'all = { shape = "round", gem = "diamond" }', "[forbid[0]] all: it forbids the default configuration"),
        ('all = { shape = "oval", gem = "emerald" }', 'all = { shape = "square" }', "[forbid[0]] all.shape: 'square' is not a value of shape; known: round, oval"),
        ('reason = "We cut emeralds round only."', "", "[forbid[0]] reason: is missing"),
        ("[views.side]", "[views.Side]", "Side: an id is lower-case letters"),
    ],
)  # fmt: skip
def test_a_fault_names_file_table_key_and_what_would_be_right(old, new, expected):
    assert old in RING

    found = faults(RING.replace(old, new))

    assert any(expected in fault for fault in found), found


def test_all_faults_of_a_file_are_listed_at_once():
    broken = (
        RING.replace('default = "gold"', 'default = "brass"')
        .replace("width_px = 800", "width_px = 0")
        .replace('blend = "add"', 'blend = "screen"', 1)
        .replace("stone-{shape}-beryl", "stone-{form}-beryl")
    )

    assert len(faults(broken)) == 4


def test_a_fault_of_an_option_is_not_repeated_by_all_that_name_it():
    broken = RING.replace('values = ["round", "oval"]', "values = 3")

    assert len(faults(broken)) == 1


def test_text_that_is_not_toml_is_one_fault_with_its_line():
    found = faults("schema = 1\nbroken\n")

    assert len(found) == 1
    assert "this is not TOML" in found[0]
    assert "line 2" in found[0]


def test_bytes_that_are_not_text_are_one_fault():
    with pytest.raises(InvalidCatalogue, match="not UTF-8"):
        parse_composition("ring", b"\xff\xfe", *build_materials())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("nodes = [0.30, 0.65, 1.00]", "nodes = [0.30, 0.30, 1.00]", "[bases.metal] nodes: [0.3, 0.3, 1.0] must be 2 to 6 rising numbers"),
        ("nodes = [0.30, 0.65, 1.00]", "nodes = [nan, 0.30, 1.00]", "must be 2 to 6 rising numbers"),
        ("nodes = [0.30, 0.65, 1.00]", "nodes = [0.5]", "must be 2 to 6 rising numbers"),
        ("[1.059, 0.773, 0.307]", "[1.059, 0.773]", "[materials.metal.gold] value: Expected `array` of length 3"),
        ("[1.059, 0.773, 0.307]", "[105, 77, 30]", "each of R, G, B is 0 to 1.2 (reflectance)"),
        ("[0.80, 0.05, 0.10]", "[1.2, 0.05, 0.10]", "each of R, G, B is 0 to 1.0 (transmittance)"),
        ("[0.80, 0.05, 0.10]", "[nan, 0.05, 0.10]", "each of R, G, B is 0 to 1.0 (transmittance)"),
        ("value = [0.80, 0.05, 0.10]", "", "has `value` = [R, G, B] and no stops"),
        ('[0.5, "#805020"]', '[0.5, "brown"]', "[materials.patina.bronze] stops"),
        ('[0.5, "#805020"]', '[1.5, "#805020"]', "[materials.patina.bronze] stops"),
        ("[materials.gem.ruby]", "[materials.gems.ruby]", "'gems' is not a basis; known: metal, gem, patina"),
        ('law = "gradient"', 'law = "gradient"\nnodes = [0.1, 0.2]', "a gradient has no nodes"),
        ('law = "gradient"', 'law = "multiply"', "[bases.patina] law: 'multiply' is not offered; reflectance, transmittance, gradient"),
        ("white = 3.0", "white = nan", "[tones.studio] white"),
        ("white = 3.0", "white = 9.0", "[tones.studio] white: Expected `float` <= 4.0"),
        ('title = "Ruby"\nfamily = "corundum"', 'title = "Ruby"\nfamily = "emerald"', "'emerald' is also the id of a material outside the family"),
    ],
)  # fmt: skip
def test_a_fault_of_the_materials_names_table_key_and_what_would_be_right(old, new, expected):
    found = material_faults(old, new)

    assert any(expected in fault for fault in found), found


@st.composite
def mutilated(draw, text):
    """The document `text` with one node anywhere replaced by something else, or left out."""
    document = tomllib.loads(text)
    place, key = document, draw(st.sampled_from(sorted(document)))
    while isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 4)):
        place = place[key]
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    place[key] = draw(
        junk | st.lists(junk, max_size=3) | st.dictionaries(st.text(max_size=3), junk, max_size=2)
    )
    return document


@given(mutilated(RING))
def test_a_mutilated_composition_is_read_or_refused_with_faults(document):
    materials, tones = build_materials()
    names = Names(Faults("ring/composition.toml"), materials)

    found = parse.read_composition("ring", document, tones, names)

    assert found is not None or names.faults.found


@given(mutilated(MATERIALS))
def test_mutilated_materials_are_read_or_refused_with_faults(document):
    with mock.patch.object(parse_materials, "parse_toml", return_value=document):
        found = None
        with suppress(InvalidCatalogue):
            found, _ = parse_materials.parse_materials(b"")
    assert found is None or found.bases is not None
