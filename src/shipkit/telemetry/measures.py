"""From what observers are told to measurements: which instrument, how much, under which attributes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from ..ports import Observation
from .table import ATTRIBUTES, INSTRUMENTS, OK

__all__ = ["Measured", "Measures", "named", "outcome_of", "status_class"]

_OUTCOMES: Final = ATTRIBUTES["shipkit.outcome"].values
_OPERATIONS: Final = ATTRIBUTES["shipkit.operation"].values
_RETRIES: Final = ATTRIBUTES["shipkit.retry_cause"].values
_RESULTS: Final = ATTRIBUTES["shipkit.recovery_result"].values
# What was sent again because of an error of this code; our own limit and breaker are not sent again.
_CAUSES: Final[Mapping[str, str]] = {
    "not_sent": "not_sent",
    "outcome_unknown": "timeout",
    "rate_limited": "429",
    "unavailable": "5xx",
    "authentication": "401",
}
# What a shipment's intent has come to with such an error. The others do not settle it: another call holds the key, or
# the doubt goes on, and whoever settles it is counted.
_SETTLED: Final[Mapping[str, str]] = {
    "rejected": "refused",
    "invalid_input": "invalid",
    "not_supported": "invalid",
    "key_conflict": "",
    "in_progress": "",
    "in_doubt": "",
    "label_pending": "",
}
_BOOKS: Final = frozenset({"create_shipment", "create_return"})
_MAX_CALLS = 10_000  # what calls that never ended leave behind


@attrs.frozen
class Measured:
    """One figure of one instrument."""

    name: str
    value: float
    attributes: tuple[tuple[str, str], ...]


@attrs.define
class _Call:
    """What happened within a call so far that says how its intent ended."""

    booked: bool = False
    stray: bool = False
    person: bool = False


def outcome_of(error: str) -> str:
    """The outcome of a call that ended with *error*; empty where it was cancelled."""
    if error == "carrier_error":
        return "bad_reply"
    return error if error in _OUTCOMES else "" if error else OK


def status_class(event: Observation) -> str:
    """Of one exchange: its status by the hundred, or what stands for it."""
    status = event.status or 0
    if 200 <= status < 300:
        return "error_in_2xx" if event.error else "2xx"
    return f"{status // 100}xx" if 300 <= status < 600 else "none"


class Measures:
    """Turns observations into measurements; it keeps what only several of them say together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[int, _Call] = {}
        self._open: dict[tuple[tuple[str, str], ...], set[str]] = {}
        self.environments: dict[str, str] = {}
        """By account, as far as something was told of it."""

    def of(self, event: Observation) -> Iterator[Measured]:
        """What *event* adds."""
        if event.account and event.environment:
            self.environments[event.account] = event.environment
        return _of_parcels(event) if event.kind in _OF_PARCELS else self._of_calls(event)

    def _of_calls(self, event: Observation) -> Iterator[Measured]:
        carrier, account = ("shipkit.carrier", event.carrier), _account(event)
        match event.kind:
            case "call" | "in_doubt":
                yield from self._ended(event)
            case "request":
                where = (carrier, ("shipkit.request", event.request))
                how = (account[1], ("shipkit.status_class", status_class(event)))
                yield _timed("shipkit.send.duration", event, (*where, *how))
            case "retry":
                yield from _retried(event)
            case "waited" if event.detail == "limit":
                yield _timed("shipkit.limit.wait", event, (carrier, ("shipkit.operation", event.operation)))
            case "token":
                yield Measured("shipkit.auth.refreshes", 1, account)
            case "breaker":
                yield from self._moved(event)
            case "unmapped_code":
                yield Measured("shipkit.events.unmapped", 1, (carrier,))
            case "recovery":
                result = self.recovery_result(event)
                if result:
                    yield Measured("shipkit.recoveries", 1, (carrier, ("shipkit.recovery_result", result)))
            case "booked":
                self._noted(event.call, "booked")
            case "strays" if not event.detail:
                self._noted(event.call, "stray")

    def available(self) -> list[Measured]:
        """Every endpoint that was asked so far, with 0 while a breaker is open."""
        with self._lock:
            return [
                Measured("shipkit.endpoint.available", 0 if accounts else 1, endpoint)
                for endpoint, accounts in self._open.items()
            ]

    def recovery_result(self, event: Observation) -> str:
        """How the look ended the doubt; empty where it goes on."""
        if event.detail == "needs_person":
            self._noted(event.call, "person")
        if event.detail == "found":
            with self._lock:
                call = self._calls.get(event.call)
                if call is not None and call.stray:
                    return "several"
        return event.detail if event.detail in _RESULTS else ""

    def _noted(self, number: int, what: str) -> None:
        with self._lock:
            while len(self._calls) >= _MAX_CALLS:
                self._calls.pop(next(iter(self._calls)))
            setattr(self._calls.setdefault(number, _Call()), what, True)

    def _ended(self, event: Observation) -> Iterator[Measured]:
        with self._lock:
            call = self._calls.pop(event.call, None) or _Call()
            self._open.setdefault(_endpoint(event), set())
        outcome = outcome_of(event.error)
        if not outcome:
            return  # cancelled: nobody waited for it
        carrier, environment = _account(event)
        where = (carrier, ("shipkit.operation", event.operation), environment)
        yield _timed("shipkit.call.duration", event, (*where, ("shipkit.outcome", outcome)))
        if outcome == "authentication":
            yield Measured("shipkit.auth.errors", 1, _account(event))
        result = _booking_result(call, outcome) if event.operation in _BOOKS else ""
        if result:
            yield Measured("shipkit.bookings", 1, (*_account(event), ("shipkit.booking_result", result)))

    def _moved(self, event: Observation) -> Iterator[Measured]:
        endpoint, opened = _endpoint(event), event.detail == "open"
        with self._lock:
            accounts = self._open.setdefault(endpoint, set())
            (accounts.add if opened else accounts.discard)(event.account)
        if opened:
            yield Measured("shipkit.breaker.opened", 1, endpoint)


