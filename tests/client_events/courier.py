"""Acme as a simulated carrier: asked over HTTP, one number or many at a time, it takes subscriptions, and it pushes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import attrs

from shipkit.errors import NotFoundError, RejectedError
from shipkit.flow import Flow, Request
from shipkit.model import (
    CarrierFacts,
    EventTime,
    Milestone,
    Operation,
    OperationFacts,
    Outcome,
    Reason,
    Subscription,
    SubscriptionRequest,
    SubscriptionState,
    Support,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackQuery,
    TrackResult,
    TrustLevel,
    WebhookDelivery,
    WebhookFacts,
)
from shipkit.simulator import Call, Clock, Reply, Simulator, World, route
from shipkit.webhooks import Hmac
from tests.client_events.stage import Clock as HostsClock
from tests.core.acme import Acme, acme_facts
from tests.simulator.acme import AcmeDialect

START: Final = datetime(2026, 3, 1, 8, 0, tzinfo=timezone.utc)
SECRET: Final = "whsec-courier"
STATES: Final[Mapping[str, Milestone]] = {
    "announced": Milestone.ANNOUNCED,
    "accepted": Milestone.ACCEPTED,
    "departed": Milestone.IN_TRANSIT,
    "arrived": Milestone.IN_TRANSIT,
    "out_for_delivery": Milestone.OUT_FOR_DELIVERY,
    "attempted": Milestone.DELIVERY_ATTEMPTED,
    "ready_for_pickup": Milestone.READY_FOR_PICKUP,
    "delivered": Milestone.DELIVERED,
    "collected": Milestone.DELIVERED,
    "refused": Milestone.DELIVERY_ATTEMPTED,
    "returning": Milestone.RETURNING,
    "returned": Milestone.RETURNED,
}
WAYS: Final = ("delivered", "second_attempt", "pickup_point", "exception", "refused")


class CourierDialect(AcmeDialect):
    """Acme's REST interface, with a call for many numbers."""

    refuses: str = ""
    """A number that the whole call is refused for, as some carriers do."""

    @route("POST", "/v2/track", operation="track_many")
    def track_many(self, call: Call) -> Reply:
        numbers = call.json()["numbers"]
        if self.refuses in numbers:
            return Reply.json({"error": {"code": "A40", "text": "a number is malformed"}}, 422)
        return Reply.json({"parcels": [self._told(number) for number in numbers]})

    def _told(self, number: str) -> dict[str, Any]:
        try:
            steps = self.world.parcel(number).steps_until_now()
        except LookupError:
            return {"number": number, "error": "unknown"}
        return {"number": number, "events": [{"code": step.kind.value, "at": step.at.isoformat()} for step in steps]}


def _event(row: Mapping[str, str], observed_at: datetime) -> TrackingEvent:
    at = datetime.fromisoformat(row["at"].replace("Z", "+00:00"))
    milestone = STATES.get(row["code"])
    return TrackingEvent(
        code=row["code"],
        milestone=milestone,
        reason=None if milestone else Reason.DELAYED if row["code"] == "exception" else Reason.UNMAPPED,
        time=EventTime(
            local=at.replace(tzinfo=None), precision=TimePrecision.SECOND, offset_min=0, basis=TimeBasis.OFFSET
        ),
        observed_at=observed_at,
        mapping_version="courier-1",
    )


@attrs.frozen(kw_only=True)
class Courier(Acme):
    """Asked one number at a time."""

    webhook_secrets: tuple[str, ...] = attrs.field(default=(SECRET,), repr=False)

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        response = yield Request.get(f"{self._url}/track/{query.number.value}", name="track")
        rows = response.json()["events"]
        events = tuple(_event(row, response.received_at) for row in rows)
        return TrackResult(number=query.number, events=events, complete=True, received_at=response.received_at)

    @property
    def webhook_scheme(self) -> Hmac:
        return Hmac(header="X-Acme-Signature")

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        row = json.loads(delivery.body)
        number = TrackingNumber(value=row["number"], carrier="acme")
        events = (_event(row, delivery.received_at),)
        return (TrackResult(number=number, events=events, complete=False, received_at=delivery.received_at),)


@attrs.frozen(kw_only=True)
class Direct(Courier):
    """It reads the carrier's books without HTTP: for hundreds of parcels over many days."""

    world: World = attrs.field(repr=False)

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        at = datetime.now(timezone.utc)
        with self.world.lock:
            steps = self.world.parcel(query.number.value).steps_until_now()
        events = tuple(_event({"code": step.kind.value, "at": step.at.isoformat()}, at) for step in steps)
        return TrackResult(number=query.number, events=events, complete=True, received_at=at)
        yield  # a flow that sends nothing


