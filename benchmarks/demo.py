"""Pictures of the demo catalogue that nobody has asked for yet, as paths.

The rule: every path is of another configuration, width or format, so a service that has not drawn
it must; the same seed gives the same paths in the same order.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.pictures import CATALOGUE
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.composition.configuration import valid_configurations
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path

COMPOSITION: Final = "solitaire-ring"
VIEW: Final = "hero"


def demo_planner(catalogue: Path = CATALOGUE) -> Planner:
    """Return a planner of the demo catalogue as it is in the folder."""
    return Planner(load_catalogue(catalogue).catalogue, PROFILES)


def distinct_paths(
    planner: Planner, widths_px: Sequence[int], formats: Sequence[Format], *, seed: int
) -> Iterator[str]:
    """Yield a path for each valid configuration of the hero view, width and format, shuffled."""
    composition = planner.catalogue.composition(COMPOSITION)
    configurations = list(valid_configurations(composition, composition.view(VIEW).options))
    asked = [
        (configuration, width_px, file_format)
        for configuration in configurations
        for width_px in widths_px
        for file_format in formats
    ]
    random.Random(seed).shuffle(asked)  # noqa: S311  # the same order in every run
    for configuration, width_px, file_format in asked:
        if file_format is Format.JPEG and configuration.get("background") == "transparent":
            continue
        request = RenderRequest(
            composition=COMPOSITION,
            view=VIEW,
            region=None,
            selection=tuple(configuration.items()),
            width_px=width_px,
            format=file_format,
        )
        yield build_image_path(planner.plan(request).image)
