"""Small catalogues for tests: definitions as text, digests made up, no files."""

import hashlib

from render_service.composition.catalogue import Catalogue, asset_names
from render_service.composition.faults import Faults
from render_service.composition.materials import Materials
from render_service.composition.model import Composition, ToneCurve
from render_service.composition.names import Names
from render_service.composition.parse import parse_composition
from render_service.composition.parse_materials import parse_materials
from render_service.composition.parse_qualities import parse_qualities
from render_service.formats import Format
from render_service.planning.plan import EncodeProfile
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import build_view

MATERIALS = """
schema = 1

[bases.metal]
law = "reflectance"
nodes = [0.30, 0.65, 1.00]

[bases.gem]
law = "transmittance"
nodes = [0.03, 0.20, 0.55, 1.00]

[bases.patina]
law = "gradient"

[materials.metal.gold]
title = "Gold"
value = [1.059, 0.773, 0.307]
source = "test"

[materials.metal.silver]
title = "Silver"
value = [0.991, 0.985, 0.974]
source = "test"

[materials.metal.rhodium]
title = "Black rhodium"
value = [0.20, 0.20, 0.21]
source = "test"

[materials.gem.diamond]
title = "Diamond"
family = "diamond"
value = [1.0, 1.0, 1.0]
source = "test"

[materials.gem.ruby]
title = "Ruby"
family = "corundum"
value = [0.80, 0.05, 0.10]
source = "test"

[materials.gem.sapphire]
title = "Sapphire"
family = "corundum"
value = [0.06, 0.12, 0.75]
source = "test"

[materials.gem.emerald]
title = "Emerald"
family = "beryl"
value = [0.08, 0.70, 0.25]
source = "test"

[materials.patina.bronze]
title = "Bronze"
stops = [[0.0, "#100800"], [0.5, "#805020"], [1.0, "#fff0d0"]]
source = "test"

[tones.studio]
exposure = 1.0
knee = 0.6
white = 3.0

[tones.plain]
exposure = 1.0
knee = 0.0
white = 1.0
"""

RING = """
schema = 1
title = "Ring"
tone = "studio"

[options.metal]
material = "metal"
default = "gold"

[options.shape]
title = "Stone shape"
values = ["round", "oval"]
default = "round"

[options.gem]
material = "gem"
values = ["diamond", "corundum", "emerald"]
default = "diamond"

[options.background]
values = ["studio", "white", "transparent"]
default = "studio"

[[forbid]]
all = { shape = "oval", gem = "emerald" }
reason = "We cut emeralds round only."

[views.hero]
title = "Three-quarter"
width_px = 1600
height_px = 1200
regions.stone = [520, 180, 560, 500]

[[views.hero.layers]]
asset = "hero/ground-{background}.png"
when = { background = ["studio", "white"] }

[[views.hero.layers]]
asset = "hero/band.tif"
paint = "metal"
blend = "add"
encoding = "root"

[[views.hero.layers]]
asset = "hero/stone-{shape}-diamond.tif"
when = { gem = "diamond" }
paint = "metal"
blend = "add"
encoding = "root"

[[views.hero.layers]]
asset = "hero/stone-{shape}-corundum.tif"
when = { gem = "corundum" }
paint = ["gem", "metal"]
blend = "add"
encoding = "root"

[[views.hero.layers]]
asset = "hero/stone-{shape}-beryl.tif"
when = { gem = "beryl" }
paint = ["gem", "metal"]
blend = "add"
encoding = "root"

[views.side]
width_px = 800
height_px = 800

[[views.side.layers]]
asset = "side/band.tif"
paint = "metal"
encoding = "root"
"""

PROFILES = {
    Format.AVIF: EncodeProfile(quality=60, effort=2, chroma=444),
    Format.WEBP: EncodeProfile(quality=82, effort=4, chroma=420),
    Format.JPEG: EncodeProfile(quality=86, effort=0, chroma=444),
    Format.PNG: EncodeProfile(quality=100, effort=6, chroma=444),
}


def build_materials(text: str = MATERIALS) -> tuple[Materials, dict[str, ToneCurve]]:
    return parse_materials(text.encode())


def build_composition(
    text: str = RING, *, name: str = "ring", materials: str = MATERIALS
) -> Composition:
    found, tones = build_materials(materials)
    return parse_composition(name, text.encode(), found, tones)


def build_catalogue(
    text: str = RING, *, materials: str = MATERIALS, changed: frozenset[str] = frozenset()
) -> Catalogue:
    """A catalogue of one composition, `ring`; the digests of the files in `changed` are others."""
    composition = build_composition(text, materials=materials)
    names = {
        name
        for view in composition.views.values()
        for layer in view.layers
        for name in asset_names(composition, layer)
    }
    digests = {
        name: hashlib.sha256((name + "*" * (name in changed)).encode()).hexdigest()
        for name in names
    }
    return Catalogue(compositions={"ring": composition}, assets={"ring": digests})


def build_planner(text: str = RING, **catalogue: object) -> Planner:
    return Planner(build_catalogue(text, **catalogue), PROFILES)


def request(view="hero", region=None, width_px=800, file_format=Format.WEBP, **selection):
    """The request for a picture of the ring."""
    return RenderRequest(
        composition="ring",
        view=view,
        region=region,
        selection=tuple(selection.items()),
        width_px=width_px,
        format=file_format,
    )


ENCODING = """
schema = 1

[measured]
date = "2026-11-23"
metric = "test"
encoders = "test"
seed = 1
samples = 1
views = { hero = "0123456789" }

[[tables]]
view = "hero"
format = "webp"
size = "middle"
target = 82
widths = { 480 = 80.0, 640 = 81.0, 800 = 82.0 }
offsets.metal = { gold = 2.4, silver = -3.0 }
offsets.gem = { ruby = 4.2 }
corrections = [
  { when = { metal = "gold", gem = ["ruby", "sapphire"] }, add = -1.2 },
]

[[tables]]
view = "hero"
region = "stone"
format = "avif"
size = "thumbnail"
target = 82
widths = { 160 = 60.0, 240 = 61.0, 320 = 62.0 }
"""


def calibrated(composition: Composition, text: str = ENCODING) -> Composition:
    """The composition with the qualities in `text`."""
    names = Names(Faults(f"{composition.id}/encoding.toml"), build_materials()[0])
    names.options.update(composition.options)
    offered = {
        build_view(view.id, region): offered_widths(view.frame(region)[2])
        for view in composition.views.values()
        for region in (None, *view.regions)
    }
    return parse_qualities(composition, text.encode(), names, offered).composition


def calibrated_planner(text: str = ENCODING, ring: str = RING, **catalogue: object) -> Planner:
    found = build_catalogue(ring, **catalogue)
    compositions = {name: calibrated(one, text) for name, one in found.compositions.items()}
    return Planner(Catalogue(compositions=compositions, assets=found.assets), PROFILES)
