"""`[views.<id>]` → views: their canvas, regions and layers, every name in them checked."""

import re

from render_service.composition.definition import (
    ASSET_PATTERN,
    Box,
    LayerDefinition,
    ViewDefinition,
)
from render_service.composition.materials import Law
from render_service.composition.model import Layer, View
from render_service.composition.names import Names, spoken

_ASSET = re.compile(ASSET_PATTERN)
_NAME = re.compile(r"\{([^{}]*)\}")

Canvas = tuple[int | None, int | None]
"""Width and height of a view; None where it could not be read."""


def read_view(view: str, piece: object, names: Names) -> View | None:
    """Return the view that `piece` defines, or None with its faults noted.

    What could be read of it is checked either way.
    """
    table, faults = f"views.{view}", names.faults
    if not isinstance(piece, dict):
        faults.add(table, "", "Expected a table")
        return None
    read = faults.read({**piece, "layers": []}, ViewDefinition, table)
    canvas = (read.get("width_px"), read.get("height_px"))
    layers = []
    for index, layer_piece in enumerate(faults.array(piece, "layers", table)):
        layer = _read_layer(f"{table}.layers[{index}]", layer_piece, canvas, names)
        if layer is not None:
            layers.append(layer)
    if piece.get("layers", []) == []:
        faults.add(table, "layers", f"there is no layer; write [[{table}.layers]]")
    regions: dict[str, Box] = read.get("regions", {})
    for region, box in regions.items():
        faults.check_id(f"{table}.regions", region)
        _check_box(f"{table}.regions", region, box, canvas, names)
    width_px, height_px = canvas
    if width_px is None or height_px is None:
        return None
    used = frozenset(option for layer in layers for option in layer.options)
    return View(
        id=view,
        title=read.get("title") or spoken(view),
        width_px=width_px,
        height_px=height_px,
        regions=regions,
        layers=tuple(layers),
        options=tuple(option for option in names.options if option in used),
    )


def _read_layer(table: str, piece: object, canvas: Canvas, names: Names) -> Layer | None:
    """Return the layer, or None with its faults noted; what could be read is checked either way."""
    read = names.faults.read(piece, LayerDefinition, table)
    asset: str | None = read.get("asset")
    if asset is not None and not _ASSET.fullmatch(asset):
        names.faults.add(
            table,
            "asset",
            f"{asset!r} is not a file below the composition's folder: letters, digits, "
            "'_', '-', '.', '/' and {option}",
        )
    at: Box | None = read.get("at")
    if at is not None:
        _check_box(table, "at", at, canvas, names)
    held = dict.fromkeys(_NAME.findall(asset or ""))
    used = tuple(name for name in held if names.knows(name, table, "asset"))
    when = names.condition(read.get("when", {}), table, "when")
    given: str | tuple[str, ...] = read.get("paint") or ()
    paint = _read_paint((given,) if isinstance(given, str) else given, table, names)
    if asset is None or "blend" not in read or "encoding" not in read:
        return None
    return Layer(
        asset=asset,
        names=used,
        at=at,
        when=when,
        paint=paint,
        blend=read["blend"],
        encoding=read["encoding"],
    )


def _read_paint(given: tuple[str, ...], table: str, names: Names) -> tuple[str, ...]:
    faults = names.faults
    painting = [option.id for option in names.options.values() if option.basis is not None]
    known = tuple(
        option
        for option in given
        if option not in names.unread
        and faults.check_known(table, "paint", option, painting, "an option of materials")
    )
    laws = [basis.law for option in known if (basis := names.options[option].basis)]
    if len(laws) > 1 and Law.GRADIENT in laws:
        faults.add(table, "paint", "a gradient paints alone: it has no outer product")
    if len(known) > 2 or len(set(known)) < len(known):
        faults.add(table, "paint", "name one option, or two different ones, outermost first")
    return known


def _check_box(table: str, key: str, box: Box, canvas: Canvas, names: Names) -> None:
    left, top, width, height = box
    wide, high = canvas
    inside = left >= 0 and top >= 0 and width > 0 and height > 0
    # A side of the canvas that could not be read holds everything.
    fits = (wide is None or left + width <= wide) and (high is None or top + height <= high)
    if not (inside and fits):
        size = f" of {wide} x {high} px" if wide and high else ""
        names.faults.add(
            table,
            key,
            f"[left, top, width, height] = {list(box)} must lie on the canvas{size}",
        )
