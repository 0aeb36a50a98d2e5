"""A process beside ours that is started again when it dies, and asked to stop when we do.

The rule: it ends with us, however we end; and what dies at once again and again is given up, with
one line that says so.
"""

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

_log = logging.getLogger(__name__)

_AGAIN_AFTER_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)
"""As embedded servers are: ten times within two and a half minutes."""

_HEALTHY_AFTER_S: Final = 300.0
"""One that lived for so long begins anew: twice as long as all waits together."""

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies, however it dies."""

_libc: Final = ctypes.CDLL(None)


@contextmanager
def keep_process(
    name: str, command: Sequence[str], environment: Mapping[str, str], *, stop_s: float
) -> Iterator[None]:
    """Keep `command` running.

    Args:
        name: What people call it.
        command: Program and words.
        environment: All of its environment.
        stop_s: It has to end, once it is asked to; then it is killed.
    """
    keeper = _Keeper(name, command, environment)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop(stop_s)


class _Keeper(threading.Thread):
    """To the kernel this thread is the parent: as a daemon it lives until our process ends."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(name=f"{name}-keeper", daemon=True)
        self._what, self._command, self._environment = name, list(command), dict(environment)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        waits = iter(_AGAIN_AFTER_S)
        while not self._stopping.is_set():
            begun_s = time.monotonic()
            status = self._start().wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - begun_s > _HEALTHY_AFTER_S:
                waits = iter(_AGAIN_AFTER_S)
            if (wait_s := next(waits, None)) is None:
                _log.error("%s died again and again; going on without it", self._what)
                return
            _log.warning("%s died (status %d); started again in %g s", self._what, status, wait_s)
            self._stopping.wait(wait_s)

    def stop(self, stop_s: float) -> None:
        """Stop it, for good."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self.join(stop_s)
        if self.is_alive() and self._process is not None:
            _log.warning("%s did not stop when asked, and was killed", self._what)
            self._process.kill()
            self.join()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(  # noqa: S603  # our own words
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            # A session of its own: Ctrl-C in a terminal reaches everyone in the foreground, and
            # what is under way here has to be finished first.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        if self._stopping.is_set():
            self._process.terminate()
        return self._process


def _end_with_parent() -> None:
    # Runs in the new process, before the program: the one thing in it is a system call, which
    # takes no lock that a thread of the old process could hold.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def environment_with(variables: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with `variables` in it."""
    return {**os.environ, **variables}
