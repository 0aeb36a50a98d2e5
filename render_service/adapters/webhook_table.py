"""Endpoints and deliveries in PostgreSQL.

The rule: which endpoints an event is for is decided once, in the transaction that takes it out of
the outbox; each gets one delivery of it, and each delivery one job.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.job_table import is_uuid, order
from render_service.adapters.outbox import Sent
from render_service.adapters.postgres import Database
from render_service.errors import UnknownDelivery, UnknownWebhook, WebhookMoved
from render_service.jobs.model import Kind, Order
from render_service.jobs.webhooks import (
    Delivery,
    DeliveryPage,
    Try,
    Webhook,
    WebhookStatus,
    Wishes,
    new_secret,
)

_WEBHOOK: Final = """id::text, revision, url, topics, note, status, secrets, made_by AS by,
    created_at AS created, updated_at AS updated"""
_DELIVERY: Final = """id::text, webhook::text, event::text, topic, body, status, tries,
    created_at AS created, updated_at AS updated"""

MAKE: Final = f"""
INSERT INTO shop.webhook (url, topics, note, status, secrets, made_by)
VALUES ($1, $2, $3, $4, ARRAY[$5], $6) RETURNING {_WEBHOOK}
"""  # noqa: S608  # words of our own

GET_WEBHOOK: Final = f"""
SELECT {_WEBHOOK} FROM shop.webhook WHERE id = $1::text::uuid
"""  # noqa: S608

LIST_WEBHOOKS: Final = f"""
SELECT {_WEBHOOK} FROM shop.webhook ORDER BY created_at, shop.webhook.id
"""  # noqa: S608

WRITE: Final = f"""
UPDATE shop.webhook SET url = $3, topics = $4, note = $5, status = $6, revision = revision + 1,
    updated_at = now()
WHERE id = $1::text::uuid AND ($2::bigint IS NULL OR revision = $2) RETURNING {_WEBHOOK}
"""  # noqa: S608

DROP: Final = """
DELETE FROM shop.webhook
WHERE id = $1::text::uuid AND ($2::bigint IS NULL OR revision = $2) RETURNING true
"""

ROTATE: Final = f"""
UPDATE shop.webhook SET secrets = ARRAY[$2::text, secrets[1]], revision = revision + 1,
    updated_at = now()
WHERE id = $1::text::uuid RETURNING {_WEBHOOK}
"""  # noqa: S608

FORGET: Final = f"""
UPDATE shop.webhook SET secrets = secrets[1:1], revision = revision + 1, updated_at = now()
WHERE id = $1::text::uuid RETURNING {_WEBHOOK}
"""  # noqa: S608

SPREAD: Final = """
INSERT INTO shop.delivery (webhook, event, topic, body)
SELECT id, $1::text::uuid, $2, $3 FROM shop.webhook
WHERE status = 'active' AND (topics = '{}' OR $2 = ANY (topics))
ON CONFLICT (webhook, event) DO NOTHING RETURNING id::text
"""

GET_DELIVERY: Final = f"""
SELECT {_DELIVERY} FROM shop.delivery WHERE id = $1::text::uuid
"""  # noqa: S608

LIST_DELIVERIES: Final = f"""
SELECT {_DELIVERY} FROM shop.delivery
WHERE webhook = $1::text::uuid
    AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text::uuid))
