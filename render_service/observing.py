"""Settings → what makes the processes of a service seen: counts, traces, where they are read."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from render_service.errors import InvalidSetting
from render_service.settings import OFF, SAME, Settings
from render_service.telemetry.exposition import serve_scrapes
from render_service.telemetry.folder import private_folder
from render_service.telemetry.pulse import pulse
from render_service.telemetry.running import Telemetry


def start_telemetry(settings: Settings) -> Telemetry:
    """Start what makes this process seen, before it does anything that should be."""
    telemetry = Telemetry(
        folder=Path(settings.metrics_folder) if settings.metrics_folder else None,
        scraped=settings.metrics_address == SAME,
        access_log=settings.access_log,
    )
    telemetry.share()
    if settings.otlp_endpoint:
        telemetry.export(
            settings.otlp_endpoint,
            interval_s=settings.otlp_interval_s,
            trace_ratio=settings.trace_ratio,
            forced_per_s=settings.trace_forced_per_s,
        )
    return telemetry


@contextmanager
def run_metrics(settings: Settings) -> Iterator[Settings]:
    """Give all processes a folder to count in, and Prometheus its own address if it has one.

    The folder is the parent's, so counts outlive a worker; it is gone when the service stops.

    Raises:
        InvalidSetting: The address cannot be listened on.
    """
    with private_folder() as made:
        folder = settings.metrics_folder or str(made)
        if settings.metrics_address not in (SAME, OFF):
            host, _, port = settings.metrics_address.rpartition(":")
            try:
                serve_scrapes(host.strip("[]"), int(port), Path(folder))
            except OSError as error:
                raise InvalidSetting(
                    f"RENDER_METRICS_ADDRESS: {settings.metrics_address} cannot be listened on: "
                    f"{error.strerror or error}."
                ) from error
        yield dataclasses.replace(settings, metrics_folder=folder)


@asynccontextmanager
async def observed(settings: Settings) -> AsyncIterator[None]:
    """Have this process, which serves nobody, seen while it works.

    Raises:
        InvalidSetting: The address of Prometheus cannot be listened on.
    """
    with run_metrics(settings) as counted:
        telemetry = start_telemetry(counted)
        beating = asyncio.ensure_future(pulse(_nothing_more))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await asyncio.to_thread(telemetry.stop)


def _nothing_more() -> None:
    """What such a process holds is noted where it happens."""
