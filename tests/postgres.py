"""PostgreSQL for tests: two versions, replicas, and a PgBouncer, on loopback and stopped by pid."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

from render_service.adapters.embedded_postgres import as_other, find_programs, other_user
from tests.servers import free_port, missing, wait_until

OWNER = "render"
_NUMBERS = itertools.count()

# What is kept has to outlive the server (SIGQUIT ends it as a crash does), not the machine.
WORDS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "wal_level": "replica",
    "timezone": "UTC",
}


def programs_18():
    """Those of the wheel."""
    return find_programs()


def programs_15():
    """Those of the system: Debian 12 has 15."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[0].parent if found else missing("no PostgreSQL: apt-get install postgresql")


class PostgresServer:
    """A PostgreSQL on a port of its own, that can be taken away, come back, and be promoted.

    Attributes:
        port: Where it listens, also after a restart.
    """

    def __init__(self, programs, folder):
        self.port = free_port()
        self._programs, self._folder = programs, folder / "cluster"
        self._log = folder / "postgres.log"
        self._user = other_user()
        self._process = None

    def url(self, database="postgres"):
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def make(self):
        """Make an empty cluster."""
        self._make_folder()
        words = ["--username", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        self.run("initdb", "--no-sync", "-D", self._folder, *words)

    def follow(self, primary):
        """Make a copy of `primary` that streams what is written there."""
        self._make_folder()
        where = ["--dbname", primary.url(), "--pgdata", self._folder]
        self.run("pg_basebackup", *where, "--write-recovery-conf", "--checkpoint=fast")

    def run(self, program, *words):
        """Run one of its programs to the end, as who runs the server."""
        command = [*as_other(self._user), self._programs / program, *words]
        done = subprocess.run(
            list(map(str, command)), cwd=self._folder.parent, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        words = [f"--{name}={value}" for name, value in WORDS.items()]
        command = [*as_other(self._user), self._programs / "postgres", "-D", self._folder, *words]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*map(str, command), f"--port={self.port}"],
                cwd=self._folder.parent,
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, lambda: self._log.read_text())

    def answers(self):
        if self._process.poll() is not None:
            raise AssertionError(f"it did not start:\n{self._log.read_text()}")
        ready = [self._programs / "pg_isready", "--quiet", "--dbname", self.url()]
        return subprocess.run(ready).returncode == 0

    def promote(self):
        """Make a copy a primary."""
        self.run("pg_ctl", "promote", "-D", self._folder, "--wait")

    def stop(self, how=signal.SIGQUIT):
        """End it at once, as a crash does; what was kept is there after a start."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait()

    def _make_folder(self):
        self._folder.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._folder, *self._user)


def make_database(server):
    """Return the URL of a new database of `server`, with nothing in it."""
    name = f"test_{next(_NUMBERS)}"
    server.run("createdb", "--host=127.0.0.1", f"--port={server.port}", f"--username={OWNER}", name)
    return server.url(name)


@contextlib.contextmanager
def run_postgres_server(programs, folder):
    """Run an empty PostgreSQL with its files in `folder`."""
    server = PostgresServer(programs, folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def run_replica(programs, folder, primary):
    """Run a streaming replica of `primary`."""
    server = PostgresServer(programs, folder)
    try:
        server.follow(primary)
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def run_pgbouncer(folder, server):
    """Run a PgBouncer in transaction mode in front of `server`; yield what makes URLs of it."""
    program = shutil.which("pgbouncer") or missing("no PgBouncer: apt-get install pgbouncer")
    port, user = free_port(), other_user()
    (folder / "users").write_text(f'"{OWNER}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port} user={OWNER}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\nauth_file = {folder / 'users'}\npool_mode = transaction\n"
        "default_pool_size = 2\nmax_client_conn = 200\n"
    )
    log = folder / "pgbouncer.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*as_other(user), program, str(folder / "pgbouncer.ini")], stdout=out, stderr=out
        )
    try:
        wait_until(lambda: "process up" in log.read_text(), lambda: log.read_text())
        yield lambda database: f"postgresql://{OWNER}@127.0.0.1:{port}/{database}"
    finally:
        process.kill()
        process.wait()
