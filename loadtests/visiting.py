"""A visitor, and what all visitors of a run share.

The rule: every request goes through `Visitor.ask`, which shows the answer to the checker, and
nobody follows a redirect without looking.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import ClassVar

import gevent
from locust import FastHttpUser, constant
from msgspec import Struct

from loadtests.answers import Answer
from loadtests.invariants import INVARIANTS, Checker
from loadtests.products import Product
from loadtests.shoppers import Population

SERVED = frozenset((200, 503))
"""What an honest question may be answered with: the picture, or that it cannot be had just now."""


class Run(Struct, kw_only=True):
    """What all visitors of a run share.

    Attributes:
        population: The shoppers, by number.
        products: What is on offer.
        checker: Sees every answer.
        seed: Decides everything that is left to chance.
        numbers: Of the shoppers still to come.
        users: Of the visitors still to come.
    """

    population: Population
    products: list[Product]
    checker: Checker
    seed: int
    numbers: Iterator[int]
    users: Iterator[int]


def make_run(products: list[Product], seed: int) -> Run:
    """Return a run of nobody yet."""
    return Run(
        population=Population(products, seed),
        products=products,
        checker=Checker(seed=seed),
        seed=seed,
        numbers=itertools.count(),
        users=itertools.count(),
    )


class Visitor(FastHttpUser):
    """Somebody who asks; each kind says what.

    Attributes:
        shared: What is shared; set before anybody comes.
        number: Of this visitor.
        chance: Of this visitor; the same in every run.
    """

    abstract = True
    wait_time = constant(0)
    network_timeout = 30.0  # longer than the 10 s in which the service answers or refuses
    connection_timeout = 10.0
    shared: ClassVar[Run]

    def on_start(self) -> None:
        """Take a number."""
        self.number = next(self.shared.users)
        self.chance = random.Random(f"visitor/{self.shared.seed}/{self.number}")  # noqa: S311
        # A redirect is an answer like any other, to be seen.
        self.client.client.redirect_response_codes = frozenset()
        # And so is a refusal: no status is an error of the client.
        self.client.client.valid_response_codes = frozenset(range(100, 600))

    def ask(
        self,
        url: str,
        name: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expected: frozenset[int] = SERVED,
        picture: str = "",
    ) -> Answer:
        """Ask for `url`, show the answer to the checker and to the table; return it.

        Args:
            url: Path and query.
            name: Row of the table.
            method: Of HTTP.
            headers: To be sent.
            body: To be sent.
            expected: Statuses that are right.
            picture: The immutable URL of the same picture, if `url` is another address of one.
        """
        sent = dict(headers or {})
        with self.client.request(
            method, url, name=name, data=body, headers=sent, catch_response=True
        ) as response:
            answer = Answer(
                url=url,
                method=method,
                status=response.status_code,
                headers={k.lower(): v for k, v in (response.headers or {}).items()},
                body=response.content or b"",
                if_none_match=sent.get("If-None-Match", ""),
                expected=expected,
                picture=picture,
                error=str(response.request_meta["exception"] or ""),
            )
            if answer.status == 503:
                response.request_meta["name"] = f"{name}: refused, 503"
            broken = self.shared.checker.see(answer)
            if broken is None:
                response.success()
            else:
                response.failure(INVARIANTS[broken])
        return answer

    def pause(self, seconds: float) -> None:
        """Wait."""
        gevent.sleep(seconds)
