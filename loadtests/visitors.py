"""Who comes: one class for each kind of visitor, as Locust runs them.

The rule: nobody makes up the address of a picture: it is handed out by the service, in `resolve` or
as a template of the manifest.
"""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from gevent.pool import Group
from locust import task

from loadtests.asking import COMPOSITIONS
from loadtests.attacks import Attacker
from loadtests.products import Product, fill_template
from loadtests.shoppers import Kind, Shopper, Step
from loadtests.visiting import Visitor

_CRAWL_PAUSE_S = 0.1
"""Between two pictures of a crawler. Assumed; a polite one takes a second."""

_ATTACK_PAUSE_S = 0.02
"""Between two attacks of one attacker: fifty a second at most. Assumed."""

_AGAIN_MAX_S = 10.0
"""Whoever is told to come again later than this comes again then."""


class Browsing(Visitor):
    """A visitor who sees the page: what each step of a session asks for."""

    abstract = True

    def open_page(self, shopper: Shopper) -> None:
        """Load what the page loads before anything is chosen."""
        right = frozenset((200,))
        self.ask(COMPOSITIONS, "list", expected=right)
        self.ask(f"{COMPOSITIONS}/{shopper.product.id}", "manifest", expected=right)
        self.images: dict[str, Any] = {}

    def resolve(self, shopper: Shopper, step: Step) -> dict[str, Any] | None:
        """Return what `resolve` says of what `shopper` chose; None where it did not answer."""
        answer = self.ask(
            f"{COMPOSITIONS}/{shopper.product.id}/resolve",
            "resolve",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps(shopper.asks(step, hints=True)).encode(),
            expected=frozenset((200,)),
        )
        return json.loads(answer.body) if answer.status == 200 else None

    def follow(self, shopper: Shopper, step: Step, held: set[str]) -> Step | None:
        """Ask for what the page shows after `step`; return what the shopper does about a refusal.

        Args:
            shopper: Who does it.
            step: What is done.
            held: Pictures the browser has, and does not ask for; added to.
        """
        if step.kind is not Kind.TURN:
            resolved = self.resolve(shopper, step)
            if resolved is None:
                return None
            if not resolved["valid"]:
                return shopper.take(resolved["nearest"])
            self.images = resolved["images"]
        if self.images:
            self._look(shopper, shopper.looks_at(self.images, step), held)
        return None

    def _look(self, shopper: Shopper, urls: list[str], held: set[str]) -> None:
        # All at once, as a browser does.
        group = Group()
        try:
            for place, url in enumerate(urls):
                if url not in held:
                    group.spawn(self._fetch, url, shopper, "small" if place else "large", held)
            group.join(raise_error=True)
        finally:
            group.kill()

    def _fetch(self, url: str, shopper: Shopper, size: str, held: set[str]) -> None:
        path = urlsplit(url).path
        answer = self.ask(path, f"picture {size}", headers={"Accept": shopper.browser.accept})
        if answer.status == 200:
            held.add(url)


class ShopperVisitor(Browsing):
    """A browsing shopper, and after that the next one: sessions as the model has them."""

    @task
    def session(self) -> None:
        """One session, with its think times."""
        shopper, held = self.shared.population.shopper(next(self.shared.numbers)), set[str]()
        self.open_page(shopper)
        step: Step | None = shopper.first_step()
        while step is not None:
            self.pause(step.dwell_s)
            step = self.follow(shopper, step, held) or shopper.next_step()


class EdgeVisitor(Browsing):
    """A cache of a CDN that a release left empty: shoppers' pictures, each asked for once.

    `resolve` is a POST, and passes through any cache. There are no think times: behind one cache
    there are so many shoppers that somebody always clicks.
    """

    def on_start(self) -> None:
        """Begin with nothing."""
        super().on_start()
        self.held: set[str] = set()

    @task
    def session(self) -> None:
        """What one of its shoppers makes it ask for."""
        shopper = self.shared.population.shopper(next(self.shared.numbers))
        self.images = {}
        step: Step | None = shopper.first_step()
        while step is not None:
            step = self.follow(shopper, step, self.held) or shopper.next_step()


