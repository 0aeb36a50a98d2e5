"""The telemetry of a process that serves: started from values, stopped at its end.

It starts before anything is counted that should be seen, and stops after everything else.
"""

import logging
import os
import uuid
from collections.abc import Callable
from enum import StrEnum
from multiprocessing import parent_process
from pathlib import Path
from typing import Final

from render_service.telemetry.board import BOARD
from render_service.telemetry.gather import fold
from render_service.telemetry.spans import TRACING

STOP_S: Final = 3.0
"""Seconds a collector has for what is left when the process stops: with the default 25 s to finish
requests it fits in the 30 s that Kubernetes gives."""

_ALONE: Final = (
    "RENDER_METRICS_FOLDER is not set: /metrics tells of the one process that answers; "
    "name an empty folder in memory that all processes of the service share"
)

_log = logging.getLogger(__name__)


class AccessLog(StrEnum):
    """Which requests have a line in the log."""

    OFF = "off"
    FAILED = "failed"
    ALL = "all"


class Telemetry:
    """What `http` needs of it.

    Attributes:
        folder: Where the counts of all processes lie; None: each has its own.
        scraped: Whether `/metrics` is answered beside the pictures.
        access_log: Which requests are logged.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        scraped: bool = True,
        access_log: AccessLog = AccessLog.OFF,
    ) -> None:
        self.folder, self.scraped, self.access_log = folder, scraped, access_log
        self._stop_exports: Callable[[float], None] | None = None

    def share(self) -> None:
        """Put the counts where the other processes find them; say so if that cannot be done."""
        if self.folder is None:
            if parent_process() is not None:
                _log.warning("%s", _ALONE)
            return
        try:
            BOARD.share(self.folder)
            fold(self.folder)
        except OSError as error:
            _log.warning(
                "/metrics goes without process %s: %s cannot be used: %s",
                *(os.getpid(), self.folder, error),
            )

    def export(
        self, endpoint: str, *, interval_s: float, trace_ratio: float, forced_per_s: float
    ) -> None:
        """Send spans and counts to the collector at `endpoint` from now on."""
        # Here, because the SDK and requests take a third of a second to import and 20 MB to hold.
        from render_service.telemetry.exports import Exports

        exports = Exports(endpoint, instance=str(uuid.uuid4()), interval_s=interval_s)
        self._stop_exports = exports.stop
        TRACING.start(exports.tracer, ratio=trace_ratio, forced_per_s=forced_per_s)

    def stop(self) -> None:
        """Send what is left. Blocks, for `STOP_S` at most."""
        TRACING.stop()
        if self._stop_exports is not None:
            self._stop_exports(STOP_S)
