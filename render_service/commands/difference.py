"""`diff`: what a release would change, or has changed: views, keys, and pictures to look at.

What is listed is exact, because keys are; what is drawn is a sample, and says of how many.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec import Struct
from tqdm import tqdm

from render_service.commands.before_after import write_pictures
from render_service.commands.sides import Side, open_side
from render_service.releases.changes import CompositionChange, KeyChange, ViewChange
from render_service.releases.difference import changed_keys, compare, count_pairs
from render_service.settings import Settings
from render_service.supply import open_store

_SIGNS = {"new": "+ new", "gone": "- gone", "texts": "titles, swatches or rules only"}


class Asked(Struct, frozen=True, kw_only=True):
    """What a person wants to see of a difference.

    Attributes:
        old: A folder, the number of a state, or `live`.
        new: Likewise.
        keys: Whether every key is listed.
        limit: The most keys listed.
        as_json: Whether it is for a program.
        pictures: The folder that pictures are written to, or None.
        width_px: Width of those pictures.
        sample: The most pictures drawn.
    """

    old: str
    new: str
    keys: bool
    limit: int
    as_json: bool
    pictures: Path | None
    width_px: int
    sample: int


class Report(Struct, frozen=True, kw_only=True):
    """A difference, for programs.

    Attributes:
        old: What was compared.
        new: With what.
        compositions: What becomes of each.
        keys: The keys that change, where they were asked for; None otherwise.
        complete: Whether all keys are listed.
    """

    old: str
    new: str
    compositions: Sequence[CompositionChange]
    keys: Sequence[KeyChange] | None = None
    complete: bool = True


def diff(settings: Settings, asked: Asked) -> int:
    """Print what changes from one catalogue to another; return the exit status.

    Raises:
        RenderServiceError: A side cannot be read whole, or a picture not be written.
    """
    return asyncio.run(_diff(settings, asked))


async def _diff(settings: Settings, asked: Asked) -> int:
    store = open_store(settings)
    try:
        old = await open_side(settings, store, asked.old)
        new = await open_side(settings, store, asked.new)
        report = await asyncio.to_thread(_report, old, new, asked)
        if asked.as_json:
            print(msgspec.json.format(msgspec.json.encode(report)).decode())
        else:
            _print(report)
        if asked.pictures is not None:
            written = await write_pictures(
                settings, old, new, asked.pictures, width_px=asked.width_px, sample=asked.sample
            )
            print(written, file=sys.stderr if asked.as_json else sys.stdout)
    finally:
        await store.close()
    return 0


def _report(old: Side, new: Side, asked: Asked) -> Report:
    with _bar(old, new, "configurations") as bar:
        changes = list(compare(old.planner, new.planner, lambda: _advance(bar)))
    report = Report(old=old.name, new=new.name, compositions=changes)
    if not asked.keys:
        return report
    with _bar(old, new, "keys") as bar:
        found: Iterator[KeyChange] = changed_keys(old.planner, new.planner, lambda: _advance(bar))
        keys = list(islice(found, asked.limit))
        complete = next(found, None) is None
    return msgspec.structs.replace(report, keys=keys, complete=complete)


def _print(report: Report) -> None:
    print(f"{report.old} → {report.new}")
    shown = [change for change in report.compositions if change.status != "unchanged"]
    for change in shown:
        print("\n".join(_lines(change)))
    same = len(report.compositions) - len(shown)
    if same:
        print(f"{same} composition{'s' * (same != 1)} unchanged")
    for key in report.keys or ():
        print(f"{key.path}  {key.old or 'none'} → {key.new or 'none'}")
    if not report.complete:
        print(f"… and more keys; --limit above {len(report.keys or ())} lists them.")


def _lines(change: CompositionChange) -> Iterator[str]:
    sign = _SIGNS.get(change.status)
    yield change.composition + (f": {sign}" if sign else "")
    for mark, values in (("+", change.values_added), ("-", change.values_gone)):
        for option, names in values.items():
            yield f"  {mark} {option}: {', '.join(names)}"
    if change.status != "texts":
        yield from map(_view_line, change.views)


def _view_line(view: ViewChange) -> str:
    name = f"  view {view.view:<10}"
    if view.old == view.new:
        return f"{name} {view.old}, unchanged"
    counts = [
        f"{count} {word}"
        for count, word in (
            (view.changed, "change"),
            (view.kept, "keep their pictures"),
            (view.added, "new"),
            (view.gone, "gone"),
        )
        if count
    ]
    return f"{name} {view.old or 'none'} → {view.new or 'none'}: {', '.join(counts)}"


def _bar(old: Side, new: Side, what: str) -> "tqdm[NoReturn]":
    total = count_pairs(old.planner, new.planner)
    return tqdm(total=total, unit="configuration", desc=what, disable=None, leave=False)


def _advance(bar: "tqdm[NoReturn]") -> None:
    bar.update()
