"""What a list of products is asked for: each key of a query read by itself, and refused by name."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from render_service.composition.definition import ID_PATTERN
from render_service.errors import MalformedPath, UnknownQueryKey
from render_service.http.asked import wrong
from render_service.http.compositions import Asked
from render_service.http.preconditions import read_position
from render_service.http.shop_schemas import PAGE, PAGE_MAX, SEARCH_MAX
from render_service.products.languages import LENGTH_MAX
from render_service.products.model import Status
from render_service.products.ports import Place, Sort, Wanted

ATTRIBUTE: Final = "attribute."
"""Before the name of an attribute, in a key of a query."""

LIST_KEYS: Final = (
    "q",
    "composition",
    "limit",
    "cursor",
    "sort",
    "language",
    "status",
    "facets",
)
FACETS_MAX: Final = 5
"""Attributes that are counted at once: as many as stand beside a list of products."""

FILTERS_MAX: Final = 30
"""Values of attributes that are asked for at once."""

VALUE_MAX: Final = 100
"""Characters of a value of an attribute: as a product may have."""

_LANGUAGE: Final = re.compile(rf"[A-Za-z0-9-]{{1,{LENGTH_MAX}}}", re.ASCII)


def read_query(request: Asked, offered: tuple[str, ...]) -> dict[str, str]:
    """Return the query, each key once and none that is not taken."""
    return _once([(k, str(v)) for k, v in request.query_params.multi_items()], offered)


def _once(pairs: Sequence[tuple[str, str]], offered: tuple[str, ...]) -> dict[str, str]:
    given: dict[str, str] = {}
    for key, value in pairs:
        if key not in offered:
            raise UnknownQueryKey(key, offered)
        if key in given:
            raise MalformedPath("query", key, "each key once")
        given[key] = value
    return given


class Listed(Struct, frozen=True, kw_only=True):
    """What a list is asked for.

    Attributes:
        wanted: Which part of it.
        facets: Attributes whose values are to be counted.
        query: (key, value) pairs of the query, but for its cursor: the next page has them, too.
    """

    wanted: Wanted
    facets: tuple[str, ...]
    query: Sequence[tuple[str, str]]


def read_listed(request: Asked) -> Listed:
    """Return what a list is asked for.

    Raises:
        ValidationException, UnknownQueryKey, MalformedPath: A key of the query is none, or wrong.
    """
    pairs = [(key, str(value)) for key, value in request.query_params.multi_items()]
    attributes = [pair for pair in pairs if pair[0].startswith(ATTRIBUTE)]
    asked = _once([pair for pair in pairs if not pair[0].startswith(ATTRIBUTE)], LIST_KEYS)
    search = _read_search(asked.get("q"))
    sort = _read_sort(asked.get("sort"), searched=search is not None)
    wanted = Wanted(
        sort=sort,
        limit=_read_limit(asked.get("limit")),
        after=_read_cursor(asked["cursor"], sort) if "cursor" in asked else None,
        composition=_read_composition(asked.get("composition")),
        search=search,
        language=read_language(asked),
        status=_read_status(asked.get("status")),
        attributes=_read_attributes(attributes),
        not_before=read_position(request),
    )
    query = [pair for pair in pairs if pair[0] != "cursor"]
    return Listed(wanted=wanted, facets=_read_facets(asked.get("facets")), query=query)


def _read_attributes(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return name → values, each once, from `attribute.{name}={value}` pairs."""
    found: dict[str, dict[str, None]] = {}
    for key, value in pairs:
        name = key.removeprefix(ATTRIBUTE)
        if re.fullmatch(ID_PATTERN, name, re.ASCII) is None:
            raise wrong(key[:100], "is no attribute: lower-case letters, digits, single hyphens")
        if not 0 < len(value) <= VALUE_MAX or "\0" in value:
            raise wrong(key, f"expected 1 to {VALUE_MAX} characters, without NUL")
        found.setdefault(name, {})[value] = None
    if len(pairs) > FILTERS_MAX:
        raise wrong("attribute", f"{len(pairs)} values; at most {FILTERS_MAX} are taken")
    return tuple((name, tuple(values)) for name, values in found.items())


def _read_facets(given: str | None) -> tuple[str, ...]:
    if given is None:
        return ()
    names = tuple(dict.fromkeys(given.split(",")))
    if len(names) > FACETS_MAX or not all(re.fullmatch(ID_PATTERN, name) for name in names):
        problem = f"expected names of attributes joined by commas, at most {FACETS_MAX}"
        raise wrong("facets", f"{given[:100]!r}; {problem}")
    return names


def read_language(asked: Mapping[str, str]) -> str | None:
    """Return the language that is asked for, None for each product's own."""
    language = asked.get("language")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        raise wrong(
            "language", f"expected a BCP 47 tag: at most {LENGTH_MAX} letters, digits and hyphens"
        )
    return language


def _read_composition(given: str | None) -> str | None:
    """Return the id of the composition whose products are asked for, None for all."""
    if given is not None and re.fullmatch(ID_PATTERN, given) is None:
        raise wrong("composition", f"{given[:100]!r} is no id of a composition")
    return given


def _read_search(given: str | None) -> str | None:
    """Return the words that are searched for, None where there are none."""
    if given is not None and not (0 < len(given) <= SEARCH_MAX and "\0" not in given):
        raise wrong("q", f"expected 1 to {SEARCH_MAX} characters, without NUL")
    return given


def _read_sort(given: str | None, *, searched: bool) -> Sort:
    """Return the order that is asked for; `searched`: it may be by relevance."""
    offered = [sort for sort in Sort if searched or sort is not Sort.RELEVANCE]
    if given is None:
        return Sort.RELEVANCE if searched else Sort.UPDATED
    if given not in offered:
        raise wrong("sort", f"{given[:100]!r}; expected one of {', '.join(offered)}")
    return Sort(given)


def _read_status(given: str | None) -> Status:
    """Return the status of the products that are asked for: those on sale, unless it is said."""
    if given is not None and given not in list(Status):
        raise wrong("status", f"{given[:100]!r}; expected one of {', '.join(Status)}")
    return Status(given or Status.ACTIVE)


def _read_limit(given: str | None) -> int:
    """Return how many are asked for."""
    if given is None:
        return PAGE
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= PAGE_MAX:
        return int(given)
    raise wrong("limit", f"{given[:100]!r}; expected a whole number from 1 to {PAGE_MAX}")


def spell_cursor(place: Place) -> str:
    """Return the cursor of what begins behind `place`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read_cursor(given: str, sort: Sort) -> Place:
    """Return the place that a cursor stands for."""
    expected = "expected what `next` of the page before holds"
    try:
        padded = given + "=" * (-len(given) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        place = msgspec.json.decode(data, type=Place)
        place.check()
    except (ValueError, OverflowError, binascii.Error, msgspec.DecodeError) as error:
        raise wrong("cursor", expected) from error
    if place.sort is not sort:
        raise wrong("cursor", f"{expected}, under the same sort")
    return place