class HerdVisitor(Browsing):
    """One of a herd: everybody opens the same link, as after a newsletter, on any screen."""

    @task
    def arrive(self) -> None:
        """Open the link, look for as long as one look takes, and be somebody else."""
        shopper = self.shared.population.shopper(next(self.shared.numbers))
        product = self.shared.products[0]
        chance = random.Random(f"link/{self.shared.seed}")  # noqa: S311  # the same link for all
        linked = self.shared.population.tastes.draw_configuration(product, chance)
        step = Step(
            kind=Kind.OPEN,
            option=None,
            configuration=linked,
            view=product.views[0].id,
            dwell_s=0.0,
        )
        self.open_page(shopper)
        self.follow(shopper, step, set())
        self.pause((shopper.next_step() or step).dwell_s)


class CrawlerVisitor(Visitor):
    """A crawler: every picture there is, one after the other, and every other address of it."""

    def on_start(self) -> None:
        """Begin somewhere of its own."""
        super().on_start()
        self.pictures = self._pictures()

    def _pictures(self) -> Iterator[tuple[Product, dict[str, str], str, int, str]]:
        """Every picture, without end, in an order of its own."""
        while True:
            product = self.chance.choice(self.shared.products)
            made = list(product.configurations())
            self.chance.shuffle(made)
            for configuration in made:
                view = self.chance.choice(product.views)
                width_px = self.chance.choice(view.widths_px)
                # JPEG has no transparency, and says so: the manifest does not tell which have.
                file_format = self.chance.choice([f for f in product.formats if f != "jpg"])
                url = fill_template(view, configuration, width_px, file_format)
                yield product, configuration, urlsplit(url).path, width_px, view.id

    @task
    def crawl(self) -> None:
        """One picture, by all its addresses."""
        product, configuration, url, width_px, view = next(self.pictures)
        self.pause(_CRAWL_PAUSE_S)
        answer = self.ask(url, "picture")
        if answer.status == 503:
            self.pause(min(_AGAIN_MAX_S, float(answer.headers.get("retry-after", "1"))))
            return
        if answer.status != 200:
            return
        self._ask_again(url, answer.headers["etag"])
        file_format = url.rpartition(".")[2]
        query = "&".join(f"{option}={value}" for option, value in configuration.items())
        alias = f"/img/{product.id}/{view}/{width_px}.{file_format}?{query}"
        self._follow(alias, "alias", 302, url)
        self._zoom(url, width_px, file_format)

    def _ask_again(self, url: str, etag: str) -> None:
        """The same picture otherwise: known already, its head alone, or spelled as proxies do."""
        known = {"If-None-Match": etag}
        self.ask(url, "picture, known", headers=known, expected=frozenset((304, 503)))
        self.ask(url, "picture, its head", method="HEAD")
        self.ask(url.replace("=", "%3D"), "picture, percent-encoded")

    def _zoom(self, url: str, width_px: int, file_format: str) -> None:
        """Deep zoom at the same width is the very same picture."""
        _, _, composition, view, version, configuration, _ = url.split("/")
        base = f"/iiif/3/{composition}~{view}~{version}~{configuration}"
        self.ask(f"{base}/info.json", "zoom: info", expected=frozenset((200,)))
        self._follow(f"{base}/full/{width_px},/0/default.{file_format}", "zoom: full", 308, url)

    def _follow(self, url: str, name: str, redirect: int, picture: str) -> None:
        """Ask for `url`, that leads to `picture` or answers with it."""
        expected = frozenset((200, redirect, 503))
        answer = self.ask(url, name, expected=expected, picture=picture)
        if answer.status == redirect:
            target = urlsplit(urljoin(url, answer.headers.get("location", ""))).path
            self.ask(target, f"{name}, followed", picture=picture)


class AttackVisitor(Visitor):
    """An attacker: whatever could cost the service something, and must not."""

    def on_start(self) -> None:
        """Choose a victim."""
        super().on_start()
        self.attacker = Attacker(self.chance.choice(self.shared.products), self.chance)

    @task
    def strike(self) -> None:
        """One attack."""
        self.pause(_ATTACK_PAUSE_S)
        attack = self.attacker.mint()
        self.ask(
            attack.path,
            f"attack: {attack.name}",
            method=attack.method,
            headers=attack.headers,
            body=attack.body,
            expected=attack.statuses,
        )
