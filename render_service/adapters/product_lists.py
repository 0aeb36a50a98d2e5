"""Lists of products in PostgreSQL: by change, by title, by what somebody searches for, and counted.

The rule: what a list costs does not grow with what it finds. A page is a range of an index; a
search looks at no more products than the function `shop.found` returns (migration 0006), and facets
are counted among a bounded number (docs/database.md has the plans).
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from asyncpg import Connection, Record
from msgspec.structs import replace

from render_service.products.ports import Facet, FacetValue, Place, Sort, Wanted

# $4, $6 are null where they are not asked for; the planner knows it each time, as nothing is
# prepared.
LIST_BY_CHANGE: Final = """
SELECT id, document, revision, updated_at, updated_at AS place FROM shop.product
WHERE status = $5 AND ($4::text IS NULL OR composition = $4)
    AND ($6::text IS NULL OR traits @@ $6::text::tsquery)
    AND (updated_at, id) < ($1, $2)
ORDER BY updated_at DESC, id DESC LIMIT $3
"""

LIST_BY_TITLE: Final = """
SELECT id, document, revision, updated_at, title AS place FROM shop.product
WHERE status = $5 AND ($4::text IS NULL OR composition = $4)
    AND ($6::text IS NULL OR traits @@ $6::text::tsquery)
    AND (title COLLATE "C", id) > ($1, $2)
ORDER BY title COLLATE "C", id LIMIT $3
"""

# For each word that no product has, the three that are spelt most like it; 0.4 of their groups of
# three letters are shared by `solitare` and `solitaire`, and by few words that mean another thing.
SPELL: Final = """
SELECT asked.typed, ARRAY(
    SELECT near.word FROM shop.word near
    WHERE near.word % asked.word AND similarity(near.word, asked.word) >= 0.4
    ORDER BY similarity(near.word, asked.word) DESC, near.word LIMIT 3
) AS near
FROM (SELECT typed, shop.fold(typed) AS word FROM unnest($1::text[]) listed (typed)) asked
WHERE NOT EXISTS (SELECT FROM shop.word known WHERE known.word = asked.word)
"""

# $7 what was typed, and other spellings of it; $8 its language; $9 what was typed, as an id.
_FOUND: Final = """
SELECT shop.found(shop.query($7::text[], $8), $5, $4, $6::text::tsquery) AS id
UNION SELECT id FROM shop.product WHERE id = $9 AND status = $5
    AND ($4::text IS NULL OR composition = $4)
    AND ($6::text IS NULL OR traits @@ $6::text::tsquery)