ORDER BY created_at DESC, shop.delivery.id DESC LIMIT $4
"""  # noqa: S608

NOTE_TRY: Final = """
UPDATE shop.delivery SET status = $2, tries = tries || $3::jsonb, updated_at = now()
WHERE id = $1::text::uuid
"""

SEND_AGAIN: Final = f"""
UPDATE shop.delivery SET status = 'waiting', updated_at = now()
WHERE id = $1::text::uuid AND webhook = $2::text::uuid RETURNING {_DELIVERY}
"""  # noqa: S608

CLOSE_WEBHOOK: Final = """
UPDATE shop.webhook SET status = 'gone', revision = revision + 1, updated_at = now()
WHERE id = $1::text::uuid AND status = 'active'
"""


async def spread(connection: Connection, events: Sequence[Sent]) -> None:
    """Order a delivery of each event to each endpoint that it is for."""
    for event in events:
        data = event.payload if isinstance(event.payload, dict) else {"value": event.payload}
        told = {"type": event.topic, "timestamp": event.at, "data": {"id": event.subject, **data}}
        body = msgspec.json.encode(told).decode()
        for row in await connection.fetch(SPREAD, event.id, event.topic, body):
            await order(connection, _job(row["id"], event.by))


async def note_try(connection: Connection, delivery: str, status: str, tried: Try) -> None:
    """Keep what came of a try, in the transaction of `connection`."""
    await connection.execute(NOTE_TRY, delivery, status, msgspec.json.encode([tried]).decode())


async def close_webhook(connection: Connection, webhook: str) -> None:
    """Tell an endpoint of nothing more: it said that it is gone."""
    await connection.execute(CLOSE_WEBHOOK, webhook)


class WebhookTable:
    """Implements `WebhookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, wishes: Wishes, by: str) -> Webhook:
        words = (wishes.url, list(wishes.topics), wishes.note, wishes.status, new_secret(), by)
        return _webhook(await self._write(MAKE, *words))

    async def get(self, webhook_id: str) -> Webhook:
        return _webhook(await self._read(GET_WEBHOOK, webhook_id))

    async def list_all(self) -> list[Webhook]:
        rows = await self._database.read(lambda connection: connection.fetch(LIST_WEBHOOKS))
        return [_webhook(row) for row in rows]

    async def write(self, webhook_id: str, revision: int | None, wishes: Wishes) -> Webhook:
        await self.get(webhook_id)
        words = (wishes.url, list(wishes.topics), wishes.note, wishes.status)
        row = await self._write(WRITE, webhook_id, revision, *words)
        if row is None:
            raise WebhookMoved(webhook_id, (await self.get(webhook_id)).revision)
        return _webhook(row)

    async def drop(self, webhook_id: str, revision: int | None) -> None:
        await self.get(webhook_id)
        if await self._write(DROP, webhook_id, revision) is None:
            raise WebhookMoved(webhook_id, (await self.get(webhook_id)).revision)

    async def rotate(self, webhook_id: str) -> Webhook:
        await self.get(webhook_id)
        return _webhook(await self._write(ROTATE, webhook_id, new_secret()))

    async def forget_old(self, webhook_id: str) -> Webhook:
        await self.get(webhook_id)
        return _webhook(await self._write(FORGET, webhook_id))

    async def get_delivery(self, delivery_id: str) -> Delivery:
        row = None
        if is_uuid(delivery_id):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET_DELIVERY, delivery_id)
            )
        if row is None:
            raise UnknownDelivery(delivery_id)
        return _delivery(row)

    async def list_deliveries(
        self, webhook_id: str, limit: int, after: tuple[datetime, str] | None
    ) -> DeliveryPage:
        await self.get(webhook_id)
        at, last = after or (None, None)
        rows = await self._database.read(
            lambda connection: connection.fetch(LIST_DELIVERIES, webhook_id, at, last, limit + 1)
        )
        return DeliveryPage(
            deliveries=[_delivery(row) for row in rows[:limit]], has_more=len(rows) > limit
        )

    async def send_again(self, webhook_id: str, delivery_id: str, by: str) -> Delivery:
        async def work(connection: Connection) -> Record | None:
            row = await connection.fetchrow(SEND_AGAIN, delivery_id, webhook_id)
            if row is not None:
                await order(connection, _job(delivery_id, by))
            return row

        await self.get(webhook_id)
        if not is_uuid(delivery_id):
            raise UnknownDelivery(delivery_id)
        row, _ = await self._database.write(work)
        if row is None:
            raise UnknownDelivery(delivery_id)
        return _delivery(row)

    async def _read(self, statement: str, webhook_id: str) -> Record:
        row = None
        if is_uuid(webhook_id):
            row = await self._database.read(
                lambda connection: connection.fetchrow(statement, webhook_id)
            )
        if row is None:
            raise UnknownWebhook(webhook_id)
        return row

    async def _write(self, statement: str, *words: object) -> Record | None:
        row, _ = await self._database.write(
            lambda connection: connection.fetchrow(statement, *words)
        )
        return row


def _job(delivery: str, by: str) -> Order:
    return Order(kind=Kind.DELIVER, payload={"delivery": delivery}, by=by, key=delivery)


def _webhook(row: Any) -> Webhook:  # noqa: ANN401  # a Record, which is untyped
    words = dict(row)
    return Webhook(
        **{
            **words,
            "topics": tuple(words["topics"]),
            "secrets": tuple(words["secrets"]),
            "status": WebhookStatus(words["status"]),
        }
    )


def _delivery(row: Record) -> Delivery:
    words = dict(row) | {"tries": msgspec.json.decode(row["tries"])}
    return msgspec.convert(words, Delivery)
