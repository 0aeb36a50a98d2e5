"""Whatever becomes of a child process, its parent gets a value or an error, in time."""

import asyncio
import os
from pathlib import Path

import pytest

from render_service.adapters.child_process import run_in_child
from render_service.errors import ChildFailed
from tests.servers import wait_until
from tests.workers import burning


def children():
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


async def test_what_the_work_returns_is_returned():
    assert await run_in_child(burning.burn, 0, limit_s=20) != os.getpid()


async def test_what_the_work_raises_is_raised():
    with pytest.raises(ValueError, match="no such stone"):
        await run_in_child(burning.fail, "no such stone", limit_s=20)


async def test_work_that_takes_too_long_is_killed():
    before = children()
    with pytest.raises(ChildFailed, match=r"it took longer than 0\.5 s"):
        await run_in_child(burning.burn, 60, limit_s=0.5)
    assert children() == before


async def test_work_that_is_cancelled_is_killed():
    before = children()
    task = asyncio.ensure_future(run_in_child(burning.burn, 60, limit_s=60))
    await asyncio.to_thread(wait_until, lambda: children() != before, children)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == before


async def test_work_that_wants_too_much_memory_fails_alone():
    with pytest.raises(MemoryError):
        await run_in_child(burning.take_memory, 2**31, limit_s=20, memory_bytes=2**30)


async def test_a_child_that_dies_is_told_of():
    with pytest.raises(ChildFailed, match="ended with status -6"):
        await run_in_child(burning.die, limit_s=20)


async def test_an_answer_that_cannot_be_handed_over_is_told_of():
    with pytest.raises(ChildFailed, match="cannot be handed over"):
        await run_in_child(burning.answer_with_what_cannot_be_handed_over, limit_s=20)
