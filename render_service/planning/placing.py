"""Layers of a view × a configuration → placements, in the integers of the plan.

A layer that is not drawn, or lies wholly outside what is shown, leaves no trace: pictures that do
not show it share a key.
"""

import math
from collections.abc import Mapping
from typing import Final

from render_service.composition.catalogue import Catalogue
from render_service.composition.materials import Basis, Law, Material, paint_matrix
from render_service.composition.model import Composition, Layer, View, satisfied
from render_service.planning.plan import ONE, Output, Placement, Tone, Window

Frame = tuple[int, int, int, int]
Matrix = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
Ramp = tuple[tuple[int, int, int, int], ...]

_COLOUR_BANDS: Final = 3
"""Bands of a layer that no basis paints: R, G, B."""


def place_layers(
    catalogue: Catalogue,
    composition: Composition,
    view: View,
    configuration: Mapping[str, str],
    frame: Frame,
    seen: Frame | None = None,
) -> tuple[Placement, ...]:
    """Return what is drawn of `view` inside `frame` (left, top, width, height), bottom first.

    Args:
        catalogue: Knows the layer files.
        composition: What is drawn.
        view: The view of it.
        configuration: Option → value.
        frame: The canvas of the plan.
        seen: The part of the frame that can reach a pixel, on the view; None is all of it.

    Raises:
        AssetMissing: The catalogue lacks a layer file.
    """
    placements = []
    for layer in view.layers:
        box = layer.at or view.frame(None)
        if satisfied(layer.when, configuration) and _meets(box, seen or frame):
            name = layer.asset_for(configuration)
            pages, bands = _shape(composition, layer)
            matrix, ramp = _paint(composition, layer, configuration)
            placements.append(
                Placement(
                    asset=catalogue.digest(composition.id, name),
                    left_px=box[0] - frame[0],
                    top_px=box[1] - frame[1],
                    width_px=box[2],
                    height_px=box[3],
                    pages=pages,
                    bands=bands,
                    encoding=layer.encoding,
                    blend=layer.blend,
                    paint=matrix,
                    ramp=ramp,
                )
            )
    return tuple(placements)


def seen_from(window: Window, output: Output) -> Frame:
    """Return what a window of the canvas can see of it, as left, top, width and height.

    Scaling looks past the edges by the kernel's reach: an output pixel, or a pixel of the canvas
    where that is larger (`pixels/resample.py`).
    """
    across = -(-window.width_px // min(output.width_px, window.width_px))
    down = -(-window.height_px // min(output.height_px, window.height_px))
    return (
        window.left_px - across,
        window.top_px - down,
        window.width_px + 2 * across,
        window.height_px + 2 * down,
    )


def tone_of(composition: Composition) -> Tone:
    """Return the composition's view transform in the plan's integers."""
    tone = composition.tone
    return Tone(exposure=_fixed(tone.exposure), knee=_fixed(tone.knee), white=_fixed(tone.white))


def _meets(box: Frame, frame: Frame) -> bool:
    return all(
        box[axis] < frame[axis] + frame[axis + 2] and frame[axis] < box[axis] + box[axis + 2]
        for axis in (0, 1)
    )


def _shape(composition: Composition, layer: Layer) -> tuple[int, int]:
    """Pages, and colour bands of each page, that the layer's files must have."""
    bases = [basis for option in layer.paint if (basis := composition.options[option].basis)]
    if not bases or bases[0].law is Law.GRADIENT:
        return 1, _COLOUR_BANDS
    *outer, inner = bases
    return math.prod(len(basis.nodes) for basis in outer), len(inner.nodes)


def _paint(
    composition: Composition, layer: Layer, configuration: Mapping[str, str]
) -> tuple[Matrix | None, Ramp | None]:
    """The layer's paint matrix or its ramp in 1/16384, the other being None."""
    painted = [_material(composition, option, configuration[option]) for option in layer.paint]
    if not painted:
        return None, None
    basis, material = painted[0]
    if basis.law is Law.GRADIENT:
        stops = material.stops
        return None, tuple((_fixed(at), _fixed(r), _fixed(g), _fixed(b)) for at, r, g, b in stops)
    red, green, blue = (tuple(map(_fixed, row)) for row in paint_matrix(painted))
    return (red, green, blue), None


def _material(composition: Composition, option: str, value: str) -> tuple[Basis, Material]:
    """What `value` of `option` paints with; parsing has made sure that there is something."""
    found = composition.options[option]
    material = next(known.material for known in found.values if known.id == value)
    if found.basis is None or material is None:
        raise TypeError(f"the option {option} does not paint, and parsing should have said so")
    return found.basis, material


def _fixed(value: float) -> int:
    return round(value * ONE)
