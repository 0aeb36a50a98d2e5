"""The search for qualities, on made-up pictures whose scores follow a law that is known."""

import pytest
from msgspec.structs import replace

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import valid_configurations
from render_service.composition.model import SizeClass
from render_service.composition.qualities import level_of, size_class
from render_service.formats import Format
from render_service.planning.planner import Planner
from render_service.rendering.calibration import Asked, Calibration
from render_service.rendering.measuring import Gallery, Scored, cells_of
from render_service.rendering.targets import LEAST, TARGETS
from tests.builders import PROFILES, build_catalogue

CATALOGUE = build_catalogue()
RING = CATALOGUE.composition("ring")
NEEDS = {"gold": 2.0, "rhodium": -3.0, "ruby": 5.0, "emerald": 1.0, "white": -4.0, "oval": 1.0}
"""Levels that a value adds to what a picture needs; the others add none."""
BASE = {Format.WEBP: 82.0, Format.AVIF: 62.0}
WIDER_NEEDS = 1 / 400
"""Levels a pixel of width."""


class MadeUp(Gallery):
    """A gallery of pictures that score half a point a level, without drawing any."""

    def __init__(self, composition=RING, odd=None):
        catalogue = Catalogue(compositions={"ring": composition}, assets=CATALOGUE.assets)
        super().__init__(Planner(catalogue, PROFILES), None, None, composition, None)
        self.odd, self.measured = odd or {}, []

    def measure(self, cell, configuration, file_format, quality):
        if quality is None:
            quality = self.plan(cell, configuration, file_format).output.profile.quality
        self.measured.append((cell.view.id, cell.region, cell.width_px, file_format, quality))
        needed = BASE[file_format] + WIDER_NEEDS * cell.width_px
        needed += sum(NEEDS.get(value, 0) for value in configuration.values())
        needed += 12 * (bool(self.odd) and self.odd.items() <= configuration.items())
        target = TARGETS[size_class(cell.width_px)]
        return Scored(target + (level_of(file_format, quality) - needed) / 2, 1000)


def asked(**changes):
    found = Asked(
        formats=(Format.AVIF, Format.WEBP), targets=TARGETS, samples=18, held_out=40, seed=1
    )
    return replace(found, **changes)


def always():
    return True


def steps(count):
    """Says to stop after `count` samples."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


@pytest.fixture(scope="module")
def tables():
    return Calibration(MadeUp(), asked()).find(always)


def test_pictures_that_were_not_sampled_meet_their_target(tables):
    judged = Calibration(MadeUp(), asked(seed=2))
    held_out = judged.check(MadeUp(replace(RING, qualities=tables)), always)

    assert len(held_out) == 2 * 40
    for one in held_out:
        assert one.off > -1
        assert one.off < 1 or one.quality <= LEAST[one.format]


def test_every_picture_of_every_class_has_a_table(tables):
    found = {(t.view, t.region, t.size, t.format) for t in tables}

    assert found == {(*place, f) for place in cells_of(RING) for f in BASE}
    widths = {(t.view, t.region): set() for t in tables}
    for table in tables:
        widths[table.view, table.region] |= set(table.widths)
    assert widths["hero", None] == {160, 240, 320, 480, 640, 800, 1080, 1280, 1600}


def test_large_pictures_are_measured_a_third_as_often():
    gallery = MadeUp()
    search = Calibration(gallery, asked(formats=(Format.AVIF,)))
    search.find(always)

    # Two views and a region in two sizes; the hero is large enough for the third.
    small, zoomed = 3 * 2, 1
    assert search.taken == small * (18 + 2) + zoomed * (18 // 3 + 2)
    assert search.steps == search.taken + 40


def test_less_than_the_least_quality_is_never_planned(tables):
    planner = Planner(
        Catalogue(compositions={"ring": replace(RING, qualities=tables)}, assets=CATALOGUE.assets),
        PROFILES,
    )
    gallery = MadeUp(planner.catalogue.composition("ring"))
    cell = cells_of(RING)["hero", None, SizeClass.THUMBNAIL][0]
    for configuration in valid_configurations(RING, cell.view.options):
        for file_format, least in LEAST.items():
            if file_format in BASE:
                plan = gallery.plan(cell, configuration, file_format)
                assert plan.output.profile.quality >= least


def test_a_configuration_that_is_odd_is_corrected_where_it_was_seen():
    odd = RING.defaults
    tables = Calibration(MadeUp(odd=odd), asked()).find(always)
    corrected = [table for table in tables if table.corrections and table.view == "hero"]

    assert corrected
    for table in corrected:
        for correction in table.corrections:
            assert correction.when == {
                option: (value,) for option, value in odd.items() if option in correction.when
            }
            assert correction.tenths > 0


def test_the_same_seed_finds_the_same_and_another_measures_others(tables):
    again, other = MadeUp(), MadeUp()

    assert Calibration(again, asked()).find(always) == tables
    Calibration(other, asked(seed=2)).find(always)
    assert again.measured != other.measured


def test_stopped_before_each_width_was_seen_there_is_nothing():
    assert Calibration(MadeUp(), asked()).find(steps(10)) is None


def test_stopped_later_there_is_a_table_of_what_is_known():
    tables = Calibration(MadeUp(), asked()).find(steps(40))

    assert {(t.view, t.region, t.size) for t in tables} == set(cells_of(RING))


def test_a_transparent_picture_is_not_asked_for_in_a_format_without_alpha():
    class Jpeg(MadeUp):
        def measure(self, cell, configuration, file_format, quality):
            # Planning refuses it.
            self.plan(cell, configuration, file_format)
            return Scored(82.0, 1000)

    tables = Calibration(Jpeg(), asked(formats=(Format.JPEG,))).find(always)

    assert {table.format for table in tables} == {Format.JPEG}
