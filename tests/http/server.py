"""A real server in processes of its own: started on a free port, stopped by whoever started it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.servers import free_port

COMPOSITIONS = Path(__file__).parents[2] / "compositions"

# As anybody's uvicorn would run it, with its own protocol.
PLAIN = """
import os
import uvicorn
uvicorn.run(
    "render_service.http.server:create_app",
    factory=True,
    port=int(os.environ["RENDER_PORT"]),
    workers=int(os.environ["RENDER_WORKERS"]),
)
"""

MAIN = """
import os
from render_service.http.server import serve
from render_service.environment import read_settings
serve(read_settings(os.environ))
"""


class Server:
    """A running server.

    Attributes:
        url: Where it listens.
        port: Likewise.
        process: Its first process: the parent, where there are several workers.
        log: The file it writes its log to.
    """

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def stop(self, how=signal.SIGTERM):
        """Ask it to stop, and wait until it has; killed after a minute."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def run_server(catalogue, folder, *, main=MAIN, **settings):
    """Run a server of `catalogue` with its data and log in `folder`, with `settings`."""
    port = free_port()
    given = {
        "catalogue": catalogue,
        "data": folder / "data",
        "port": port,
        "workers": 1,
        "graceful_stop_s": 5,
        # Pictures that a test asks for are cold unless it says otherwise.
        "ahead": 0,
        **settings,
    }
    environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
    environment |= {f"RENDER_{name.upper()}": str(value) for name, value in given.items()}
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", main], env=environment, stdout=out, stderr=out
        )
    server = Server(process, port, log)
    try:
        wait_until_ready(server)
        yield server
    finally:
        server.stop()


def serving_workers(server):
    """The worker processes that have begun to serve: they hold the file tier's threads."""
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if _is_serving(child)]


def _is_serving(process):
    with contextlib.suppress(psutil.Error):
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and "spawn_main" in " ".join(process.cmdline()) and process.num_threads() > 3
    return False


def wait_until_ready(server):
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{server.log.read_text()}")
