"""Every request is counted, and traced where it is sampled: by its route's template, not its path.

It stands around each application of the front door. A hit of the image route is counted without it,
with the same outcome, as building anything would cost a good part of a hit.
"""

import logging
import time
from bisect import bisect_left
from collections.abc import Awaitable
from typing import Final

from opentelemetry.trace import Span

from render_service.http.replies import App, Message, Receive, Scope, Send
from render_service.telemetry import instruments, spans
from render_service.telemetry.board import BOARD
from render_service.telemetry.kinds import OTHER
from render_service.telemetry.logs import masked_path
from render_service.telemetry.running import AccessLog
from render_service.telemetry.spans import TRACING

IMAGE_ROUTE: Final = "/r/{composition}/{view}/{version}/{configuration}/{width}.{ext}"
ALIAS_ROUTE: Final = "/img/{composition}/{view}/{width}.{ext}"
IIIF_ROUTE: Final = "/iiif/3/{identifier}/{region}/{size}/{rotation}/{quality}.{format}"
IIIF_INFO_ROUTE: Final = "/iiif/3/{identifier}/info.json"
METRICS_ROUTE: Final = "/metrics"

_log = logging.getLogger("render_service.access")


class Observed:
    """An application, observed.

    Args:
        app: Answers requests.
        route: The template of all its paths; None where the application names it itself, under
            `path_template` in the scope, as Litestar does.
        access_log: Which requests are logged.
    """

    def __init__(self, app: App, route: str | None, access_log: AccessLog = AccessLog.OFF) -> None:
        self._app, self._route, self._access_log = app, route, access_log

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, *, drawn: bool | None = None
    ) -> None:
        """Answer one request; `drawn` is what chance has said of it already, if it was asked."""
        began_s = time.perf_counter()
        method = instruments.method_label(scope["method"])
        scheme = instruments.scheme_label(scope.get("scheme", "http"))
        watch = _Watch(send)
        instruments.active_requests.add(1, method, scheme)
        with TRACING.request(scope["headers"], drawn=drawn) as span:
            try:
                await self._app(scope, receive, watch)
            except BaseException:
                # The server answers for us, or nobody does.
                watch.status = watch.status or 500
                raise
            finally:
                instruments.active_requests.add(-1, method, scheme)
                route = self._route or scope.get("path_template") or OTHER
                took_s = time.perf_counter() - began_s
                status, kind = _outcome(watch.status)
                instruments.requests.record(took_s, method, route, status, scheme, kind)
                # The server keeps the body of an answer to HEAD to itself.
                sent_bytes = 0 if method == "HEAD" else watch.sent_bytes
                instruments.sent.add(sent_bytes, route)
                _describe(span, scope, method, route, watch.status, kind)
                if self._is_logged(watch.status):
                    _log_access(scope, method, route, status or kind, took_s, sent_bytes)

    def _is_logged(self, status: int) -> bool:
        if self._access_log is AccessLog.FAILED:
            return status >= 500
        return self._access_log is AccessLog.ALL


class Hits:
    """Counts the hits of the image route, as `Observed` would."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[int, int, int, int]] = {}

    def begin(self, scheme: str) -> tuple[int, int, int, int]:
        """Count a request as being answered; return its cells, for `end`."""
        at = self._cells.get(scheme)
        if at is None:
            label = instruments.scheme_label(scheme)
            at = self._cells[scheme] = (
                instruments.requests.at("GET", IMAGE_ROUTE, "200", label, ""),
                instruments.active_requests.at("GET", label),
                instruments.sent.at(IMAGE_ROUTE),
                instruments.lookups.at("memory", "hit"),
            )
        BOARD.cells[at[1]] += 1
        return at

    def drop(self, at: tuple[int, int, int, int]) -> None:
        """Count it as not being answered any more."""
        BOARD.cells[at[1]] -= 1

    def end(self, at: tuple[int, int, int, int], began_s: float, sent_bytes: int) -> None:
        """Count it as answered."""
        request, active, sent, hit = at
        took_s = time.perf_counter() - began_s
        cells, bounds = BOARD.cells, instruments.REQUEST_BOUNDS_S
        cells[request + bisect_left(bounds, took_s)] += 1
        cells[request + _SUM] += took_s
        cells[active] -= 1
        cells[sent] += sent_bytes
        cells[hit] += 1


_SUM: Final = len(instruments.REQUEST_BOUNDS_S) + 1


class _Watch:
    """Passes on what is sent, and keeps its status and size. Not a coroutine, to cost little."""

    __slots__ = ("_send", "sent_bytes", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = self.sent_bytes = 0

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent_bytes += len(message.get("body", b""))
        return self._send(message)


def _outcome(status: int) -> tuple[str, str]:
    """The labels of status and error type: a client that has left was sent no status."""
    if not status:
        return "", instruments.CLIENT_GONE
    return str(status), str(status) if status >= 500 else ""


def _describe(span: Span, scope: Scope, method: str, route: str, status: int, kind: str) -> None:
    """Name the span and say of it what the semantic conventions for HTTP servers want."""
    if not span.is_recording():
        return
    span.update_name(f"{method if method != OTHER else 'HTTP'} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "url.scheme": scope.get("scheme", "http"),
            "url.path": masked_path(scope["path"]),
            "network.protocol.version": scope.get("http_version", ""),
        }
    )
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= 500 or not status:
        spans.fail(span, kind)


def _log_access(
    scope: Scope, method: str, route: str, outcome: str, took_s: float, sent_bytes: int
) -> None:
    path, took_ms = masked_path(scope["path"]), round(1000 * took_s, 1)
    fields = {
        "http.request.method": method,
        "http.route": route,
        "url.path": path,
        "outcome": outcome,
        "duration_ms": took_ms,
        "sent_bytes": sent_bytes,
    }
    _log.info("%s %s %s %s ms", method, path, outcome, took_ms, extra=fields)
