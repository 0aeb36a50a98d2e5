"""The shopper model: sessions of option clicks as they are thought to be, every number stated.

The rule: what a shopper does depends on the seed, the number of the shopper, the manifest and what
was refused, and on nothing else: not on how fast the service is, and not on which others there are.

A shopper opens a product, at its defaults or at a link somebody shared, and clicks a number of
options that is geometrically distributed. Options are tried one after the other: a few values of
one, then back to the one that pleased most, then the next option. After a click they look for a
log-normal time, and turn to another view now and then. What pleases is Zipf-distributed, over
products, options and values, in an order that is the same for all shoppers of a seed.

The numbers are in `habits.py`.
"""

import math
import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from loadtests.devices import Browser, Device, draw_browser, draw_device
from loadtests.habits import HABITS, Habits, Tastes, draw
from loadtests.products import Product, pick_source


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
        self._shown: dict[str, Any] | None = None

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
            if self._shown is not None and self._shown["view"] == step.view:
                asked["shown"] = self._shown
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
        width, _, file_format = large.rpartition("/")[2].partition(".")
        self._shown = {"view": step.view, "width": int(width), "format": file_format}
        if step.kind is Kind.TURN:
            return [large]
        small = [pick_source(i, self.browser, self.device.thumb_px) for i in images.values()]
        return list(dict.fromkeys([large, *small]))

    def preloads(self, neighbours: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the URLs that the page preloads once it shows its large picture.

        Args:
            neighbours: Of the answer of `resolve`.
        """
        if self._shown is None:
            return []
        view, width, file_format = (self._shown[name] for name in ("view", "width", "format"))
        urls = []
        for neighbour in neighbours:
            if (url := neighbour["images"].get(view)) is not None:
                # Who is shown JPEG is shown PNG where it is transparent, as the address says.
                plain = file_format in ("jpg", "png")
                extension = url.rpartition(".")[2] if plain else file_format
                urls.append(f"{url.rpartition('/')[0]}/{width}.{extension}")
        return urls

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
