"""The few questions a load test asks the service itself: what is on offer, and what it has drawn.

The rule: only a service on this machine is asked, so that nobody puts load on another by mistake.
"""

import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from prometheus_client.parser import text_string_to_metric_families

from loadtests.products import Product, read_product

COMPOSITIONS: Final = "/v1/compositions"
RENDERS: Final = "render_service_renders_total"

_QUIET_S: Final = 2.0
"""Nothing was drawn for so long: twice the 1 s that the layers of a view take to decode."""

_QUIET_WITHIN_S: Final = 60.0
_TIMEOUT_S: Final = 20.0


class NotThisMachine(Exception):
    """The service is on another machine; says which."""


class NoService(Exception):
    """The service does not answer as one of ours; says what it did."""


def check_loopback(url: str) -> None:
    """Refuse any `url` that is not of this machine.

    Raises:
        NotThisMachine: It is not.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    if parts.scheme != "http" or not (name == "localhost" or _is_loopback(name)):
        raise NotThisMachine(
            f"{url} is not http://127.0.0.1:… or http://localhost:…: load stays on this machine."
        )


def read_products(url: str) -> list[Product]:
    """Return every product of the service at `url`.

    Raises:
        NoService: It did not answer, or not with compositions.
    """
    try:
        listed = _json(url + COMPOSITIONS)["compositions"]
        return [read_product(_json(f"{url}{COMPOSITIONS}/{found['id']}")) for found in listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoService(f"{url}{COMPOSITIONS} does not list compositions: {error}") from error


def count_renders(url: str) -> int | None:
    """Return how many pictures the service has drawn; None where it does not show `/metrics`.

    Raises:
        NoService: It does not answer at all.
    """
    try:
        text = _get(f"{url}/metrics").decode()
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except OSError as error:
        raise NoService(f"{url}/metrics was not answered: {error}") from error
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == RENDERS
    )


def wait_until_quiet(url: str) -> int | None:
    """Return the count of renders once it stands still; what was begun before is drawn by then.

    Raises:
        NoService: It goes on drawing though nobody asks; nothing can be said of who has it draw.
    """
    begun_s = since_s = time.monotonic()
    last = count_renders(url)
    while last is not None and time.monotonic() - since_s < _QUIET_S:
        time.sleep(0.2)
        now = count_renders(url)
        if now != last:
            last, since_s = now, time.monotonic()
        if time.monotonic() - begun_s > _QUIET_WITHIN_S:
            raise NoService(f"{url} draws without end, though nobody asks: {last} pictures by now.")
    return last


def find_keys(url: str, pictures: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (picture, key) of each of `pictures` that is of a current version.

    Args:
        url: Of the service.
        pictures: Immutable URLs, of whole views or of regions.

    Raises:
        NoService: `explain` did not explain one of them.
    """
    for picture in pictures:
        _, _, composition, view, _, configuration, file = picture.split("/")
        width, _, file_format = file.partition(".")
        pairs = [] if configuration == "-" else [p.split("=") for p in configuration.split(",")]
        asked = {"view": view, "width": width, "format": file_format, **dict(pairs)}
        path = f"{COMPOSITIONS}/{quote(composition)}/explain?{urlencode(asked)}"
        try:
            explained = _json(url + path)
            address, key = urlsplit(explained["url"]).path, explained["key"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoService(f"{path} does not explain {picture}: {error}") from error
        if address == picture:
            yield picture, key


def _json(url: str) -> Any:  # noqa: ANN401  # as json has it
    return json.loads(_get(url))


def _get(url: str) -> bytes:
    check_loopback(url)
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # checked above
        body: bytes = answer.read()
        return body


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
