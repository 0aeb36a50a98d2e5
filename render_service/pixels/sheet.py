"""Many pictures on one sheet, for a person to look at side by side.

A sheet is for eyes only: nothing that is served is made here.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from render_service.pixels.compose import Canvas

GAP_PX: Final = 4
"""White between two pictures: enough to tell them apart, too little to be seen as a frame."""


def join(rows: Sequence[Sequence[Canvas]]) -> Canvas:
    """Return the pictures of `rows` as one, with white gaps; all have one size and three bands.

    Raises:
        ValueError: The rows are not equally long, or there are none.
    """
    height, width = rows[0][0].shape[:2]
    columns = len(rows[0])
    sheet = np.full(
        (
            len(rows) * (height + GAP_PX) - GAP_PX,
            columns * (width + GAP_PX) - GAP_PX,
            3,
        ),
        255,
        np.uint8,
    )
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            top, left = row * (height + GAP_PX), column * (width + GAP_PX)
            sheet[top : top + height, left : left + width] = picture
    return sheet
