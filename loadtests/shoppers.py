"""The shopper model: sessions of option clicks as they are thought to be, every number stated.

The rule: what a shopper does depends on the seed, the number of the shopper, the manifest and what
was refused, and on nothing else: not on how fast the service is, and not on which others there are.

A shopper opens a product, at its defaults or at a link somebody shared, and clicks a number of
options that is geometrically distributed. Options are tried one after the other: a few values of
one, then back to the one that pleased most, then the next option. After a click they look for a
log-normal time, and turn to another view now and then. What pleases is Zipf-distributed, over
products, options and values, in an order that is the same for all shoppers of a seed.

No figures of a jeweller's configurator are public that we know of. What is assumed is said to be;
who has figures of a shop replaces the number in `Habits`, and everything follows.
"""

import math
import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from loadtests.devices import Browser, Device, draw_browser, draw_device
from loadtests.products import Product, pick_source


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


class Kind(StrEnum):
    """What a step is; all but `TURN` ask `resolve` for a configuration."""

    OPEN = "open"
    CLICK = "click"
    TAKE = "take"
    TURN = "turn"


class Step(Struct, frozen=True, kw_only=True):
    """One thing a shopper does.

    Attributes:
        kind: What it is; `TAKE` accepts what is offered in place of what is not made.
        option: The option that was clicked; None where none was.
        configuration: What is chosen now, every option of it.
        view: The view shown large.
        dwell_s: Looked before it.
    """

    kind: Kind
    option: str | None
    configuration: Mapping[str, str]
    view: str
    dwell_s: float


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


class Shopper:
    """One session: `first_step`, then `next_step` until it is None.

    Attributes:
        product: What is looked at.
        device: On what screen.
        browser: In what browser.
        clicks_left: Of the session.
    """

    def __init__(
        self, product: Product, tastes: Tastes, chance: random.Random, habits: Habits = HABITS
    ) -> None:
        self.product, self._tastes, self._chance, self._habits = product, tastes, chance, habits
        self.device: Device = draw_device(chance)
        self.browser: Browser = draw_browser(chance)
        self.clicks_left = _draw_clicks(chance, habits)
        self._configuration = dict(product.defaults)
        if chance.random() < habits.link_share:
            self._configuration = tastes.draw_configuration(product, chance)
        self._view = product.views[0].id
        self._option: str | None = None
        self._tried: list[str] = []
        self._just_turned = True  # nobody turns a product before the first click

    def first_step(self) -> Step:
        """Open the product."""
        return self._step(Kind.OPEN, None, dwell_s=0.0)

    def next_step(self) -> Step | None:
        """Click an option or turn to another view; None: the session is over."""
        if not self._just_turned and self._chance.random() < self._habits.turn_share:
            others = [view.id for view in self.product.views if view.id != self._view]
            if others:
                self._just_turned = True
                self._view = self._chance.choice(others)
                return self._step(Kind.TURN, None)
        if self.clicks_left == 0:
            return None
        self.clicks_left -= 1
        self._just_turned = False
        option, value = self._choose()
        self._configuration[option] = value
        return self._step(Kind.CLICK, option)

    def take(self, nearest: Mapping[str, str]) -> Step:
        """Accept what is made in place of what was clicked, as the page offers it."""
        self._configuration = dict(nearest)
        return self._step(Kind.TAKE, None)

    def asks(self, step: Step, *, hints: bool) -> dict[str, Any]:
        """Return what the page sends to `resolve` at `step`.

        Args:
            step: What was done; not a turn.
            hints: Whether it says what is shown and was changed, as far as the service takes it.
        """
        asked: dict[str, Any] = {"selection": dict(step.configuration)}
        if hints and self.product.takes_hints:
            view = next(view for view in self.product.views if view.id == step.view)
            width_px = view.width_for(self.device.picture_px)
            asked["shown"] = {"view": view.id, "width": width_px, "format": self.browser.format}
            if step.option is not None:
                asked["changed"] = step.option
        return asked

    def looks_at(self, images: Mapping[str, Mapping[str, Any]], step: Step) -> list[str]:
        """Return the URLs that the page asks for after `step`: the large picture, then small ones.

        Args:
            images: Of the answer of `resolve`.
            step: What was done.
        """
        large = pick_source(images[step.view], self.browser, self.device.picture_px)
        if step.kind is Kind.TURN:
            return [large]
        small = [pick_source(i, self.browser, self.device.thumb_px) for i in images.values()]
        return list(dict.fromkeys([large, *small]))

    def _choose(self) -> tuple[str, str]:
        """Return the option to click and its value; the option has more than one."""
        option = self._option
        if option is not None:
            untried = [v for v in self.product.values[option] if v not in self._tried]
            if untried and self._chance.random() < self._habits.stay_share:
                return option, self._try(option, untried)
            liked = self._draw_value(option, self._tried)
            self._option = None
            if liked != self._configuration[option]:
                return option, liked
        option = self._draw_option(left=option)
        self._option, self._tried = option, [self._configuration[option]]
        untried = [v for v in self.product.values[option] if v not in self._tried]
        return option, self._try(option, untried)

    def _draw_option(self, *, left: str | None) -> str:
        weights = {
            option: weight
            for option, weight in self._tastes.options[self.product.id].items()
            if len(self.product.values[option]) > 1
        }
        return draw({o: w for o, w in weights.items() if o != left} or weights, self._chance)

    def _try(self, option: str, untried: Sequence[str]) -> str:
        """Return one of the values not tried yet, the one beside the present one or a liked one."""
        order = self.product.values[option]
        at = order.index(self._configuration[option])
        beside = [order[i] for i in (at + 1, at - 1) if 0 <= i < len(order) and order[i] in untried]
        if beside and self._chance.random() < self._habits.in_order_share:
            value = beside[0]
        else:
            value = self._draw_value(option, untried)
        self._tried.append(value)
        return value

    def _draw_value(self, option: str, among: Sequence[str]) -> str:
        weights = self._tastes.values[self.product.id, option]
        return draw({value: weights[value] for value in among}, self._chance)

    def _step(self, kind: Kind, option: str | None, dwell_s: float | None = None) -> Step:
        return Step(
            kind=kind,
            option=option,
            configuration=dict(self._configuration),
            view=self._view,
            dwell_s=_draw_dwell_s(self._chance, self._habits) if dwell_s is None else dwell_s,
        )


