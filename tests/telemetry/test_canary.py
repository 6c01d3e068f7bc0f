"""With every carrier, whatever goes wrong: nothing that is logged, traced or counted holds a secret or a person."""

from __future__ import annotations

import logging

import pytest

from shipkit import Client, Settings
from shipkit.client.masking import _personal
from shipkit.errors import ShipkitError
from shipkit.registry import Registry
from shipkit.simulator import Simulator
from shipkit.testing import no_waiting
from tests.matrix.test_faults import ACCOUNTS, ORDERS
from tests.telemetry.conftest import Watched

FAULTS = (
    "200_with_error",
    "html_page",
    "truncated",
    "empty_body",
    "500",
    "503",
    "429",
    "drop_before",
    "drop_after_commit",
)


@pytest.mark.parametrize("code", ORDERS)
def test_nothing_that_is_told_holds_a_secret_or_a_person(
    code: str, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    order, registry = ORDERS[code], Registry()
    with Simulator(registry.simulator(code)()) as sim:
        account = registry.carrier(code)(base_url=sim.url, **ACCOUNTS[code])
        settings = Settings(attempts=2, breaker_failures=50)
        client = Client({"it": account}, store=watched.store, observers=watched.observers, settings=settings)
        told: list[str] = []
        with no_waiting(), client:
            for number, fault in enumerate(("", *FAULTS)):
                if fault:
                    sim.add_fault(fault, operation="purchase", times=6)
                try:
                    client.create_shipment(order, account="it", key=f"key-{number}", deadline_s=2)
                except ShipkitError as error:
                    told += [str(error), repr(error), str(getattr(error, "problems", ""))]
            client.recover()

    shown = {
        "a log line": caplog.text,
        "a metric": watched.prometheus.render() + str(watched.reader.get_metrics_data()),
        "a span": "".join(span.to_json() for span in watched.spans()),
        "an error": "".join(told),
    }
    secrets = {str(value) for name, value in ACCOUNTS[code].items() if name != "client_id"}
    canaries = {text for text in _personal(order) if len(text) > 3} | {text for text in secrets if len(text) > 5}
    found = [(place, text) for place, line in shown.items() for text in canaries if text in line]

    assert len(canaries) >= 6
    assert watched.spans() and caplog.text and told
    assert found == []
