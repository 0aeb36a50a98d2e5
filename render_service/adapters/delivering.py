"""Handles jobs of `Kind.DELIVER`: one event, told to one endpoint, until it is taken.

The rule: an endpoint may hear of an event twice, where a worker dies between the answer and its
note, and knows it by its id; what is noted is noted once.
"""

import time
from typing import Final

from asyncpg import Connection

from render_service.adapters.postgres import Database
from render_service.adapters.webhook_sending import Sender
from render_service.adapters.webhook_table import WebhookTable, close_webhook, note_try
from render_service.errors import DeliveryFailed, UnknownDelivery, UnknownWebhook
from render_service.jobs.model import JSON
from render_service.jobs.ports import Task
from render_service.jobs.webhooks import (
    Delivery,
    DeliveryStatus,
    Try,
    WebhookStatus,
    signature_headers,
)

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0

DELIVERY_PAUSES_S: Final = (
    *(5.0, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S),
)
"""As Standard Webhooks suggests, to a day and a half: over a weekend's first half."""

_GONE: Final = 410
"""It is told of nothing more."""


class Delivering:
    """Delivers."""

    def __init__(self, database: Database, sender: Sender) -> None:
        self._database, self._sender = database, sender
        self._table = WebhookTable(database)

    async def handle(self, task: Task) -> JSON:
        """Deliver once; return what came of it.

        Raises:
            DeliveryFailed: It was not taken: it is to be tried again.
        """
        try:
            delivery = await self._table.get_delivery(task.job.payload["delivery"])
            webhook = await self._table.get(delivery.webhook)
        except (UnknownDelivery, UnknownWebhook):
            return {"skipped": "the endpoint was removed"}
        if webhook.status is not WebhookStatus.ACTIVE:
            await self._database.write(lambda c: c.execute(SKIP, delivery.id))
            return {"skipped": f"the endpoint is {webhook.status}"}
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "render-service",
            **signature_headers(body, f"msg_{delivery.event}", int(time.time()), webhook.secrets),
        }
        tried = await self._sender.send(webhook.url, body, headers)
        await self._note(task, delivery, tried)
        if not tried.is_success and tried.status != _GONE:
            raise DeliveryFailed(tried.status, tried.said)
        return {"status": tried.status, "took_ms": tried.took_ms}

    async def _note(self, task: Task, delivery: Delivery, tried: Try) -> None:
        is_last = tried.status == _GONE or task.job.failures >= len(DELIVERY_PAUSES_S)
        status = DeliveryStatus.FAILED if is_last else DeliveryStatus.WAITING
        if tried.is_success:
            status = DeliveryStatus.DELIVERED

        async def work(connection: Connection) -> None:
            if tried.is_success or tried.status == _GONE:
                await task.finish(connection, {"status": tried.status, "took_ms": tried.took_ms})
            else:
                await task.hold(connection)
            await note_try(connection, delivery.id, status, tried)
            if tried.status == _GONE:
                await close_webhook(connection, delivery.webhook)

        await self._database.write(work)


SKIP: Final = """
UPDATE shop.delivery SET status = 'failed', updated_at = now()
WHERE id = $1::text::uuid AND status = 'waiting'
"""
