"""`calibrate`: measure which quality each picture needs, and write it beside the composition.

The rule: `encoding.toml` is written whole, at the end, or stays as it was; what was measured until
a stop is kept, and the same command goes on from there.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

from msgspec.structs import replace
from tqdm import tqdm

from render_service.adapters.output_file import write_output
from render_service.adapters.score_journal import ScoreJournal
from render_service.commands.calibration_orders import Orders
from render_service.commands.interrupts import Interrupts
from render_service.composition.catalogue import Catalogue
from render_service.composition.definition import MeasuredDefinition
from render_service.composition.model import Composition, QualityTable
from render_service.composition.parse_qualities import ENCODING_FILE
from render_service.composition.qualities import encoder_quality
from render_service.composition.spell_qualities import spell_qualities
from render_service.pixels.score import metric
from render_service.pixels.vips import LIBVIPS
from render_service.planning.planner import Planner
from render_service.planning.version import measured_versions
from render_service.rendering.calibration import Asked, Calibration, HeldOut
from render_service.rendering.measuring import Gallery
from render_service.rendering.targets import LEAST, TOLERANCE
from render_service.settings import Settings
from render_service.wiring import Studio, catalogue_folder, open_studio

SAMPLING_SHARE: Final = 5 / 6
"""Of the budget; the rest is for the pictures that judge what was found."""


def calibrate(settings: Settings, orders: Orders) -> int:
    """Calibrate compositions one after the other; return the exit status.

    Raises:
        UnknownComposition: There is no such composition.
        InvalidCatalogue: The catalogue is broken.
        InvalidRequest: Something that is needed is missing.
    """
    metric()
    folder = orders.folder or catalogue_folder(settings)
    studio = open_studio(settings, folder)
    catalogue = studio.planner.catalogue
    chosen = [catalogue.composition(name) for name in orders.compositions]
    journal = ScoreJournal(settings.data / "calibration" / f"{_programs_word()}.jsonl")
    wanted = chosen or list(catalogue.compositions.values())
    ends_s = None if orders.budget_s is None else time.monotonic() + orders.budget_s
    status = 0
    for number, composition in enumerate(wanted):
        until = _Until(ends_s, len(wanted) - number)
        done = _calibrate(studio, composition, orders.asked, journal, folder, until)
        status = status if done else 1
    return status


class _Until:
    """The share of what is left of the budget that one of `count` compositions may use."""

    def __init__(self, ends_s: float | None, count: int) -> None:
        now_s = time.monotonic()
        left_s = None if ends_s is None else max(0.0, ends_s - now_s) / count
        self.sampling_s = None if left_s is None else now_s + left_s * SAMPLING_SHARE
        self.checking_s = None if left_s is None else now_s + left_s


def _calibrate(
    studio: Studio,
    composition: Composition,
    asked: Asked,
    journal: ScoreJournal,
    folder: Path,
    until: _Until,
) -> bool:
    """Calibrate one composition; return whether its file was written."""
    plain = replace(composition, qualities=())
    planner = _planner_of(studio.planner, plain)

    def gallery(planner: Planner, of: Composition) -> Gallery:
        return Gallery(planner, studio.assets.read_now, studio.limits, of, journal)

    search = Calibration(gallery(planner, plain), asked)
    with (
        Interrupts() as interrupts,
        tqdm(total=search.steps, desc=plain.id, unit="sample", disable=None) as bar,
    ):

        def step_until(ends_s: float | None) -> bool:
            interrupts.check()
            bar.update()
            return ends_s is None or time.monotonic() <= ends_s

        tables = search.find(lambda: step_until(until.sampling_s))
        if tables is None:
            _say_too_short(plain.id, search.taken, len(journal))
            return False
        found = replace(plain, qualities=tables)
        judged = gallery(_planner_of(planner, found), found)
        held_out = search.check(judged, lambda: step_until(until.checking_s))
        interrupts.check()
    views = measured_versions(planner.catalogue, plain, planner.profiles)
    measured = _measured(asked, search.taken, held_out, views)
    file = folder / plain.id / ENCODING_FILE
    write_output(str(file), spell_qualities(measured, tables, asked.targets).encode())
    _say(tables, held_out, measured)
    print(f"Wrote {file}. It counts from the next start or publication.")
    return True


def _say_too_short(composition: str, samples: int, scores: int) -> None:
    print(
        f"{composition}: the budget ended after {samples} samples, before each width had its "
        f"share; nothing was written. What was measured is kept ({scores} scores): the same "
        "command goes on from there."
    )


def _measured(
    asked: Asked, samples: int, held_out: Sequence[HeldOut], views: Mapping[str, str]
) -> MeasuredDefinition:
    off = [abs(one.off) for one in held_out]
    within = round(sum(o <= TOLERANCE for o in off) / len(off), 3) if off else None
    return MeasuredDefinition(
        date=datetime.now(UTC).date().isoformat(),
        metric=f"ssimulacra2 {version('ssimulacra2')}",
        encoders=_encoders(),
        seed=asked.seed,
        samples=samples,
        views=dict(views),
        held_out=len(off),
        within_2=within,
        above_at_least=round(sum(map(_is_above, held_out)) / len(off), 3) if off else None,
        worst=round(max(off), 1) if off else None,
    )


def _is_above(one: HeldOut) -> bool:
    """Whether it is better than it need be, because less quality is not used."""
    least = encoder_quality(one.format, round(10 * LEAST[one.format]))
    return one.off > TOLERANCE and one.quality <= least


def _say(
    tables: Sequence[QualityTable], held_out: Sequence[HeldOut], measured: MeasuredDefinition
) -> None:
    """Print what was found as a table."""
    rows = [("picture", "format", "size", "levels", "corrections", "held out", "±2", "worst")]
    for table in tables:
        name = table.view if table.region is None else f"{table.view}:{table.region}"
        here = [one for one in held_out if _is_of(one, table)]
        off = [abs(one.off) for one in here]
        rows.append(
            (
                name,
                str(table.format),
                str(table.size),
                _levels(table),
                str(len(table.corrections)),
                str(len(off)),
                f"{sum(o <= TOLERANCE for o in off)}" if off else "-",
                f"{max(off):.1f}" if off else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    if measured.within_2 is not None and held_out:
        middle = median(abs(one.off) for one in held_out)
        print(
            f"{measured.held_out} held out: {measured.within_2:.1%} within {TOLERANCE:g} points of "
            f"the target, {measured.above_at_least:.1%} above it at the least quality that is "
            f"used; the median {middle:.1f} off, the worst {measured.worst}."
        )


def _is_of(one: HeldOut, table: QualityTable) -> bool:
    return (one.cell.view.id, one.cell.region, one.format) == (
        table.view,
        table.region,
        table.format,
    ) and one.cell.width_px in table.widths


def _levels(table: QualityTable) -> str:
    """The least and the most that the table can give, corrections aside."""
    steps = [tuple(by_value.values()) or (0,) for by_value in table.offsets.values()]
    least = min(table.widths.values()) + sum(min(step) for step in steps)
    most = max(table.widths.values()) + sum(max(step) for step in steps)
    return f"{least / 10:.0f}-{most / 10:.0f}"


def _planner_of(planner: Planner, composition: Composition) -> Planner:
    """The planner of that composition alone."""
    name = composition.id
    assets = {name: planner.catalogue.assets[name]}
    catalogue = Catalogue(compositions={name: composition}, assets=assets)
    return Planner(catalogue, planner.profiles)


def _programs_word() -> str:
    """The programs that a score depends on beside the plan, as a file's name."""
    word = f"{_encoders()} ssimulacra2 {version('ssimulacra2')}"
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in word).lower()


def _encoders() -> str:
    """The libraries that encode: libvips, and the wheel whose codecs it uses."""
    try:
        return f"libvips {LIBVIPS} of pyvips-binary {version('pyvips-binary')}"
    except PackageNotFoundError:
        return f"libvips {LIBVIPS}"
