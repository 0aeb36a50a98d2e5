"""Asking that keeps a server busy: so many requests at once, each as soon as an answer is whole.

The rule: it asks every server in the same way, and an answer that is not 200 ends the benchmark.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator

from benchmarks.asking import Answer, Client


class Refused(Exception):
    """An answer that is not 200: figures with errors in them say nothing."""


async def ask_all(port: int, paths: Iterable[str], *, at_once: int = 1) -> list[Answer]:
    """Return the answers to `paths`, in the order in which they came.

    Raises:
        Refused: One is not 200.
    """
    answers: list[Answer] = []
    left = iter(paths)

    async def visit(client: Client) -> None:
        for path in left:
            answer = await _get(client, path)
            answers.append(answer)

    async with Client(port) as client, asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(visit(client))
    return answers


async def keep_busy(port: int, paths: Iterator[str], *, at_once: int, seconds: float) -> float:
    """Return the answers a second while `at_once` requests were always under way.

    Counted from the answer by which every first one could be there (the `at_once`-th) to the last
    one within `seconds` of it; at least twice `at_once` answers are waited for.

    Raises:
        Refused: An answer is not 200.
    """
    answered_s: list[float] = []

    def is_over() -> bool:
        if len(answered_s) < 3 * at_once:
            return False
        return time.perf_counter() - answered_s[at_once - 1] >= seconds

    async def visit(client: Client) -> None:
        while not is_over():
            await _get(client, next(paths))
            # What comes when the time is over came while fewer were under way.
            if not is_over():
                answered_s.append(time.perf_counter())

    async with Client(port) as client, asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(visit(client))
    counted = answered_s[at_once - 1 :]
    return (len(counted) - 1) / (counted[-1] - counted[0])


async def _get(client: Client, path: str) -> Answer:
    answer = await client.get(path)
    if answer.status != 200:
        raise Refused(f"{path}: {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer
