"""Errors as RFC 9457 problem documents: one table, and the only place that knows both sides.

An error never answers 200 and never carries `immutable`. What is our own fault (5xx that no row
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
from render_service.telemetry import instruments
from render_service.telemetry.logs import masked_path

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

INSTANCE_LENGTH_MAX: Final = 500
"""Characters of a path that are given back: more than any path of ours has."""

_SPELLING: Final = "public, max-age=300"
_MISSING: Final = "public, max-age=60"
_NEVER: Final = "no-store"


class Row(NamedTuple):
    """What the clients of an error are told, whatever its data.

    Attributes:
        status: HTTP status.
        slug: Last segment of the problem's type.
        title: The problem in a few words, the same for every occurrence.
        cache_control: How long a cache may repeat it.
    """

    status: int
    slug: str
    title: str
    cache_control: str


ROWS: Final[Mapping[type[errors.RenderServiceError], Row]] = {
    errors.MalformedPath: Row(400, "malformed-path", "Malformed path", _SPELLING),
    errors.WidthNotOffered: Row(400, "width-not-offered", "Width not offered", _SPELLING),
    errors.FormatNotOffered: Row(400, "format-not-offered", "Format not offered", _SPELLING),
    errors.UnknownQueryKey: Row(400, "unknown-query-key", "Unknown query key", _SPELLING),
    errors.InvalidBody: Row(400, "invalid-body", "Invalid body", _NEVER),
    errors.UnknownComposition: Row(404, "unknown-composition", "Unknown composition", _MISSING),
    errors.UnknownView: Row(404, "unknown-view", "Unknown view", _MISSING),
    errors.UnknownVersion: Row(404, "unknown-version", "Unknown version", _MISSING),
    errors.UnknownState: Row(404, "unknown-state", "Unknown state", _MISSING),
    errors.UnknownIdentifier: Row(404, "unknown-identifier", "Unknown identifier", _MISSING),
    errors.UnknownSku: Row(404, "unknown-sku", "Unknown SKU", _MISSING),
    errors.ProductUnreadable: Row(502, "product-unreadable", "Product unreadable", _NEVER),
    errors.UnknownProduct: Row(404, "unknown-product", "Unknown product", _NEVER),
    errors.SignatureNeeded: Row(403, "signature-needed", "Signature needed", _NEVER),
    errors.BadSignature: Row(403, "bad-signature", "Bad or expired signature", _NEVER),
    errors.ExpiredSignature: Row(403, "expired-signature", "Bad or expired signature", _NEVER),
    errors.UnknownOption: Row(422, "unknown-option", "Unknown option", _SPELLING),
    errors.UnknownValue: Row(422, "unknown-value", "Unknown value", _SPELLING),
    errors.ForbiddenConfiguration: Row(422, "forbidden-configuration", "Not made", _SPELLING),
    errors.AlphaNotOffered: Row(422, "alpha-not-offered", "No transparency", _SPELLING),
    errors.SizeNotOffered: Row(422, "size-not-offered", "Size not offered", _SPELLING),
    errors.InvalidProduct: Row(422, "invalid-product", "Invalid product", _NEVER),
    errors.RateMissing: Row(409, "rate-missing", "No rate", _NEVER),
    errors.RateInOtherCurrency: Row(
        409, "rate-in-other-currency", "Rate in another currency", _NEVER
    ),
    errors.RatesOverlap: Row(409, "rates-overlap", "Rates overlap", _NEVER),
    errors.BadQuote: Row(422, "bad-quote", "Not a quote", _NEVER),
    errors.ExpiredQuote: Row(410, "expired-quote", "Expired quote", _NEVER),
    errors.QuoteTooLarge: Row(422, "quote-too-large", "Quote too large", _NEVER),
    errors.AssetMissing: Row(502, "asset-missing", "Layer file missing", _NEVER),
    errors.AssetUndecodable: Row(502, "asset-undecodable", "Layer file undecodable", _NEVER),
    errors.AssetTooLarge: Row(502, "asset-too-large", "Layer file too large", _NEVER),
    errors.Overloaded: Row(503, "overloaded", "Overloaded", _NEVER),
    errors.ReleasesUnavailable: Row(
        503, "releases-unavailable", "Store of releases unavailable", _NEVER
    ),
    errors.ReleaseUnreadable: Row(502, "release-unreadable", "Release unreadable", _NEVER),
    errors.PublishedMeanwhile: Row(412, "published-meanwhile", "Published meanwhile", _NEVER),
    errors.DatabaseUnavailable: Row(503, "database-unavailable", "Database unavailable", _NEVER),
    errors.OutcomeUnknown: Row(503, "outcome-unknown", "Outcome unknown", _NEVER),
    errors.SchemaBehind: Row(503, "schema-behind", "Schema behind", _NEVER),
    errors.InvalidImport: Row(500, "internal", "Internal error", _NEVER),
    errors.MigrationFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.NothingPublished: Row(500, "internal", "Internal error", _NEVER),
    errors.RenderFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.TierUnavailable: Row(500, "internal", "Internal error", _NEVER),
    errors.InvalidCatalogue: Row(500, "internal", "Internal error", _NEVER),
    errors.InvalidPlan: Row(500, "internal", "Internal error", _NEVER),
    errors.ServerNotStarted: Row(500, "internal", "Internal error", _NEVER),
    errors.InvalidSetting: Row(500, "internal", "Internal error", _NEVER),
}

STATUS_ROWS: Final[Mapping[int, tuple[Row, str]]] = {
    400: (
        Row(400, "bad-request", "Bad request", _NEVER),
        "What was sent is not a request of HTTP.",
    ),
    404: (Row(404, "not-found", "Not found", _MISSING), "There is nothing at this address."),
    405: (
        Row(405, "method-not-allowed", "Method not allowed", _NEVER),
        "The address takes other methods; the header Allow lists them.",
    ),
    408: (
        Row(408, "request-timeout", "Request timeout", _NEVER),
        "The head of the request did not arrive in time.",
    ),
    413: (
        Row(413, "request-too-large", "Request too large", _NEVER),
        "The body is larger than any the route takes.",
    ),
    414: (Row(414, "uri-too-long", "URI too long", _NEVER), "The address is longer than any here."),
    415: (
        Row(415, "unsupported-media-type", "Unsupported media type", _NEVER),
        "The body is not of the media type that the route takes.",
    ),
    416: (
        Row(416, "range-not-satisfiable", "Range not satisfiable", _NEVER),
        "The range begins behind the end of the picture.",
    ),
    431: (
        Row(431, "header-fields-too-large", "Header fields too large", _NEVER),
        "The headers of the request are larger than any that a browser sends.",
    ),
}
"""Refusals that no error of ours stands for: status → its row, and a sentence about it. Ours, as
the phrases of the standard library change with its version."""

QUERY_ROW: Final = Row(400, "invalid-query", "Invalid query", _SPELLING)
_INTERNAL: Final = Row(500, "internal", "Internal error", _NEVER)


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
    if isinstance(
        error, errors.Overloaded | errors.ReleasesUnavailable | errors.DatabaseUnavailable
    ):
        headers.append(("retry-after", str(error.retry_after_s)))
    return make_problem(row, str(error), instance, facts=error.facts, headers=headers)


def row_of(error: Exception) -> Row:
    """Return the row of the error's class, or of the nearest class above it."""
    for kind in type(error).__mro__:
        if issubclass(kind, errors.RenderServiceError) and kind in ROWS:
            return ROWS[kind]
    return _INTERNAL


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
    return make_problem(_INTERNAL, detail, instance, facts={"incident": incident})
