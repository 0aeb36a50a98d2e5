"""Work that is heavy or dangerous, in a process of its own: bounded in time and memory, and killed.

The rule: the event loop only waits, so locks are renewed and requests answered meanwhile; whatever
becomes of the child, the parent gets a value or an error. Spawned, never forked: libvips hangs
after a fork. A child ends with its parent.
"""

import asyncio
import ctypes
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

from render_service.errors import ChildFailed

_T = TypeVar("_T")

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies, however it dies."""

_SAID_MAX: Final = 2000
"""Bytes of what a child says on its way out that are told."""


async def run_in_child(
    work: Callable[..., _T], *words: object, limit_s: float, memory_bytes: int | None = None
) -> _T:
    """Return what `work(*words)` returns in a process of its own.

    Cancelled, it kills the child.

    Args:
        work: A function of a module; it, its arguments and what it returns can be pickled.
        words: Its arguments.
        limit_s: The child is killed after so long.
        memory_bytes: The address space that it may have; None leaves it unbounded.

    Raises:
        ChildFailed: It took too long, was killed, or ended otherwise than by returning.
        Exception: Whatever `work` raises.
    """
    order = pickle.dumps((work, words, memory_bytes))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *["-c", f"from {__name__} import answer; answer()"],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(limit_s):
            answer, said = await child.communicate(order)
    except TimeoutError as error:
        raise ChildFailed(f"it took longer than {limit_s:g} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not answer:
        last = said[-_SAID_MAX:].decode(errors="replace").strip()
        raise ChildFailed(f"its process ended with status {child.returncode}. {last}".strip())
    value, raised = pickle.loads(answer)  # noqa: S301  # of a process of our own
    if raised is not None:
        raise raised
    return value  # type: ignore[no-any-return]


def answer() -> None:
    """Do what standard input says, and answer on standard output: the program of a child."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Ctrl-C in a terminal reaches everyone in the foreground: whether this ends, the parent says.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work, words, memory_bytes = pickle.load(sys.stdin.buffer)  # noqa: S301  # of our parent
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # What the work prints is no part of the answer.
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    value: Any = None
    error: Exception | None = None
    try:
        value = work(*words)
    except Exception as raised:  # whatever it is, it is the parent's
        error = raised
    out.write(_packed(value, error))
    out.flush()


def _packed(value: object, error: Exception | None) -> bytes:
    """Pickle an answer; of one that cannot be, what it says."""
    try:
        packed = pickle.dumps((value, error))
        pickle.loads(packed)  # noqa: S301  # our own bytes
    except Exception as failed:
        told = ChildFailed(f"its answer cannot be handed over: {error or failed}")
        return pickle.dumps((None, told))
    return packed
