"""What the processes of a soak hold, time after time, and the verdict on it.

Its one rule: a sample is taken while nothing is asked, so that what is in flight is not mistaken
for what is kept. Memory is held against what it was after the first tenth, counts against the most
they were by then.
"""

import json
import time
import urllib.request
from collections.abc import Sequence
from typing import Final

import msgspec
import psutil
from msgspec import Struct

from benchmarks.soak.server import PATH, Inside

GROWTH: Final = 0.05
"""The goal of the soak: resident memory at the end within 5 % of what it was after a tenth."""

SLACK: Final = 8
"""Of files, connections, threads and tasks, for each process: the connections of the traffic to one
process; each may make the service open one more to Redis than it ever needed at once before."""

_SETTLES_S: Final = 0.2
_SETTLES_WITHIN_S: Final = 30.0
"""What is stored behind answers is stored soon, on a busy disk some seconds later; tasks that are
still there after half a minute are counted as kept."""

_AT_REST: Final = 8
"""Tasks of a service that nobody asks: the server, the lifespan, the census and its connection."""

COUNTED: Final = ("files", "connections", "threads", "tasks")


class Sample(Struct, frozen=True, kw_only=True):
    """All processes together, at one moment.

    Attributes:
        asked: Requests answered by then.
        rendered: Of these, drawn.
        memory_bytes: Resident memory.
        private_bytes: Of this, shared with no other process.
        files: Open descriptors.
        connections: Sockets of all kinds, listening ones included.
        threads: Threads of the operating system.
        tasks: asyncio tasks.
        objects: Objects that the garbage collector watches.
    """

    asked: int
    rendered: int
    memory_bytes: int
    private_bytes: int
    files: int
    connections: int
    threads: int
    tasks: int
    objects: int


def take_sample(ports: dict[int, psutil.Process], *, asked: int, rendered: int) -> Sample:
    """Count what the processes hold, by the port that each listens on. Blocks."""
    inside = [_settle(port) for port in ports]
    memory = [process.memory_full_info() for process in ports.values()]
    return Sample(
        asked=asked,
        rendered=rendered,
        memory_bytes=sum(one.rss for one in memory),
        private_bytes=sum(one.uss for one in memory),
        files=sum(process.num_fds() for process in ports.values()),
        connections=sum(len(process.net_connections("all")) for process in ports.values()),
        threads=sum(process.num_threads() for process in ports.values()),
        tasks=sum(one.tasks for one in inside),
        objects=sum(one.objects for one in inside),
    )


def judge(samples: Sequence[Sample], *, processes: int) -> list[str]:
    """Return what grew, a sentence each; nothing where all is flat.

    Args:
        samples: Evenly spread over the soak, the first of them before anything was asked.
        processes: How many the samples count together.
    """
    first_tenth = samples[1 : 1 + max(1, (len(samples) - 1) // 10)]
    warm, last = first_tenth[-1], samples[-1]
    grown: list[str] = []
    share = last.memory_bytes / warm.memory_bytes - 1
    if last.memory_bytes > round(warm.memory_bytes * (1 + GROWTH)):
        grown.append(
            f"Resident memory grew by {100 * share:.1f} % after the first tenth; "
            f"allowed are {100 * GROWTH:.0f} %."
        )
    for name in COUNTED:
        most = max(int(getattr(sample, name)) for sample in first_tenth)
        found = int(getattr(last, name))
        if found > most + SLACK * processes:
            grown.append(f"At the end there are {found} {name}; in the first tenth at most {most}.")
    return grown


def as_json(samples: Sequence[Sample]) -> list[dict[str, int]]:
    """Return the samples as what JSON knows."""
    found: list[dict[str, int]] = json.loads(msgspec.json.encode(samples))
    return found


def _settle(port: int) -> Inside:
    """Ask until two answers in a row have the same tasks, and no more than a service at rest."""
    deadline_s = time.monotonic() + _SETTLES_WITHIN_S
    found = _ask(port)
    while time.monotonic() < deadline_s:
        time.sleep(_SETTLES_S)
        before, found = found, _ask(port)
        if found.tasks == before.tasks and found.tasks <= _AT_REST:
            break
    return found


def _ask(port: int) -> Inside:
    # A connection of its own, closed by the end: the census counts what it opens itself.
    url = f"http://127.0.0.1:{port}{PATH}"
    with urllib.request.urlopen(url) as answer:  # a loopback address of our own
        return msgspec.json.decode(answer.read(), type=Inside)