class Population:
    """All shoppers of a seed, by number: the same ones in every run, in whatever order.

    Attributes:
        tastes: What pleases them.
    """

    def __init__(self, products: Sequence[Product], seed: int, habits: Habits = HABITS) -> None:
        """Shoppers of `products`, of which every one has an option with two values or more.

        Raises:
            ValueError: There is no product, or one with nothing to choose.
        """
        if not products:
            raise ValueError("no product to shop for: the list of compositions is empty")
        for product in products:
            if all(len(values) < 2 for values in product.values.values()):
                raise ValueError(f"{product.id} has no option with two values: nothing to click")
        self._products = {product.id: product for product in products}
        self._seed, self._habits = seed, habits
        self.tastes = Tastes(products, seed, habits)

    def shopper(self, number: int) -> Shopper:
        """Return shopper `number`, about to open a product."""
        chance = random.Random(f"shopper/{self._seed}/{number}")  # noqa: S311  # no secret
        product = self._products[draw(self.tastes.products, chance)]
        return Shopper(product, self.tastes, chance, self._habits)


def _draw_clicks(chance: random.Random, habits: Habits) -> int:
    """Geometric from 1 on, by inversion (Devroye, Non-Uniform Random Variate Generation, 1986)."""
    if habits.clicks_mean <= 1:
        return 1
    ended = math.log(1 - chance.random()) / math.log(1 - 1 / habits.clicks_mean)
    return min(habits.clicks_max, 1 + int(ended))


def _draw_dwell_s(chance: random.Random, habits: Habits) -> float:
    drawn_s = chance.lognormvariate(math.log(habits.dwell_median_s), habits.dwell_sigma)
    return min(habits.dwell_max_s, max(habits.dwell_min_s, drawn_s))
