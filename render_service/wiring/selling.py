"""What sells: products, prices and quotes, and the database they are kept in.

Building asks nobody: a service starts while its database is away.
"""

from typing import Final

from msgspec import Struct

from render_service.adapters.job_table import JobTable
from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits as DatabaseLimits
from render_service.adapters.product_desk import Desk
from render_service.adapters.product_table import ProductTable
from render_service.adapters.webhook_table import WebhookTable
from render_service.auth.tokens import Tokens, parse_tokens
from render_service.errors import DatabaseMissing, InvalidSetting
from render_service.jobs.ports import JobStore, NoJobs
from render_service.jobs.webhooks import NoWebhooks, WebhookStore
from render_service.planning.signatures import parse_keys
from render_service.products.ports import NoProducts
from render_service.products.quotes import QuoteSigner
from render_service.products.shop import Shop
from render_service.settings import Settings

QUOTE_AUDIENCE: Final = "shop"
"""Whom quotes are for, `aud` of their tokens."""


class Selling(Struct, frozen=True, kw_only=True):
    """What sells: the shop, who may write, and the database behind it, closed with the service.

    Attributes:
        shop: Products, prices and quotes.
        tokens: Of programs that may write.
        jobs: Background work.
        webhooks: Who is told of what happens.
        database: None: there are no products.
    """

    shop: Shop
    tokens: Tokens
    jobs: JobStore
    webhooks: WebhookStore
    database: Database | None

    def open_desk(self) -> Desk:
        """Return who writes products and rates.

        Raises:
            DatabaseMissing: There is nothing to write to.
        """
        if self.database is None:
            raise DatabaseMissing
        return Desk(self.database)


def build_selling(settings: Settings) -> Selling:
    """Return what sells: nothing, where there is no database. Asks nobody yet.

    Raises:
        InvalidSetting: There is a database and no key for quotes, or a key or token is none.
    """
    database = build_database(settings) if settings.database_url else None
    keys = parse_keys(settings.signing_keys)
    if database is not None and not keys:
        raise InvalidSetting(
            "RENDER_SIGNING_KEYS is empty, and quotes need a key where there is a database; "
            "`render-service keys make` makes one."
        )
    shop = Shop(
        ProductTable(database) if database else NoProducts(),
        QuoteSigner(keys, issuer=settings.public_url or "render-service", audience=QUOTE_AUDIENCE),
        quote_s=settings.quote_s,
    )
    return Selling(
        shop=shop,
        tokens=build_tokens(settings),
        jobs=JobTable(database) if database else NoJobs(),
        webhooks=WebhookTable(database) if database else NoWebhooks(),
        database=database,
    )


def try_selling(settings: Settings) -> None:
    """See that what sells can be built.

    Raises:
        InvalidSetting: As `build_selling`.
    """
    build_selling(settings)


def build_database(settings: Settings) -> Database:
    """Return the database of products. Asks nobody yet."""
    limits = DatabaseLimits(
        connections=settings.database_connections,
        wait_s=settings.database_wait_s,
        statement_s=settings.database_statement_s,
    )
    return Database(settings.database_url, settings.database_replica_url, limits)


def build_tokens(settings: Settings) -> Tokens:
    """Return who may write.

    Raises:
        InvalidSetting: A token is none.
    """
    return Tokens(parse_tokens(settings.api_tokens))
