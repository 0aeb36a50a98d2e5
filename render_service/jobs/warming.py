"""Pictures drawn ahead, as an order: of one composition, for a while."""

from typing import Final

import msgspec
from msgspec import Struct

from render_service.jobs.model import Kind, Order

SECONDS: Final = 300
SECONDS_MAX: Final = 3600
"""Longer would keep a worker from what others order; ordered again, it goes on where it was."""


class WarmOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drawn ahead, as a job carries it.

    Attributes:
        composition: Its id.
        seconds: Nothing is begun after so long.
    """

    composition: str
    seconds: int


def order_warming(composition: str, seconds: int, by: str) -> Order:
    """Return the job; while one of that composition waits or runs, the same one is no other job."""
    payload = msgspec.to_builtins(WarmOrder(composition=composition, seconds=seconds))
    # Behind everything else that is drawn by jobs: nobody waits for it.
    return Order(kind=Kind.RENDER, payload=payload, by=by, key=composition, priority=9)
