"""The same counters and histograms kept here, and told as text that Prometheus reads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from ..ports import Observation, Store
from .measures import Measures
from .queues import waiting
from .table import INSTRUMENTS, Instrument, buckets_of

__all__ = ["CONTENT_TYPE", "Prometheus", "family"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Attributes = tuple[tuple[str, str], ...]
Sample = tuple[str, Attributes, float]
_UNITS: Final = {"s": "_seconds", "h": "_hours"}


class Prometheus:
    """An observer that keeps what Prometheus asks for; no OpenTelemetry is needed.

    Keep one for a process and hand it to every client; `render` is the body of the answer to ``GET /metrics``. With a
    *store* its queues and how its parcels stand are read whenever somebody asks.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._measures = Measures()
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, Attributes], float] = {}
        self._histograms: dict[tuple[str, Attributes], _Histogram] = {}

    def shipkit_observe(self, event: Observation) -> None:
        """Count *event*."""
        for measured in self._measures.of(event):
            key = measured.name, measured.attributes
            with self._lock:
                if INSTRUMENTS[measured.name].kind == "counter":
                    self._counters[key] = self._counters.get(key, 0.0) + measured.value
                else:
                    histogram = self._histograms.get(key)
                    if histogram is None:
                        histogram = self._histograms[key] = _Histogram(buckets_of(INSTRUMENTS[measured.name]))
                    histogram.add(measured.value)

    def render(self) -> str:
        """Everything so far in Prometheus' text format, served as `CONTENT_TYPE`."""
        gauges = [*self._measures.available(), *waiting(self._store, self._measures.environments)]
        with self._lock:
            told: dict[str, dict[tuple[str, Attributes], list[Sample]]] = {
                "counter": {key: [("", (), value)] for key, value in self._counters.items()},
                "histogram": {key: each.samples() for key, each in self._histograms.items()},
                "gauge": {(one.name, one.attributes): [("", (), one.value)] for one in gauges},
            }
        lines: list[str] = []
        for row in INSTRUMENTS.values():
            found = [(key[1], samples) for key, samples in told.get(row.kind, {}).items() if key[0] == row.name]
            if found:
                lines += _lines(row, found)
        return "\n".join([*lines, ""])


class _Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def samples(self) -> list[Sample]:
        """Suffix, further label and value of each line."""
        lines: list[Sample] = []
        total = 0
        for bound, count in zip((*map(_number, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            lines.append(("_bucket", (("le", bound),), total))
        return [*lines, ("_sum", (), self.sum), ("_count", (), total)]


def family(row: Instrument) -> str:
    """The name that OpenTelemetry's rules for Prometheus give an instrument, without the suffixes of its samples."""
    unit = "_ratio" if row.unit == "1" and row.kind == "gauge" else _UNITS.get(row.unit, "")
    return row.name.replace(".", "_") + unit + ("_total" if row.kind == "counter" else "")


def _lines(row: Instrument, found: Iterable[tuple[Attributes, list[Sample]]]) -> Iterator[str]:
    name = family(row)
    if row.meaning:
        yield f"# HELP {name} {_escaped(row.meaning)}"
    yield f"# TYPE {name} {row.kind}"
    for attributes, samples in found:
        for suffix, more, value in samples:
            labels = [(key.replace(".", "_"), text) for key, text in (*attributes, *more)]
            shown = ",".join(f'{key}="{_escaped(text, quotes=True)}"' for key, text in labels)
            yield f"{name}{suffix}{{{shown}}} {_number(value)}"


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
