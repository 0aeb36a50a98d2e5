"""Traces: a span for each request and each of its stages, where the request is sampled.

Whether a request is sampled is decided once, before anything is built: the caller's `traceparent`
decides, else chance. What is not sampled still has a trace id, which its log lines carry, and costs
one object; a stage of it costs one look-up.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Attributes = Mapping[str, str | int | float | bool]

FORCED_BURST_S: Final = 1.0
"""What callers may have sampled in a second is spent within any part of it."""

_NOTHING: Final = nullcontext(trace.INVALID_SPAN)
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Tracing:
    """How this process traces. Off until `start`; owned by one event loop.

    Attributes:
        active: Whether anything is ever sampled.
        ratio: Share of the requests that are sampled where the caller says nothing, 0 to 1.
        forced_per_s: Requests a second that are sampled because their caller says so.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.active, self.ratio, self.forced_per_s = False, 0.0, 0.0
        self._tracer: Tracer | None = None
        self._now = now
        self._left, self._seen_s = 0.0, 0.0

    def start(self, tracer: Tracer, *, ratio: float, forced_per_s: float) -> None:
        """Sample from now on, with `tracer`, which records all that it is given."""
        self._tracer, self.ratio, self.forced_per_s = tracer, ratio, forced_per_s
        self._left, self._seen_s = forced_per_s * FORCED_BURST_S, self._now()
        self.active = ratio > 0 or forced_per_s > 0

    def stop(self) -> None:
        """Sample nothing any more."""
        self.active, self._tracer = False, None

    def by_chance(self) -> bool:
        """Whether a request whose caller says nothing is to be sampled. Only where `active`."""
        return random.random() < self.ratio  # noqa: S311  # nobody gains by guessing it

    @contextmanager
    def request(self, headers: list[tuple[bytes, bytes]], *, drawn: bool | None) -> Iterator[Span]:
        """The span of a request, current in the block; its context is a new one if unsampled.

        Args:
            headers: Of the request, lower case.
            drawn: What `by_chance` said, for who has asked it already.
        """
        caller = _caller(headers)
        tracer = self._tracer
        if tracer is not None and self._samples(caller, drawn):
            context = Context() if caller is None else _context_of(caller)
            span = tracer.start_span("request", context, SpanKind.SERVER)
        else:
            span = NonRecordingSpan(_unsampled(caller))
        # As `trace.use_span` does, at a third of its cost: this stands around every request.
        token = attach(trace.set_span_in_context(span, Context()))
        try:
            yield span
        finally:
            detach(token)
            span.end()

    @property
    def recording(self) -> Tracer | None:
        """What makes stages of the current span, if that is recorded."""
        if self._tracer is None or not trace.get_current_span().is_recording():
            return None
        return self._tracer

    def past(self, name: str, began_s: float, ended_s: float) -> None:
        """Note a stage that is over; times are of `time.perf_counter`."""
        tracer = self.recording
        if tracer is None:
            return
        offset_s = time.time() - time.perf_counter()
        span = tracer.start_span(name, start_time=_ns(offset_s + began_s))
        span.end(_ns(offset_s + ended_s))

    def apart(self, name: str, of: SpanContext | None, attributes: Attributes) -> Span | None:
        """Begin a trace of its own, linked to `of`, if that is sampled."""
        if self._tracer is None or of is None or not of.trace_flags.sampled:
            return None
        links = (Link(of),)
        return self._tracer.start_span(name, Context(), links=links, attributes=attributes)

    def _samples(self, caller: SpanContext | None, drawn: bool | None) -> bool:
        if caller is None:
            return self.by_chance() if drawn is None else drawn
        return caller.trace_flags.sampled and self._may_be_forced()

    def _may_be_forced(self) -> bool:
        """Anyone can send a header that asks for a trace: a bucket bounds what that costs."""
        now_s = self._now()
        self._left += (now_s - self._seen_s) * self.forced_per_s
        self._left = min(self._left, self.forced_per_s * FORCED_BURST_S)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


TRACING: Final = Tracing()
"""The tracing of this process, as the log of a process is one."""


def stage(name: str, **attributes: str | int) -> AbstractContextManager[Span]:
    """A stage of what is traced now; outside of what is sampled, nothing.

    Attributes are named as they are given, under `render_service.`.
    """
    tracer = TRACING.recording
    if tracer is None:
        return _NOTHING
    return _begun(tracer.start_span(name, attributes=_named(attributes)))


@contextmanager
def _begun(span: Span) -> Iterator[Span]:
    # Without the error's own words, which may repeat what a user wrote.
    with trace.use_span(
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield span
        except Exception as error:
            fail(span, type(error).__name__)
            raise


@contextmanager
def apart(name: str, of: SpanContext | None, **attributes: str | int) -> Iterator[None]:
    """Work behind an answer: a trace of its own, linked to `of`; unsampled, nothing."""
    span = TRACING.apart(name, of, _named(attributes))
    if span is None:
        yield
        return
    with trace.use_span(span, end_on_exit=True):
        yield


def past(name: str, began_s: float, ended_s: float) -> None:
    """Note a stage that is over, by `time.perf_counter` when it began and ended."""
    TRACING.past(name, began_s, ended_s)


def current() -> SpanContext:
    """Return what is traced now; invalid outside of requests."""
    return trace.get_current_span().get_span_context()


def annotate(**attributes: str | int) -> None:
    """Say more about the stage that is under way."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes(_named(attributes))


def fail(span: Span, kind: str) -> None:
    """Say that the stage did not do what it was for; `kind` is one of few."""
    if span.is_recording():
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))


def _named(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {f"render_service.{name}": value for name, value in attributes.items()}


def _caller(headers: list[tuple[bytes, bytes]]) -> SpanContext | None:
    """What the caller traces (W3C Trace Context), or None where it says nothing that is right."""
    carrier = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers
        if name in (b"traceparent", b"tracestate")
    }
    if "traceparent" not in carrier:
        return None
    found = trace.get_current_span(_PROPAGATOR.extract(carrier, Context()))
    context = found.get_span_context()
    return context if context.is_valid else None


def _context_of(caller: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(caller), Context())


def _unsampled(caller: SpanContext | None) -> SpanContext:
    # Chance as good as the SDK's own: a name, and no secret.
    return SpanContext(
        trace_id=random.getrandbits(128) if caller is None else caller.trace_id,
        span_id=random.getrandbits(64),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.DEFAULT),
    )


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
