"""Errors of webhooks: each names the endpoint, and what there is to do about it."""

from render_service.errors.asked import NotFound
from render_service.errors.root import RenderServiceError


class UnknownWebhook(NotFound):
    """There is no endpoint of that id."""

    def __init__(self, webhook: str) -> None:
        super().__init__(f"There is no webhook {webhook[:80]!r}.", webhook=webhook[:200])


class UnknownDelivery(NotFound):
    """There is no delivery of that id to that endpoint; old ones are removed."""

    def __init__(self, delivery: str) -> None:
        super().__init__(
            f"There is no delivery {delivery[:80]!r}; they are kept for a while only.",
            delivery=delivery[:200],
        )


class WebhookMoved(RenderServiceError):
    """Somebody else changed the endpoint first; nothing of this change was kept."""

    def __init__(self, webhook: str, revision: int) -> None:
        super().__init__(
            f"The webhook {webhook} has revision {revision} by now; read it again.",
            revision=revision,
        )


class DeliveryFailed(RenderServiceError):
    """An endpoint did not take what it was told; it is told again."""

    def __init__(self, status: int | None, said: str) -> None:
        told = f"it answered {status}" if status is not None else said
        super().__init__(f"The endpoint did not take it: {told}.")
