"""What changes of products and rates are told as: webhooks and an index outside are fed by these.

The rule: an event names a product and its revision, and carries nothing of it: whoever wants to
know reads it, and reads what it is then.
"""

from asyncpg import Connection

from render_service.adapters.outbox import announce
from render_service.jobs.model import Event
from render_service.products.ports import Stored

CREATED = "product.created"
UPDATED = "product.updated"
DELETED = "product.deleted"
RATES = "rates.updated"


async def tell_of(connection: Connection, topic: str, stored: Stored, by: str) -> None:
    """Keep the event of a product's change in the transaction of that change."""
    product = stored.product
    payload = {"id": product.id, "revision": stored.revision, "status": product.status.value}
    await announce(connection, Event(topic=topic, subject=product.id, payload=payload, by=by))


async def tell_of_rates(connection: Connection, changed: int, by: str) -> None:
    """Keep the event of a change of rates, of which no amount is told."""
    payload = {"changed": changed}
    await announce(connection, Event(topic=RATES, subject="rates", payload=payload, by=by))
