"""What it costs to be watched: a full call with an observer against the same call without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from shipkit.client.observe import Watchers
from shipkit.telemetry import OpenTelemetry, Prometheus

from .replies import _ups, recorded
from .requests import american
from .timing import Figure, paired
from .variants import with_other_amounts

__all__ = ["overhead"]


def overhead(shared: Path) -> list[Figure]:
    """Rates at UPS: told to Prometheus, and to OpenTelemetry's API where no SDK listens."""
    contents = with_other_amounts(recorded(shared, "rates_success.json"))
    request = attrs.evolve(american(), service=None)

    def asked(*observers: Any) -> Callable[[], object]:
        client = _ups("rates", contents)
        client._watchers = Watchers.of(observers)
        client._desk.watch = client._watchers.watch
        if client.rates(request).errors:
            raise RuntimeError("not what is to be measured")
        return lambda: client.rates(request)

    plain, against = asked(), "nobody watches"
    return [
        paired("UPS rates, counted for Prometheus", asked(Prometheus()), plain, bar=None, against=against),
        paired("UPS rates, OpenTelemetry without SDK", asked(OpenTelemetry()), plain, bar=None, against=against),
    ]
