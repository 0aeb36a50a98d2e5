"""The plans that goldens hold: small, made up, and between them every stage and every choice of it.

A scene's layer files are made here from formulas, so the goldens depend on nothing else.
"""

import hashlib
from collections.abc import Callable, Mapping
from math import prod
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from render_service.planning.plan import ONE, Blend, Encoding, Placement, RenderPlan, Tone
from tests.pixels.builders import image, placement, plan, png, tiff_pages

SIDE_PX: Final = 96

STUDIO: Final = Tone(exposure=ONE, knee=ONE * 6 // 10, white=3 * ONE)

METAL_NODES: Final = (0.30, 0.65, 1.00)
GEM_NODES: Final = (0.03, 0.20, 0.55, 1.00)
ROSE_GOLD: Final = (0.95, 0.66, 0.54)
RED_STONE: Final = (0.72, 0.04, 0.09)

Matrix = tuple[tuple[int, ...], ...]


Files = Mapping[str, bytes]


class Scene(Struct, frozen=True, kw_only=True):
    """A plan and the layer files it names."""

    plan: RenderPlan
    files: Files


Shape = NDArray[np.float64]

_Y, _X = np.mgrid[0:SIDE_PX, 0:SIDE_PX] / SIDE_PX - 0.5
_AROUND, _AWAY = np.arctan2(_Y, _X), np.hypot(_X, _Y)
RING: Final[Shape] = np.clip(1 - np.abs(_AWAY - 0.33) * 30 + 1.5, 0, 1)
STONE: Final[Shape] = np.clip((0.16 - _AWAY) * 60, 0, 1)


def weights(value: float, nodes: tuple[float, ...]) -> list[float]:
    """The Lagrange weights of a value at the nodes."""
    others = [[other for other in nodes if other != node] for node in nodes]
    return [
        prod((value - other) / (node - other) for other in rest)
        for node, rest in zip(nodes, others, strict=True)
    ]


ROSE: Final[Matrix] = tuple(
    tuple(round(ONE * metal) for metal in weights(band, METAL_NODES)) for band in ROSE_GOLD
)
RED_IN_ROSE: Final[Matrix] = tuple(
    tuple(
        round(ONE * gem * metal)
        for gem in weights(RED_STONE[band], GEM_NODES)
        for metal in weights(ROSE_GOLD[band], METAL_NODES)
    )
    for band in range(3)
)


def basis(cover: Shape, gem_nodes: tuple[float, ...] = (1.0,), most: float = 2.5) -> Shape:
    """[height, width, nodes] of light that met metal more often where it does not glint."""
    glint = 0.5 + 0.5 * np.sin(5 * _AROUND + 14 * _AWAY)
    planes = [
        cover * most * glint**2 * metal ** (3 - 2 * glint) * gem ** (0.5 + glint)
        for gem in gem_nodes
        for metal in METAL_NODES
    ]
    return np.stack(planes, axis=2)


def linear(light: Shape, cover: Shape | None = None) -> NDArray[np.uint16]:
    return np.floor(ONE * _with(light, cover)).clip(0, 65535).astype(np.uint16)


def root(light: Shape, cover: Shape | None = None) -> NDArray[np.uint16]:
    samples = 65535 * np.sqrt(np.clip(light, 0, 4) / 4)
    if cover is not None:
        samples = np.concatenate([samples, 65535 * cover[..., np.newaxis]], axis=2)
    return np.floor(samples).astype(np.uint16)


def srgb(colour: tuple[int, int, int], cover: Shape | None = None) -> NDArray[np.uint8]:
    shade = np.clip(0.5 + _Y + 0.3 * _X, 0, 1)[..., np.newaxis] * np.array(colour)
    return np.floor(_with(shade, None if cover is None else 255 * cover)).astype(np.uint8)


def _with(light: Shape, cover: Shape | None) -> Shape:
    if cover is None:
        return light
    return np.concatenate([light, cover[..., np.newaxis]], axis=2)


def layer(data: bytes, **facts: object) -> tuple[Placement, bytes]:
    """A placement of a file of the scenes' size, and the file."""
    size = {"width_px": SIDE_PX, "height_px": SIDE_PX}
    return placement(hashlib.sha256(data).hexdigest(), **(size | facts)), data  # type: ignore[arg-type]


def scene(*layers: tuple[Placement, bytes], **facts: object) -> Scene:
    placements = [where for where, _ in layers]
    settings = {"canvas": (SIDE_PX, SIDE_PX), "tone": STUDIO} | facts
    return Scene(
        plan=plan(*placements, **settings),  # type: ignore[arg-type]
        files={where.asset: data for where, data in layers},
    )


def ground(**facts: object) -> tuple[Placement, bytes]:
    return layer(png(srgb((235, 225, 210))), encoding=Encoding.SRGB, **facts)


def band(blend: Blend, **facts: object) -> tuple[Placement, bytes]:
    data = png(root(basis(RING), RING))
    return layer(data, encoding=Encoding.ROOT, blend=blend, paint=ROSE, **facts)


def stone(blend: Blend, **facts: object) -> tuple[Placement, bytes]:
    bands = basis(STONE, GEM_NODES, most=3.5)
    pages = [root(bands[..., at : at + 3], STONE) for at in range(0, 12, 3)]
    known = {"encoding": Encoding.ROOT, "pages": 4, "paint": RED_IN_ROSE, "blend": blend}
    return layer(tiff_pages(pages), **(known | facts))


def shadow(**facts: object) -> tuple[Placement, bytes]:
    cover = 0.7 * np.exp(-90 * (_Y - 0.3) ** 2 - 12 * _X**2)
    data = png(linear(np.zeros((SIDE_PX, SIDE_PX, 3)), cover))
    return layer(data, blend=Blend.MULTIPLY, **facts)


def filter_of_colour() -> tuple[Placement, bytes]:
    light = np.stack([0.5 + _X, 0.5 + _Y, 1.2 + 0 * _X], axis=2)
    return layer(png(linear(light)), blend=Blend.MULTIPLY)


def engraving() -> tuple[Placement, bytes]:
    cover = np.clip(np.sin(40 * _X) * 3, 0, 1) * RING
    return layer(png(srgb((90, 40, 30), cover)), encoding=Encoding.SRGB)


def gradient() -> tuple[Placement, bytes]:
    data = png(np.repeat(srgb((255, 255, 255), STONE + RING * 0.5)[..., :1], 3, axis=2))
    ramp = ((0, 200, 0, 400), (ONE // 3, 9000, 2000, 300), (ONE, 16384, 15000, 9000))
    return layer(data, encoding=Encoding.SRGB, ramp=ramp)


def avif() -> tuple[Placement, bytes]:
    bands = basis(STONE, GEM_NODES[2:])
    tall = np.concatenate([root(bands[..., :3]), root(bands[..., 3:])])
    data = image(tall).heifsave_buffer(compression="av1", bitdepth=10, lossless=True, effort=0)
    paint = [row[:3] + row[:3] for row in ROSE]
    return layer(data, pages=2, encoding=Encoding.ROOT, blend=Blend.ADD, paint=paint)


def region(*layers: tuple[Placement, bytes], **facts: object) -> Scene:
    """The layers with the canvas laid on the part that begins at (30, 21) and is 50 by 40."""
    moved = [
        (replace(where, left_px=where.left_px - 30, top_px=where.top_px - 21), data)
        for where, data in layers
    ]
    return scene(*moved, canvas=(50, 40), **facts)


SCENES: Final[dict[str, Callable[[], Scene]]] = {
    "srgb-ground": lambda: scene(ground()),
    "metal-painted-root": lambda: scene(band(Blend.ADD)),
    "metal-painted-over-ground": lambda: scene(ground(), band(Blend.OVER)),
    "gem-and-metal-painted": lambda: scene(band(Blend.ADD), stone(Blend.ADD)),
    "shadow-multiplied": lambda: scene(ground(), shadow(), band(Blend.OVER)),
    "colour-multiplied": lambda: scene(ground(), filter_of_colour()),
    "straight-alpha-over": lambda: scene(ground(), band(Blend.OVER), engraving()),
    "gradient-ramp": lambda: scene(gradient()),
    "ten-bit-avif-strip": lambda: scene(avif()),
    "light-saturates": lambda: scene(*[stone(Blend.ADD)] * 4, band(Blend.ADD)),
    "transparent": lambda: scene(shadow(), band(Blend.OVER), stone(Blend.ADD), alpha=True),
    "transparent-multiplied": lambda: scene(band(Blend.OVER), filter_of_colour(), alpha=True),
    "region": lambda: region(ground(), band(Blend.OVER), stone(Blend.ADD)),
    "region-scaled": lambda: region(ground(), band(Blend.OVER), stone(Blend.ADD), size=(37, 30)),
    "half-size": lambda: scene(
        ground(), shadow(), band(Blend.OVER), stone(Blend.ADD), size=(48, 48)
    ),
    "odd-size-transparent": lambda: scene(band(Blend.OVER), engraving(), size=(67, 67), alpha=True),
    "layer-off-its-canvas": lambda: scene(
        ground(left_px=-40, top_px=25), band(Blend.ADD, left_px=50, top_px=-60)
    ),
    "plain-tone": lambda: scene(ground(), tone=Tone(exposure=2 * ONE, knee=0, white=ONE)),
}
