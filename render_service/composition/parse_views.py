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


def read_view(view: str, piece: object, names: Names) -> View | None:
    """Return the view that `piece` defines, or None with its faults noted."""
    table, faults = f"views.{view}", names.faults
    if not isinstance(piece, dict):
        faults.add(table, "", "Expected a table")
        return None
    read = faults.convert({**piece, "layers": []}, ViewDefinition, table)
    layers = []
    for index, layer_piece in enumerate(faults.array(piece, "layers", table)):
        layer = _read_layer(f"{table}.layers[{index}]", layer_piece, read, names)
        if layer is not None:
            layers.append(layer)
    if not piece.get("layers"):
        faults.add(table, "layers", f"there is no layer; write [[{table}.layers]]")
    if read is None:
        return None
    for region, box in read.regions.items():
        faults.check_id(f"{table}.regions", region)
        _check_box(f"{table}.regions", region, box, read, names)
    used = frozenset(option for layer in layers for option in layer.options)
    return View(
        id=view,
        title=read.title or spoken(view),
        width_px=read.width_px,
        height_px=read.height_px,
        regions=read.regions,
        layers=tuple(layers),
        options=tuple(option for option in names.options if option in used),
    )


def _read_layer(
    table: str, piece: object, view: ViewDefinition | None, names: Names
) -> Layer | None:
    read = names.faults.convert(piece, LayerDefinition, table)
    if read is None:
        return None
    if not _ASSET.match(read.asset):
        names.faults.add(
            table,
            "asset",
            f"{read.asset!r} is not a file below the composition's folder: letters, digits, "
            "'_', '-', '.', '/' and {option}",
        )
    if read.at is not None and view is not None:
        _check_box(table, "at", read.at, view, names)
    held = dict.fromkeys(_NAME.findall(read.asset))
    paint = () if read.paint is None else read.paint
    return Layer(
        asset=read.asset,
        names=tuple(name for name in held if names.knows(name, table, "asset")),
        at=read.at,
        when=names.condition(read.when, table, "when"),
        paint=_read_paint((paint,) if isinstance(paint, str) else paint, table, names),
        blend=read.blend,
        encoding=read.encoding,
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


def _check_box(table: str, key: str, box: Box, view: ViewDefinition, names: Names) -> None:
    left, top, width, height = box
    inside = left >= 0 and top >= 0 and width > 0 and height > 0
    if not (inside and left + width <= view.width_px and top + height <= view.height_px):
        names.faults.add(
            table,
            key,
            f"[left, top, width, height] = {list(box)} must lie on the canvas of "
            f"{view.width_px} x {view.height_px} px",
        )
