"""A simulated Acme, two accounts at it, and everybody who watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shipkit.simulator import Simulator
from shipkit.store import MemoryStore
from shipkit.telemetry import OpenTelemetry, Prometheus
from tests.core.acme import Acme
from tests.simulator.acme import AcmeDialect


@attrs.define
class Watched:
    """What was recorded, by either observer."""

    otel: OpenTelemetry
    prometheus: Prometheus
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracer: Any
    store: MemoryStore

    @property
    def observers(self) -> list[Any]:
        return [self.otel, self.prometheus]

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if name in ("", span.name)]

    def points(self) -> dict[str, list[Any]]:
        """The data points of every metric by its name."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def counted(self, name: str, **attributes: str) -> float:
        """The sum over the points of *name* that have *attributes*; of a histogram, how many."""
        wanted = {f"shipkit.{key}": value for key, value in attributes.items()}
        found = [one for one in self.points().get(name, []) if wanted.items() <= dict(one.attributes).items()]
        return sum(getattr(one, "count", None) or getattr(one, "value", 0) for one in found)


@pytest.fixture
def watched() -> Iterator[Watched]:
    exporter, reader, store = InMemorySpanExporter(), InMemoryMetricReader(), MemoryStore()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield Watched(
        OpenTelemetry(tracer_provider=tracers, meter_provider=meters, store=store),
        Prometheus(store),
        exporter,
        reader,
        tracers.get_tracer("host"),
        store,
    )
    tracers.shutdown()
    meters.shutdown()


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(AcmeDialect()) as running:
        yield running


@pytest.fixture
def acme(sim: Simulator) -> Acme:
    return Acme(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")
