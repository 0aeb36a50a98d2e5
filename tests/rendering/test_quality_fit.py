"""What samples come to: effects that add up, little from little, and corrections where it fails."""

import random

import pytest

from render_service.composition.model import SizeClass
from render_service.composition.qualities import Picture, quality_of
from render_service.formats import Format
from render_service.rendering.quality_fit import Fit, Sample
from tests.builders import build_composition

COMPOSITION = build_composition()
HERO = COMPOSITION.views["hero"]
PICTURE = Picture(view=HERO, region=None, format=Format.AVIF)
OPTIONS = {name: COMPOSITION.options[name].ids for name in ("metal", "gem")}
WIDTHS = {480: 58.0, 640: 60.0, 800: 63.0}
METALS = {"gold": 0.0, "silver": -4.0, "rhodium": 5.0}
GEMS = {"diamond": -2.0, "ruby": 6.0, "sapphire": 1.0, "emerald": 0.0}


def sample(width_px, metal, gem, *, off=0.0, slope=0.5):
    level = WIDTHS[width_px] + METALS[metal] + GEMS[gem] + off
    configuration = {"metal": metal, "gem": gem}
    return Sample(width_px=width_px, configuration=configuration, level=level, slope=slope)


def samples(count, seed=1, scatter=0.0):
    draw = random.Random(seed)  # noqa: S311 - not a secret
    return [
        sample(
            draw.choice(list(WIDTHS)),
            draw.choice(list(METALS)),
            draw.choice(list(GEMS)),
            off=draw.gauss(0, scatter),
        )
        for _ in range(count)
    ]


def test_effects_that_add_up_are_found():
    fit = Fit(samples(40))

    for wanted in samples(20, seed=2):
        found = fit.level(wanted.width_px, wanted.configuration)
        assert found == pytest.approx(wanted.level, abs=0.75)


def test_what_all_have_in_common_is_of_the_width_and_not_of_a_value():
    found = Fit(samples(40)).table(PICTURE, SizeClass.MIDDLE, list(WIDTHS), OPTIONS, 1)

    for steps in found.offsets.values():
        assert abs(sum(steps.values()) / len(steps)) < 15


def test_without_a_sample_nothing_is_known():
    assert Fit([]).level(800, {"metal": "gold", "gem": "ruby"}) is None


def test_a_width_without_samples_is_taken_for_the_nearest_that_has_some():
    fit = Fit([sample(480, "gold", "ruby"), sample(800, "gold", "ruby")])

    assert fit.level(700, {}) == fit.level(800, {})


def test_one_sample_says_less_of_a_value_than_of_its_width():
    fit = Fit([*samples(30), sample(800, "gold", "emerald", off=6.0)])
    moved = fit.level(800, {"metal": "gold", "gem": "emerald"})

    assert 63.0 < moved < 66.0


def test_a_sample_on_a_flat_part_of_the_scale_counts_little():
    odd = sample(800, "gold", "ruby", off=20.0, slope=0.2)
    steep = Fit([*samples(30), sample(800, "gold", "ruby", off=20.0)])
    flat = Fit([*samples(30), odd])

    assert flat.level(800, odd.configuration) < steep.level(800, odd.configuration)


def test_a_table_gives_the_level_that_the_fit_does():
    fit = Fit(samples(40))
    table = fit.table(PICTURE, SizeClass.MIDDLE, list(WIDTHS), OPTIONS, 1)
    composition = type(COMPOSITION)(
        **{
            name: getattr(COMPOSITION, name)
            for name in ("id", "title", "tone", "options", "rules", "views")
        },
        qualities=(table,),
    )

    assert table.corrections == ()
    for wanted in samples(20, seed=3):
        configuration = {"shape": "round", "background": "studio", **wanted.configuration}
        quality = quality_of(composition, PICTURE, wanted.width_px, configuration)
        assert quality == pytest.approx(
            fit.level(wanted.width_px, wanted.configuration), abs=0.5 + 0.15
        )


def test_a_configuration_that_does_not_add_up_gets_what_was_measured():
    odd = sample(800, "silver", "ruby", off=15.0)
    table = Fit([*samples(60), odd]).table(PICTURE, SizeClass.MIDDLE, list(WIDTHS), OPTIONS, 1)
    (correction,) = table.corrections

    assert correction.when == {"metal": ("silver",), "gem": ("ruby",)}
    total = (
        table.widths[800]
        + table.offsets["metal"]["silver"]
        + table.offsets["gem"]["ruby"]
        + correction.tenths
    )
    assert total / 10 == pytest.approx(odd.level, abs=8.0)


def test_the_same_samples_come_to_the_same_table():
    tables = [
        Fit(samples(40, scatter=1.0)).table(PICTURE, SizeClass.MIDDLE, list(WIDTHS), OPTIONS, 1)
        for _ in range(2)
    ]

    assert tables[0] == tables[1]
