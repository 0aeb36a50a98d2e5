"""What happens is told to who wants to know: signed, once noted, again until it is taken."""

import json

import msgspec
import pytest
from standardwebhooks import Webhook as Verifier

from render_service.adapters.outbox import announce
from render_service.adapters.webhook_table import WebhookTable
from render_service.jobs.model import Event, Status
from render_service.jobs.ports import Wanted
from render_service.jobs.webhooks import DeliveryStatus, WebhookStatus, Wishes
from tests.workers.conftest import until
from tests.workers.receiver import Receiver

WORK = ("-m", "render_service", "work")


@pytest.fixture
def receiver():
    with Receiver().run() as receiver:
        yield receiver


@pytest.fixture
def webhooks(database):
    return WebhookTable(database)


@pytest.fixture
def telling(workers):
    """A worker as it is run, that may tell of events on loopback."""
    workers.set(webhook_networks="127.0.0.0/8")
    workers.start(WORK)
    return workers


def wishes(url, *topics, status=WebhookStatus.ACTIVE):
    return Wishes(url=url, topics=topics, note="", status=status)


async def happen(database, topic="product.updated", **payload):
    event = Event(topic=topic, subject="ring", payload=payload, by="anna")
    made, _ = await database.write(lambda connection: announce(connection, event))
    return made


async def deliveries(webhooks, webhook):
    return (await webhooks.list_deliveries(webhook.id, 100, None)).deliveries


def all_are(webhooks, webhook, status, count=1):
    async def holds():
        found = await deliveries(webhooks, webhook)
        return [one.status for one in found] == [status] * count

    return holds


async def test_an_event_is_told_and_signed_by_both_secrets(telling, webhooks, receiver, database):
    first = await webhooks.make(wishes(receiver.url), "root")
    second = await webhooks.rotate(first.id)
    event = await happen(database, revision=3)
    await until(all_are(webhooks, first, DeliveryStatus.DELIVERED), telling)

    ((_, headers, body),) = receiver.received

    told = json.loads(body)
    assert (told["type"], told["data"]) == ("product.updated", {"id": "ring", "revision": 3})
    assert headers["webhook-id"] == f"msg_{event}"
    for secret in (first.secrets[0], second.secrets[0]):
        assert Verifier(secret).verify(body, headers) == told


async def test_only_what_is_asked_for_is_told(telling, webhooks, receiver, database):
    all_ = await webhooks.make(wishes(f"{receiver.url}/all"), "root")
    some = await webhooks.make(wishes(f"{receiver.url}/some", "release.published"), "root")
    paused = await webhooks.make(
        wishes(f"{receiver.url}/paused", status=WebhookStatus.PAUSED), "root"
    )
    await happen(database)
    await happen(database, "release.published")
    await until(all_are(webhooks, all_, DeliveryStatus.DELIVERED, 2), telling)
    await until(all_are(webhooks, some, DeliveryStatus.DELIVERED), telling)

    told = sorted((path, msgspec.json.decode(body)["type"]) for path, _, body in receiver.received)

    assert told == [
        ("/hook/all", "product.updated"),
        ("/hook/all", "release.published"),
        ("/hook/some", "release.published"),
    ]
    assert await deliveries(webhooks, paused) == []


async def test_what_is_not_taken_is_told_again_under_the_same_id(
    telling, webhooks, receiver, database
):
    receiver.answers, receiver.body = [503], b"not now"
    webhook = await webhooks.make(wishes(receiver.url), "root")
    await happen(database)
    await until(all_are(webhooks, webhook, DeliveryStatus.DELIVERED), telling)

    (delivery,) = await deliveries(webhooks, webhook)

    assert [(tried.status, tried.said) for tried in delivery.tries] == [
        (503, "not now"),
        (200, "not now"),
    ]
    ids = [headers["webhook-id"] for _, headers, _ in receiver.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_who_is_gone_is_told_nothing_more(telling, webhooks, receiver, database, jobs):
    receiver.answers = [410]
    webhook = await webhooks.make(wishes(receiver.url), "root")
    await happen(database)
    await until(all_are(webhooks, webhook, DeliveryStatus.FAILED), telling)
    assert (await webhooks.get(webhook.id)).status is WebhookStatus.GONE

    other = await webhooks.make(wishes(receiver.url), "root")
    await happen(database)
    await until(all_are(webhooks, other, DeliveryStatus.DELIVERED), telling)

    assert len(await deliveries(webhooks, webhook)) == 1
    assert {job.status for job in (await jobs.list_jobs(Wanted(limit=9))).jobs} == {Status.DONE}


async def test_what_was_told_is_told_again_when_somebody_asks(
    telling, webhooks, receiver, database
):
    webhook = await webhooks.make(wishes(receiver.url), "root")
    await happen(database)
    await until(all_are(webhooks, webhook, DeliveryStatus.DELIVERED), telling)
    (delivery,) = await deliveries(webhooks, webhook)

    again = await webhooks.send_again(webhook.id, delivery.id, "root")
    assert again.status is DeliveryStatus.WAITING
    await until(all_are(webhooks, webhook, DeliveryStatus.DELIVERED), telling)

    (first, _, one), (second, _, two) = receiver.received
    assert (first, one) == (second, two)


async def test_a_worker_tells_nobody_on_this_machine_unless_it_may(
    workers, webhooks, receiver, database
):
    workers.start(WORK)
    webhook = await webhooks.make(wishes(receiver.url), "root")
    await happen(database)

    async def tried():
        found = await deliveries(webhooks, webhook)
        return found != [] and found[0].tries != ()

    await until(tried, workers)

    (delivery,) = await deliveries(webhooks, webhook)
    assert delivery.status is DeliveryStatus.WAITING
    assert "not public" in delivery.tries[0].said
    assert receiver.received == []
