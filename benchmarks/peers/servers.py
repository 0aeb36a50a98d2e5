"""The peers as processes: how each is started, what it is asked, and why it is set as it is.

The rule: as many processes or threads as there are cores, encoders at the efforts that each has of
its own accord and at qualities that score like the service; nothing is cached but what the row
says. That the efforts are the service's own is a part of what is compared, so sharp runs at those
of the service, too: what is left there is the drawing alone.
"""

import contextlib
import ctypes.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.peers.art import Art, Configuration, file_names
from benchmarks.peers.install import NODE_HOME, PYTHON
from benchmarks.serving import Ready, free_port, run_command
from render_service.formats import Format
from render_service.pixels.encode import PROFILES

CORES: Final = len(os.sched_getaffinity(0))

_HERE: Final = Path(__file__).parent

WEBP: Final = PROFILES[Format.WEBP]
AVIF: Final = PROFILES[Format.AVIF]

# What sharp and Pillow document as their defaults. libvips' effort and libwebp's method are one
# number; libaom's speed is 9 less libvips' effort.
_WEBP_EFFORT: Final = 4
_SHARP_AVIF_EFFORT: Final = 4
_PILLOW_AVIF_SPEED: Final = 6


class Peer(NamedTuple):
    """A running peer.

    Attributes:
        port: It listens there, on 127.0.0.1.
        path: Configuration, side and file ending → what to ask it for.
        keeps: It keeps layers from one request to the next.
    """

    port: int
    path: Callable[[Configuration, int, str], str]
    keeps: bool = False


Profiles = Mapping[str, Mapping[str, int]]
"""Format → quality and effort, as sharp names them."""

Start = Callable[[Art, Path], contextlib.AbstractContextManager[Peer]]


def peers() -> dict[str, Start]:
    """Return how each peer is started, by name."""
    return {
        "sharp, layers decoded": lambda art, folder: _sharp(art, folder, "decode", _SHARP),
        "sharp, layers kept raw": lambda art, folder: _sharp(art, folder, "raw", _SHARP),
        "sharp, kept raw, our efforts": lambda art, folder: _sharp(art, folder, "raw", _OURS),
        "thumbor": _thumbor,
        "Pillow": _pillow,
    }


def settings() -> dict[str, str]:
    """Return every choice that was made for them, for the report."""
    return {
        "sharp": f"1 process, UV_THREADPOOL_SIZE {CORES}, concurrency 1, cache off, "
        f"{'jemalloc' if _jemalloc() else 'glibc malloc, jemalloc not found'}, "
        f"{_words(_SHARP)} 4:4:4 tune iq; our efforts: {_words(_OURS)}",
        "thumbor's own": f"{CORES} processes, file loader, no storage, five watermark filters with "
        f"ratios, WebP q{_PILLOW_WEBP_QUALITY} method {_WEBP_EFFORT}, AVIF "
        f"q{_THUMBOR_AVIF_QUALITY} speed {_PILLOW_AVIF_SPEED} by libaom",
        "Pillow's": f"gunicorn, {CORES} processes of 2 threads, reducing_gap 2, WebP "
        f"q{_PILLOW_WEBP_QUALITY} method {_WEBP_EFFORT}, AVIF q{_PILLOW_AVIF_QUALITY} speed "
        f"{_PILLOW_AVIF_SPEED} 4:4:4 tune iq",
    }


@contextlib.contextmanager
def _sharp(art: Art, folder: Path, mode: str, profiles: Profiles) -> Iterator[Peer]:
    port = free_port()
    environment = {"UV_THREADPOOL_SIZE": CORES, "NODE_ENV": "production"}
    allocator = _jemalloc()
    if allocator:
        environment |= {"LD_PRELOAD": allocator}
    script = _HERE / "sharp_server.mjs"
    encoded = json.dumps(profiles)
    command: list[str | Path] = ["node", script, str(port), art.layers, mode, encoded]
    name = f"sharp ({mode})" if profiles is _SHARP else f"sharp ({mode}, our efforts)"
    log = folder / f"{name}.log"
    with (
        contextlib.chdir(NODE_HOME),
        run_command(command, environment, log, Ready(port, "/ready"), name),
    ):
        yield Peer(port, _query_path, keeps=mode == "raw")


