"""Every fault at once: one wrong key hides no other, and invents none."""

import pytest

from render_service.composition.parse import parse_composition
from render_service.composition.parse_materials import read_materials
from render_service.errors import InvalidCatalogue
from tests.builders import MATERIALS, RING, build_composition


def faults(*changes, text=RING, **unread):
    """The faults of the ring with (old, new) pairs changed once each, as a person reads them."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InvalidCatalogue) as refused:
        build_composition(text, **unread)
    return [str(fault).removeprefix("ring/composition.toml: ") for fault in refused.value.faults]


def after(materials):
    """The faults of the sound ring, read with what these materials leave to read."""
    found = read_materials(materials.encode())
    assert found.faults
    try:
        parse_composition("ring", RING.encode(), found.materials, found.tones, unread=found.unread)
    except InvalidCatalogue as refused:
        return [str(fault) for fault in refused.faults]
    return []


def material_faults(text):
    return [str(fault) for fault in read_materials(text.encode()).faults]


def test_every_unknown_key_of_a_table_is_listed():
    found = faults(('title = "Ring"', 'title = "Ring"\nfoo = 1\nbar = 2\nbaz = 3'))

    assert [fault.split(":")[0] for fault in found] == ["foo", "bar", "baz"]


def test_every_field_of_a_table_that_cannot_be_read_is_listed():
    found = faults(("schema = 1", 'schema = "1"'), ('"Ring"', "5"), ('tone = "studio"', "tone = 7"))

    assert found == [
        "schema: '1' is not offered; 1",
        "title: Expected `str`, got `int`",
        "tone: Expected `str`, got `int`",
    ]


def test_a_field_that_cannot_be_read_does_not_hide_an_unknown_name_in_the_next():
    found = faults(("schema = 1", "schema = 2"), ('tone = "studio"', 'tone = "noir"'))

    assert found == [
        "schema: 2 is not offered; 1",
        "tone: 'noir' is not a tone of materials.toml; known: studio, plain",
    ]


def test_every_fault_of_a_layer_is_listed():
    layer = '''when = { gem = "topaz", shape = 3 }
paint = "shape"
blend = "screen"
encoding = "raw"'''
    sound = 'when = { gem = "beryl" }\npaint = ["gem", "metal"]\nblend = "add"\nencoding = "root"'

    found = faults((sound, layer))

    assert [fault.split(":")[0] for fault in found] == [
        "[views.hero.layers[4]] when.shape",
        "[views.hero.layers[4]] blend",
        "[views.hero.layers[4]] encoding",
        "[views.hero.layers[4]] when.gem",
        "[views.hero.layers[4]] paint",
    ]
    assert found[1].endswith("'screen' is not offered; over, add, multiply")
    assert found[2].endswith("'raw' is not offered; srgb, linear, root")


def test_every_region_that_cannot_be_read_is_named():
    regions = 'regions = { a = 1, b = [1, 2], c = "x", d = [0, 0, 1, "y"], e = [0, 0, 9999, 1] }'

    found = faults(("regions.stone = [520, 180, 560, 500]", regions))

    assert [fault.split(":")[0] for fault in found] == [
        "[views.hero] regions.a",
        "[views.hero] regions.b",
        "[views.hero] regions.c",
        "[views.hero] regions.d[3]",
        "[views.hero.regions] e",
    ]


def test_a_rule_without_a_reason_still_has_its_names_checked():
    found = faults(
        ('reason = "We cut emeralds round only."', 'reason = ""'),
        ('gem = "emerald" }', "gme = 1 }"),
    )

    assert [fault.split(":")[0] for fault in found] == [
        "[forbid[0]] all.gme",
        "[forbid[0]] reason",
    ]


def test_a_rule_with_an_unknown_name_is_not_said_to_forbid_the_default():
    found = faults(('all = { shape = "oval", gem', 'all = { shape = "round", gme'))

    assert len(found) == 1
    assert "'gme' is not an option" in found[0]


def test_a_canvas_that_cannot_be_read_hides_no_fault_of_its_view():
    found = faults(
        ("width_px = 1600", 'width_px = "1600"'), ("[520, 180, 560, 500]", "[520, 1180, 560, 500]")
    )

    assert len(found) == 2
    assert found[1].startswith("[views.hero.regions] stone: [left, top, width, height] = ")


def test_layers_that_are_no_array_are_one_fault():
    text = RING[: RING.index("[[views.side.layers]]")] + "layers = 3\n"

    assert faults(text=text) == ["[views.side] layers: Expected an array of tables, got int"]


@pytest.mark.parametrize("option", ["view", "region", "width", "height", "format"])
def test_an_option_may_not_be_called_as_a_query_key_of_explain(option):
    found = faults(
        ("[options.shape]", f"[options.{option}]\nvalues = ['a']\ndefault = 'a'\n\n[options.shape]")
    )

    assert len(found) == 1
    assert found[0].startswith(f"[options] {option}: is a key of the query of `explain` already")


@pytest.mark.parametrize(
    "change",
    [
        ('["round", "oval"]', '["round", "oval", "pear\\n"]'),
        ('"hero/band.tif"', '"hero/band.tif\\n"'),
        ("regions.stone", 'regions."stone\\n"'),
    ],
)
def test_a_final_newline_is_no_part_of_a_name(change):
    assert len(faults(change)) == 1


def test_a_final_newline_is_no_part_of_a_colour():
    found = material_faults(MATERIALS.replace("#805020", "#805020\\n"))

    assert len(found) == 1
    assert found[0].startswith("materials.toml: [materials.patina.bronze] stops")


def test_a_basis_that_offers_no_material_is_a_fault_of_the_option():
    found = faults(
        ('material = "metal"', 'material = "bare"'),
        materials=MATERIALS + '\n[bases.bare]\nlaw = "reflectance"\nnodes = [0.1, 0.2]\n',
    )

    assert found[0] == "[options.metal] material: there are no [materials.bare.<id>] to offer"


def test_a_law_that_cannot_be_read_does_not_make_its_basis_unknown():
    text = MATERIALS.replace('law = "reflectance"', 'law = "mirror"')

    assert material_faults(text) == [
        "materials.toml: [bases.metal] law: 'mirror' is not offered; "
        "reflectance, transmittance, gradient"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('law = "reflectance"', 'law = "mirror"'),
        ("[0.80, 0.05, 0.10]", "[80, 5, 10]"),
        ('family = "corundum"', "family = 3"),
        ("[materials.gem.ruby]", "[materials.gems.ruby]"),
        ("[bases.metal]", "[base.metal]"),
        ("[tones.studio]", "[tone.studio]"),
        ("knee = 0.6", "knee = 6"),
        ("schema = 1", "schema = 1\nschema = 1"),
    ],
)
def test_a_fault_of_the_materials_is_not_repeated_by_a_sound_composition(old, new):
    assert old in MATERIALS

    assert after(MATERIALS.replace(old, new)) == []
