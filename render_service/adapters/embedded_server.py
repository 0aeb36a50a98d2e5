"""A server of our own for one machine: started before the workers, stopped after them.

It is reached through a socket file in a folder that only its user can enter, and listens on no
port. What it keeps is under the data folder, so it survives a restart; one that dies is started
again. The folder is locked by the server itself, which inherits the lock: two servers never write
into one folder, and whoever comes next waits for its end.
"""

import contextlib
import ctypes
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from render_service.errors import ServerNotStarted

_log = logging.getLogger(__name__)

_READY_WITHIN_S: Final = 30.0
"""Empty, they are ready after 0.1 s (Valkey) and 0.5 s (PostgreSQL); reading back 256 MiB of
pictures, or what was not yet in its tables when the machine stopped, takes a few seconds."""

_STOPPED_WITHIN_S: Final = 10.0
"""They write and sync what is in their buffers when asked to stop: a second's worth at most."""

_RESTART_AFTER_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)
"""Ten times within two and a half minutes; what dies that often dies of something that does not
pass, and the service does without it."""

_HEALTHY_AFTER_S: Final = 300.0
"""One that lived for five minutes is started again at once when it dies, as the first time: twice
as long as all waits together."""

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies, however it dies."""

_libc: Final = ctypes.CDLL(None)


class Program(Struct, frozen=True, kw_only=True):
    """How a server is started, asked and stopped.

    Attributes:
        name: What people call it.
        folder: Keeps its files, its log and the lock; made if it is not there.
        log: Where it writes what it has to say.
        command: The folder of its socket → program and words.
        url: The folder of its socket → what clients connect to.
        answers: Whether the server at a URL takes requests.
        stop: The signal that makes it end without waiting for its clients.
        is_brief: It runs for a command: nobody else counts on it, and who comes meanwhile waits.
        user: Who runs it, where it does not run as whoever starts it: user and group id.
    """

    name: str
    folder: Path
    log: Path
    command: Callable[[Path], Sequence[str]]
    url: Callable[[Path], str]
    answers: Callable[[str], bool]
    stop: signal.Signals = signal.SIGTERM
    is_brief: bool = False
    user: tuple[int, int] | None = None


@contextlib.contextmanager
def run_program(program: Program, prepare: Callable[[], None] | None = None) -> Iterator[str]:
    """Run a server; yield its URL.

    When another process runs one on the same folder, that one's URL is yielded, and it is left to
    its owner.

    Args:
        program: What to run.
        prepare: Makes the folder's contents ready, with the lock held.

    Raises:
        ServerNotStarted: Says why.
    """
    with contextlib.ExitStack() as stack:
        try:
            program.folder.mkdir(parents=True, exist_ok=True)
            owner = stack.enter_context((program.folder / "owner").open("a+"))
        except OSError as error:
            raise _not_started(program, f"{error}.") from error
        if (url := _lock_or_find(program, owner)) is not None:
            yield url
            return
        if prepare is not None:
            prepare()
        sockets = Path(tempfile.mkdtemp(prefix=f"render-{program.name.lower()}-"))
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        if program.user is not None:
            os.chown(sockets, *program.user)
        keeper = _Keeper(program, lambda: _start(program, sockets, keep_open=owner.fileno()))
        stack.callback(keeper.stop)
        url = program.url(sockets)
        _wait_until_ready(program, keeper.process, url)
        keeper.watch()
        _sign(owner, "" if program.is_brief else url)
        yield url


class _Keeper:
    """Keeps one server running until it is told to stop.

    Attributes:
        process: The server now, or the one that died last.
    """

    def __init__(self, program: Program, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        """Start the server by `start`, as whenever it has died."""
        self._program = program
        self._start = start
        self.process = start()
        self._begun_s = time.monotonic()
        self._stopping = threading.Event()
        # Its children end when this thread does, for it is their parent to the kernel: as a
        # daemon it lives until the process ends.
        self._thread = threading.Thread(
            target=self._keep, name=f"{program.name.lower()}-keeper", daemon=True
        )

    def watch(self) -> None:
        """From now on start it again when it dies."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it, for good."""
        self._stopping.set()
        _stop(self._program, self.process)
        if self._thread.ident is not None:
            self._thread.join()

    def _keep(self) -> None:
        name = self._program.name
        waits = iter(_RESTART_AFTER_S)
        while True:
            status = self.process.wait()
            if time.monotonic() - self._begun_s > _HEALTHY_AFTER_S:
                waits = iter(_RESTART_AFTER_S)
            wait_s = next(waits, None)
            if self._stopping.is_set():
                return
            if wait_s is None:
                _log.error("the embedded %s died again and again; going on without it", name)
                return
            _log.warning(
                "the embedded %s died (status %d); started again in %g s", name, status, wait_s
            )
            if self._stopping.wait(wait_s) or not self._restart():
                return

    def _restart(self) -> bool:
        """Start it again; return whether there is anything to watch over."""
        try:
            self.process = self._start()
        except ServerNotStarted as error:
            _log.error("%s Going on without it.", error)
            return False
        self._begun_s = time.monotonic()
        if self._stopping.is_set():
            # It was told to stop meanwhile, and stopped the one before.
            _stop(self._program, self.process)
            return False
        return True


def _lock_or_find(program: Program, owner: IO[str]) -> str | None:
    """Lock the folder and return None, or return the URL of the server that has it."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        owner.seek(0)
        pid, _, url = owner.read().partition(" ")
        # A server whose owner was killed is about to end.
        if url and Path("/proc", pid).exists() and program.answers(url):
            return url
        time.sleep(0.02)
    raise ServerNotStarted(
        f"The embedded {program.name} of another process is not ready, or a command is using it."
    )


def _sign(owner: IO[str], url: str) -> None:
    owner.seek(0)
    owner.truncate()
    owner.write(f"{os.getpid()} {url}")
    owner.flush()


def _start(program: Program, sockets: Path, *, keep_open: int) -> subprocess.Popen[bytes]:
    stop = program.stop

    def end_with_parent() -> None:
        # Runs in the new process, before the program: the one thing in it is a system call, which
        # takes no lock that a thread of the old process could hold.
        _libc.prctl(_PR_SET_PDEATHSIG, stop)

    # Appended to: why it died is in what it wrote before.
    with program.log.open("ab") as log:
        try:
            # A session of its own: Ctrl-C in a terminal reaches everyone in the foreground, and
            # the workers need it until they have stored what they have.
            return subprocess.Popen(  # noqa: S603  # the program of a wheel, our own words
                list(program.command(sockets)),
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(keep_open,),
                preexec_fn=end_with_parent,
            )
        except OSError as error:
            raise _not_started(program, f"did not start: {error}.") from error


def _wait_until_ready(program: Program, process: subprocess.Popen[bytes], url: str) -> None:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while not program.answers(url):
        if process.poll() is not None or time.monotonic() > deadline_s:
            lines = program.log.read_text(errors="replace").splitlines()[-3:]
            raise _not_started(program, f"did not start: {' / '.join(lines)}")
        time.sleep(0.02)


def _stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(program.stop)
    try:
        process.wait(_STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        _log.warning("the embedded %s did not stop when asked, and was killed", program.name)
        process.kill()
        process.wait()


def _not_started(program: Program, why: str) -> ServerNotStarted:
    return ServerNotStarted(f"The embedded {program.name} {why}")
