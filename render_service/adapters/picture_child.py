"""The process that opens what strangers sent: one file, one answer, within the kernel's bounds.

The rule: the bounds are set before the first byte of the file is read; the process has no secrets
in its environment, makes no files, and says what came of it on its standard output or dies trying.
Run as `python -m render_service.adapters.picture_child`.
"""

import resource
import sys
from typing import Annotated, BinaryIO, Final, Literal

import msgspec
from msgspec import Meta, Struct

from render_service.assets.containers import walk
from render_service.assets.model import AssetKind, MediaType
from render_service.errors import FileRefused, RefusedFor
from render_service.pixels.inspect import Header, inspect_layer, inspect_photo
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.photo import Master, make_master
from render_service.rendering.placeholders import make_placeholder

MAGIC: Final = b"picture-child 1\n"
"""In front of the answer: whatever a library prints is not taken for one."""


What = Literal["check", "master"]


class Task(Struct, frozen=True, kw_only=True):
    """What to do with the file that follows.

    Attributes:
        what: `check` it, or make the `master` of a photograph that passed.
        kind: What it is for.
        media_type: What it is said to be.
        limits: Bounds of its decoding.
        width_max_px: Of a master.
        pixels_max: Of a master.
        memory_bytes: Of this process's address space.
        processor_s: Of processor time.
    """

    what: What
    kind: AssetKind
    media_type: MediaType
    limits: DecodeLimits
    width_max_px: int
    pixels_max: int
    memory_bytes: Annotated[int, Meta(gt=0)]
    processor_s: Annotated[int, Meta(gt=0)]


class Refused(Struct, frozen=True, kw_only=True, tag=True):
    """The file is refused."""

    reason: RefusedFor
    explanation: str


class Passed(Struct, frozen=True, kw_only=True, tag=True):
    """The file passed its check."""

    header: Header


class MasterMade(Struct, frozen=True, kw_only=True, tag=True):
    """The master of a photograph, and its ThumbHash."""

    master: Master
    placeholder: str


Answer = Refused | Passed | MasterMade


def main() -> int:
    """Read a task and a file, answer, and return the exit status."""
    size = int.from_bytes(sys.stdin.buffer.read(4), "big")
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(size), type=Task)
    _bound(task)
    answer = _answer(task, sys.stdin.buffer)
    sys.stdout.buffer.write(MAGIC + msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()
    return 0


def _bound(task: Task) -> None:
    """Leave this process what the task may take: beyond, the kernel refuses or ends it."""
    for kind, most in (
        (resource.RLIMIT_AS, task.memory_bytes),
        (resource.RLIMIT_CPU, task.processor_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _answer(task: Task, stream: BinaryIO) -> Answer:
    data = stream.read()
    try:
        if task.what == "master":
            sizes = {"width_max_px": task.width_max_px, "pixels_max": task.pixels_max}
            master = make_master(data, task.limits, **sizes)
            return MasterMade(master=master, placeholder=make_placeholder(_Thumb(master.thumb)))
        walk(data, task.media_type)
        inspect = {AssetKind.LAYER: inspect_layer, AssetKind.PHOTO: inspect_photo}[task.kind]
        return Passed(header=inspect(data, task.limits))
    except FileRefused as error:
        return Refused(reason=error.reason, explanation=error.explanation)


class _Thumb:
    """A small picture as `make_placeholder` takes one."""

    def __init__(self, rows: list[list[list[int]]]) -> None:
        self._rows, self.shape = rows, (len(rows), len(rows[0]), 3)

    def tolist(self) -> list[list[list[int]]]:
        return self._rows


if __name__ == "__main__":
    sys.exit(main())
