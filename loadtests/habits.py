"""The numbers of the shopper model, and what pleases: who clicks what how often, and how likely.

The rule: every number says where it comes from. No figures of a jeweller's configurator are public
that we know of: what is assumed is said to be, and who has figures of a shop replaces the number.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from loadtests.products import Product


class Habits(Struct, frozen=True, kw_only=True):
    """Every number of the model.

    Attributes:
        zipf_exponent: Weight of rank r is r to the power of minus this. Breslau et al. (Web Caching
            and Zipf-like Distributions, 1999) measured 0.64 to 0.83 on six web caches.
        link_share: Sessions that begin at a shared link and not at the defaults. Assumed: most
            visitors come by a list of products, which shows defaults.
        clicks_mean: Clicks of a session, 1 or more. Assumed: each option of a ring twice, but for
            the background.
        clicks_max: Nobody clicks more; one session in 3,000 would (0.875 to the power of 60).
        stay_share: A click is on the option that was clicked last, while it has values left to try.
            Assumed: who opens a row of swatches tries three or four of six.
        in_order_share: … and on the value beside the last one, not on one known to please. Assumed.
        dwell_median_s: Between two clicks. Assumed, and on the short side: a picture is grasped in
            under one second, and a shorter look leaves less time to draw what comes next.
        dwell_sigma: Of the logarithm. Looks are skewed: 10 % are under 1.1 s, 10 % over 8.4 s.
        dwell_min_s: Two deliberate clicks are not closer than a double click (500 ms in Windows).
        dwell_max_s: Whoever looks longer does something else.
        turn_share: Clicks after which another view is opened large. Assumed.
    """

    zipf_exponent: float = 0.8
    link_share: float = 0.3
    clicks_mean: float = 8.0
    clicks_max: int = 60
    stay_share: float = 0.7
    in_order_share: float = 0.5
    dwell_median_s: float = 3.0
    dwell_sigma: float = 0.8
    dwell_min_s: float = 0.5
    dwell_max_s: float = 60.0
    turn_share: float = 0.15


HABITS: Final = Habits()


class Tastes:
    """What pleases: how likely each product, option and value is chosen; the same for everybody.

    The default of an option is what pleases most, as a shop chooses its defaults; the rest is in an
    order that the seed decides, so that it is not the order of the page.
    """

    def __init__(self, products: Sequence[Product], seed: int, habits: Habits = HABITS) -> None:
        self._exponent = habits.zipf_exponent
        chance = random.Random(f"tastes/{seed}")  # noqa: S311  # no secret
        ranked = list(products)
        chance.shuffle(ranked)
        self.products = dict(zip((p.id for p in ranked), self._weights(len(ranked)), strict=True))
        self.options: dict[str, dict[str, float]] = {}
        self.values: dict[tuple[str, str], dict[str, float]] = {}
        for product in products:
            options = list(product.values)
            chance.shuffle(options)
            weights = self._weights(len(options))
            self.options[product.id] = dict(zip(options, weights, strict=True))
            for option, values in product.values.items():
                others = [value for value in values if value != product.defaults[option]]
                chance.shuffle(others)
                order = [product.defaults[option], *others]
                self.values[product.id, option] = dict(
                    zip(order, self._weights(len(order)), strict=True)
                )

    def _weights(self, count: int) -> list[float]:
        return [rank**-self._exponent for rank in range(1, count + 1)]

    def draw_configuration(self, product: Product, chance: random.Random) -> dict[str, str]:
        """Return a configuration that is made, each option as it pleases; what a link shows."""
        while True:
            drawn = {
                option: draw(self.values[product.id, option], chance) for option in product.values
            }
            if product.is_made(drawn):
                return drawn


def draw(weights: Mapping[str, float], chance: random.Random) -> str:
    """Return one of the keys, as often as its weight says."""
    return chance.choices(list(weights), list(weights.values()))[0]
