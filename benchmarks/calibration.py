"""Do the calibrated qualities keep their promise, and what do they save?

The rule: pictures are drawn at random from the whole catalogue by a stated seed, which is not the
seed that the calibration drew by, and every one that is drawn counts.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from msgspec.structs import replace

from benchmarks.pictures import CATALOGUE
from benchmarks.report import Cell as Text
from benchmarks.report import Report, machine_facts, publish, ratio, time_in_turn
from render_service.adapters.catalogue_folder import FolderAssets, load_catalogue
from render_service.composition.configuration import valid_configurations
from render_service.composition.model import Composition
from render_service.composition.qualities import encoder_quality, level_of, size_class
from render_service.formats import Format
from render_service.pixels.compose import Canvas
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.limits import Limits
from render_service.pixels.vips import pyvips
from render_service.planning.plan import Output
from render_service.planning.planner import Planner
from render_service.planning.request import offered_widths
from render_service.rendering.measuring import Cell, Gallery, Scored
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters
from render_service.rendering.targets import LEAST, TARGETS, TOLERANCE

FORMATS: Final = (Format.AVIF, Format.WEBP)
NEAR_LEVELS: Final = 12
"""A picture is asked what single quality it needs if it is planned this near to the most demanding
one found: some 6 points, three times what it may be off."""

BYTES_GOAL, AVIF_GOAL, AVIF_TIME_GOAL = 0.85, 0.75, 0.2
ASSET_BYTES_MAX: Final = 2**28


class Drawn(NamedTuple):
    """A rendition of the sample."""

    cell: Cell
    configuration: Mapping[str, str]
    format: Format
    quality: int
    scored: Scored

    @property
    def off(self) -> float:
        """Points over the target."""
        return self.scored.score - TARGETS[size_class(self.cell.width_px)]

    @property
    def at_least(self) -> bool:
        """Whether it has the least quality that is used."""
        return self.quality <= encoder_quality(self.format, round(10 * LEAST[self.format]))


class Held:
    """Scores of this run, in memory."""

    def __init__(self) -> None:
        self._scores: dict[str, Scored] = {}

    def get(self, key: str) -> Scored | None:
        return self._scores.get(key)

    def put(self, key: str, scored: Scored) -> None:
        self._scores[key] = scored


class Catalogue(NamedTuple):
    """What is measured."""

    composition: Composition
    gallery: Gallery
    canvas: Callable[[Cell, Mapping[str, str], Format], tuple[Canvas, Output]]


def main() -> None:
    """Measure it, print it, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=3, help="how often encoding is timed")
    parser.add_argument("--pictures", type=int, default=60, help="drawn, each in both formats")
    parser.add_argument("--timed", type=int, default=10, help="of them, the first, that are timed")
    parser.add_argument("--seed", type=int, default=20261123, help="of the draw")
    arguments = parser.parse_args()
    catalogue = open_catalogue()
    pictures = draw_pictures(catalogue.composition, arguments.pictures, arguments.seed)
    sample = [one for picture in pictures for one in measure(catalogue, *picture)]
    rows, verdicts = judge(catalogue, sample)
    times = time_encoders(catalogue, pictures[: arguments.timed], arguments.rounds)
    report = Report(
        question="How near to their target are pictures at calibrated qualities, and at what cost?",
        machine=machine_facts("ssimulacra2", "numpy", "scipy", "pyvips", "pyvips-binary"),
        settings={
            "composition": catalogue.composition.id,
            "pictures": arguments.pictures,
            "seed": arguments.seed,
            "targets": ", ".join(f"{size} {score:g}" for size, score in TARGETS.items()),
            "timed": f"{arguments.timed} pictures, {arguments.rounds} rounds, processor time",
        },
        columns=("format", "size", "pictures", "±2", "worst", "median score", "qualities", "kB"),
        rows=tuple(rows),
        verdicts=(*verdicts, *times),
    )
    publish(report, arguments.json)


