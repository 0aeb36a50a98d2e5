"""Calibrated qualities: what is read of `encoding.toml`, how it adds up, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from render_service.composition.definition import MeasuredDefinition
from render_service.composition.model import Correction, QualityTable, SizeClass
from render_service.composition.qualities import (
    CALIBRATED,
    Picture,
    encoder_quality,
    level_of,
    quality_of,
    size_class,
)
from render_service.composition.spell_qualities import spell_qualities
from render_service.errors import InvalidCatalogue
from render_service.formats import Format
from render_service.planning.request import LADDER_PX
from tests.builders import ENCODING, build_composition, calibrated

RING = calibrated(build_composition())
GOLD_RUBY = {"metal": "gold", "shape": "round", "gem": "ruby", "background": "studio"}


def quality(width_px, region=None, file_format=Format.WEBP, composition=RING, **changes):
    view = composition.views["hero"]
    picture = Picture(view=view, region=region, format=file_format)
    return quality_of(composition, picture, width_px, {**GOLD_RUBY, **changes})


def faults(*changes):
    """The faults of the table with (old, new) pairs changed, as a person reads them."""
    text = ENCODING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InvalidCatalogue) as refused:
        calibrated(build_composition(), text)
    return [str(fault).removeprefix("ring/encoding.toml: ") for fault in refused.value.faults]


def test_a_quality_is_that_of_the_width_and_what_the_values_add_rounded_once():
    # 82.0 + 2.4 + 4.2 - 1.2 = 87.4
    assert quality(800) == 87
    # 82.0 - 3.0 + 4.2 = 83.2
    assert quality(800, metal="silver") == 83
    # 80.0, below 75 in thirds: 80 - 3 = 77
    assert quality(480, metal="silver", gem="diamond") == 77


def test_what_has_no_table_has_no_quality():
    assert quality(800, file_format=Format.AVIF) is None
    assert quality(800, file_format=Format.PNG) is None


def test_a_region_has_qualities_of_its_own():
    assert quality(240, region="stone", file_format=Format.AVIF) == 61


def test_no_less_than_the_least_is_used_whatever_the_sum():
    text = ENCODING.replace("widths = { 480", "least = 79.5\nwidths = { 480", 1)
    composition = calibrated(build_composition(), text)

    assert quality(480, composition=composition, metal="silver", gem="diamond") == 80
    assert quality(800, composition=composition) == 87


def test_a_width_without_a_table_has_no_quality():
    assert quality(1600) is None
    assert quality(320) is None


def test_a_level_of_webp_is_three_qualities_where_they_are_fine():
    assert [encoder_quality(Format.WEBP, 10 * level) for level in (74, 75, 76)] == [72, 75, 76]
    assert [encoder_quality(Format.AVIF, 10 * level) for level in (74, 75, 76)] == [74, 75, 76]


@given(st.sampled_from(CALIBRATED), st.integers(1, 100))
def test_the_level_of_a_quality_leads_back_to_it(file_format, given_quality):
    level = level_of(file_format, given_quality)

    assert encoder_quality(file_format, round(10 * level)) == given_quality


@given(st.sampled_from(CALIBRATED), st.integers(-3000, 3000))
def test_any_sum_is_a_quality_that_the_encoder_takes(file_format, tenths):
    assert 1 <= encoder_quality(file_format, tenths) <= 100


def test_every_width_of_the_ladder_has_its_class():
    classes = [size_class(width) for width in LADDER_PX]

    assert classes == sorted(classes, key=list(SizeClass).index)
    assert set(classes) == set(SizeClass)


def test_a_value_that_reaches_no_layer_drawn_changes_no_quality():
    # Without a band only the diamond is painted in metal, and nothing corrects.
    hero = RING.views["hero"]
    layers = tuple(
        replace(layer, paint=layer.paint if "diamond" in layer.asset else ())
        for layer in hero.layers
        if layer.asset != "hero/band.tif"
    )
    tables = tuple(replace(table, corrections=()) for table in RING.qualities)
    views = {**RING.views, "hero": replace(hero, layers=layers)}
    bare = replace(RING, views=views, qualities=tables)

    def metals(gem):
        return {quality(800, composition=bare, gem=gem, metal=m) for m in ("gold", "silver")}

    assert len(metals("ruby")) == 1
    assert len(metals("diamond")) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('view = "hero"', 'view = "side-on"', "[tables[0]] view: 'side-on' is not a view; known"),
        ('region = "stone"', 'region = "gem"', "[tables[1]] region: 'gem' is not a region of hero"),
        (
            '"webp"',
            '"png"',
            "[tables[0]] format: 'png' is not a format with a quality; known: avif",
        ),
        ('"webp"', '"gif"', "[tables[0]] format: 'gif' is not offered; avif, webp, jpg, png"),
        (
            '"middle"',
            '"large"',
            "[tables[0]] size: 'large' is not offered; thumbnail, middle, zoom",
        ),
        ("480 = 80.0, ", "", "[tables[0]] widths.480: is missing"),
        ("480 = 80.0", "500 = 80.0", "[tables[0]] widths: '500' is not a middle width of it"),
        ("480 = 80.0", "480 = 101", "[tables[0]] widths.480: Expected `float` <= 100.0"),
        ("480 = 80.0", "480 = 0", "[tables[0]] widths.480: Expected `float` >= 1.0"),
        (
            "offsets.gem",
            "offsets.stone",
            "[tables[0]] offsets.stone: 'stone' is not an option that",
        ),
        (
            "ruby = 4.2",
            "onyx = 4.2",
            "[tables[0]] offsets.gem: 'onyx' is not a value of gem; known",
        ),
        ("ruby = 4.2", "ruby = 420", "[tables[0]] offsets.gem.ruby: Expected `float` <= 99.0"),
        (
            "add = -1.2",
            "add = true",
            "[tables[0].corrections[0]] add: Expected `float`, got `bool`",
        ),
        ('when = { metal = "gold"', 'when = { metal = "tin"', "when.metal: 'tin' is not a value"),
        ("target = 82", "target = 100", "[tables[0]] target: Expected `float` < 100.0"),
        ("views = { hero", "views = { front", "[measured] views: 'front' is not a view; known"),
        ("schema = 1", "schema = 2", "schema: 2 is not offered; 1"),
        ("seed = 1\n", "speed = 1\n", "[measured] speed: is not a key of this table"),
        ("[measured]", "[measured", "this is not TOML"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(old, new, said):
    found = faults((old, new))

    assert any(said in fault for fault in found), found


def test_two_tables_of_the_same_pictures_are_refused():
    table = ENCODING[
        ENCODING.index("[[tables]]") : ENCODING.index('[[tables]]\nview = "hero"\nreg')
    ]

    assert faults(("[[tables]]", f"{table}\n[[tables]]"))[0].startswith(
        "[tables[1]]: hero webp middle has a table already"
    )


def test_an_option_that_a_region_does_not_show_is_refused_there():
    ring = build_composition()
    hero = ring.views["hero"]
    text = ENCODING + "offsets.metal = { gold = 1.0 }\n"
    corner = (0, 0, 100, 100)
    layers = tuple(
        replace(layer, at=corner) if "metal" in layer.paint else layer for layer in hero.layers
    )
    apart = replace(ring, views={**ring.views, "hero": replace(hero, layers=layers)})
    with pytest.raises(InvalidCatalogue, match="'metal' is not an option that hero:stone shows"):
        calibrated(apart, text)


_steps = st.integers(-990, 990)


@given(
    st.dictionaries(st.sampled_from(["gold", "silver", "rhodium"]), _steps, min_size=1),
    st.lists(st.tuples(st.sampled_from(["gold", "silver"]), _steps), max_size=3),
    st.tuples(*[st.integers(10, 1000)] * 3),
)
def test_what_is_written_is_read_as_it_was(offsets, corrections, widths):
    table = QualityTable(
        view="hero",
        region="stone",
        format=Format.AVIF,
        size=SizeClass.THUMBNAIL,
        widths=dict(zip((160, 240, 320), widths, strict=True)),
        offsets={"metal": offsets},
        corrections=tuple(Correction(when={"metal": (m,)}, tenths=t) for m, t in corrections),
        least=525,
    )
    measured = MeasuredDefinition(
        date="2026-11-23", metric='a "metric"', encoders="é", seed=1, samples=2, views={}
    )
    text = spell_qualities(measured, (table,), {SizeClass.THUMBNAIL: 82})

    assert calibrated(build_composition(), text).qualities == (table,)
