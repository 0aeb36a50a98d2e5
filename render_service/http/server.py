"""uvicorn and its worker processes: how the service is started and stopped.

Settings reach a worker through the environment alone, so that a worker started again after a crash
is the same as the first one.
"""

import logging.config
import os
import pickle
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Final

import uvicorn
from uvicorn.supervisors import multiprocess

from render_service.embedded import run_embedded, run_embedded_worker
from render_service.environment import environment_of, read_settings
from render_service.http.asgi import FrontDoor, make_app
from render_service.http.iiif import Zoom
from render_service.http.next_clicks import Foresight
from render_service.http.protocol import PreparedHeads
from render_service.observing import run_metrics, start_telemetry
from render_service.settings import Settings
from render_service.supply import open_supply, open_workshop
from render_service.telemetry.logs import log_config
from render_service.wiring import (
    build_popularity,
    build_selling,
    build_service,
    build_signer,
    build_uploading,
)

DRAIN_SHARE: Final = 5
"""1/5 of the time to stop is spent unready but serving: 5 s of the default 25 s, in which a load
balancer that asks every second or two has noticed."""

_WORKER_SILENT_S: Final = 30
"""Seconds after which a worker that does not answer its parent is replaced. uvicorn's own 5 s are
short where every core draws; the answer comes from a thread that competes with it."""

_FACTORY: Final = "render_service.http.server:create_app"


def serve(settings: Settings) -> None:
    """Serve until the process is asked to stop (SIGTERM, SIGINT). Blocks.

    Raises:
        InvalidSetting: A server that is to be brought along is not installed.
        ServerNotStarted: It did not start.
    """
    # uvicorn raises the signal again when it has stopped, which would end this process on the
    # spot: what was brought along is stopped first.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    logging.config.dictConfig(log_config(settings.log_format, settings.log_level))
    with (
        run_embedded(settings) as reachable,
        run_metrics(reachable) as counted,
        run_embedded_worker(settings, reachable),
    ):
        _serve(counted)


def _serve(settings: Settings) -> None:
    os.environ.update(environment_of(settings))
    # libvips takes and gives back large blocks from many threads: glibc's arenas, one per thread
    # and core, keep them. Read when a process starts, so it holds for workers.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    config = uvicorn.Config(
        _FACTORY,
        factory=True,
        interface="asgi3",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=PreparedHeads,
        ws="none",
        lifespan="on",
        log_config=log_config(settings.log_format, settings.log_level),
        log_level=settings.log_level.value,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(
            1, round(settings.graceful_stop_s * (DRAIN_SHARE - 1) / DRAIN_SHARE)
        ),
        timeout_worker_healthcheck=_WORKER_SILENT_S,
    )
    if settings.workers == 1:
        uvicorn.Server(config).run()
    else:
        _Workers(config, sockets=[config.bind_socket()]).run()


def create_app() -> FrontDoor:
    """Return the application of this process, from the settings in its environment.

    Raises:
        InvalidSetting: The environment is not valid.
        InvalidCatalogue: The catalogue in the folder that it names is not.
    """
    settings = read_settings(os.environ)
    _end_with_parent()
    logging.config.dictConfig(log_config(settings.log_format, settings.log_level))
    telemetry = start_telemetry(settings)
    supply = open_supply(settings)
    service, selling = build_service(settings, supply), build_selling(settings)
    return make_app(
        selling=selling,
        workshop=open_workshop(settings, selling.database, supply),
        uploading=build_uploading(settings, selling.database, supply.sets),
        planner=supply.planner,
        service=service,
        zoom=Zoom(
            policy=settings.iiif,
            signer=build_signer(settings),
            pixels_max=supply.limits.max_output_pixels,
        ),
        public_url=settings.public_url,
        drain_s=settings.graceful_stop_s / DRAIN_SHARE,
        follower=supply.follower,
        telemetry=telemetry,
        webp_first_s=settings.webp_first_s,
        foresight=Foresight(
            planner=supply.planner,
            service=service,
            popularity=build_popularity(settings),
            most=settings.ahead,
        ),
    )


def _end_with_parent() -> None:
    """Stop this worker when the process that started it has died, however it died.

    Otherwise the workers of a killed parent would serve on, and hold the port against the next.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


class _Worker(multiprocess.Process):
    """A worker whose death is known at once, also while it is asked whether it lives.

    uvicorn would wait for the answer of the dead one, and meanwhile replace no other.
    """

    def _healthcheck(self, timeout: float) -> bool | None:
        try:
            self.parent_conn.send(b"ping")
            answered = wait([self.parent_conn, self.process.sentinel], timeout)
            return bool(self.parent_conn.recv()) if self.parent_conn in answered else None
        except (OSError, EOFError, pickle.UnpicklingError):
            return None


class _Workers(multiprocess.Multiprocess):
    """uvicorn's supervisor, which lets go of the port before its workers stop accepting.

    Otherwise the kernel would go on accepting connections on the parent's behalf that nobody
    serves.
    """

    def run(self) -> None:
        """Start the workers, and replace those that die, until the process is asked to stop."""
        # The supervisor has no other place to say what its workers are; see decision 0007.
        multiprocess.Process = _Worker  # type: ignore[misc]
        super().run()

    def terminate_all(self) -> None:
        """Ask every worker to stop."""
        for socket in self.sockets:
            socket.close()
        super().terminate_all()
