"""The one ring that all servers draw: six layers of 2048 px, in every colour that can be chosen.

The rule: everybody gets the same picture. The service gets each layer once, as linear light in
16 bits, and paints it; the others get what they can use, a PNG in sRGB for every colour, ready to
be laid over one another, so that nobody but the service does the work of painting.

Every layer is laid `over`: it is the one way to blend that all of them have, and black laid over is
what multiplying by a shadow comes to.
"""

import itertools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.install import HOME
from benchmarks.pictures import Floats, RingLayer, ring_layers
from render_service.formats import Format
from render_service.pixels.tone import linear_to_srgb
from render_service.pixels.vips import pyvips
from render_service.planning.iiif import IIIF_PREFIX, Identifier, build_identifier
from render_service.planning.plan import ONE
from render_service.planning.planner import Planner

SIDE_PX: Final = 2048
CHOICES: Final = {"ground": 12, "metal": 20, "gem": 20}
"""4,800 configurations: more than any server draws of one size and format in a run."""

_REVISION: Final = "2"
"""Of the files; another one has them written anew."""

_NODES: Final = (0.30, 0.65, 1.00)

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


class Configuration(NamedTuple):
    """Which of the colours each option has, by number."""

    ground: int
    metal: int
    gem: int


class Art(NamedTuple):
    """Where the files are.

    Attributes:
        catalogue: The service's.
        layers: The others': `band-3.png`, and `shadow.png` where there is no choice.
    """

    catalogue: Path
    layers: Path


def make_art() -> Art:
    """Write the files under `build/peers`, unless they are there, and return where they are."""
    art = Art(HOME / "catalogue", HOME / "layers")
    stamp = HOME / "art"
    if stamp.is_file() and stamp.read_text() == _REVISION:
        return art
    print("Drawing the layers of the ring under build/peers …", flush=True)
    for folder in art:
        shutil.rmtree(folder, ignore_errors=True)
    (art.catalogue / "ring").mkdir(parents=True)
    art.layers.mkdir()
    layers = ring_layers(SIDE_PX)
    for layer in layers:
        _write_ours(art.catalogue / "ring" / f"{layer.name}.png", layer)
        for name, tint in _tints(layer):
            _write_theirs(art.layers / f"{name}.png", layer, tint)
    (art.catalogue / "materials.toml").write_text(_materials())
    (art.catalogue / "ring" / "composition.toml").write_text(_definition(layers))
    stamp.write_text(_REVISION)
    return art


def configurations(seed: int) -> Iterator[Configuration]:
    """Yield every configuration once, in an order that `seed` decides."""
    every = [
        Configuration(*numbers)
        for numbers in itertools.product(*(range(count) for count in CHOICES.values()))
    ]
    random.Random(seed).shuffle(every)  # noqa: S311  # the same order in every run
    yield from every


def file_names(chosen: Configuration) -> list[str]:
    """Return the names of the six files of a configuration, bottom first."""
    return [
        f"ground-{chosen.ground}",
        "shadow",
        f"band-{chosen.metal}",
        f"prongs-{chosen.metal}",
        f"stone-{chosen.gem}",
        "sparkle",
    ]


def our_path(planner: Planner, chosen: Configuration, side_px: int, file_format: Format) -> str:
    """Return the service's path: that of its IIIF API, which announces 512 and 1024 of 2048 px."""
    selection = {option: f"{option}-{value}" for option, value in chosen._asdict().items()}
    composition = planner.catalogue.composition("ring")
    view = composition.view("front")
    version = planner.version(composition, view)
    shown = planner.show("ring", "front", version, selection)
    identifier = build_identifier(
        Identifier(
            composition="ring",
            view="front",
            version=version,
            selection=tuple(shown.configuration.items()),
        )
    )
    return f"{IIIF_PREFIX}{identifier}/full/{side_px},{side_px}/0/default.{file_format}"


