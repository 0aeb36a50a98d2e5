"""Stopping without cutting anyone off: readiness fails first, the server stops a while later.

A signal is sent to a process, so `stopping` is the one thing here that belongs to the process: set
once by the handler of the signal, read by readiness and by the front door.
"""

import asyncio
import signal
from threading import Event
from types import FrameType
from typing import Final

stopping: Final = Event()
"""Set from the moment the process was asked to stop."""


def announce_stop(drain_s: float) -> None:
    """From now on SIGTERM sets `stopping` at once, and reaches the server `drain_s` later.

    In between a load balancer sees readiness fail and sends new requests elsewhere; connections
    are still accepted and answered, and told to close. Call it on the event loop in the main
    thread, where the server has installed its own handler; without one nothing is changed.
    """
    handle = signal.getsignal(signal.SIGTERM)
    if not callable(handle):
        return
    loop = asyncio.get_running_loop()

    def announce(number: int, frame: FrameType | None) -> None:
        if not stopping.is_set():
            stopping.set()
            loop.call_soon_threadsafe(loop.call_later, drain_s, handle, number, None)

    signal.signal(signal.SIGTERM, announce)
