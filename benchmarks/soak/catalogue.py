"""A made-up catalogue with more pictures than a soak can draw, each in milliseconds.

Its one rule: no two pictures share a plan, so every one that is asked for first must be drawn. Two
bars, each in any of a hundred metals of its own option: ten thousand configurations, in two widths
and four formats.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pyvips

from render_service.formats import Format
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path

METALS: Final = 100
"""Materials; of the two options together 10,000 configurations."""

SIDE_PX: Final = 240
"""Small, so that a soak draws many pictures and not many pixels; the ladder has two widths up to
it."""

_WIDTHS_PX: Final = (160, 240)

_AVIF_EVERY: Final = 10
"""One picture in ten is an AVIF, which takes another encoder and its threads; ten times the work
of a WebP at this size, so more of them would make a longer soak and not a harder one."""

_MATERIALS: Final = """\
schema = 1

[bases.metal]
law = "reflectance"
nodes = [0.30, 0.65, 1.00]

[tones.plain]
exposure = 1.0
knee = 0.0
white = 1.0
"""

_MATERIAL: Final = """
[materials.metal.metal-{number}]
title = "Metal {number}"
value = [{red:.3f}, {green:.3f}, 0.500]
source = "made up"
"""

_COMPOSITION: Final = """\
schema = 1
title = "Two bars"
tone = "plain"

[options.upper]
title = "Upper bar"
material = "metal"
default = "metal-0"

[options.lower]
title = "Lower bar"
material = "metal"
default = "metal-0"

[views.front]
title = "Front"
width_px = {side}
height_px = {side}

[[views.front.layers]]
asset = "upper.png"
paint = "upper"
encoding = "linear"

[[views.front.layers]]
asset = "lower.png"
paint = "lower"
encoding = "linear"
"""


def write_catalogue(folder: Path) -> Path:
    """Write the catalogue into `folder`, made if it is not there, and return it."""
    bars = folder / "bars"
    bars.mkdir(parents=True)
    materials = (
        _MATERIAL.format(number=number, red=0.3 + 0.07 * (number % 10), green=0.3 + 0.07 * tens)
        for number, tens in ((number, number // 10) for number in range(METALS))
    )
    (folder / "materials.toml").write_text(_MATERIALS + "".join(materials))
    (bars / "composition.toml").write_text(_COMPOSITION.format(side=SIDE_PX))
    middle = SIDE_PX // 2
    _write_bar(bars / "upper.png", rows=slice(0, middle))
    _write_bar(bars / "lower.png", rows=slice(middle, SIDE_PX))
    return folder


def list_paths(planner: Planner, pictures: int) -> list[str]:
    """Return the canonical paths of `pictures` different pictures.

    Raises:
        ValueError: The catalogue has fewer.
    """
    paths = [
        build_image_path(planner.plan(request).image)
        for request, _ in zip(_requests(), range(pictures), strict=False)
    ]
    if len(paths) < pictures:
        raise ValueError(f"the catalogue has {len(paths)} pictures; asked for {pictures}")
    return paths


def _requests() -> Iterator[RenderRequest]:
    configurations = product(range(METALS), range(METALS), _WIDTHS_PX)
    for number, (upper, lower, width_px) in enumerate(configurations):
        yield RenderRequest(
            composition="bars",
            view="front",
            region=None,
            selection=(("upper", f"metal-{upper}"), ("lower", f"metal-{lower}")),
            width_px=width_px,
            format=Format.AVIF if number % _AVIF_EVERY == 0 else Format.WEBP,
        )


def _write_bar(path: Path, *, rows: slice) -> None:
    """A bar with a little noise, so that it does not compress to nothing: 3 kB a picture."""
    chance = np.random.default_rng(1)
    pixels = np.zeros((SIDE_PX, SIDE_PX, 4), np.uint16)
    light = np.array([0.30, 0.65, 1.00]) * 16384
    shape = pixels[rows].shape[:2]
    shade = chance.uniform(0.9, 1.0, (*shape, 1))
    pixels[rows] = np.concatenate([light * shade, np.full((*shape, 1), 16384)], axis=2)
    image = pyvips.Image.new_from_memory(pixels.tobytes(), SIDE_PX, SIDE_PX, 4, "ushort")
    image.copy(interpretation="rgb16").pngsave(str(path), compression=1)
