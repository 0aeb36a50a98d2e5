"""What is sent to a collector, by OTLP over HTTP: spans in batches, counts once in a while.

Both leave on threads of their own, from queues with a bound; a collector that is away or silent
loses them and holds nothing up, the end of the process included.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Final, cast

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Tracer

from render_service.telemetry.gather import Sums, gather
from render_service.telemetry.instruments import TABLE
from render_service.telemetry.kinds import Instrument, Kind, labelled

SCOPE: Final = "render_service"
SERVICE_NAME: Final = "render-service"

_log = logging.getLogger(__name__)


class Exports:
    """The threads that send. Their queues, batches, headers and certificates are the SDK's.

    Args:
        endpoint: Base URL of the collector, without `/v1/…`.
        instance: What tells this process from the others of the service.
        interval_s: Seconds between two sendings of the counts.
    """

    def __init__(self, endpoint: str, *, instance: str, interval_s: float) -> None:
        self._resource = resource_of(instance)
        self._started_ns = time.time_ns()
        self._interval_s = interval_s
        self._ending = threading.Event()
        # All that reaches the provider is sampled: that was decided before.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=self._resource, shutdown_on_exit=False
        )
        spans = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(spans))
        self._counts = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics")
        self._sending = threading.Thread(target=self._send_often, name="otlp-counts", daemon=True)
        self._sending.start()

    @property
    def tracer(self) -> Tracer:
        """What makes spans that are sent."""
        return self._provider.get_tracer(SCOPE)

    def stop(self, within_s: float) -> None:
        """Send what is waiting, and the counts once more; give up after `within_s`. Blocks."""
        deadline_s = time.monotonic() + within_s
        self._ending.set()
        # On a thread that may be left behind: the SDK itself waits up to 30 s for a silent one.
        flushing = threading.Thread(target=self._provider.shutdown, name="otlp-end", daemon=True)
        flushing.start()
        for thread in (self._sending, flushing):
            thread.join(max(0.0, deadline_s - time.monotonic()))
        if self._sending.is_alive() or flushing.is_alive():
            _log.warning("the collector took nothing for %s s; the last spans are lost", within_s)

    def _send_often(self) -> None:
        ended = False
        while not ended:
            ended = self._ending.wait(self._interval_s)
            data = metrics_data(gather(None).sums, self._resource, self._started_ns)
            if self._counts.export(data) is not MetricExportResult.SUCCESS:
                _log.warning("the collector did not take the counts; they are sent again later")


def resource_of(instance: str) -> Resource:
    """Return what a collector is told of this process; OTEL_RESOURCE_ATTRIBUTES adds to it."""
    ours = Resource({"service.instance.id": instance, "process.pid": os.getpid()})
    told = Resource.create().merge(ours)
    if str(told.attributes.get("service.name", "")).startswith("unknown_service"):
        return told.merge(Resource({"service.name": SERVICE_NAME}))
    return told


def metrics_data(sums: Sums, resource: Resource, started_ns: int) -> MetricsData:
    """Return `sums` as the SDK hands them to an exporter: cumulative since `started_ns`."""
    now_ns = time.time_ns()
    metrics = tuple(
        Metric(
            name=instrument.name,
            description=instrument.meaning,
            unit=instrument.unit,
            data=_data(instrument, sums, started_ns, now_ns),
        )
        for instrument in TABLE
        if any(name == instrument.name for name, _ in sums)
    )
    scope = ScopeMetrics(InstrumentationScope(SCOPE), metrics, schema_url="")
    return MetricsData((ResourceMetrics(resource, (scope,), schema_url=""),))


def _data(
    instrument: Instrument, sums: Sums, started_ns: int, now_ns: int
) -> Sum | Gauge | Histogram:
    cumulative = AggregationTemporality.CUMULATIVE
    if instrument.kind is Kind.HISTOGRAM:
        return Histogram(tuple(_spreads(instrument, sums, started_ns, now_ns)), cumulative)
    points = tuple(
        NumberDataPoint(dict(labelled(instrument, labels)), started_ns, now_ns, cells[0])
        for (name, labels), cells in sums.items()
        if name == instrument.name
    )
    if instrument.kind is Kind.GAUGE:
        # What there is now adds up over processes: an UpDownCounter of OpenTelemetry.
        return Sum(points, cumulative, is_monotonic=False)
    return Sum(points, cumulative, is_monotonic=True)


def _spreads(
    instrument: Instrument, sums: Sums, started_ns: int, now_ns: int
) -> Iterator[HistogramDataPoint]:
    for (name, labels), cells in sums.items():
        if name == instrument.name:
            counts = tuple(int(count) for count in cells[:-1])
            yield HistogramDataPoint(
                attributes=dict(labelled(instrument, labels)),
                start_time_unix_nano=started_ns,
                time_unix_nano=now_ns,
                count=sum(counts),
                sum=cells[-1],
                bucket_counts=counts,
                explicit_bounds=instrument.bounds,
                # Not known, which the exporter leaves out; its type has no word for that.
                min=cast(float, None),
                max=cast(float, None),
            )
