"""How many visitors there are at a moment of a run: load shapes, by name.

The rule: a shape is a function of the share of the run that is over, so every shape fits any run
time and any number of users, and at least one user is there until the end.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

RAMP_SHARE: Final = 0.8
"""A ramp has all its users after this share of the run; the rest of it is at the full number."""

SPIKE_BASE: Final = 0.1
"""Users around a spike, of all: tenfold traffic is what a newsletter is feared for. Assumed."""


class Crowd(Struct, frozen=True, kw_only=True):
    """What is wanted at a moment.

    Attributes:
        users: How many are there, 1 or more.
        per_s: How many come or go each second until then.
    """

    users: int
    per_s: float


def _steady(share: float, users: int, run_s: float) -> Crowd:
    # All within a twentieth of the run, a second at least: a herd is a scenario of its own.
    return Crowd(users=users, per_s=users / max(1.0, run_s / 20))


def _ramp(share: float, users: int, run_s: float) -> Crowd:
    there = max(1, round(users * min(1.0, share / RAMP_SHARE)))
    return Crowd(users=there, per_s=max(1.0, users / (run_s * RAMP_SHARE)))


def _spike(share: float, users: int, run_s: float) -> Crowd:
    if 1 / 3 <= share < 2 / 3:
        return Crowd(users=users, per_s=users)
    return Crowd(users=max(1, round(users * SPIKE_BASE)), per_s=users)


SHAPES: Final[Mapping[str, Callable[[float, int, float], Crowd]]] = {
    "steady": _steady,
    "ramp": _ramp,
    "spike": _spike,
}
"""Name → (share of the run that is over, users at most, seconds of the run) → who is there."""


def crowd_at(shape: str, at_s: float, users: int, run_s: float) -> Crowd | None:
    """Return who is to be there `at_s` seconds into a run; None once it is over.

    Args:
        shape: One of `SHAPES`.
        at_s: Since the run began.
        users: At most, 1 or more.
        run_s: Length of the run, more than 0.
    """
    if at_s >= run_s:
        return None
    return SHAPES[shape](at_s / run_s, users, run_s)
