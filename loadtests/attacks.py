"""What somebody asks who wants work done for nothing: URLs minted, misspelt, forged and oversized.

The rule: every attack states the statuses that are right for it, none of them one that draws a
picture; so that an attack that is answered as if it were an honest request is seen.
"""

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from loadtests.products import Product, View, fill_template

LONG_HEAD: Final = 100_000
"""Bytes: more than the 64 KiB and a piece of 16 KiB that a head may have (http/protocol.py)."""

OFF_LADDER_PX: Final = (1, 161, 799, 801, 1601, 4096, 65_535)


class Attack(Struct, frozen=True, kw_only=True):
    """A request that must cost nothing.

    Attributes:
        name: What kind it is, a few words; the same for all of its kind.
        path: With its query, as it is sent.
        statuses: Right answers.
        method: Of HTTP.
        headers: Beside what every client sends.
        body: Of the request, or None.
    """

    name: str
    path: str
    statuses: frozenset[int]
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Attacker:
    """Mints requests against `product`, a different one each time; the same ones for one seed."""

    def __init__(self, product: Product, chance: random.Random) -> None:
        self._product, self._chance = product, chance

    def mint(self) -> Attack:
        """Return the next attack, of any kind."""
        return self.mint_kind(self._chance.choice(list(KINDS)))

    def mint_kind(self, kind: str) -> Attack:
        """Return an attack of `kind`, one of `KINDS`."""
        mint, statuses = KINDS[kind]
        made = mint(self)
        return Attack(
            name=kind,
            path=made.path,
            statuses=frozenset(statuses),
            method=made.method,
            headers=made.headers,
            body=made.body,
        )

    # The parts of a right request, to be made wrong.

    def view(self) -> View:
        """Return any view that depends on two options or more, else any."""
        several = [view for view in self._product.views if len(view.options) > 1]
        return self._chance.choice(several or list(self._product.views))

    def configuration(self) -> dict[str, str]:
        """Return a configuration that is made; no picture of it is asked for in the right way."""
        while True:
            chosen = {o: self._chance.choice(v) for o, v in self._product.values.items()}
            if self._product.is_made(chosen):
                return chosen

    def url(self) -> str:
        """Return the path of a picture, as it should be."""
        view = self.view()
        width_px = self._chance.choice(view.widths_px)
        url = fill_template(view, self.configuration(), width_px, "webp")
        return re.sub(r"^https?://[^/]*", "", url)

    def parts(self) -> list[str]:
        """Return that URL, split: prefix, `r`, composition, view, version, configuration, file."""
        return self.url().rsplit("/", 6)

    def word(self) -> str:
        """Return an id that nothing has."""
        return f"x{self._chance.getrandbits(64):016x}"

    def pick(self, *words: str) -> str:
        """Return one of `words`."""
        return self._chance.choice(words)

    def composition(self) -> str:
        """Return the id of the product."""
        return self._product.id

    def number(self) -> int:
        """Return a number nobody asked for before."""
        return self._chance.getrandbits(32)


class _Made(Struct, frozen=True, kw_only=True):
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes | None = None


def _with(number: int, word: Callable[[Attacker], str]) -> Callable[[Attacker], _Made]:
    """A right URL with part `number` replaced."""

    def mint(attacker: Attacker) -> _Made:
        parts = attacker.parts()
        parts[number] = word(attacker)
        return _Made(path="/".join(parts))

    return mint


def _after(tail: Callable[[Attacker], str]) -> Callable[[Attacker], _Made]:
    """A right URL with something behind it."""
    return lambda attacker: _Made(path=attacker.url() + tail(attacker))


def _reordered(attacker: Attacker) -> _Made:
    parts = attacker.parts()
    parts[-2] = ",".join(reversed(parts[-2].split(",")))
    return _Made(path="/".join(parts))


def _unknown_value(attacker: Attacker) -> _Made:
    parts = attacker.parts()
    first, _, rest = parts[-2].partition(",")
    parts[-2] = f"{first.partition('=')[0]}={attacker.word()}" + (rest and f",{rest}")
    return _Made(path="/".join(parts))


def _other_method(attacker: Attacker) -> _Made:
    method = attacker.pick("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")
    return _Made(path=attacker.url(), method=method)


def _iiif(tail: Callable[[Attacker], str]) -> Callable[[Attacker], _Made]:
    """A base address of deep zoom, followed by what was not announced."""

    def mint(attacker: Attacker) -> _Made:
        prefix, _, composition, view, version, configuration, _ = attacker.parts()
        identifier = f"{composition}~{view}~{version}~{configuration}"
        return _Made(path=f"{prefix}/iiif/3/{identifier}/{tail(attacker)}")

    return mint


def _unsigned(attacker: Attacker) -> str:
    # A part of any canvas, and well spelled: what is wrong with it is that nobody signed it.
    left, top, wide, high = (10 + attacker.number() % 40 for _ in range(4))
    return f"pct:{left},{top},{wide},{high}/pct:{wide + high}/0/default.webp"


