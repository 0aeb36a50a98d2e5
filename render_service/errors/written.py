"""Errors of writes: what a caller believed of a thing is not so, or a key means something else.

Each says what there is now, so that who asked can look, and ask again.
"""

from render_service.errors.root import RenderServiceError


class WriteRefused(RenderServiceError):
    """Nothing was changed: the request stands on something that is not so."""


class PreconditionMissing(WriteRefused):
    """A change was asked for without saying of what.

    Args:
        creates: Whether the route makes what is not there, too.
    """

    def __init__(self, *, creates: bool) -> None:
        new = " or `If-None-Match: *` for one that is not there yet" if creates else ""
        super().__init__(f"Send `If-Match` with the ETag of what is to be changed{new}.")


class ChangedMeanwhile(WriteRefused):
    """The thing is not what the caller believed it to be.

    Args:
        what: The thing, as `The product ring-1`.
        etag: What it is now; None where it is not there.
    """

    def __init__(self, what: str, etag: str | None) -> None:
        found = f"is at {etag} now" if etag else "is not there"
        super().__init__(f"{what} {found}; read it, and ask again.", etag=etag)
        self.etag = etag


class ProductExists(WriteRefused):
    """A product of that id is there already.

    Args:
        product: Its id.
        revision: What it is now.
    """

    def __init__(self, product: str, revision: int) -> None:
        super().__init__(
            f"There is a product {product} already, at revision {revision}; change it by PUT.",
            product=product,
            revision=revision,
        )


class KeyReused(WriteRefused):
    """An Idempotency-Key stands for another request already."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key[:80]!r} was used for another request within a day; a new "
            "request needs a new key.",
            key=key,
        )


class StillRunning(WriteRefused):
    """The request of an Idempotency-Key is being answered at this moment.

    Attributes:
        retry_after_s: Seconds after which it will have been answered.
    """

    retry_after_s = 1

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the Idempotency-Key {key[:80]!r} is still running; ask again.", key=key
        )
