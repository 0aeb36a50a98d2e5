"""What does it cost to get from a path to a key? And which step costs what?

The rule: every step is timed on the same distinct paths of the demo catalogue, so that no
step is measured on what another one remembered.
"""

import time
from itertools import islice
from pathlib import Path

from benchmarks.report import Report, machine_facts, parse_arguments, publish, time_in_turn
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.composition.configuration import resolve_view, valid_configurations
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.planning.key import derive_key
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path, parse_image_path

CATALOGUE = Path(__file__).parent.parent / "compositions"
COMPOSITION, VIEW, WIDTH_PX = "solitaire-ring", "hero", 800
PATHS = 500
"""Distinct configurations; the hero view has 594 that are made."""


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=15)
    planner = Planner(load_catalogue(CATALOGUE).catalogue, PROFILES)
    composition = planner.catalogue.composition(COMPOSITION)
    view = composition.view(VIEW)
    configurations = list(islice(valid_configurations(composition, view.options), PATHS))
    planned = [planner.plan(_request(configuration)) for configuration in configurations]
    paths = [build_image_path(one.image) for one in planned]
    images = [parse_image_path(path) for path in paths]
    selections = [dict(image.selection) for image in images]
    cases = {
        "parse the path": lambda: [parse_image_path(path) for path in paths],
        "resolve the configuration": lambda: [
            resolve_view(composition, view, selection) for selection in selections
        ],
        "derive the key of the plan": lambda: [derive_key(one.plan) for one in planned],
        "build the canonical path": lambda: [build_image_path(one.image) for one in planned],
        "all: path to plan, key and path": lambda: [
            build_image_path(planner.plan_image(parse_image_path(path)).image) for path in paths
        ],
    }
    times = time_in_turn(cases, arguments.rounds, time.process_time)
    keys = len({one.key for one in planned})
    report = Report(
        question="Processor time from a path to its key, in microseconds for one picture.",
        machine=machine_facts("msgspec"),
        settings={"paths": len(paths), "rounds": arguments.rounds, "view": f"{COMPOSITION} {VIEW}"},
        columns=("step", "median us", "first quartile", "third quartile"),
        rows=tuple(
            (name, *(1000 * ms / len(paths) for ms in (t.median_ms, t.low_ms, t.high_ms)))
            for name, t in times.items()
        ),
        verdicts=(f"{len(paths)} paths lead to {keys} distinct keys.",),
    )
    publish(report, arguments.json)


def _request(configuration: dict[str, str]) -> RenderRequest:
    return RenderRequest(
        composition=COMPOSITION,
        view=VIEW,
        region=None,
        selection=tuple(configuration.items()),
        width_px=WIDTH_PX,
        format=Format.AVIF,
    )


if __name__ == "__main__":
    main()
