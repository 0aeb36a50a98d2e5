"""A small catalogue on disk, for tests that need real files: 320 × 240, drawn in milliseconds.

The ring is a grey bar that takes the metal's colour, the stone a disc of a flat colour, so a test
can tell from a pixel what was drawn.
"""

import re
from pathlib import Path

import numpy as np
import pyvips

MATERIALS = """
schema = 1

[bases.metal]
law = "reflectance"
nodes = [0.30, 0.65, 1.00]

[materials.metal.gold]
title = "Yellow gold"
value = [1.0, 0.65, 0.30]
source = "test"

[materials.metal.silver]
title = "Silver"
value = [1.0, 1.0, 1.0]
source = "test"

[tones.plain]
exposure = 1.0
knee = 0.0
white = 1.0
"""

COMPOSITION = """
schema = 1
title = "Test ring"
tone = "plain"

[options.metal]
title = "Metal"
material = "metal"
default = "gold"

[options.gem]
title = "Stone"
values = ["ruby", "sapphire"]
default = "ruby"

[options.background]
title = "Background"
values = ["white", "transparent"]
default = "white"

[[forbid]]
all = { metal = "silver", gem = "sapphire" }
reason = "Sapphires are set in gold only."

[views.hero]
title = "Three-quarter"
width_px = 320
height_px = 240
regions.stone = [100, 60, 160, 120]

[[views.hero.layers]]
asset = "ground.png"
when = { background = "white" }

[[views.hero.layers]]
asset = "band.png"
paint = "metal"
encoding = "linear"

[[views.hero.layers]]
asset = "stone-{gem}.png"

[views.top]
title = "From above"
width_px = 200
height_px = 200

[[views.top.layers]]
asset = "top.png"
paint = "metal"
encoding = "linear"
"""

COLOURS = {"ruby": (200, 0, 40), "sapphire": (20, 40, 200)}


def write_catalogue(folder: Path, *, scale: int = 1) -> Path:
    """Write the catalogue into `folder` and return it; `scale` makes it larger, and slow."""
    ring = folder / "ring"
    ring.mkdir(parents=True)
    (folder / "materials.toml").write_text(MATERIALS)
    sizes = re.compile(r"^(?:width_px|height_px|regions\.stone) =.*$", re.MULTILINE)
    larger = sizes.sub(lambda line: _scaled(line[0], scale), COMPOSITION)
    (ring / "composition.toml").write_text(larger)
    width, height, square = 320 * scale, 240 * scale, 200 * scale
    _save(ring / "ground.png", _flat(width, height, (255, 255, 255, 255), np.uint8))
    _save(ring / "band.png", _bar(width, height))
    _save(ring / "top.png", _bar(square, square))
    for gem, colour in COLOURS.items():
        _save(ring / f"stone-{gem}.png", _disc(width, height, colour))
    return folder


def _scaled(line: str, scale: int) -> str:
    return re.sub(r"\d+", lambda number: str(int(number[0]) * scale), line)


def _flat(width, height, pixel, kind):
    return np.full((height, width, 4), pixel, kind)


def _bar(width, height):
    """Three reflectance nodes, 16-bit linear: the light of a surface is its reflectance."""
    pixels = np.zeros((height, width, 4), np.uint16)
    light = [round(16384 * node) for node in (0.30, 0.65, 1.00)]
    pixels[height // 2 :, :] = [*light, 16384]
    return pixels


def _disc(width, height, colour):
    pixels = np.zeros((height, width, 4), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    inside = (rows - height // 2) ** 2 + (columns - width // 2) ** 2 < 40**2
    pixels[inside] = [*colour, 255]
    return pixels


def _save(path: Path, pixels) -> None:
    height, width, bands = pixels.shape
    kind = "ushort" if pixels.dtype == np.uint16 else "uchar"
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, kind)
    image = image.copy(interpretation="rgb16" if kind == "ushort" else "srgb")
    image.pngsave(str(path), compression=1)
