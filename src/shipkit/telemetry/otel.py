"""OpenTelemetry's spans and metrics; only its API is needed here, a host brings SDK and exporters.

A span of a call is the current one while the call runs, so whatever else is instrumented nests within it. httpx is not
instrumented: its spans would tell addresses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextvars import Token
from typing import Any, Final

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.metrics import CallbackOptions, MeterProvider
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
except ImportError as missing:
    raise ImportError("OpenTelemetry's API is missing: install shipkit-sdk[otel]") from missing

from ..ports import Observation, Store
from .measures import Measured, Measures, named, outcome_of, status_class
from .queues import GAUGES, waiting
from .table import INSTRUMENTS, OK, Instrument, buckets_of

__all__ = ["OpenTelemetry"]

_SPANS: Final = {
    "call": "shipkit.call",
    "in_doubt": "shipkit.call",
    "request": "shipkit.send",
    "recovery": "shipkit.recover",
}
# Nothing happens within them that is told: they are made when they have ended.
_AFTERWARDS: Final = {
    "webhook": "shipkit.webhook",
    "processed": "shipkit.process",
    "published": "shipkit.publish",
    "polled": "shipkit.poll",
}
_MAX_OPEN = 10_000  # what calls that never ended leave behind


class OpenTelemetry:
    """An observer that makes spans and metrics with the host's providers, the global ones unless it names others.

    One for a process serves every client. With a *store* its queues and how its parcels stand are read whenever metrics
    are collected.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        store: Store | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("shipkit", tracer_provider=tracer_provider)
        self._meter = metrics.get_meter("shipkit", meter_provider=meter_provider)
        self._measures, self._store = Measures(), store
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Span, Token[context.Context]]] = {}
        self._record = {
            row.name: _recorder(self._meter, row)
            for row in INSTRUMENTS.values()
            if row.kind in ("counter", "histogram")
        }
        for name in ("shipkit.endpoint.available", *GAUGES):
            row = INSTRUMENTS[name]
            self._meter.create_observable_gauge(name, [self._gauge(name)], unit=row.unit, description=row.meaning)

    def shipkit_observe_began(self, event: Observation) -> None:
        """Start a span, and have it be the current one where *event* happens."""
        span = self._tracer.start_span(_SPANS[event.kind], kind=_kind(event), attributes=dict(_at_first(event)))
        token = context.attach(trace.set_span_in_context(span))
        with self._lock:
            while len(self._open) >= _MAX_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[event.id] = span, token

    def shipkit_observe(self, event: Observation) -> None:
        """Record what *event* adds, and end the span that it ends."""
        result = self._measures.recovery_result(event) if event.kind == "recovery" else ""
        for measured in self._measures.of(event):
            self._record[measured.name](measured.value, dict(measured.attributes))
        if event.kind in _AFTERWARDS and event.elapsed_s is not None:
            self._spanned(event, event.elapsed_s)
        if event.kind in _SPANS:
            with self._lock:
                span, token = self._open.pop(event.id, (None, None))
            if span is not None and token is not None:
                _end(span, event, result)
                context.detach(token)

    def _spanned(self, event: Observation, elapsed_s: float) -> None:
        name, ended_ns = _AFTERWARDS[event.kind], time.time_ns()
        kind = SpanKind.SERVER if event.kind == "webhook" else SpanKind.INTERNAL
        began_ns = ended_ns - int(elapsed_s * 1e9)
        span = self._tracer.start_span(name, kind=kind, attributes=dict(named(name, event)), start_time=began_ns)
        if event.error:
            # What is outside the closed set, such as the name of an exception, is no description either.
            span.set_status(Status(StatusCode.ERROR, outcome_of(event.error) or None))
        span.end(ended_ns)

    def _gauge(self, name: str) -> Any:
        def observed(_: CallbackOptions) -> Iterable[metrics.Observation]:
            rows: list[Measured] = (
                self._measures.available() if "endpoint" in name else waiting(self._store, self._measures.environments)
            )
            return [metrics.Observation(row.value, dict(row.attributes)) for row in rows if row.name == name]

        return observed


def _recorder(meter: metrics.Meter, row: Instrument) -> Any:
    if row.kind == "counter":
        return meter.create_counter(row.name, unit=row.unit, description=row.meaning).add
    try:
        made = meter.create_histogram(
            row.name, unit=row.unit, description=row.meaning, explicit_bucket_boundaries_advisory=buckets_of(row)
        )
    except TypeError:  # an API older than 1.30 takes no advice
        made = meter.create_histogram(row.name, unit=row.unit, description=row.meaning)
    return made.record


def _kind(event: Observation) -> SpanKind:
    return SpanKind.CLIENT if event.kind == "request" else SpanKind.INTERNAL


def _at_first(event: Observation) -> list[tuple[str, str]]:
    named = [("shipkit.carrier", event.carrier), ("shipkit.environment", event.environment)]
    if event.kind == "call":
        named.append(("shipkit.operation", event.operation))
    if event.kind == "request":
        named.append(("shipkit.request", event.request))
    return named


def _end(span: Span, event: Observation, result: str) -> None:
    """Say how it ended: our code is all that is told of an error."""
    outcome = outcome_of(event.error)
    if event.kind == "request":
        span.set_attribute("shipkit.status_class", status_class(event))
    elif event.kind == "recovery":
        if result:
            span.set_attribute("shipkit.recovery_result", result)
    elif outcome:
        span.set_attribute("shipkit.outcome", outcome)
    if outcome != OK:
        span.set_status(Status(StatusCode.ERROR, outcome))
    span.end()
