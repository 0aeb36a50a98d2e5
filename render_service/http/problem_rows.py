"""What clients are told of each error: one table, and the only place that knows both sides.

An error never answers 200 and never carries `immutable`.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from render_service import errors

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
    errors.DraftTooLarge: Row(413, "draft-too-large", "Draft too large", _NEVER),
    errors.UnknownDraft: Row(404, "unknown-draft", "Unknown draft", _NEVER),
    errors.UnknownPreview: Row(404, "unknown-preview", "No such preview", _NEVER),
    errors.OtherPipelineLive: Row(409, "other-pipeline-live", "Another program's release", _NEVER),
    errors.UnknownPart: Row(404, "unknown-part", "Unknown part of a draft", _NEVER),
    errors.DraftMoved: Row(412, "draft-moved", "Draft changed meanwhile", _NEVER),
    errors.InvalidDraft: Row(422, "invalid-draft", "Draft with faults", _NEVER),
    errors.AssetNotStored: Row(422, "asset-not-stored", "Layer file not stored", _NEVER),
    errors.BaseMoved: Row(409, "base-moved", "Published since the draft began", _NEVER),
    errors.NothingIsPublishedHere: Row(409, "nothing-is-published-here", "No drafts here", _NEVER),
    errors.SignatureNeeded: Row(403, "signature-needed", "Signature needed", _NEVER),
    errors.BadSignature: Row(403, "bad-signature", "Bad or expired signature", _NEVER),
    errors.ExpiredSignature: Row(403, "expired-signature", "Bad or expired signature", _NEVER),
    errors.NotSignedIn: Row(401, "not-signed-in", "Not signed in", _NEVER),
    errors.ScopeMissing: Row(403, "scope-missing", "Not allowed", _NEVER),
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
    errors.UnknownWebhook: Row(404, "unknown-webhook", "Unknown webhook", _NEVER),
    errors.UnknownDelivery: Row(404, "unknown-delivery", "Unknown delivery", _NEVER),
    errors.WebhookMoved: Row(412, "webhook-moved", "Webhook changed meanwhile", _NEVER),
    errors.UnknownJob: Row(404, "unknown-job", "Unknown job", _NEVER),
    errors.JobOver: Row(409, "job-over", "Job is over", _NEVER),
    errors.JobNotParked: Row(409, "job-not-parked", "Job is not parked", _NEVER),
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
    errors.DatabaseMissing: Row(503, "no-database", "No database", _NEVER),
    errors.PreconditionMissing: Row(428, "precondition-missing", "Precondition missing", _NEVER),
    errors.ChangedMeanwhile: Row(412, "changed-meanwhile", "Changed meanwhile", _NEVER),
    errors.ProductExists: Row(409, "product-exists", "Product exists", _NEVER),
    errors.KeyReused: Row(422, "key-reused", "Idempotency-Key reused", _NEVER),
    errors.StillRunning: Row(409, "still-running", "Still running", _NEVER),
    errors.OutcomeUnknown: Row(503, "outcome-unknown", "Outcome unknown", _NEVER),
    errors.SchemaBehind: Row(503, "schema-behind", "Schema behind", _NEVER),
    errors.InvalidForm: Row(400, "invalid-form", "Invalid form", _NEVER),
    errors.UploadForbidden: Row(403, "upload-forbidden", "Upload not allowed", _NEVER),
    errors.UnknownUpload: Row(404, "unknown-upload", "Unknown upload", _NEVER),
    errors.UnknownAsset: Row(404, "unknown-asset", "Unknown asset", _NEVER),
    errors.UnknownPhoto: Row(404, "unknown-photo", "Unknown photograph", _MISSING),
    errors.UploadUnderWay: Row(409, "upload-under-way", "Upload under way", _NEVER),
    errors.UploadNotArrived: Row(409, "upload-not-arrived", "File not there", _NEVER),
    errors.UploadExpired: Row(410, "upload-expired", "Upload expired", _NEVER),
    errors.FileRefused: Row(422, "file-refused", "File refused", _NEVER),
    errors.TooManyUploads: Row(429, "too-many-uploads", "Too many uploads", _NEVER),
    errors.UploadsUnavailable: Row(503, "uploads-unavailable", "Uploads unavailable", _NEVER),
    errors.InvalidImport: Row(500, "internal", "Internal error", _NEVER),
    errors.ChildFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.DeliveryFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.QueueUnavailable: Row(500, "internal", "Internal error", _NEVER),
    errors.Superseded: Row(500, "internal", "Internal error", _NEVER),
    errors.JobCancelled: Row(500, "internal", "Internal error", _NEVER),
    errors.MigrationFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.NothingPublished: Row(500, "internal", "Internal error", _NEVER),
    errors.RenderFailed: Row(500, "internal", "Internal error", _NEVER),
    errors.TierUnavailable: Row(500, "internal", "Internal error", _NEVER),
    errors.InvalidCatalogue: Row(500, "internal", "Internal error", _NEVER),
    errors.MailNotSent: Row(500, "internal", "Internal error", _NEVER),
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
INTERNAL_ROW: Final = Row(500, "internal", "Internal error", _NEVER)