def open_catalogue() -> Catalogue:
    """Return the demo's first composition that has qualities, ready to be measured."""
    found = load_catalogue(CATALOGUE)
    composition = next(c for c in found.catalogue.compositions.values() if c.qualities)
    planner = Planner(found.catalogue, PROFILES)
    read = FolderAssets(found.files, ASSET_BYTES_MAX).read_now
    rasters = Rasters(budget_bytes=2**30)
    gallery = Gallery(planner, read, Limits(), composition, Held())

    drawn: dict[tuple[object, ...], Canvas] = {}

    def canvas(
        cell: Cell, configuration: Mapping[str, str], file_format: Format
    ) -> tuple[Canvas, Output]:
        plan = gallery.plan(cell, configuration, file_format)
        # Of the sample there are some hundred MB; formats have the same canvas.
        place = (cell.view.id, cell.region, cell.width_px, *configuration.items())
        if place not in drawn:
            drawn[place] = draw_with(plan, rasters, read, Limits())
        return drawn[place], plan.output

    return Catalogue(composition, gallery, canvas)


def draw_pictures(
    composition: Composition, count: int, seed: int
) -> list[tuple[Cell, Mapping[str, str]]]:
    """Return `count` pictures of any view or region and configuration, all widths as likely."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    cells = [
        Cell(view, region, width)
        for view in composition.views.values()
        for region in (None, *view.regions)
        for width in offered_widths(view.frame(region)[2])
    ]
    lattice = {
        view.id: list(valid_configurations(composition, view.options))
        for view in composition.views.values()
    }
    chosen = [draw.choice(cells) for _ in range(count)]
    return [(cell, draw.choice(lattice[cell.view.id])) for cell in chosen]


def measure(catalogue: Catalogue, cell: Cell, configuration: Mapping[str, str]) -> Iterator[Drawn]:
    """Yield a picture as it is served, in each format."""
    for file_format in FORMATS:
        quality = catalogue.gallery.plan(cell, configuration, file_format).output.profile.quality
        scored = catalogue.gallery.measure(cell, configuration, file_format, None)
        yield Drawn(cell, configuration, file_format, quality, scored)


def judge(
    catalogue: Catalogue, sample: Sequence[Drawn]
) -> tuple[list[tuple[Text, ...]], list[str]]:
    """Return a row for each format and size class, and the verdicts on scores and bytes."""
    rows = []
    for file_format in FORMATS:
        for size in TARGETS:
            here = [
                one
                for one in sample
                if one.format is file_format and size_class(one.cell.width_px) is size
            ]
            if here:
                rows.append((str(file_format), str(size), *_figures(here)))
    within = sum(abs(one.off) <= TOLERANCE for one in sample) / len(sample)
    above = [one for one in sample if one.off > TOLERANCE and one.at_least]
    rest = [one.off for one in sample if one not in above]
    verdicts = [
        f"{within:.1%} of {len(sample)} renditions within {TOLERANCE:g} points of their target "
        f"(goal 100 %), {len(above) / len(sample):.1%} above it at the least quality that is used; "
        f"of the others the worst {max(rest, key=abs):+.1f}."
    ]
    for slack, words in ((0.0, "the target"), (TOLERANCE, "what calibration tolerates")):
        verdicts.append(_against_fixed(catalogue, sample, slack, words))
    sizes = {f: sum(one.scored.size_bytes for one in sample if one.format is f) for f in FORMATS}
    verdicts.append(
        f"AVIF takes {sizes[Format.AVIF] / sizes[Format.WEBP]:.2f} of WebP's bytes at the same "
        f"target (goal {AVIF_GOAL})."
    )
    return rows, verdicts


def _figures(here: Sequence[Drawn]) -> tuple[Text, ...]:
    off = [abs(one.off) for one in here]
    qualities = [one.quality for one in here]
    return (
        len(here),
        sum(o <= TOLERANCE for o in off),
        max(off),
        median(one.scored.score for one in here),
        f"{min(qualities)}-{max(qualities)}",
        sum(one.scored.size_bytes for one in here) / 1000,
    )


def _against_fixed(catalogue: Catalogue, sample: Sequence[Drawn], slack: float, words: str) -> str:
    """The verdict on all bytes against the lowest single quality of each format."""
    ours = sum(one.scored.size_bytes for one in sample)
    said, theirs = [], 0
    for file_format in FORMATS:
        here = [one for one in sample if one.format is file_format]
        quality = _single_quality(catalogue, here, slack)
        size = sum(_size_at(catalogue, one, quality) for one in here)
        mine = sum(one.scored.size_bytes for one in here)
        said.append(f"{file_format} {mine / size:.2f} of q{quality}")
        theirs += size
    return (
        f"Calibrated bytes are {ours / theirs:.2f} of those at the lowest single quality that "
        f"reaches {words} everywhere in the sample ({', '.join(said)}; goal {BYTES_GOAL})."
    )


def _single_quality(catalogue: Catalogue, here: Sequence[Drawn], slack: float) -> int:
    """The lowest quality at which every picture reaches its target less `slack`."""
    found = 1
    for one in sorted(here, key=lambda one: one.quality, reverse=True):
        if level_of(one.format, one.quality) > level_of(one.format, found) - NEAR_LEVELS:
            found = max(found, _needed(catalogue, one, slack, found))
    return found


def _needed(catalogue: Catalogue, one: Drawn, slack: float, least: int) -> int:
    """The lowest quality from `least` up at which the picture reaches its target less `slack`."""

    def reaches(quality: int) -> bool:
        scored = catalogue.gallery.measure(one.cell, one.configuration, one.format, quality)
        return scored.score >= TARGETS[size_class(one.cell.width_px)] - slack

    if reaches(least):
        return least
    # A level is half a point on the median.
    guess = level_of(one.format, one.quality) - (one.off + slack) / 0.5
    quality = max(least, encoder_quality(one.format, round(10 * guess)))
    while quality < 100 and not reaches(quality):
        quality += 1
    while quality > least and reaches(quality - 1):
        quality -= 1
    return quality


def _size_at(catalogue: Catalogue, one: Drawn, quality: int) -> int:
    """Bytes of a picture at a quality."""
    canvas, output = catalogue.canvas(one.cell, one.configuration, one.format)
    profile = replace(output.profile, quality=quality)
    return len(encode(canvas, replace(output, profile=profile)))


def time_encoders(
    catalogue: Catalogue, pictures: Sequence[tuple[Cell, Mapping[str, str]]], rounds: int
) -> list[str]:
    """Return the verdicts on time: every picture encoded as served, and by libvips' defaults."""
    drawn = {
        file_format: [catalogue.canvas(*picture, file_format) for picture in pictures]
        for file_format in FORMATS
    }
    images = [_image(canvas) for canvas, _ in drawn[Format.WEBP]]
    cases: dict[str, Callable[[], object]] = {
        "webp": lambda: [encode(*one) for one in drawn[Format.WEBP]],
        "webp default": lambda: [image.webpsave_buffer(keep=0) for image in images],
        "avif": lambda: [encode(*one) for one in drawn[Format.AVIF]],
        "avif default": lambda: [
            image.heifsave_buffer(compression="av1", keep=0) for image in images
        ],
    }
    times = time_in_turn(cases, rounds, time.process_time)
    goals = {"webp": 1.0, "avif": AVIF_TIME_GOAL}
    return [
        f"Encoding {name} takes {ratio(times[name], times[f'{name} default']):.2f} of libvips' "
        f"defaults' processor time (goal {goal}): {times[name]} ms against "
        f"{times[f'{name} default']} ms for {len(pictures)} pictures."
        for name, goal in goals.items()
    ]


def _image(canvas: Canvas) -> pyvips.Image:
    height, width, bands = canvas.shape
    return pyvips.Image.new_from_memory(canvas.data, width, height, bands, "uchar").copy(
        interpretation="srgb"
    )


if __name__ == "__main__":
    main()
