"""A Zipf mix of the demo catalogue: pictures as the shopper model likes them, each with its price.

The rule: every draw is what one browser would ask for, large or small as the page has them; what is
popular depends on the seed alone.
"""

import random
from typing import Final

from msgspec import Struct

from benchmarks.overload import Picture, price
from loadtests.devices import draw_browser, draw_device
from loadtests.habits import Tastes
from loadtests.products import Product
from render_service.formats import Format
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.rendering.rasters import Rasters

SMALL_PX: Final = 320
"""The small pictures of the page are this wide or less on every device of the model."""


class Priced(Struct, frozen=True, kw_only=True):
    """A picture to ask for.

    Attributes:
        picture: Its path, and what it is expected to take.
        accept: Header of the browser that asks.
        small: Whether it is one of the small ones of the page.
    """

    picture: Picture
    accept: str
    small: bool


class Mix:
    """Pictures as they are asked for: an endless draw, each asked as often as it is liked.

    Args:
        product: What is on offer.
        planner: Of the same catalogue.
        seed: Decides what is liked, and the order.
    """

    def __init__(self, product: Product, planner: Planner, seed: int) -> None:
        self._product, self._planner, self._rasters = product, planner, Rasters(budget_bytes=0)
        self._tastes = Tastes([product], seed)
        self._chance = random.Random(f"mix/{seed}")  # noqa: S311  # no secret
        self._known: dict[tuple[object, ...], Picture] = {}

    def draw(self) -> Priced:
        """Return the next picture."""
        chance, views = self._chance, self._product.views
        configuration = self._tastes.draw_configuration(self._product, chance)
        device, browser = draw_device(chance), draw_browser(chance)
        # The page of n views asks for one large picture and n small ones.
        place = chance.randrange(len(views) + 1)
        view = views[max(0, place - 1)]
        width_px = view.width_for(device.thumb_px if place else device.picture_px)
        file_format = Format(browser.format)
        picture = self._priced(view.id, tuple(configuration.items()), width_px, file_format)
        return Priced(picture=picture, accept=browser.accept, small=width_px <= SMALL_PX)

    def _priced(
        self, view: str, selection: tuple[tuple[str, str], ...], width_px: int, format_: Format
    ) -> Picture:
        asked = (view, selection, width_px, format_)
        if asked not in self._known:
            if format_ is Format.JPEG and ("background", "transparent") in selection:
                format_ = Format.PNG  # as `resolve` hands it out
            request = RenderRequest(
                composition=self._product.id,
                view=view,
                region=None,
                selection=selection,
                width_px=width_px,
                format=format_,
            )
            self._known[asked] = price(self._planner.plan(request), self._rasters)
        return self._known[asked]
