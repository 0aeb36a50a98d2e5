"""`check`: everything wrong with a catalogue, found before anybody asks for a picture of it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from render_service.composition.parse_qualities import ENCODING_FILE
from render_service.errors import Fault, InvalidCatalogue
from render_service.planning.planner import Planner
from render_service.planning.version import measured_versions
from render_service.rendering.check import Check
from render_service.settings import Settings
from render_service.wiring import Studio, read_studio


def check(settings: Settings, catalogues: Sequence[Path]) -> int:
    """Check catalogues one after the other, up to the first broken one; return the exit status."""
    for folder in catalogues:
        try:
            # What could be read is tried as well, so that one run lists everything.
            studio, faults = read_studio(settings, folder)
            faults = (*faults, *find_faults(studio.planner, studio))
            if faults:
                raise InvalidCatalogue(faults)
        except InvalidCatalogue as broken:
            print(broken, file=sys.stderr)
            count = len(broken.faults)
            print(f"{folder}: {count} fault{'s' * (count != 1)}.", file=sys.stderr)
            return 1
        for warning in find_stale(studio):
            print(warning, file=sys.stderr)
        print(f"{folder}: {_summary(studio)}; no faults.")
    return 0


def find_faults(planner: Planner, studio: Studio) -> list[Fault]:
    """Try every file and combination of the catalogue of `planner`, whose files `studio` has."""
    checked = Check(planner, studio.assets.read_now, studio.limits)
    with tqdm(total=checked.steps, unit="step", disable=None) as bar:
        return checked.run(lambda what: _advance(bar, what))


def find_stale(studio: Studio) -> list[str]:
    """Return a warning for each view whose qualities were measured on other pictures.

    They are used all the same: they are near for most changes, and no fault of the catalogue.
    """
    warnings = []
    for name, measured in studio.measured.items():
        planner = studio.planner
        composition = planner.catalogue.composition(name)
        shown = measured_versions(planner.catalogue, composition, planner.profiles)
        stale = [view for view, on in measured.views.items() if shown.get(view) != on]
        if stale:
            warnings.append(
                f"{name}/{ENCODING_FILE}: [measured] views: warning: what {' and '.join(stale)} "
                f"show{'s' * (len(stale) == 1)} has changed since {measured.date} (a layer file, a "
                "material, an option or a fixed profile), so pictures may be off their target; "
                f"measure again: render-service calibrate --composition {name}"
            )
    return warnings


def _advance(bar: "tqdm[NoReturn]", what: str) -> None:
    bar.set_description(what, refresh=False)
    bar.update()


def _summary(studio: Studio) -> str:
    compositions = studio.planner.catalogue.compositions.values()
    views = [(c, view) for c in compositions for view in c.views.values()]
    pictures = sum(c.lattice_size(view.options) for c, view in views)
    return (
        f"{len(compositions)} composition{'s' * (len(compositions) != 1)}, {len(views)} views, "
        f"{pictures} configurations of views"
    )
