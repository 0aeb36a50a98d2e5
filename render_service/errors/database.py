"""Errors of the database: pictures need none of it, so these end requests of the product API only.

Each says whether anything was changed, and whether it is worth asking again.
"""

from collections.abc import Sequence

from render_service.errors.root import RenderServiceError


class DatabaseUnavailable(RenderServiceError):
    """No server of the database answers in time; nothing was changed.

    Attributes:
        reason: What was found: for the log, as it may name hosts and users.
        retry_after_s: Seconds after which it is worth asking again.
    """

    def __init__(self, reason: str, retry_after_s: int = 2) -> None:
        super().__init__("The database cannot be used at the moment.")
        self.reason, self.retry_after_s = reason, retry_after_s


class DatabaseMissing(RenderServiceError):
    """The service was given no database, so there is nothing to write to."""

    def __init__(self) -> None:
        super().__init__("This service has no database: nothing can be kept (RENDER_DATABASE_URL).")


class OutcomeUnknown(RenderServiceError):
    """The connection broke while a change was being kept: it may be there or not."""

    def __init__(self) -> None:
        super().__init__(
            "The connection to the database broke while the change was being kept: it may have "
            "been made. Look before it is made again."
        )


class SchemaBehind(RenderServiceError):
    """The database lacks migrations that this program was written for.

    Attributes:
        lacking: Their names, in order.
    """

    def __init__(self, lacking: Sequence[str]) -> None:
        super().__init__(
            f"The database lacks the migrations {', '.join(lacking)}: run `render-service migrate`."
        )
        self.lacking = tuple(lacking)


class MigrationFailed(RenderServiceError):
    """A migration could not be applied; those before it were, and nothing of it was kept.

    Args:
        name: The migration.
        reason: What the database said.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The migration {name} was not applied: {reason.rstrip('.')}.")
        self.name, self.reason = name, reason
