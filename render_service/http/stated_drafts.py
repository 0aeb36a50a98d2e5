"""What is stated of the routes of drafts."""

from collections.abc import Mapping
from typing import Any, Final

from render_service.auth.scopes import Scope
from render_service.composition.definition import (
    CompositionDefinition,
    LayerDefinition,
    MaterialsDefinition,
    OptionDefinition,
)
from render_service.http.draft_schemas import (
    PAGE,
    PAGE_MAX,
    AssetIn,
    DiffIn,
    DocumentsIn,
    DraftIn,
)
from render_service.http.drafted import TOML
from render_service.http.release_schemas import PublishIn
from render_service.http.stated import JSON, Operation, Stated, header, query_key

_DRAFT: Final = "/v1/drafts/{draft}"

PAGE_KEYS: Final = (
    query_key(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE},
        "Of a page",
    ),
    query_key("cursor", {"type": "string"}, "As `next` of the page before holds it"),
)

IF_MATCH: Final = (
    header("If-Match", {"type": "string"}, "The ETag of what is known; `*`: whatever it is"),
)
"""Not required, so that a client that leaves it out is told by 428 and not by its own tools."""


def _read(*problems: int, **words: Any) -> Stated:  # noqa: ANN401  # fields of Stated
    return Stated(scope=Scope.CATALOGUE_WRITE, problems=(400, 409, *problems, 503), **words)


def _write(*problems: int, **words: Any) -> Stated:  # noqa: ANN401  # fields of Stated
    return _read(404, 412, 428, *problems, headers=IF_MATCH, **words)


def _publish(*problems: int, **words: Any) -> Stated:  # noqa: ANN401  # fields of Stated
    return Stated(
        scope=Scope.RELEASE_PUBLISH,
        problems=(400, 404, 409, 412, 428, *problems, 502, 503),
        headers=IF_MATCH,
        **words,
    )


_ACTIVITY_KEYS: Final = (
    query_key("who", {"type": "string"}, "Only what this caller did"),
    query_key("subject", {"type": "string"}, "Only what was done to this, as `draft:{id}`"),
)

DRAFTS: Final[Mapping[Operation, Stated]] = {
    ("/v1/drafts", "post"): _read(404, 413, 415, 422, 502, body=DraftIn),
    ("/v1/drafts", "get"): _read(query=PAGE_KEYS),
    (_DRAFT, "get"): _read(404),
    (_DRAFT, "put"): _write(413, 415, 422, body=DocumentsIn),
    (_DRAFT, "delete"): _write(),
    (f"{_DRAFT}/definition", "put"): _write(
        413, 415, body=CompositionDefinition, media=(JSON, TOML)
    ),
    (f"{_DRAFT}/materials", "put"): _write(413, 415, body=MaterialsDefinition, media=(JSON, TOML)),
    (f"{_DRAFT}/assets/{{name}}", "put"): _write(413, 415, 422, body=AssetIn),
    (f"{_DRAFT}/assets/{{name}}", "delete"): _write(),
    (f"{_DRAFT}/layers/{{view}}/{{number}}", "put"): _write(413, 415, body=LayerDefinition),
    (f"{_DRAFT}/layers/{{view}}/{{number}}", "delete"): _write(),
    (f"{_DRAFT}/options/{{option}}", "put"): _write(413, 415, body=OptionDefinition),
    (f"{_DRAFT}/options/{{option}}", "delete"): _write(),
    (f"{_DRAFT}/check", "post"): _read(404, 502),
    (f"{_DRAFT}/manifest", "get"): _read(404, 422),
    (f"{_DRAFT}/preview", "post"): _read(404),
    (f"{_DRAFT}/preview", "delete"): _read(404),
    (f"{_DRAFT}/diff", "post"): _read(404, 413, 415, 422, 502, body=DiffIn),
    (f"{_DRAFT}/publish", "post"): _publish(413, 415, 422, body=PublishIn),
    ("/v1/releases", "get"): _read(502, query=PAGE_KEYS),
    ("/v1/releases/{release}", "get"): _read(404, 502),
    ("/v1/releases/{release}/restore", "post"): _publish(),
    ("/v1/activity", "get"): Stated(
        scope=Scope.ADMIN, problems=(400, 409, 502, 503), query=(*PAGE_KEYS, *_ACTIVITY_KEYS)
    ),
}
