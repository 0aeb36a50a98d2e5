"""A collector for OTLP over HTTP: a real receiver that reads what it is sent, and can fail."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.servers import wait_until


class Collector:
    """What a collector has received.

    Attributes:
        url: Its base URL.
        spans: Every span, in the order of arrival.
        metrics: The metrics of the last export of each process: instance → name → metric.
        services: Names of the services that sent.
        silent: While set, requests are accepted and never answered.
    """

    def __init__(self):
        self.spans, self.metrics, self.services = [], {}, set()
        self.silent = threading.Event()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def named(self, name):
        return [span for span in list(self.spans) if span.name == name]

    def await_span(self, name, count=1):
        """The spans of that name, once there are `count`."""
        wait_until(
            lambda: len(self.named(name)) >= count,
            lambda: f"no span {name!r} among {[span.name for span in self.spans]}",
        )
        return self.named(name)

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path, body):
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.services.add(attributes(resource.resource)["service.name"])
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        elif path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                instance = attributes(resource.resource)["service.instance.id"]
                self.metrics[instance] = {
                    metric.name: metric
                    for scope in resource.scope_metrics
                    for metric in scope.metrics
                }

    def _handler(collector):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if collector.silent.is_set():
                    collector.released.wait(60)
                    return
                collector._take(self.path, body)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler


@contextlib.contextmanager
def run_collector():
    collector = Collector()
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def attributes(of):
    """The attributes of a span or resource, as Python has them."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in of.attributes}
