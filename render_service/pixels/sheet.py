"""Many pictures on one sheet, for a person to look at side by side.

A sheet is for eyes only: nothing that is served is made here.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from render_service.pixels.compose import Canvas

GAP_PX: Final = 4
"""White between two pictures: enough to tell them apart, too little to be seen as a frame."""


def join(rows: Sequence[Sequence[Canvas | None]]) -> Canvas:
    """Return the pictures of `rows` as one, with white gaps, and white where there is none.

    Args:
        rows: Rows of equal length; the pictures, at least one, have one size and three bands.
    """
    height, width = next(p.shape[:2] for row in rows for p in row if p is not None)
    high = len(rows) * (height + GAP_PX) - GAP_PX
    wide = len(rows[0]) * (width + GAP_PX) - GAP_PX
    sheet = np.full((high, wide, 3), 255, np.uint8)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            if picture is not None:
                top, left = row * (height + GAP_PX), column * (width + GAP_PX)
                sheet[top : top + height, left : left + width] = picture
    return sheet
