"""Shoppers at a configurator: they open the manifest, click options, and look at the pictures.

A shopper knows no URL grammar: pictures come from the URLs that `resolve` hands out, as in a
browser. Load goes to this machine only, and ends by itself after `REQUESTS_MAX` requests or the
run time that `make load` gives, whichever is first.
"""

import ipaddress
import itertools
import os
import random
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser, between, events, task
from locust.env import Environment

COMPOSITIONS = "/v1/compositions"
REQUESTS_MAX = int(os.environ.get("REQUESTS_MAX", "20000"))
SEEDS = itertools.count()  # the same shoppers in every run


@events.init.add_listener
def refuse_other_machines(environment: Environment, **_: object) -> None:
    """Stop before anything starts unless the server is on this machine."""
    name = urlsplit(environment.host or "").hostname or ""
    if name != "localhost" and not _is_loopback(name):
        raise SystemExit(f"{environment.host} is not this machine: load goes to loopback only.")


@events.request.add_listener
def stop_when_enough(context: dict[str, Any], **_: object) -> None:
    """End the run after `REQUESTS_MAX` requests of all shoppers together."""
    environment = context.get("environment")
    if environment and environment.stats.num_requests >= REQUESTS_MAX:
        # In a greenlet of its own: this one belongs to a shopper, whom stopping ends.
        gevent.spawn(environment.runner.quit)


class Shopper(FastHttpUser):
    """Someone who looks at one product, changes an option every second or so, and looks again.

    Attributes:
        wait_time: Seconds between two clicks.
    """

    wait_time = between(0.5, 1.5)
    network_timeout = 20.0

    def on_start(self) -> None:
        """Open the first product of the list."""
        self.random = random.Random(next(SEEDS))  # noqa: S311 — shoppers keep no secrets
        listed = self.client.get(COMPOSITIONS).json()["compositions"]
        self.product = self.random.choice(listed)
        manifest = self.client.get(self.product["href"], name="manifest").json()
        self.options = {
            option["id"]: [value["id"] for value in option["values"]]
            for option in manifest["options"]
        }
        self.selection = {option["id"]: option["default"] for option in manifest["options"]}
        self.etags: dict[str, str] = {}

    def context(self) -> dict[str, Any]:
        """What `stop_when_enough` is told with each request."""
        return {"environment": self.environment}

    @task
    def click(self) -> None:
        """Change one option and look at every view of what comes of it."""
        option = self.random.choice(list(self.options))
        self.selection[option] = self.random.choice(self.options[option])
        answer = self.client.post(
            f"{COMPOSITIONS}/{self.product['id']}/resolve",
            json={"selection": self.selection},
            name="resolve",
        ).json()
        if not answer["valid"]:
            self.selection = answer["nearest"]
            return
        for view, picture in answer["images"].items():
            self._look(view, picture["src"])

    def _look(self, view: str, url: str) -> None:
        """Fetch a picture; one seen before is asked for only if it changed."""
        seen = self.etags.get(url)
        headers = {"If-None-Match": seen} if seen else {}
        name = f"picture {view}, seen" if seen else f"picture {view}"
        with self.client.get(url, headers=headers, name=name, catch_response=True) as answer:
            expected = 304 if seen else 200
            if answer.status_code != expected:
                answer.failure(f"{answer.status_code} instead of {expected}")
            elif not seen:
                self.etags[url] = answer.headers["ETag"]


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
