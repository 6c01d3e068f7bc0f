"""The names of what is measured, with their units and attributes, and the closed set of every attribute's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from ..model import (
    Actor,
    Commitment,
    DeliveryResult,
    Environment,
    EventSource,
    LaneKind,
    Milestone,
    Operation,
    Reason,
    SignatureResult,
    TrustLevel,
)

__all__ = ["ATTRIBUTES", "INSTRUMENTS", "OK", "Attribute", "Instrument", "buckets_of"]

OK: Final = "ok"


@attrs.frozen
class Attribute:
    """What tells measurements apart: its values are few, and known before anything is sent.

    ``values`` is empty where they are those of the installed plugins: a carrier's code, a request's name.
    """

    name: str
    meaning: str
    values: frozenset[str] = frozenset()


@attrs.frozen
class Instrument:
    """One span, counter, histogram or gauge."""

    name: str
    kind: str
    unit: str
    attributes: tuple[str, ...]
    measure: str
    """The figure of the service that it belongs to."""
    meaning: str


def _attribute(name: str, meaning: str, *values: str) -> tuple[str, Attribute]:
    return f"shipkit.{name}", Attribute(f"shipkit.{name}", meaning, frozenset(values))


ATTRIBUTES: Final[Mapping[str, Attribute]] = dict(
    [
        _attribute("carrier", "the plugin's code"),
        _attribute("environment", "the world that the account talks to", *(each.value for each in Environment)),
        _attribute("operation", "what the host asked for", *(each.value for each in Operation)),
        _attribute("request", "the plugin's name of the exchange"),
        _attribute(
            "outcome",
            "`ok`, or the code of the error; `bad_reply` also for an answer that no other code describes",
            OK, "invalid_input", "not_supported", "key_conflict", "in_progress", "in_doubt", "label_pending",
            "rejected",
            "authentication", "not_found", "rate_limited", "unavailable", "bad_reply", "not_sent", "outcome_unknown",
            "deadline", "store", "plugin",
        ),
        _attribute(
            "status_class",
            "of the HTTP status; `none` without an answer",
            "2xx", "3xx", "4xx", "5xx", "none", "error_in_2xx",
        ),
        _attribute(
            "retry_cause", "why it was sent again", "not_sent", "timeout", "429", "5xx", "401", "breaker_probe"
        ),
        _attribute(
            "queue", "what waits", "inbox", "outbox", "dead_letters", "parked", "in_doubt", "label_pending"
        ),
        _attribute("delivery_result", "what became of a push", *(each.value for each in DeliveryResult)),
        _attribute("signature", "what its verification gave", *(each.value for each in SignatureResult)),
        _attribute("trust", "how far it can be believed", *(each.value for each in TrustLevel)),
        _attribute("source", "how an event reached us", *(each.value for each in EventSource)),
        _attribute(
            "publisher", "the kind of a destination", "rabbitmq", "nats", "redis", "kafka", "http", "host"
        ),
        _attribute("reason", "why a parcel does not go on", *(each.value for each in Reason)),
        _attribute("actor", "who must act", *(each.value for each in Actor)),
        _attribute("milestone", "where a parcel is", *(each.value for each in Milestone)),
        _attribute("on_time", "against what was promised", "early", "on_time", "late", "unknown"),
        _attribute("commitment", "how firm the promise was", *(each.value for each in Commitment)),
        _attribute(
            "lane", "what the border means; left out where a country is not known",
            *(each.value for each in LaneKind if each is not LaneKind.ANY),
        ),
        _attribute("recovery_result", "how a look ended a doubt", "found", "absent", "several", "needs_person"),
        _attribute(
            "booking_result",
            "how an intent ended",
            "booked", "label_pending", "refused", "invalid", "in_doubt", "failed",
        ),
    ]
)  # fmt: skip

_CALL = ("shipkit.carrier", "shipkit.operation", "shipkit.environment", "shipkit.outcome")
_SEND = ("shipkit.carrier", "shipkit.request", "shipkit.environment", "shipkit.status_class")
_RECOVER = ("shipkit.carrier", "shipkit.environment", "shipkit.recovery_result")
_ACCOUNT = ("shipkit.carrier", "shipkit.environment")
_ENDPOINT = ("shipkit.carrier", "shipkit.environment", "shipkit.operation")
_LATENCY, _AUTH, _UP = "API latency", "auth errors", "endpoint availability"
_SUCCESS, _QUEUES = "shipment creation success", "queue depth"
_PUSHES, _LAG, _PROBLEMS = "webhook failures", "event processing lag", "exception rate by reason"
_SLA, _COMPLETION = "carrier SLA adherence", "order-to-delivery milestone completion"
_PUSH = ("shipkit.carrier", "shipkit.delivery_result")
_SOURCE = ("shipkit.carrier", "shipkit.source")

INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    row.name: row
    for row in (
        Instrument("shipkit.call", "span", "", _CALL, _LATENCY, "one call of the host, waits and retries included"),
        Instrument(
            "shipkit.send", "span", "", _SEND, _LATENCY, "one exchange with the carrier; no URL, no host data"
        ),
        Instrument("shipkit.recover", "span", "", _RECOVER, "", "one look for a booking in doubt"),
        Instrument("shipkit.call.duration", "histogram", "s", _CALL, _LATENCY, "what the host waits"),
        Instrument(
            "shipkit.send.duration", "histogram", "s", _SEND, _LATENCY,
            "what the carrier takes; its count is the number of exchanges",
        ),
        Instrument(
            "shipkit.retries", "counter", "{retry}",
            ("shipkit.carrier", "shipkit.request", "shipkit.retry_cause"),
            "retry rate", "over the count of shipkit.send.duration",
        ),
        Instrument(
            "shipkit.limit.wait", "histogram", "s", ("shipkit.carrier", "shipkit.operation"), _LATENCY,
            "time spent waiting for our own rate limit",
        ),
        Instrument(
            "shipkit.auth.errors", "counter", "{error}", _ACCOUNT, _AUTH, "credentials refused, after the one refresh"
        ),
        Instrument(
            "shipkit.auth.refreshes", "counter", "{refresh}", _ACCOUNT, _AUTH,
            "token calls; more than one per lifetime and account is a fault",
        ),
        Instrument("shipkit.endpoint.available", "gauge", "1", _ENDPOINT, _UP, "1 breaker closed, 0 open"),
        Instrument("shipkit.breaker.opened", "counter", "{opening}", _ENDPOINT, _UP, ""),
        Instrument("shipkit.queue.depth", "gauge", "{item}", ("shipkit.queue",), _QUEUES, ""),
        Instrument("shipkit.queue.age", "gauge", "s", ("shipkit.queue",), _QUEUES, "of the oldest item"),
        Instrument(
            "shipkit.recoveries", "counter", "{recovery}", ("shipkit.carrier", "shipkit.recovery_result"), _SUCCESS,
            "how doubts ended",
        ),
        Instrument(
            "shipkit.events.unmapped", "counter", "{event}", ("shipkit.carrier",), "event processing lag",
            "codes without a row in the status table; the code itself is in the log and the report",
        ),
        Instrument(
            "shipkit.bookings", "counter", "{shipment}",
            ("shipkit.carrier", "shipkit.environment", "shipkit.booking_result"), _SUCCESS,
            "one per intent, when it is settled; booked over all",
        ),
        Instrument(
            "shipkit.webhook", "span", "", (*_PUSH, "shipkit.trust"), _PUSHES, "from the first byte to the 2xx"
        ),
        Instrument(
            "shipkit.process", "span", "", _PUSH, _LAG,
            "one inbox row to events and changes; linked to the webhook span",
        ),
        Instrument(
            "shipkit.publish", "span", "", ("shipkit.publisher", "shipkit.outcome"), "", "one batch of the outbox"
        ),
        Instrument(
            "shipkit.poll", "span", "", ("shipkit.carrier", "shipkit.outcome"), "", "one polling round of an account"
        ),
        Instrument(
            "shipkit.webhook.deliveries", "counter", "{delivery}", (*_PUSH, "shipkit.signature"), _PUSHES,
            "failed and dead_letter, and invalid signatures, over all",
        ),
        Instrument("shipkit.webhook.duration", "histogram", "s", _PUSH, _PUSHES, "time to the 2xx"),
        Instrument(
            "shipkit.webhook.silence", "gauge", "s", _ACCOUNT, _PUSHES,
            "since the last push of an account that has open parcels; the largest",
        ),
        Instrument(
            "shipkit.published", "counter", "{event}", ("shipkit.publisher", "shipkit.outcome"), _QUEUES,
            "events taken by a destination",
        ),
        Instrument(
            "shipkit.events.lag", "histogram", "s", _SOURCE, _LAG,
            "from the scan to the change that was published; only where the offset is known",
        ),
        Instrument(
            "shipkit.events.processing", "histogram", "s", _SOURCE, _LAG,
            "from receipt to the change that was published: our own share",
        ),
        Instrument(
            "shipkit.exceptions", "counter", "{exception}", ("shipkit.carrier", "shipkit.reason", "shipkit.actor"),
            _PROBLEMS, "opened; over shipkit.bookings",
        ),
        Instrument(
            "shipkit.exceptions.open", "gauge", "{exception}", ("shipkit.carrier", "shipkit.actor"), _PROBLEMS,
            "waiting for somebody now",
        ),
        Instrument(
            "shipkit.deliveries", "counter", "{parcel}",
            ("shipkit.carrier", "shipkit.on_time", "shipkit.commitment", "shipkit.lane"), _SLA,
            "on_time and early over all but unknown",
        ),
        Instrument(
            "shipkit.delivery.lateness", "histogram", "h", ("shipkit.carrier", "shipkit.commitment"), _SLA,
            "delivered minus the end of the promised window; negative is early",
        ),
        Instrument(
            "shipkit.milestones", "counter", "{entry}", ("shipkit.carrier", "shipkit.milestone"), _COMPLETION,
            "first entries; over shipkit.bookings",
        ),
        Instrument(
            "shipkit.milestone.time", "histogram", "h",
            ("shipkit.carrier", "shipkit.milestone", "shipkit.lane"), _COMPLETION,
            "from the booking to the first entry",
        ),
        Instrument(
            "shipkit.parcels.open", "gauge", "{parcel}", ("shipkit.carrier", "shipkit.milestone"), _COMPLETION,
            "where the parcels are now",
        ),
    )
}  # fmt: skip

# Seconds; those of OpenTelemetry's HTTP metrics, and as long as a deadline may be.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)

_BUCKETS_LAG_S: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0, 172800.0, 604800.0)
_BUCKETS_H: Final = (-48.0, -24.0, -12.0, -6.0, -1.0, 0.0, 1.0, 6.0, 12.0, 24.0, 48.0, 72.0, 96.0, 120.0, 168.0, 336.0)


def buckets_of(row: Instrument) -> tuple[float, ...]:
    """The bounds of a histogram: calls take seconds, news of a scan hours, a journey days."""
    if row.unit == "h":
        return _BUCKETS_H
    return _BUCKETS_LAG_S if row.name.startswith("shipkit.events.") else BUCKETS_S
