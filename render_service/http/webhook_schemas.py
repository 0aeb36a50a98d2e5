"""What the routes of webhooks take and give: the shapes that OpenAPI shows.

Shapes only. A secret is shown once, by the answer that made it.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from render_service.jobs.webhooks import Delivery, DeliveryStatus, Try, Webhook, WebhookStatus

PAGE: Final = 20
PAGE_MAX: Final = 100
"""Deliveries of a page; each takes up to some 10 kB."""

Topic = Annotated[str, Meta(pattern=r"^[a-z]+([._-][a-z]+)*$", max_length=64)]


class WebhookIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint as it shall be.

    Attributes:
        url: Where it is: https, without user and fragment.
        topics: What it is told of, as `product.updated`; everything where there are none.
        note: What it is, for people.
        status: `paused`: it is told of nothing.
    """

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    topics: Annotated[list[Topic], Meta(max_length=50)] = []
    note: Annotated[str, Meta(max_length=500)] = ""
    status: WebhookStatus = WebhookStatus.ACTIVE


class WebhookOut(Struct, frozen=True, kw_only=True):
    """An endpoint.

    Attributes:
        id: Names it.
        href: Where it is shown.
        deliveries: Where what was told it is listed.
        revision: Counts its changes.
        url: Where it is.
        topics: What it is told of; everything where there are none.
        note: What it is.
        status: Whether it is told anything; `gone`: it answered 410.
        secret: The new secret, in the answer that made it only.
        secret_count: How many sign: two while it changes over.
        by: Who made it.
        created: When.
        updated: When anything of it changed.
    """

    id: str
    href: str
    deliveries: str
    revision: int
    url: str
    topics: list[str]
    note: str
    status: WebhookStatus
    secret: str | None
    secret_count: int
    by: str
    created: datetime
    updated: datetime


class WebhookList(Struct, frozen=True, kw_only=True):
    """All endpoints, oldest first."""

    webhooks: list[WebhookOut]


class DeliveryOut(Struct, frozen=True, kw_only=True):
    """One event for one endpoint.

    Attributes:
        id: Names it.
        event: `webhook-id` of its request.
        topic: Of the event.
        body: What is sent.
        status: What came of it.
        tries: Oldest first.
        created: When the event was found to be for it.
        updated: When it was last tried.
    """

    id: str
    event: str
    topic: str
    body: str
    status: DeliveryStatus
    tries: list[Try]
    created: datetime
    updated: datetime


class DeliveryList(Struct, frozen=True, kw_only=True):
    """A page of deliveries.

    Attributes:
        deliveries: Newest first.
        next: The page behind it; None at the end.
    """

    deliveries: list[DeliveryOut]
    next: str | None


def describe_webhook(webhook: Webhook, public_url: str, *, is_new: bool = False) -> WebhookOut:
    """Return an endpoint as it is shown; with its newest secret where that was just made."""
    href = f"{public_url}/v1/webhooks/{webhook.id}"
    return WebhookOut(
        id=webhook.id,
        href=href,
        deliveries=f"{href}/deliveries",
        revision=webhook.revision,
        url=webhook.url,
        topics=list(webhook.topics),
        note=webhook.note,
        status=webhook.status,
        secret=webhook.secrets[0] if is_new else None,
        secret_count=len(webhook.secrets),
        by=webhook.by,
        created=webhook.created,
        updated=webhook.updated,
    )


def describe_delivery(delivery: Delivery) -> DeliveryOut:
    """Return a delivery as it is shown."""
    return DeliveryOut(
        id=delivery.id,
        event=f"msg_{delivery.event}",
        topic=delivery.topic,
        body=delivery.body,
        status=delivery.status,
        tries=list(delivery.tries),
        created=delivery.created,
        updated=delivery.updated,
    )
