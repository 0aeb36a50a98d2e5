"""What Prometheus reads: every series of all processes, as text or OpenMetrics.

Names are those of the table with underscores, the unit and, for counters, `_total` behind, as
OpenTelemetry translates them; nothing is added to the table here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder, start_http_server
from prometheus_client.registry import Collector

from render_service.telemetry.gather import Reading, Sums, gather
from render_service.telemetry.instruments import TABLE, workers, workers_ended
from render_service.telemetry.kinds import Instrument, Kind

_UNITS: Final = {"s": "seconds", "By": "bytes"}


class Scrape(Struct, frozen=True, kw_only=True):
    """An answer to Prometheus.

    Attributes:
        body: The text.
        media_type: As in Content-Type.
    """

    body: bytes
    media_type: str


def scrape(folder: Path | None, accept: str) -> Scrape:
    """Return the series of the processes that share `folder`, in the format `accept` prefers.

    Raises:
        OSError: The folder cannot be read.
    """
    encode, media_type = choose_encoder(accept)
    return Scrape(body=encode(_registry(folder)), media_type=media_type)


def serve_scrapes(host: str, port: int, folder: Path | None) -> None:
    """Answer Prometheus at an address of its own, on a thread, until the process ends.

    Raises:
        OSError: It cannot be listened on.
    """
    start_http_server(port, host, _registry(folder))


def prometheus_name(instrument: Instrument) -> str:
    """Return the name of an instrument in Prometheus, `_total` not included."""
    name = prometheus_label(instrument.name)
    unit = _UNITS.get(instrument.unit)
    return f"{name}_{unit}" if unit else name


def prometheus_label(name: str) -> str:
    """Return the name of a label in Prometheus."""
    return name.replace(".", "_")


def _registry(folder: Path | None) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(folder))
    return registry


class _Collector(Collector):
    """Gathers anew each time it is asked."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        sums = with_workers(gather(self._folder))
        for instrument in TABLE:
            yield _family(instrument, sums)


def with_workers(reading: Reading) -> Sums:
    """Return the sums of a reading and, among them, how the processes are."""
    return {
        **reading.sums,
        (workers.name, ("alive",)): [reading.alive],
        (workers.name, ("silent",)): [reading.silent],
        (workers_ended.name, ()): [reading.ended],
    }


def _family(instrument: Instrument, sums: Sums) -> Metric:
    name, labels = (
        prometheus_name(instrument),
        [prometheus_label(label.name) for label in instrument.labels],
    )
    unit = _UNITS.get(instrument.unit, "")
    found = sorted((values, cells) for (of, values), cells in sums.items() if of == instrument.name)
    if instrument.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(name, instrument.meaning, labels=labels, unit=unit)
        for values, cells in found:
            histogram.add_metric(values, _buckets(instrument, cells), cells[-1])
        return histogram
    family: CounterMetricFamily | GaugeMetricFamily
    if instrument.kind is Kind.COUNTER:
        family = CounterMetricFamily(name, instrument.meaning, labels=labels, unit=unit)
    else:
        family = GaugeMetricFamily(name, instrument.meaning, labels=labels, unit=unit)
    for values, cells in found:
        family.add_metric(values, cells[0])
    return family


def _buckets(instrument: Instrument, cells: list[float]) -> list[tuple[str, float]]:
    """Upper bound and how many values lie at or under it, as Prometheus counts."""
    below, buckets = 0.0, []
    for bound, count in zip((*map(str, instrument.bounds), "+Inf"), cells[:-1], strict=True):
        below += count
        buckets.append((bound, below))
    return buckets
