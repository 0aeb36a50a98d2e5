"""Who does which jobs: the one place where a kind of job meets its handler.

A kind that has none here is not taken from the queue: its jobs wait for a worker that knows it.
"""

from collections.abc import Mapping
from typing import Final

from render_service.adapters.delivering import DELIVERY_PAUSES_S, Delivering
from render_service.adapters.mailing import Mailing
from render_service.adapters.postgres import Database
from render_service.adapters.tidying import Tidying
from render_service.adapters.upload_table import UploadRows
from render_service.adapters.webhook_sending import TIMEOUT_S, Sender, parse_networks
from render_service.assets.uploads import Uploads
from render_service.errors import InvalidSetting
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind
from render_service.settings import Settings
from render_service.wiring.uploading import build_ingest, build_photos, build_quarantine

TIMES: Final[Mapping[Kind, str]] = {Kind.TIDY: "17 * * * *"}
"""What the clock orders, as cron writes it, in UTC: tidying at 17 minutes past each hour, when few
others begin anything."""

_DELIVER_S: Final = 2 * TIMEOUT_S
"""Of which the endpoint may take half."""

_DELIVERIES: Final = 8
"""At once: they wait for strangers, and one that is slow holds up seven at the most."""

_TIDY_S: Final = 600.0
"""A million rows, a thousand at a time, take some 100 s."""

_INGEST_S: Final = 300.0
"""Three minutes of a check by the clock, and a file of 64 MiB read and put at 10 Mbit/s."""

MAIL: Final = "mail"
"""A folder under the data folder: of messages, where there is no server to send them."""

_MAIL_S: Final = 300.0
"""A handful of answers of a server, 30 s each at the most."""

_MAILS: Final = 4
"""At once: what a small mail server takes of one client."""

_MAIL_PAUSES_S: Final = (10.0, 300.0, 1800.0, 7200.0)
"""A server that puts off what it does not know (greylisting) takes it after five minutes, and one
that is down is up again within hours."""

_MEDIA_S: Final = 600.0
"""A master of 14 million pixels and its 33 pictures take a minute or two of a core."""


def build_doings(settings: Settings, database: Database) -> Mapping[Kind, Doing]:
    """Return how each kind of job is done by this process. Asks nobody yet."""
    sender = Sender(parse_networks(settings.webhook_networks))
    uploads = Uploads(
        UploadRows(database), build_quarantine(settings), bytes_max=settings.asset_bytes_max
    )
    return {
        Kind.DELIVER: Doing(
            handle=Delivering(database, sender).handle,
            limit_s=_DELIVER_S,
            at_once=_DELIVERIES,
            pauses_s=DELIVERY_PAUSES_S,
        ),
        Kind.TIDY: Doing(
            handle=Tidying(database, {"uploads": uploads.sweep}).handle, limit_s=_TIDY_S
        ),
        Kind.INGEST: Doing(handle=build_ingest(settings, database).handle, limit_s=_INGEST_S),
        Kind.MAIL: Doing(
            handle=Mailing(
                settings.smtp_url, sender=settings.mail_from, folder=settings.data / MAIL
            ).handle,
            limit_s=_MAIL_S,
            at_once=_MAILS,
            pauses_s=_MAIL_PAUSES_S,
        ),
        Kind.MEDIA: Doing(handle=build_photos(settings, database).handle, limit_s=_MEDIA_S),
    }


def queue_url(settings: Settings) -> str:
    """Return where the queue is.

    Raises:
        InvalidSetting: Nowhere.
    """
    if not (settings.queue_url or settings.redis_url):
        raise InvalidSetting(
            "Background work needs a queue: RENDER_QUEUE_URL or RENDER_REDIS_URL, a Redis or "
            "Valkey; RENDER_REDIS_URL=embedded brings one along."
        )
    return settings.queue_url or settings.redis_url
