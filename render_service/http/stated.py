"""What the OpenAPI document says of a route beyond what its handler's signature does.

The rule: each file of routes states its own, and openapi.py gathers them; the tests hold every
statement against the routes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from render_service.auth.scopes import Scope
from render_service.http import problems

Operation = tuple[str, str]
"""A path as Litestar spells it, and a method in lower case."""

JSON = "application/json"

SCHEMES: Mapping[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token. " + "; ".join(f"`{scope}`" for scope in Scope),
    }
}
"""How callers say who they are."""


class Stated(Struct, frozen=True, kw_only=True):
    """What is said of one operation.

    Attributes:
        problems: Statuses of the problem documents that it can answer; 401 and 403 follow from
            `scope`.
        body: Shape of its body, which the route reads itself so that every fault names its field.
        body_needed: Whether it may not be left out.
        media: Media types of the body.
        files: Media types of a body that is a file, which has no shape to tell.
        query: Its query keys, as `query_key` makes them.
        headers: Its request headers, as `header` makes them.
        creates: Whether it answers 201, too, where it made something.
        revalidated: Whether it answers 304.
        scope: The right it needs; None: it is for everybody.
        words: Of a status, where the usual ones (openapi.py) do not fit.
        answers: Media type → schema of its success, where it is no Struct.
    """

    problems: tuple[int, ...] = ()
    body: type | None = None
    body_needed: bool = True
    media: tuple[str, ...] = (JSON,)
    files: tuple[str, ...] = ()
    query: Sequence[Mapping[str, Any]] = ()
    headers: Sequence[Mapping[str, Any]] = ()
    creates: bool = False
    revalidated: bool = False
    scope: Scope | None = None
    words: Mapping[int, str] = {}
    answers: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def statuses(self) -> tuple[int, ...]:
        """Statuses of all its problem documents, in order."""
        asked = {401, 403} if self.scope else set()
        return tuple(sorted({*self.problems, *asked}))


def query_key(
    name: str, schema: Mapping[str, Any], description: str = "", *, required: bool = False
) -> dict[str, Any]:
    """Return a key of a query, as OpenAPI describes it."""
    return _parameter("query", name, schema, description, required=required)


def header(
    name: str, schema: Mapping[str, Any], description: str = "", *, required: bool = False
) -> dict[str, Any]:
    """Return a request header, likewise."""
    return _parameter("header", name, schema, description, required=required)


def problem_answer(description: str) -> dict[str, Any]:
    """Return an answer that is a problem document."""
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {"description": description, "content": {problems.MEDIA_TYPE: {"schema": schema}}}


def _parameter(
    where: str, name: str, schema: Mapping[str, Any], description: str, *, required: bool
) -> dict[str, Any]:
    words = {"description": description} if description else {}
    return {"name": name, "in": where, "required": required, "schema": dict(schema), **words}
