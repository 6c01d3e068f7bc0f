"""The names of what is measured, with their units and attributes, and the closed set of every attribute's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from ..model import Environment, Operation

__all__ = ["ATTRIBUTES", "INSTRUMENTS", "OK", "Attribute", "Instrument"]

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
        _attribute("queue", "what waits", "in_doubt", "label_pending"),
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
    )
}  # fmt: skip

# Seconds; those of OpenTelemetry's HTTP metrics, and as long as a deadline may be.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)
