"""The OpenAPI document: what Litestar derives from the handlers, and what it cannot see.

What it cannot see (bodies and queries that a handler reads itself, problems, rights) is stated
beside the routes (stated.py); the tests hold every statement against the routes.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from render_service.http.schemas import ProblemOut
from render_service.http.stated import SCHEMES, Operation, Stated, problem_answer
from render_service.http.stated_drafts import DRAFTS
from render_service.http.stated_jobs import JOBS
from render_service.http.stated_routes import COMPOSITIONS, HEALTH, PRODUCTS
from render_service.http.stated_uploads import UPLOADS
from render_service.http.stated_webhooks import WEBHOOKS
from render_service.http.stated_writes import WRITES
from render_service.http.warming import WARMING

_STATED: Final[Mapping[Operation, Stated]] = {
    **COMPOSITIONS,
    **PRODUCTS,
    **WRITES,
    **HEALTH,
    **DRAFTS,
    **JOBS,
    **WARMING,
    **WEBHOOKS,
    **UPLOADS,
}

_EXAMPLE: Final = {
    "selection": {"metal": "rose-gold-18k", "gem": "ruby"},
    "changed": "gem",
    "shown": {"view": "hero", "width": 800, "format": "avif"},
}

_WORDS: Final = {
    400: "What was sent is not of the form",
    401: "The caller does not say who they are, or with a token that is nobody's",
    403: "The caller may not",
    404: "There is no such thing",
    409: "What is there now does not allow it",
    410: "The quote counts no more",
    412: "It is not what If-Match or If-None-Match says",
    413: "The body is larger than any the route takes",
    415: "The body is not of a media type that the route takes",
    422: "It is of the form, and cannot be: every fault is named",
    428: "If-Match is needed",
    502: "What is kept of it is of another release's shape",
    503: "What it needs cannot be used at the moment; Retry-After says when to ask again",
}


class OpenAPIDocument(JsonRenderPlugin):
    """Renders the document as JSON, amended."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document."""
        return msgspec.json.encode(amended(openapi_schema))


def amended(document: dict[str, Any]) -> dict[str, Any]:
    """Return Litestar's `document` with what it cannot see; the one given is left alone."""
    components = {
        **document["components"],
        "schemas": {**document["components"]["schemas"], **_schemas()},
        "securitySchemes": SCHEMES,
    }
    paths = {
        path: {method: _operation(path, method, found) for method, found in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "components": components}


def _schemas() -> dict[str, Any]:
    bodies = {stated.body for stated in _STATED.values() if stated.body is not None}
    _, found = msgspec.json.schema_components(
        (ProblemOut, *sorted(bodies, key=lambda body: body.__name__)),
        ref_template="#/components/schemas/{name}",
    )
    return {**found, "ResolveIn": {**found["ResolveIn"], "examples": [_EXAMPLE]}}


def _operation(path: str, method: str, found: dict[str, Any]) -> dict[str, Any]:
    stated = _STATED[path, method]
    operation = {**found, "responses": _responses(path, stated, found["responses"])}
    if stated.body is not None:
        schema = {"$ref": f"#/components/schemas/{stated.body.__name__}"}
        operation["requestBody"] = {
            "required": stated.body_needed,
            "content": {media: {"schema": schema} for media in stated.media},
        }
    if stated.files:
        content: dict[str, Any] = {media: {} for media in stated.files}
        operation["requestBody"] = {"required": True, "content": content}
    if stated.query or stated.headers:
        operation["parameters"] = [*found.get("parameters", ()), *stated.query, *stated.headers]
    if stated.scope is not None:
        # OpenAPI 3.1 names the rights that a bearer token needs, too.
        operation["security"] = [{"bearer": [stated.scope]}]
    return operation


def _responses(path: str, stated: Stated, found: dict[str, Any]) -> dict[str, Any]:
    responses = {status: said for status, said in found.items() if status[0] == "2"}
    if stated.answers is not None:
        content = {media: {"schema": schema} for media, schema in stated.answers.items()}
        responses = {status: {**said, "content": content} for status, said in responses.items()}
    if "204" in responses:
        responses["204"] = {"description": responses["204"]["description"]}
    words = {**_WORDS, **stated.words}
    for status in stated.statuses:
        responses[str(status)] = problem_answer(words[status])
    if stated.creates:
        responses["201"] = {**responses["200"], "description": "It was not there, and is now"}
    if stated.revalidated:
        responses["304"] = {"description": "The client holds it, by its ETag"}
    if path == "/readyz":
        responses["503"] = {**responses["200"], "description": "The process is about to stop"}
    return responses
