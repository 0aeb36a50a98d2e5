"""A picture that nobody waits for steps aside, between two of its layers, for those that are asked.

The rule: it holds nothing while it stands aside that a request could need but its own claim, so it
goes on when somebody asks for this very picture, and after a while in any case.
"""

import time
from collections.abc import Callable
from typing import Final

from render_service.pixels.raster import Raster
from render_service.planning.plan import Placement

ASIDE_AT_MOST_S: Final = 2.0
"""For one picture, in all: another process may be asked for it meanwhile and wait for this one."""

LOOK_S: Final = 0.005
"""Between two looks whether there is room again: a twentieth of a small picture."""


class GivingWay:
    """Gives each layer of a picture, when nobody else needs the processor. Blocks its thread.

    Args:
        tile: Gives a layer.
        is_pressed: Whether requests need the processor.
        is_wanted: Whether somebody waits for this picture by now.
    """

    def __init__(
        self,
        tile: Callable[[Placement], Raster],
        *,
        is_pressed: Callable[[], bool],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._tile, self._is_pressed, self._is_wanted = tile, is_pressed, is_wanted
        self._left = round(ASIDE_AT_MOST_S / LOOK_S)

    def __call__(self, placement: Placement) -> Raster:
        """Return the raster of `placement`."""
        while self._left and self._is_pressed() and not self._is_wanted():
            self._left -= 1
            time.sleep(LOOK_S)
        return self._tile(placement)