"""

FOUND_BY_CHANGE: Final = f"""
SELECT id, document, revision, updated_at, updated_at AS place FROM shop.product
JOIN ({_FOUND}) found USING (id) WHERE (updated_at, id) < ($1, $2)
ORDER BY updated_at DESC, id DESC LIMIT $3
"""  # noqa: S608  # a text of our own

FOUND_BY_TITLE: Final = f"""
SELECT id, document, revision, updated_at, title AS place FROM shop.product
JOIN ({_FOUND}) found USING (id) WHERE (title COLLATE "C", id) > ($1, $2)
ORDER BY title COLLATE "C", id LIMIT $3
"""  # noqa: S608

# As it was typed counts for more than as it may have been meant.
FOUND_BY_RANK: Final = f"""
SELECT id, document, revision, updated_at, place FROM (
    SELECT id, (2 * ts_rank(search, shop.query($7[1:1], $8)) + ts_rank(search, shop.query($7, $8))
        + (id = $9)::int)::float8 AS place
    FROM shop.product JOIN ({_FOUND}) found USING (id)
) ranked JOIN shop.product USING (id)
WHERE place < $1 OR (place = $1 AND id > $2)
ORDER BY place DESC, id LIMIT $3
"""  # noqa: S608

_COUNTED: Final = """
SELECT name, value, products, (SELECT count(*) FROM counted) AS counted FROM (
    SELECT name, value, count(*) AS products,
        row_number() OVER (PARTITION BY name ORDER BY count(*) DESC, value COLLATE "C") AS place
    FROM (
        SELECT split_part(trait, '=', 1) AS name, substr(trait, strpos(trait, '=') + 1) AS value
        FROM counted, unnest(tsvector_to_array(traits)) listed (trait)
    ) parted WHERE name = ANY ($1::text[]) GROUP BY name, value
) listed WHERE place <= $3
ORDER BY name, place
"""

COUNT: Final = f"""
WITH counted AS MATERIALIZED (
    SELECT traits FROM shop.product
    WHERE status = $5 AND ($4::text IS NULL OR composition = $4)
        AND ($6::text IS NULL OR traits @@ $6::text::tsquery)
    ORDER BY updated_at DESC, id DESC LIMIT $2
) {_COUNTED}
"""  # noqa: S608

COUNT_FOUND: Final = f"""
WITH counted AS MATERIALIZED (
    SELECT traits FROM shop.product JOIN ({_FOUND}) found USING (id) LIMIT $2
) {_COUNTED}
"""  # noqa: S608

COUNTED_MAX: Final = 5000
"""Products that facets are counted among: 30 ms of PostgreSQL (docs/database.md)."""

VALUES_MAX: Final = 50
"""Of a facet: more than a page shows."""

_WORDS_MAX: Final = 6
"""Words of a search that are looked up in other spellings, at a millisecond or two each."""

_WORD: Final = re.compile(r"[^\W\d_]{3,40}")
_HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")
_LISTS: Final[Mapping[Sort, str]] = {Sort.UPDATED: LIST_BY_CHANGE, Sort.TITLE: LIST_BY_TITLE}
_SEARCHES: Final[Mapping[Sort, str]] = {
    Sort.UPDATED: FOUND_BY_CHANGE,
    Sort.TITLE: FOUND_BY_TITLE,
    Sort.RELEVANCE: FOUND_BY_RANK,
}
# asyncpg's spelling of `infinity`: behind every instant.
_BEFORE_ALL: Final[Mapping[Sort, str | datetime | float]] = {
    Sort.UPDATED: datetime.max.replace(tzinfo=UTC),
    Sort.TITLE: "",
    Sort.RELEVANCE: math.inf,
}


async def list_rows(connection: Connection, wanted: Wanted) -> Sequence[Record]:
    """Return the rows of a part of a list, and one more where there is more."""
    after, sort = wanted.after, wanted.sort
    values: list[Any] = [
        _BEFORE_ALL[sort] if after is None else _value(after),
        "" if after is None else after.id,
        wanted.limit + 1,
    ]
    if wanted.search is None:
        return list(await connection.fetch(_LISTS[sort], *values, *_filters(wanted)))
    asked = [*values, *_filters(wanted), *await _searched(connection, wanted)]
    return list(await connection.fetch(_SEARCHES[sort], *asked))


async def count_facets(
    connection: Connection, wanted: Wanted, facets: Sequence[str]
) -> list[Facet]:
    """Return the values that the products of a list have of each attribute in `facets`."""
    searched = () if wanted.search is None else await _searched(connection, wanted)
    statement = COUNT_FOUND if searched else COUNT
    found: dict[str, Facet] = {}
    for names, filters in _groups(wanted, facets):
        asked = (names, COUNTED_MAX + 1, VALUES_MAX, *_filters(filters), *searched)
        rows = await connection.fetch(statement, *asked)
        for name, values in groupby(rows, key=itemgetter("name")):
            found[name] = _facet(name, list(values))
    none = {name: Facet(attribute=name, values=[], counted=0, complete=True) for name in facets}
    return list((none | found).values())


def place_of(sort: Sort, last: Record) -> Place:
    """Return where a page ended whose last row is `last`."""
    place = last["place"]
    value = place.isoformat() if sort is Sort.UPDATED else str(place)
    return Place(sort=sort, value=value, id=last["id"])


def _groups(wanted: Wanted, facets: Sequence[str]) -> Iterator[tuple[list[str], Wanted]]:
    """Yield facets that are counted together, and the list they are counted of.

    Each that the list asks something of is counted without that.
    """
    asked = {name for name, _ in wanted.attributes}
    if free := [name for name in facets if name not in asked]:
        yield free, wanted
    for name in facets:
        if name in asked:
            others = tuple(pair for pair in wanted.attributes if pair[0] != name)
            yield [name], replace(wanted, attributes=others)


def _facet(name: str, rows: Sequence[Record]) -> Facet:
    counted = rows[0]["counted"]
    return Facet(
        attribute=name,
        values=[FacetValue(value=row["value"], products=row["products"]) for row in rows],
        counted=min(counted, COUNTED_MAX),
        complete=counted <= COUNTED_MAX,
    )


def _filters(wanted: Wanted) -> tuple[str | None, str, str | None]:
    groups = (
        "(" + " | ".join(_quoted(f"{name}={value}") for value in values) + ")"
        for name, values in wanted.attributes
    )
    return wanted.composition, wanted.status, " & ".join(groups) or None


def _quoted(trait: str) -> str:
    """Return `trait` as one word of a tsquery, whatever it holds."""
    return "'" + trait.replace("\\", "\\\\").replace("'", "''") + "'"


async def _searched(connection: Connection, wanted: Wanted) -> tuple[list[str], str | None, str]:
    """Return what is searched for in all its spellings, its language, and it as an id."""
    typed = wanted.search or ""
    # `round-shank` is three words to the parser, which has to stand beside each other.
    text = _HYPHEN.sub(" ", typed)
    words = list(dict.fromkeys(_WORD.findall(text)))[:_WORDS_MAX]
    rows = await connection.fetch(SPELL, words) if words else []
    near = {row["typed"]: row["near"] for row in rows if row["near"]}
    most = max(map(len, near.values()), default=0)
    spellings = (_respelt(text, near, rank) for rank in range(most))
    return [text, *spellings], wanted.language, typed.strip()


def _respelt(text: str, near: Mapping[str, Sequence[str]], rank: int) -> str:
    """Return `text` with each word that is not known by its `rank`-th likeness, or its last."""

    def spell(word: re.Match[str]) -> str:
        others = near.get(word[0])
        return others[min(rank, len(others) - 1)] if others else word[0]

    return _WORD.sub(spell, text)


def _value(place: Place) -> str | datetime | float:
    """Return what a place holds, as the statement of its sort compares it."""
    if place.sort is Sort.UPDATED:
        return place.instant
    return float(place.value) if place.sort is Sort.RELEVANCE else place.value
