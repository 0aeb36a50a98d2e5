"""Where each layer file lies on its canvas: `at` of the composition's definition, read back.

The definition is the one place that says it; a file is cut to it when it is written, and refused
where light would be cut away.
"""

import re
import tomllib
from pathlib import Path

import numpy as np

from compositions.studio.layers import Picture

Box = tuple[int, int, int, int]

# What the service takes for nothing in a layer coded with loss; of 1.0, before companding.
_FAINT_CODE, _FAINT_COVER = 0.0083, 0.0078


def box_of(folder: Path, name: str, canvas_px: int) -> Box:
    """Return left, top, width and height of the file `name`, as `hero/band-plain-round`.

    Raises:
        LookupError: No layer of the definition in `folder` can name it.
    """
    view, _, _ = name.partition("/")
    definition = tomllib.loads((folder / "composition.toml").read_text("utf-8"))
    for layer in definition["views"][view]["layers"]:
        pattern = re.sub(r"\\\{[a-z-]+\\\}", "[a-z0-9-]+", re.escape(layer["asset"]))
        if re.fullmatch(pattern, f"{name}.avif"):
            left, top, width, height = layer.get("at", (0, 0, canvas_px, canvas_px))
            return left, top, width, height
    raise LookupError(f"no layer of {folder.name} names {name}.avif")


def cut(codes: Picture, canvas_px: int, box: Box) -> Picture:
    """Return a strip of pages cut to `box`, each page by itself.

    Args:
        codes: Pages under one another, [pages * c, c, 4] in 0..1.
        canvas_px: c.
        box: Left, top, width and height.

    Raises:
        ValueError: There is light or coverage outside the box.
    """
    left, top, width, height = box
    pages = codes.reshape(-1, canvas_px, canvas_px, 4)
    outside = np.ones((canvas_px, canvas_px), dtype=bool)
    outside[top : top + height, left : left + width] = False
    lost = pages[:, outside].max(axis=(0, 1), initial=0.0)
    if lost[:3].max() > _FAINT_CODE or lost[3] > _FAINT_COVER:
        raise ValueError(f"{box} cuts away light {lost[:3].max():.4f}, coverage {lost[3]:.4f}")
    inside = pages[:, top : top + height, left : left + width]
    return inside.reshape(-1, width, 4)


def lay(pages: Picture, canvas_px: int, box: Box) -> Picture:
    """Return pages [n, height, width, 4] on their canvases, [n, c, c, 4]."""
    left, top, width, height = box
    canvases = np.zeros((len(pages), canvas_px, canvas_px, 4), dtype=np.float32)
    canvases[:, top : top + height, left : left + width] = pages
    return canvases
