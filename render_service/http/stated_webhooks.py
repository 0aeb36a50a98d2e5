"""What is stated of the routes of webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from render_service.auth.scopes import Scope
from render_service.http.stated import Operation, Stated, header
from render_service.http.stated_drafts import PAGE_KEYS
from render_service.http.webhook_schemas import WebhookIn

_WEBHOOK: Final = "/v1/webhooks/{webhook}"

_IF_MATCH: Final = (
    header("If-Match", {"type": "string"}, "The ETag of what is known; `*`: whatever it is"),
)


def _admin(*problems: int, **words: Any) -> Stated:  # noqa: ANN401  # fields of Stated
    return Stated(scope=Scope.ADMIN, problems=(400, *problems, 503), **words)


WEBHOOKS: Final[Mapping[Operation, Stated]] = {
    ("/v1/webhooks", "post"): _admin(413, 415, body=WebhookIn),
    ("/v1/webhooks", "get"): _admin(),
    (_WEBHOOK, "get"): _admin(404),
    (_WEBHOOK, "put"): _admin(404, 412, 413, 415, 428, body=WebhookIn, headers=_IF_MATCH),
    (_WEBHOOK, "delete"): _admin(404, 412, 428, headers=_IF_MATCH),
    (f"{_WEBHOOK}/secret", "post"): _admin(404),
    (f"{_WEBHOOK}/secret", "delete"): _admin(404),
    (f"{_WEBHOOK}/deliveries", "get"): _admin(404, query=PAGE_KEYS),
    (f"{_WEBHOOK}/deliveries/{{delivery}}/resend", "post"): _admin(404),
}
