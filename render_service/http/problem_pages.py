"""What the type of a problem document leads to: a few words about the kind of problem.

Every slug that a problem can carry has a page. The words of an error are those of its own class,
so they cannot differ from it.
"""

import inspect
from collections.abc import Mapping
from typing import Final

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException

from render_service.http.problem_rows import QUERY_ROW, ROWS, STATUS_ROWS, Row

_INTERNAL_WORDS: Final = "Something went wrong on our side; its log has the incident's number."


def _pages() -> Mapping[str, str]:
    words: list[tuple[Row, str]] = [
        *STATUS_ROWS.values(),
        (QUERY_ROW, "A key of the query is missing, or its value is not one it takes."),
    ]
    for error, row in ROWS.items():
        said = (inspect.getdoc(error) or row.title).partition("\n")[0]
        words.append((row, _INTERNAL_WORDS if row.status == 500 else said))
    return {row.slug: f"{row.title} (HTTP {row.status})\n\n{said}\n" for row, said in words}


PAGES: Final = _pages()
"""Slug → the text of its page."""


@get("/problems/{slug:str}", include_in_schema=False)
async def explain_problem(slug: str) -> Response[str]:
    """Return the kind of problem as plain text."""
    if slug not in PAGES:
        raise NotFoundException("There is no such kind of problem.")
    return Response(
        content=PAGES[slug],
        media_type=MediaType.TEXT,
        headers={"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"},
    )