def _forged(attacker: Attacker) -> str:
    return f"{_unsigned(attacker)}?kid=k1&exp=9999999999&sig={attacker.word() * 2}"


def _alias(query: Callable[[Attacker], str]) -> Callable[[Attacker], _Made]:
    """The living alias with a query that is not one of options."""

    def mint(attacker: Attacker) -> _Made:
        path = f"/img/{attacker.composition()}/{attacker.view().id}/800.webp"
        return _Made(path=f"{path}?{query(attacker)}")

    return mint


def _posted(body: Callable[[Attacker], bytes]) -> Callable[[Attacker], _Made]:
    """`resolve` with a body that is no selection."""
    return lambda attacker: _Made(
        path=f"/v1/compositions/{attacker.composition()}/resolve",
        method="POST",
        headers={"content-type": "application/json"},
        body=body(attacker),
    )


def _long_head(attacker: Attacker) -> _Made:
    return _Made(path=attacker.url(), headers={"x-padding": "x" * LONG_HEAD})


# What is right for each kind: docs/urls.md and the table of `http/problems.py`. A head that is too
# large is refused by the HTTP parser, before it is known what it asks for.
KINDS: Final[Mapping[str, tuple[Callable[[Attacker], _Made], tuple[int, ...]]]] = {
    "width off the ladder": (
        _with(-1, lambda a: f"{a.pick(*map(str, OFF_LADDER_PX))}.webp"),
        (400,),
    ),
    "format not offered": (
        _with(-1, lambda a: f"800.{a.pick('gif', 'tif', 'auto', 'WEBP')}"),
        (400,),
    ),
    "width as no number": (
        _with(-1, lambda a: f"{a.pick('-1', '1e3', '0800', '٨٠٠')}.webp"),
        (400,),
    ),
    "query that busts caches": (_after(lambda a: f"?v={a.word()}"), (400,)),
    "path that goes on": (_after(lambda a: f"/{a.word()}"), (400, 404)),
    "path that climbs": (
        _with(-3, lambda a: a.pick("..%2f..%2fetc%2fpasswd", "%2e%2e")),
        (400, 404),
    ),
    "byte that is no text": (_with(-2, lambda a: a.pick("%00", "%ff%fe", "%c0%ae")), (400, 404)),
    "path of 100 kB": (_after(lambda a: "/" + "x" * LONG_HEAD), (400, 414, 431)),
    "head of 100 kB": (_long_head, (400, 431)),
    "version minted": (_with(-3, lambda a: f"{a.number() << 8:010x}"[-10:]), (404,)),
    "composition minted": (_with(-5, Attacker.word), (404,)),
    "view minted": (_with(-4, Attacker.word), (404,)),
    "region minted": (_with(-4, lambda a: f"{a.view().id}:{a.word()}"), (404,)),
    "option minted": (_with(-2, lambda a: f"{a.word()}={a.word()}"), (422,)),
    "value minted": (_unknown_value, (422,)),
    "not the canonical order": (_reordered, (308,)),
    "defaults left out": (_with(-2, lambda a: "-"), (308,)),
    "method that writes": (_other_method, (405,)),
    "zoom unsigned": (_iiif(_unsigned), (403,)),
    "zoom forged": (_iiif(_forged), (403,)),
    "zoom misspelt": (_iiif(lambda a: f"full/{a.word()}/0/default.webp"), (400,)),
    "zoom of nothing": (lambda a: _Made(path=f"/iiif/3/{a.word()}/info.json"), (404,)),
    "alias: option minted": (_alias(lambda a: f"{a.word()}={a.word()}"), (422,)),
    "alias: query of 30 kB": (
        _alias(lambda a: "&".join(f"{a.word()}=1" for _ in range(1500))),
        (422,),
    ),
    "alias: option twice": (_alias(lambda a: "gem=ruby&gem=diamond"), (400,)),
    "resolve: value minted": (
        _posted(lambda a: json.dumps({"selection": {"gem": a.word()}}).encode()),
        (422,),
    ),
    "resolve: no JSON": (_posted(lambda a: b"\xff" + a.word().encode()), (400,)),
    "resolve: nested": (_posted(lambda a: b"[" * 10_000 + b"]" * 10_000), (400, 413)),
    "resolve: 1 MB": (_posted(lambda a: b'{"selection":{"gem":"' + b"x" * 1_000_000), (413,)),
    "explain: key minted": (
        lambda a: _Made(
            path=f"/v1/compositions/{a.composition()}/explain?view={a.view().id}&{a.word()}=1"
        ),
        (422,),
    ),
    "address that is not there": (lambda a: _Made(path=f"/{a.word()}"), (404,)),
}
"""Kind → how it is minted, and the statuses that are right."""
