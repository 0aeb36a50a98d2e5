"""The peers as processes: how each is started, what it is asked, and why it is set as it is.

The rule: as many processes or threads as there are cores, encoders at the efforts of the service's
own profiles and at qualities that score like it; nothing is cached but what the row says.
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

# libvips' effort and libwebp's method are one number; libaom's speed is 9 less libvips' effort.
WEBP: Final = PROFILES[Format.WEBP]
AVIF: Final = PROFILES[Format.AVIF]


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


Start = Callable[[Art, Path], contextlib.AbstractContextManager[Peer]]


def peers() -> dict[str, Start]:
    """Return how each peer is started, by name."""
    return {
        "sharp, layers decoded": lambda art, folder: _sharp(art, folder, "decode"),
        "sharp, layers kept raw": lambda art, folder: _sharp(art, folder, "raw"),
        "thumbor": _thumbor,
        "Pillow": _pillow,
    }


def settings() -> dict[str, str]:
    """Return every choice that was made for them, for the report."""
    return {
        "sharp": f"1 process, UV_THREADPOOL_SIZE {CORES}, concurrency 1, cache off, "
        f"{'jemalloc' if _jemalloc() else 'glibc malloc, jemalloc not found'}, "
        f"WebP q{WEBP.quality} effort {WEBP.effort}, AVIF q{AVIF.quality} effort {AVIF.effort} "
        "4:4:4 tune iq",
        "thumbor's own": f"{CORES} processes, file loader, no storage, five watermark filters with "
        f"ratios, WebP q{WEBP.quality} at libwebp's default method 4, AVIF "
        f"q{_THUMBOR_AVIF_QUALITY} speed {9 - AVIF.effort} by libaom",
        "Pillow's": f"gunicorn, {CORES} processes of 2 threads, WebP q{WEBP.quality} method "
        f"{WEBP.effort}, AVIF q{_PILLOW_AVIF_QUALITY} speed {9 - AVIF.effort} 4:4:4 tune iq, "
        "reducing_gap 2",
    }


@contextlib.contextmanager
def _sharp(art: Art, folder: Path, mode: str) -> Iterator[Peer]:
    port = free_port()
    profiles = json.dumps({"webp": _profile(WEBP.quality, WEBP.effort), "avif": _avif()})
    environment = {"UV_THREADPOOL_SIZE": CORES, "NODE_ENV": "production"}
    allocator = _jemalloc()
    if allocator:
        environment |= {"LD_PRELOAD": allocator}
    script = _HERE / "sharp_server.mjs"
    command: list[str | Path] = ["node", script, str(port), art.layers, mode, profiles]
    log = folder / f"sharp-{mode}.log"
    with (
        contextlib.chdir(NODE_HOME),
        run_command(command, environment, log, Ready(port, "/ready"), f"sharp ({mode})"),
    ):
        yield Peer(port, _query_path, keeps=mode == "raw")


@contextlib.contextmanager
def _pillow(art: Art, folder: Path) -> Iterator[Peer]:
    port = free_port()
    avif = _profile(_PILLOW_AVIF_QUALITY, AVIF.effort)
    profiles = json.dumps({"webp": _profile(WEBP.quality, WEBP.effort), "avif": avif})
    environment = {"PEER_LAYERS": art.layers, "PEER_PROFILES": profiles, "PYTHONPATH": _HERE}
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
AVIF_SPEED = {9 - AVIF.effort}
AVIF_QUALITY = {_THUMBOR_AVIF_QUALITY}
WEBP_QUALITY = {WEBP.quality}
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


def _profile(quality: int, effort: int) -> Mapping[str, int]:
    return {"quality": quality, "effort": effort}


def _avif() -> Mapping[str, int]:
    return _profile(AVIF.quality, AVIF.effort)


def _jemalloc() -> str | None:
    """The name of jemalloc, where this machine has it."""
    return ctypes.util.find_library("jemalloc")


# libavif maps quality to libaom's quantiser differently from libheif: these score like the service.
_PILLOW_AVIF_QUALITY: Final = AVIF.quality
_THUMBOR_AVIF_QUALITY: Final = AVIF.quality
