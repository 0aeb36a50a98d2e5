"""Errors as RFC 9457 problem documents, by the table of problem_rows.py.

What is our own fault (5xx that no row
names) tells the client an incident number and nothing else; the log line has the number too.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from render_service import errors
from render_service.http.problem_rows import INTERNAL_ROW, QUERY_ROW, ROWS, STATUS_ROWS, Row
from render_service.telemetry import instruments
from render_service.telemetry.logs import masked_path

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

INSTANCE_LENGTH_MAX: Final = 500
"""Characters of a path that are given back: more than any path of ours has."""

_COME_BACK: Final = (
    errors.Overloaded,
    errors.ReleasesUnavailable,
    errors.DatabaseUnavailable,
    errors.StillRunning,
    errors.TooManyUploads,
    errors.UploadsUnavailable,
)
"""Errors that know when to ask again: `retry_after_s`."""


class Problem(NamedTuple):
    """A problem document, ready to be sent.

    Attributes:
        status: HTTP status.
        headers: All its headers but Date.
        body: The document, JSON.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def describe_error(error: Exception, instance: str) -> Problem:
    """Return the problem document for `error`, and log what is our own fault.

    Args:
        error: Any error; one that has no row is an internal one.
        instance: The path that was asked for.
    """
    row = row_of(error)
    if not isinstance(error, errors.RenderServiceError) or row.status == 500:
        return _describe_incident(error, instance)
    if row.status == 502:
        path = masked_path(instance)
        _log.error("%s: %s", path, error, extra={"url.path": path, "problem": row.slug})
    headers = []
    if isinstance(error, errors.Overloaded):
        instruments.shed.add(1, error.reason.value)
    elif isinstance(error, errors.ReleasesUnavailable):
        instruments.shed.add(1, "releases")
    if isinstance(error, _COME_BACK):
        headers.append(("retry-after", str(error.retry_after_s)))
    headers += _challenge(error)
    return make_problem(row, str(error), instance, facts=error.facts, headers=headers)


def _challenge(error: errors.RenderServiceError) -> list[tuple[str, str]]:
    """How to authenticate, RFC 6750 section 3."""
    said = 'Bearer realm="render-service"'
    if isinstance(error, errors.ScopeMissing):
        said += f', error="insufficient_scope", scope="{error.scope}"'
    elif not isinstance(error, errors.NotSignedIn):
        return []
    elif error.given:
        said += ', error="invalid_token"'
    return [("www-authenticate", said)]


def row_of(error: Exception) -> Row:
    """Return the row of the error's class, or of the nearest class above it."""
    for kind in type(error).__mro__:
        if issubclass(kind, errors.RenderServiceError) and kind in ROWS:
            return ROWS[kind]
    return INTERNAL_ROW


def describe_status(
    status: int, detail: str, instance: str, headers: Mapping[str, str] | None = None
) -> Problem:
    """Return the problem document of a plain HTTP status, such as a route that is not there.

    A status without a row is told as a bad request, under its own number.
    """
    row = STATUS_ROWS[status if status in STATUS_ROWS else 400][0]._replace(status=status)
    return make_problem(row, detail, instance, headers=list((headers or {}).items()))


def describe_fields(fields: list[dict[str, str]], instance: str) -> Problem:
    """Return the problem document of a query whose `fields` are wrong."""
    said = "; ".join(
        f"{item['field']}: {item['problem']}" if item["field"] else item["problem"]
        for item in fields
    )
    return make_problem(QUERY_ROW, said, instance, facts={"errors": fields})


def make_problem(
    row: Row,
    detail: str,
    instance: str,
    *,
    facts: Mapping[str, object] | None = None,
    headers: list[tuple[str, str]] | None = None,
) -> Problem:
    """Return the document of one occurrence; `facts` never hide a member of the standard."""
    members = {
        **(facts or {}),
        "type": f"/problems/{row.slug}",
        "title": row.title,
        "status": row.status,
        "detail": detail,
        "instance": _reference(instance),
    }
    body = msgspec.json.encode(members)
    return Problem(
        row.status,
        [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("cache-control", row.cache_control),
            ("x-content-type-options", "nosniff"),
            *(headers or []),
        ],
        body,
    )


def _reference(path: str) -> str:
    """`path` as a URI reference (RFC 3986), cut short between two characters of it."""
    encoded = quote(path, safe="/%:@!$&'()*+,;=-._~")
    whole = re.sub("%(?![0-9A-Fa-f]{2})", "%25", encoded)
    return re.sub("%.?$", "", whole[:INSTANCE_LENGTH_MAX])


def _describe_incident(error: Exception, instance: str) -> Problem:
    incident = secrets.token_hex(8)
    path = masked_path(instance)
    fields = {"incident": incident, "url.path": path}
    _log.error("incident %s at %s", incident, path, exc_info=error, extra=fields)
    detail = f"Something went wrong on our side; it is logged as incident {incident}."
    return make_problem(INTERNAL_ROW, detail, instance, facts={"incident": incident})
