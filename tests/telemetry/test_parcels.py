"""What is counted of parcels is what their states say, within the closed sets of the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from shipkit.events.advancing import advanced
from shipkit.events.observing import observed
from shipkit.model import EventSource, FrozenMap
from shipkit.ports import Observation
from shipkit.telemetry import ATTRIBUTES, INSTRUMENTS, Prometheus
from shipkit.telemetry.measures import Measures
from tests.events.journeys import RECEIVED, evidence
from tests.events.test_kpi import parcel, promised

LATER = RECEIVED + timedelta(minutes=2)


def told(prometheus: Prometheus) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(prometheus.render()):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


@given(evidence(), evidence(), st.booleans())
def test_every_first_time_is_counted_once_however_the_evidence_arrives(
    one: list[Any], other: list[Any], lane: bool
) -> None:
    prometheus = Prometheus()
    state = parcel(promise=promised(10, 200), origin="DE" if lane else "")
    known: tuple[Any, ...] = ()
    for batch in (one, other, one):
        work = advanced(state, known, [attrs.evolve(each, source=EventSource.WEBHOOK) for each in batch])
        for event in observed(work, "test", LATER):
            prometheus.shipkit_observe(event)
        by_id = {each.event_id: each for each in (*known, *work.events)}
        known, state = tuple(by_id.values()), work.after
    counted = told(prometheus)
    assert counted.get("shipkit_events_processing_seconds_count", 0) == len(known)
    assert counted.get("shipkit_milestones_total", 0) == sum("|" not in name for name in state.announced)
    assert counted.get("shipkit_deliveries_total", 0) <= 1


@given(evidence(), st.sampled_from(["", "FR", "DE", "US"]))
def test_attributes_stay_within_their_closed_sets(events: list[Any], origin: str) -> None:
    work = advanced(parcel(origin=origin), (), events)
    for event in observed(work, "test", LATER):
        for measured in Measures().of(event):
            row = INSTRUMENTS[measured.name]
            assert {name for name, _ in measured.attributes} <= set(row.attributes)
            for name, word in measured.attributes:
                assert not ATTRIBUTES[name].values or word in ATTRIBUTES[name].values


def test_a_push_and_a_batch_that_was_published_are_counted() -> None:
    prometheus = Prometheus()
    push = {"delivery_result": "accepted", "signature": "valid", "trust": "body_signed"}
    prometheus.shipkit_observe(Observation(kind="webhook", carrier="acme", elapsed_s=0.2, words=FrozenMap(push)))
    sent = {"publisher": "redis", "outcome": "ok"}
    prometheus.shipkit_observe(Observation(kind="published", value=40, words=FrozenMap(sent)))
    counted = told(prometheus)
    assert counted["shipkit_webhook_deliveries_total"] == 1
    assert counted["shipkit_webhook_duration_seconds_sum"] == 0.2
    assert counted["shipkit_published_total"] == 40