def batch_facts(batch_max: int = 10, **webhooks: Any) -> CarrierFacts:
    facts = acme_facts()
    yes = Support.YES
    more = {
        Operation.TRACK_MANY: OperationFacts(support=yes, batch_max=batch_max),
        Operation.SUBSCRIBE: OperationFacts(support=yes),
        Operation.READ_WEBHOOK: OperationFacts(support=yes),
    }
    told = WebhookFacts(trust=TrustLevel.BODY_SIGNED, scheme="hmac-sha256-hex", subscribe_max=3, **webhooks)
    return attrs.evolve(facts, operations={**facts.operations, **more}, webhooks=told)


@attrs.frozen(kw_only=True)
class Batcher(Courier):
    """Asked many numbers at a time; it pushes for numbers that were subscribed, for two weeks."""

    unknown: frozenset[str] = frozenset()

    @classmethod
    def facts(cls) -> CarrierFacts:
        return batch_facts(subscription_days=14)

    def track_many(self, queries: tuple[TrackQuery, ...]) -> Flow[tuple[Outcome[TrackResult], ...]]:
        numbers = [query.number.value for query in queries]
        url = f"{self._url}/track"
        response = yield Request.json("POST", url, {"numbers": numbers}, name="track_many", replayable=True)
        rows = response.json()["parcels"]
        return tuple(self._outcome(i, query, rows[i], response.received_at) for i, query in enumerate(queries))

    def _outcome(self, index: int, query: TrackQuery, row: Any, at: datetime) -> Outcome[TrackResult]:
        if "error" in row:
            return Outcome(index=index, error=NotFoundError("no such parcel"))
        events = tuple(_event(event, at) for event in row["events"])
        result = TrackResult(number=query.number, events=events, complete=True, received_at=at)
        return Outcome(index=index, value=result)

    def subscribe(self, request: SubscriptionRequest) -> Flow[Subscription]:
        numbers = [number.value for number in request.numbers]
        good = [number for number in numbers if number not in self.unknown]
        payload = {"url": request.callback_url, "numbers": good, "credential": SECRET}
        if not good:
            raise RejectedError("none of these numbers")
        response = yield Request.json("POST", f"{self._url}/hooks", payload, name="subscribe")
        return Subscription(
            subscription_id=response.json()["id"],
            state=SubscriptionState.ACTIVE,
            accepted=tuple(number for number in request.numbers if number.value in good),
            refused={number: RejectedError("unknown there") for number in numbers if number not in good},
        )


@contextmanager
def simulated(make: type[Courier] = Courier, **more: Any) -> Iterator[tuple[Simulator, Courier]]:
    """A carrier whose time stands still until it is moved, and an account of it."""
    dialect = CourierDialect(World(clock=Clock(START)))
    with Simulator(dialect) as sim:
        given: dict[str, Any] = {"client_id": "host", "client_secret": "client-secret", "base_url": f"{sim.url}/v2"}
        if issubclass(make, Direct):
            given["world"] = sim.world
        yield sim, make(**(given | more))


def booked(sim: Simulator, count: int, *ways: str) -> list[str]:
    """Parcels in the carrier's books, each on the next of *ways*."""
    numbers = []
    with sim.world.lock:
        for index in range(count):
            number = f"AC{index:06d}"
            way = (ways or WAYS)[index % len(ways or WAYS)]
            sim.world.book(booking_id=f"b-{index}", numbers=(number,), journeys=(way,))
            numbers.append(number)
    return numbers


def truth(sim: Simulator, number: str) -> Milestone:
    """Where the parcel is, by the carrier's own books."""
    with sim.world.lock:
        steps = sim.world.parcel(number).steps_until_now()
    states = [STATES[step.kind.value] for step in steps if step.kind.value in STATES]
    # A scan of a depot on the way back is still the way back.
    back = any(step.kind.value == "returning" for step in steps)
    return Milestone.RETURNING if back and states[-1] is Milestone.IN_TRANSIT else states[-1]


class CarriersTime(HostsClock):
    """The simulated carrier's clock, for a store and its host."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def __call__(self) -> float:
        return self.now().timestamp()

    def now(self) -> datetime:
        return self._sim.clock.now()


def seconds(**spans: float) -> float:
    return timedelta(**spans).total_seconds()