# Of each kind what is counted, what is timed, and what is measured in the event's own unit.
_OF_PARCELS: Final[Mapping[str, tuple[str, str, str]]] = {
    "webhook": ("shipkit.webhook.deliveries", "shipkit.webhook.duration", ""),
    "event": ("", "shipkit.events.processing", "shipkit.events.lag"),
    "exception": ("shipkit.exceptions", "", ""),
    "milestone": ("shipkit.milestones", "", "shipkit.milestone.time"),
    "delivered": ("shipkit.deliveries", "", "shipkit.delivery.lateness"),
    "published": ("shipkit.published", "", ""),
}


def _of_parcels(event: Observation) -> Iterator[Measured]:
    counted, timed, measured = _OF_PARCELS[event.kind]
    if counted:
        many = 1 if event.kind != "published" else event.value or 0
        yield Measured(counted, many, named(counted, event))
    if timed and event.elapsed_s is not None:
        yield Measured(timed, event.elapsed_s, named(timed, event))
    if measured and event.value is not None:
        yield Measured(measured, event.value, named(measured, event))


def named(instrument: str, event: Observation) -> tuple[tuple[str, str], ...]:
    """The instrument's attributes, as far as *event* has them."""
    own = {
        "shipkit.carrier": event.carrier,
        "shipkit.environment": event.environment,
        "shipkit.outcome": outcome_of(event.error),
    }
    words = own | {f"shipkit.{name}": word for name, word in event.words.items()}
    return tuple((name, words[name]) for name in INSTRUMENTS[instrument].attributes if words.get(name))


def _retried(event: Observation) -> Iterator[Measured]:
    cause = _CAUSES.get(event.error) or event.detail
    if cause in _RETRIES:
        where = (("shipkit.carrier", event.carrier), ("shipkit.request", event.request))
        yield Measured("shipkit.retries", 1, (*where, ("shipkit.retry_cause", cause)))


def _booking_result(call: _Call, outcome: str) -> str:
    """How the intent ended, by what was recorded and what was raised; empty where it did not, or had before."""
    if call.booked:
        return "label_pending" if outcome == "label_pending" else "booked"
    if call.person:
        return "in_doubt"
    return "" if outcome == OK else _SETTLED.get(outcome, "failed")


def _account(event: Observation) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("shipkit.carrier", event.carrier), ("shipkit.environment", event.environment)


def _endpoint(event: Observation) -> tuple[tuple[str, str], ...]:
    return (*_account(event), ("shipkit.operation", event.operation))


def _timed(name: str, event: Observation, attributes: tuple[tuple[str, str], ...]) -> Measured:
    return Measured(name, event.elapsed_s or 0.0, attributes)
