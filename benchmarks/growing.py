"""Catalogues of any number of compositions, each with layer files of its own.

The rule: compositions are alike in everything but their names and the digests of their files, so
that what differs between two catalogues is how many there are.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.soak.catalogue import METALS
from benchmarks.soak.catalogue import write_catalogue as write_bars
from render_service.formats import Format
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path

WIDTH_PX: Final = 160
"""The smallest on the ladder: the larger the picture, the less a catalogue could add to it."""

VISITED: Final = 10
"""Compositions that are asked for, in every catalogue as many: what is at hand is alike."""

_END: Final = 12
"""Bytes of the chunk that ends a PNG."""


def write_catalogue(folder: Path, compositions: int) -> Path:
    """Write a catalogue of so many compositions into `folder` and return it."""
    seed = write_bars(folder / "seed") / "bars"
    catalogue = folder / "catalogue"
    catalogue.mkdir()
    (folder / "seed" / "materials.toml").rename(catalogue / "materials.toml")
    definition = (seed / "composition.toml").read_bytes()
    bars = {name: (seed / name).read_bytes() for name in ("upper.png", "lower.png")}
    for number in range(compositions):
        own = catalogue / _name(number)
        own.mkdir()
        (own / "composition.toml").write_bytes(definition)
        for name, data in bars.items():
            (own / name).write_bytes(_signed(data, number))
    return catalogue


def distinct_paths(planner: Planner, compositions: int) -> Iterator[str]:
    """Yield paths of pictures that share no plan, of `VISITED` compositions spread over all."""
    for upper, lower in itertools.product(range(METALS), repeat=2):
        for visited in range(VISITED):
            request = RenderRequest(
                composition=_name(visited * compositions // VISITED),
                view="front",
                region=None,
                selection=(("upper", f"metal-{upper}"), ("lower", f"metal-{lower}")),
                width_px=160,
                format=Format.WEBP,
            )
            yield build_image_path(planner.plan(request).image)


def _name(number: int) -> str:
    return f"bars-{number}"


def _signed(png: bytes, number: int) -> bytes:
    """The same picture with a comment of its own, and so another digest."""
    body = b"tEXtComment\0" + str(number).encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:-_END] + chunk + png[-_END:]
