"""What the type of a problem document leads to: a few words about the kind of problem.

The words are those of the error's own class, so they cannot differ from it.
"""

import inspect

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException

from render_service.http.problems import ROWS


@get("/problems/{slug:str}", include_in_schema=False)
async def explain_problem(slug: str) -> Response[str]:
    """Return the kind of problem as plain text."""
    for error, row in ROWS.items():
        if row.slug == slug and row.status != 500:
            words = inspect.getdoc(error) or row.title
            text = f"{row.title} (HTTP {row.status})\n\n{words.partition(chr(10))[0]}\n"
            return Response(
                content=text,
                media_type=MediaType.TEXT,
                headers={
                    "cache-control": "public, max-age=3600",
                    "x-content-type-options": "nosniff",
                },
            )
    raise NotFoundException("There is no such kind of problem.")
