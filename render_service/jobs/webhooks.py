"""Who is told of what happened: endpoints, and what came of each delivery.

The rule: a delivery is signed as Standard Webhooks has it, over the very bytes that are sent, by
every live secret; a receiver knows it by `webhook-id`, which is the same whenever it is sent again.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from render_service.errors import DatabaseUnavailable, UnknownWebhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what secrets begin with
SECRET_BYTES: Final = 32
"""Standard Webhooks takes 24 to 64."""


class WebhookStatus(StrEnum):
    """Whether an endpoint is told anything."""

    ACTIVE = "active"
    PAUSED = "paused"
    """What happens meanwhile is not told, neither now nor later."""
    GONE = "gone"
    """It answered 410: as paused, until somebody says otherwise."""


class Webhook(Struct, frozen=True, kw_only=True):
    """An endpoint.

    Attributes:
        id: A UUID.
        revision: Counts its changes: its ETag.
        url: Where it is.
        topics: What it is told of; everything where there are none.
        note: What it is, for people.
        status: Whether it is told anything.
        secrets: Newest first, one or two.
        by: Who made it.
        created: When.
        updated: When anything of it changed.
    """

    id: str
    revision: int
    url: str
    topics: tuple[str, ...]
    note: str
    status: WebhookStatus
    secrets: tuple[str, ...]
    by: str
    created: datetime
    updated: datetime


class Wishes(Struct, frozen=True, kw_only=True):
    """What somebody wants of an endpoint; as in `Webhook`."""

    url: str
    topics: tuple[str, ...]
    note: str
    status: WebhookStatus


class DeliveryStatus(StrEnum):
    """What came of a delivery."""

    WAITING = "waiting"
    """It was not tried yet, or is to be tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It is not tried again unless somebody asks for it."""


class Try(Struct, frozen=True, kw_only=True):
    """One try to deliver.

    Attributes:
        at: When it began.
        took_ms: Until the answer, or until it was given up.
        status: HTTP status of the answer; None where there was none.
        said: The beginning of the answer, or why there was none.
    """

    at: datetime
    took_ms: int
    status: int | None
    said: str

    @property
    def is_success(self) -> bool:
        """Whether it was taken: 2xx, and nothing else; a redirect is a mistake of its owner's."""
        return self.status is not None and 200 <= self.status < 300


class Delivery(Struct, frozen=True, kw_only=True):
    """One event for one endpoint.

    Attributes:
        id: A UUID.
        webhook: The endpoint.
        event: The event: `webhook-id`.
        topic: Of the event.
        body: What is sent.
        status: What came of it.
        tries: Oldest first.
        created: When the event was found to be for it.
        updated: When it was last tried.
    """

    id: str
    webhook: str
    event: str
    topic: str
    body: str
    status: DeliveryStatus
    tries: tuple[Try, ...]
    created: datetime
    updated: datetime


class DeliveryPage(Struct, frozen=True, kw_only=True):
    """Some deliveries to an endpoint.

    Attributes:
        deliveries: Newest first.
        has_more: Whether there are older ones.
    """

    deliveries: list[Delivery]
    has_more: bool


# Litestar checks what it hands to handlers.
@runtime_checkable
class WebhookStore(Protocol):
    """Where endpoints and deliveries are kept.

    Each raises:
        DatabaseUnavailable: Nothing was looked up or changed.
        UnknownWebhook: There is no endpoint of that id.
    """

    async def make(self, wishes: Wishes, by: str) -> Webhook:
        """Make an endpoint, with a secret of its own."""
        ...

    async def get(self, webhook_id: str) -> Webhook:
        """Return an endpoint."""
        ...

    async def list_all(self) -> list[Webhook]:
        """Return all endpoints, oldest first."""
        ...

    async def write(self, webhook_id: str, revision: int | None, wishes: Wishes) -> Webhook:
        """Change an endpoint of that revision, or of whichever it has where that is None.

        Raises:
            WebhookMoved: It has another one.
        """
        ...

    async def drop(self, webhook_id: str, revision: int | None) -> None:
        """Forget an endpoint and its deliveries.

        Raises:
            WebhookMoved: It has another revision.
        """
        ...

    async def rotate(self, webhook_id: str) -> Webhook:
        """Give an endpoint a new secret; the newest before it counts beside it."""
        ...

    async def forget_old(self, webhook_id: str) -> Webhook:
        """Let only the newest secret count."""
        ...

    async def list_deliveries(
        self, webhook_id: str, limit: int, after: tuple[datetime, str] | None
    ) -> DeliveryPage:
        """Return a page of deliveries, behind the one of that time and id."""
        ...

    async def send_again(self, webhook_id: str, delivery_id: str, by: str) -> Delivery:
        """Have a delivery made again, as often as a new one is tried.

        Raises:
            UnknownDelivery: There is none of that id to that endpoint.
        """
        ...


class NoWebhooks:
    """Implements `WebhookStore` where there is no database."""

    async def make(self, wishes: Wishes, by: str) -> Webhook:
        raise DatabaseUnavailable(f"there is none to keep {wishes.url} of {by} in")

    async def get(self, webhook_id: str) -> Webhook:
        raise UnknownWebhook(webhook_id)

    async def list_all(self) -> list[Webhook]:
        return []

    async def write(self, webhook_id: str, revision: int | None, wishes: Wishes) -> Webhook:
        del revision, wishes
        raise UnknownWebhook(webhook_id)

    async def drop(self, webhook_id: str, revision: int | None) -> None:
        del revision
        raise UnknownWebhook(webhook_id)

    async def rotate(self, webhook_id: str) -> Webhook:
        raise UnknownWebhook(webhook_id)

    async def forget_old(self, webhook_id: str) -> Webhook:
        raise UnknownWebhook(webhook_id)

    async def list_deliveries(
        self, webhook_id: str, limit: int, after: tuple[datetime, str] | None
    ) -> DeliveryPage:
        del limit, after
        raise UnknownWebhook(webhook_id)

    async def send_again(self, webhook_id: str, delivery_id: str, by: str) -> Delivery:
        del delivery_id, by
        raise UnknownWebhook(webhook_id)


def new_secret() -> str:
    """Return a new secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature_headers(
    body: bytes, event_id: str, at_s: int, live_secrets: Sequence[str]
) -> Mapping[str, str]:
    """Return the headers that a delivery is known by.

    Args:
        body: What is sent.
        event_id: Of the event.
        at_s: When it is sent, Unix time in seconds.
        live_secrets: Each of which signs.

    Raises:
        ValueError: A secret is none.
    """
    signed = f"{event_id}.{at_s}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(one), signed, hashlib.sha256)).decode()
        for one in live_secrets
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("A secret of a webhook is not base64.") from error