def _colour(number: int, count: int) -> tuple[float, float, float]:
    """Reflectances between those of black rhodium and silver, no two alike."""
    share = number / count
    red, green, blue = (0.25 + 0.7 * ((share * step + 0.3) % 1.0) for step in (1, 3, 7))
    return red, green, blue


def _tints(layer: RingLayer) -> Iterator[tuple[str, tuple[float, float, float]]]:
    if not layer.chosen:
        yield layer.name, (1.0, 1.0, 1.0)
        return
    count = CHOICES[layer.chosen]
    for number in range(count):
        yield f"{layer.name}-{number}", _colour(number, count)


def _shown(layer: RingLayer) -> Floats:
    """The light of a layer; what nobody paints is no brighter than white."""
    light = np.maximum(layer.shade, 0.0)
    return light if layer.chosen else np.minimum(light, layer.alpha)


def _write_ours(file: Path, layer: RingLayer) -> None:
    bands = _NODES if layer.chosen else (1.0, 1.0, 1.0)
    light = _shown(layer)[..., np.newaxis] * np.array(bands)
    pixels = np.dstack([light, layer.alpha])
    scaled = np.clip(pixels * ONE + 0.5, 0, 65535).astype(np.uint16)
    _write(file, scaled)


def _write_theirs(file: Path, layer: RingLayer, tint: tuple[float, float, float]) -> None:
    """Straight alpha in sRGB; an opaque layer without alpha, as anybody would keep it.

    A shadow is exported as deep as it looks: the others lay it over display values, not over light.
    """
    rows = np.flatnonzero(layer.alpha.max(axis=1))
    box = slice(rows[0], rows[-1] + 1)
    light = _shown(layer)[box, :, np.newaxis] * np.array(tint)
    alpha = layer.alpha[box, :, np.newaxis]
    straight = np.divide(light, alpha, out=np.zeros_like(light), where=alpha > 0)
    colour = linear_to_srgb(np.clip(straight, 0, 1))
    cover = 1 - linear_to_srgb(1 - alpha) if layer.name == "shadow" else alpha
    shown = colour if layer.alpha.min() == 1 else np.dstack([colour, cover])
    pixels = np.zeros((SIDE_PX, SIDE_PX, shown.shape[2]), np.uint8)
    pixels[box] = np.floor(255 * shown + 0.5)
    _write(file, pixels)


def _write(file: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """As PNG, at the level of compression that is every tool's default."""
    image = pyvips.Image.new_from_array(pixels)
    is_deep = pixels.dtype == np.uint16
    image.copy(interpretation="rgb16" if is_deep else "srgb").pngsave(str(file), compression=6)


def _materials() -> str:
    parts = [_MATERIALS]
    for option, count in CHOICES.items():
        for number in range(count):
            value = ", ".join(f"{part:.6f}" for part in _colour(number, count))
            parts.append(
                f"\n[materials.metal.{option}-{number}]\n"
                f'title = "{option.title()} {number}"\nvalue = [{value}]\nsource = "made up"\n'
            )
    return "".join(parts)


def _definition(layers: list[RingLayer]) -> str:
    parts = ['schema = 1\ntitle = "Made-up ring"\ntone = "plain"\n']
    for option, count in CHOICES.items():
        values = ", ".join(f'"{option}-{number}"' for number in range(count))
        parts.append(
            f'\n[options.{option}]\nmaterial = "metal"\n'
            f'values = [{values}]\ndefault = "{option}-0"\n'
        )
    parts.append(f"\n[views.front]\nwidth_px = {SIDE_PX}\nheight_px = {SIDE_PX}\n")
    for layer in layers:
        paint = f'paint = "{layer.chosen}"\n' if layer.chosen else ""
        parts.append(
            f'\n[[views.front.layers]]\nasset = "{layer.name}.png"\n{paint}encoding = "linear"\n'
        )
    return "".join(parts)
