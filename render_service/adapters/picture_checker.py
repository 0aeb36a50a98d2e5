"""Files of strangers, opened in a process of their own that may die of them.

The rule: whatever the process does (crash, hang, eat memory) is an answer about the file and never
an accident of ours; it is ended by its own id, and waited for, before anybody is told.
"""

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

import msgspec
from msgspec import Struct

from render_service.adapters.picture_child import (
    MAGIC,
    Answer,
    MasterMade,
    Passed,
    Refused,
    Task,
    What,
)
from render_service.assets.model import Announced, Asset, AssetKind, Facts, Focus, MediaType
from render_service.assets.photos import Made
from render_service.errors import FileRefused, RefusedFor, RenderFailed
from render_service.pixels.limits import DecodeLimits

COMMAND: tuple[str, ...] = ("-P", "-m", "render_service.adapters.picture_child")
"""Words of Python that run the process: `-P`, so that no file in the working folder is imported."""

_OVERHEAD_BYTES: Final = 512 * 2**20
"""Address space before a picture is opened: Python, libvips and numpy have mapped 130 MB, coders
map their threads' stacks (8 MB each) and arenas."""

_BYTES_A_PIXEL: Final = 40
"""At the limit of pixels: 8 of sixteen-bit RGBA as decoded, as light, as an array, associated (in
32 bits), and once more where a coder keeps the whole picture."""

_PASSED_ON: Final = (
    "PATH",
    "PYTHONPATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
"""What of the environment the process gets: no secret is ever among it."""


class Bounds(Struct, frozen=True, kw_only=True):
    """What a process may take.

    Attributes:
        decode: Of the file, held against its header.
        width_max_px: The widest picture on offer.
        pixels_max: Of the largest canvas.
        processor_s: Of processor time, in seconds: an AVIF of 100 million pixels takes 20.
        wall_s: From its start to its answer, in seconds: on a machine that is busy.
    """

    decode: DecodeLimits
    width_max_px: int
    pixels_max: int
    processor_s: int = 60
    wall_s: float = 180.0


class PictureChecker:
    """Opens files in processes of their own, a few at a time.

    Args:
        bounds: Of each.
        at_once: How many there may be.
    """

    def __init__(self, bounds: Bounds, *, at_once: int = 1) -> None:
        self._bounds, self._room = bounds, asyncio.Semaphore(at_once)

    async def check(self, announced: Announced, data: bytes) -> Facts:
        """Return what a file is that can be kept.

        Raises:
            FileRefused: It cannot be; says why.
        """
        answer = await self._ask("check", announced.kind, announced.media_type, data)
        if not isinstance(answer, Passed):
            raise RenderFailed("The process that checks files answered something else.")
        return msgspec.convert(
            msgspec.to_builtins(answer.header) | {"media_type": announced.media_type}, Facts
        )

    async def make(self, asset: Asset, data: bytes) -> Made:
        """Return a photograph made ready.

        Raises:
            FileRefused: It cannot be made.
        """
        answer = await self._ask("master", AssetKind.PHOTO, asset.facts.media_type, data)
        if not isinstance(answer, MasterMade):
            raise RenderFailed("The process that makes masters answered something else.")
        master = answer.master
        return Made(
            data=master.data,
            width_px=master.width_px,
            height_px=master.height_px,
            alpha=master.alpha,
            placeholder=answer.placeholder,
            colour=master.colour,
            focus=Focus(x=master.focus[0], y=master.focus[1]),
        )

    async def _ask(self, what: What, kind: AssetKind, media_type: MediaType, data: bytes) -> Answer:
        bounds = self._bounds
        task = msgspec.msgpack.encode(
            Task(
                what=what,
                kind=kind,
                media_type=media_type,
                limits=bounds.decode,
                width_max_px=bounds.width_max_px,
                pixels_max=bounds.pixels_max,
                memory_bytes=_memory_bytes(bounds.decode),
                processor_s=bounds.processor_s,
            )
        )
        async with self._room:
            said = await self._run(len(task).to_bytes(4, "big") + task + data)
        answer: Answer = msgspec.msgpack.decode(said, type=Answer)
        if isinstance(answer, Refused):
            raise FileRefused(answer.reason, answer.explanation)
        return answer

    async def _run(self, sent: bytes) -> bytes:
        """Return what a process of its own answers to what is sent."""
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, *COMMAND],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._bounds.wall_s):
                said, _ = await process.communicate(sent)
        except TimeoutError as error:
            raise _too_much("opening it takes longer than it may") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == -signal.SIGXCPU:
            raise _too_much("opening it takes longer than it may")
        head, found, answer = said.rpartition(MAGIC)
        if process.returncode or not found or head:
            raise _too_much("the program that opens it broke down over it")
        return answer


def _memory_bytes(limits: DecodeLimits) -> int:
    return _OVERHEAD_BYTES + limits.max_bytes * 3 + limits.max_pixels * _BYTES_A_PIXEL


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # One thread and one arena: address space is bounded, and a check is in no hurry.
    return kept | {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}


def _too_much(what: str) -> FileRefused:
    return FileRefused(
        RefusedFor.TOO_MUCH,
        f"It cannot be opened within bounds: {what}. Export it anew, in another program if need "
        "be.",
    )
