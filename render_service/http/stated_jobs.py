"""What is stated of the routes of jobs."""

from collections.abc import Mapping
from typing import Final

from render_service.auth.scopes import Scope
from render_service.http.job_schemas import PAGE, PAGE_MAX
from render_service.http.stated import Operation, Stated, query_key
from render_service.jobs.model import Kind, Status

_JOB: Final = "/v1/jobs/{job}"

_LIST_KEYS: Final = (
    query_key("status", {"type": "string", "enum": list(Status)}, "Only these"),
    query_key("kind", {"type": "string", "enum": list(Kind)}, "Only these"),
    query_key(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE},
        "Of a page",
    ),
    query_key("cursor", {"type": "string"}, "As `next` of the page before holds it"),
)

_EVENTS: Final[Mapping[str, Mapping[str, str]]] = {"text/event-stream": {}}

JOBS: Final[Mapping[Operation, Stated]] = {
    ("/v1/jobs", "get"): Stated(scope=Scope.JOBS_READ, problems=(400, 503), query=_LIST_KEYS),
    (_JOB, "get"): Stated(scope=Scope.JOBS_READ, problems=(400, 404, 503)),
    (f"{_JOB}/events", "get"): Stated(
        scope=Scope.JOBS_READ, problems=(400, 404, 503), answers=_EVENTS
    ),
    (f"{_JOB}/cancel", "post"): Stated(scope=Scope.ADMIN, problems=(400, 404, 409, 503)),
    (f"{_JOB}/retry", "post"): Stated(scope=Scope.ADMIN, problems=(400, 404, 409, 503)),
}
