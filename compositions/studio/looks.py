"""Looks: whole configurations as PNG, put together from the layer files, to be judged by eye."""

from pathlib import Path

import numpy as np
import pyvips

from compositions.studio import paint
from compositions.studio.paint import Choice

_PAGE = (214, 160, 140)  # what shows through a transparent background: a terracotta page

LOOKS = (
    ("hero", Choice()),
    ("hero", Choice(metal="rose-gold-18k", gem="ruby")),
    ("hero", Choice(metal="platinum-950", gem="blue-sapphire", shape="oval")),
    ("hero", Choice(metal="white-gold-18k", gem="emerald", shape="emerald-cut", band="pave")),
    ("hero", Choice(metal="sterling-silver", gem="aquamarine", shape="emerald-cut")),
    ("hero", Choice(gem="amethyst", shape="oval", background="white")),
    ("hero", Choice(metal="black-rhodium", gem="diamond", background="white")),
    ("hero", Choice(gem="ruby", band="pave", background="transparent")),
    ("top", Choice()),
    ("top", Choice(metal="rose-gold-18k", gem="ruby", shape="oval", band="pave")),
    ("top", Choice(metal="platinum-950", gem="emerald", shape="emerald-cut")),
    ("top", Choice(metal="white-gold-18k", gem="aquamarine", band="pave", background="white")),
    ("top", Choice(metal="black-rhodium", gem="amethyst", background="transparent")),
)


def write(composition: Path, folder: Path) -> None:
    """Write all looks as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for view, choice in LOOKS:
        canvas = paint.compose(composition, view, choice)
        cover = np.clip(canvas[..., 3:], 0.0, 1.0)
        straight = canvas[..., :3] / np.where(cover > 1e-3, cover, 1.0)
        if choice.background != "transparent":
            cover, straight = np.ones_like(cover), canvas[..., :3]
        levels = paint.displayed(straight) * cover + np.array(_PAGE) * (1.0 - cover)
        words = (view, choice.metal, choice.gem, choice.shape, choice.band, choice.background)
        picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        pyvips.Image.new_from_array(picture).pngsave(str(folder / f"{'-'.join(words)}.png"))