@contextlib.contextmanager
def _pillow(art: Art, folder: Path) -> Iterator[Peer]:
    port = free_port()
    profiles = {
        "webp": {"quality": _PILLOW_WEBP_QUALITY, "effort": _WEBP_EFFORT},
        "avif": {"quality": _PILLOW_AVIF_QUALITY, "speed": _PILLOW_AVIF_SPEED},
    }
    environment = {
        "PEER_LAYERS": art.layers,
        "PEER_PROFILES": json.dumps(profiles),
        "PYTHONPATH": _HERE,
    }
    command: list[str | Path] = [
        *(PYTHON, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(CORES)),
        # Threads, because the synchronous worker closes the connection after every answer.
        *("--threads", "2", "--keep-alive", "60", "--log-level", "warning"),
        *("--no-control-socket", "pillow_app:app"),
    ]
    log = folder / "pillow.log"
    with run_command(command, environment, log, Ready(port, "/ready"), "Pillow"):
        yield Peer(port, _query_path)


@contextlib.contextmanager
def _thumbor(art: Art, folder: Path) -> Iterator[Peer]:
    port = free_port()
    config = folder / "thumbor.conf"
    config.write_text(
        f"""\
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {str(art.layers)!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
ALLOW_UNSAFE_URL = True
AVIF_CODEC = "aom"
AVIF_SPEED = {_PILLOW_AVIF_SPEED}
AVIF_QUALITY = {_THUMBOR_AVIF_QUALITY}
WEBP_QUALITY = {_PILLOW_WEBP_QUALITY}
"""
    )
    command: list[str | Path] = [
        *(PYTHON, "-m", "thumbor.server", "--port", str(port), "--ip", "127.0.0.1"),
        *("--conf", config, "--processes", str(CORES), "--log-level", "error"),
    ]
    ready = Ready(port, "/healthcheck")
    with run_command(command, {}, folder / "thumbor.log", ready, "thumbor"):
        yield Peer(port, _thumbor_path)


def _query_path(chosen: Configuration, side_px: int, ending: str) -> str:
    return f"/{side_px}.{ending}?{','.join(file_names(chosen))}"


def _thumbor_path(chosen: Configuration, side_px: int, ending: str) -> str:
    """Scaled by ratio, as its documentation has watermarks that follow the picture's size."""
    ground, *others = file_names(chosen)
    marks = [f"watermark({name}.png,0,0,0,100,100)" for name in others]
    filters = ":".join([*marks, f"format({ending})"])
    return f"/unsafe/{side_px}x{side_px}/filters:{filters}/{ground}.png"


def _words(profiles: Profiles) -> str:
    return ", ".join(
        f"{name} q{profile['quality']} effort {profile['effort']}"
        for name, profile in profiles.items()
    )


def _jemalloc() -> str | None:
    """The name of jemalloc, where this machine has it."""
    return ctypes.util.find_library("jemalloc")


# Qualities that score like the service's: more effort gets more out of each, and libavif maps it to
# libaom's quantiser in another way than libheif.
_SHARP: Final[Profiles] = {
    "webp": {"quality": 82, "effort": _WEBP_EFFORT},
    "avif": {"quality": 58, "effort": _SHARP_AVIF_EFFORT},
}
_OURS: Final[Profiles] = {
    "webp": {"quality": WEBP.quality, "effort": WEBP.effort},
    "avif": {"quality": AVIF.quality, "effort": AVIF.effort},
}
_PILLOW_WEBP_QUALITY: Final = 82
_PILLOW_AVIF_QUALITY: Final = 60
_THUMBOR_AVIF_QUALITY: Final = 62
