"""The JSON API of webhooks: endpoints, their secrets, and what was told them.

Nothing here sends anything: whoever changes an endpoint changes what workers send next.
"""

import re
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put

from render_service.auth.scopes import Caller, Scope
from render_service.http.access import requires
from render_service.http.asked import invalid, refuse_query
from render_service.http.compositions import Asked
from render_service.http.drafted import (
    read_cursor,
    read_json,
    read_limit,
    read_query,
    read_revision,
    spell_cursor,
)
from render_service.http.webhook_schemas import (
    DeliveryList,
    DeliveryOut,
    WebhookIn,
    WebhookList,
    WebhookOut,
    describe_delivery,
    describe_webhook,
)
from render_service.jobs.webhooks import Webhook, WebhookStatus, WebhookStore, Wishes

LIST_KEYS: Final = ("limit", "cursor")
NOT_KEPT: Final = {"cache-control": "no-store"}

_URL: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*|\?[!-~]*)?", re.ASCII)


class Webhooks(Controller):
    """Routes under `/v1/webhooks`."""

    path = "/v1/webhooks"
    tags = ("Webhooks",)
    guards = (requires(Scope.ADMIN),)

    @post(summary="Tell an endpoint of what happens")
    async def make(
        self, request: Asked, caller: Caller, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookOut]:
        """Its secret is shown in this answer, and never again."""
        refuse_query(request.scope["query_string"])
        made = await webhooks.make(await _read_wishes(request), caller.name)
        answer = _answer(made, public_url, status=201, is_new=True)
        answer.headers["location"] = f"{public_url}/v1/webhooks/{made.id}"
        return answer

    @get(summary="List the endpoints")
    async def list_all(
        self, request: Asked, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookList]:
        """All of them, oldest first."""
        refuse_query(request.scope["query_string"])
        listed = [describe_webhook(one, public_url) for one in await webhooks.list_all()]
        return Response(content=WebhookList(webhooks=listed), headers=NOT_KEPT)

    @get("/{webhook:str}", summary="An endpoint")
    async def show(
        self, request: Asked, webhook: str, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookOut]:
        """Without its secrets."""
        refuse_query(request.scope["query_string"])
        return _answer(await webhooks.get(webhook), public_url)

    @put("/{webhook:str}", summary="Change an endpoint")
    async def write(
        self, request: Asked, webhook: str, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookOut]:
        """To what the body says, all of it; its secrets stay."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        wishes = await _read_wishes(request)
        return _answer(await webhooks.write(webhook, revision, wishes), public_url)

    @delete("/{webhook:str}", summary="Forget an endpoint")
    async def drop(self, request: Asked, webhook: str, webhooks: WebhookStore) -> None:
        """And what was told it."""
        refuse_query(request.scope["query_string"])
        await webhooks.drop(webhook, read_revision(request))

    @post("/{webhook:str}/secret", status_code=200, summary="Give an endpoint a new secret")
    async def rotate(
        self, request: Asked, webhook: str, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookOut]:
        """Both sign from now on, until the old one is forgotten."""
        refuse_query(request.scope["query_string"])
        return _answer(await webhooks.rotate(webhook), public_url, is_new=True)

    @delete("/{webhook:str}/secret", status_code=200, summary="Forget the old secret")
    async def forget_old(
        self, request: Asked, webhook: str, webhooks: WebhookStore, public_url: str
    ) -> Response[WebhookOut]:
        """Only the newest one signs from now on."""
        refuse_query(request.scope["query_string"])
        return _answer(await webhooks.forget_old(webhook), public_url)

    @get("/{webhook:str}/deliveries", summary="What an endpoint was told")
    async def list_deliveries(
        self, request: Asked, webhook: str, webhooks: WebhookStore, public_url: str
    ) -> Response[DeliveryList]:
        """Newest first, with every try."""
        asked = read_query(request, LIST_KEYS)
        place: tuple[datetime, UUID] | None = read_cursor(asked, tuple[datetime, UUID])
        after = None if place is None else (place[0], str(place[1]))
        page = await webhooks.list_deliveries(webhook, read_limit(asked), after)
        following = None
        if page.has_more:
            last = page.deliveries[-1]
            query = urlencode({**asked, "cursor": spell_cursor((last.created, last.id))})
            following = f"{public_url}/v1/webhooks/{webhook}/deliveries?{query}"
        listed = [describe_delivery(one) for one in page.deliveries]
        return Response(content=DeliveryList(deliveries=listed, next=following), headers=NOT_KEPT)

    @post(
        "/{webhook:str}/deliveries/{delivery:str}/resend",
        status_code=200,
        summary="Tell an endpoint again",
    )
    async def send_again(
        self,
        request: Asked,
        webhook: str,
        delivery: str,
        caller: Caller,
        webhooks: WebhookStore,
    ) -> Response[DeliveryOut]:
        """Under the same `webhook-id`, and as often as a new delivery is tried."""
        refuse_query(request.scope["query_string"])
        again = await webhooks.send_again(webhook, delivery, caller.name)
        return Response(content=describe_delivery(again), headers=NOT_KEPT)


def _answer(
    webhook: Webhook, public_url: str, *, status: int = 200, is_new: bool = False
) -> Response[WebhookOut]:
    return Response(
        content=describe_webhook(webhook, public_url, is_new=is_new),
        status_code=status,
        headers={**NOT_KEPT, "etag": f'"{webhook.revision}"'},
    )


async def _read_wishes(request: Asked) -> Wishes:
    """Return what somebody wants of an endpoint.

    Raises:
        InvalidBody: Names the field.
    """
    asked: WebhookIn = await read_json(request, WebhookIn)
    faults = [("url", problem)] if (problem := _fault_of_url(asked.url)) else []
    if asked.status is WebhookStatus.GONE:
        faults.append(("status", "'gone'; expected active or paused"))
    if "\0" in asked.note:
        faults.append(("note", "it holds a NUL"))
    if faults:
        raise invalid(faults)
    return Wishes(url=asked.url, topics=tuple(asked.topics), note=asked.note, status=asked.status)


def _fault_of_url(url: str) -> str:
    """Return what is wrong with `url`; where it leads is checked whenever something is sent."""
    expected = "expected https://host/path in printable ASCII, without user and fragment"
    if _URL.fullmatch(url) is None or "#" in url:
        return f"{url[:100]!r}; {expected}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"{url[:100]!r}; {expected}"
    return "" if host and port != 0 else f"{url[:100]!r}; {expected}"
