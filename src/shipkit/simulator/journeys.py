"""How simulated parcels move: carrier-neutral steps at virtual times. A dialect turns each step into its own code."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

__all__ = ["JOURNEYS", "Journey", "Leg", "Parcel", "Place", "Step", "StepKind"]


class StepKind(enum.Enum):
    """What happens to a parcel at one step, in no carrier's words."""

    ANNOUNCED = "announced"  #: the data is there, the parcel is not
    ACCEPTED = "accepted"  #: first custody
    DEPARTED = "departed"
    ARRIVED = "arrived"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPTED = "attempted"  #: nobody at home
    EXCEPTION = "exception"  #: held up on the way, information only
    READY_FOR_PICKUP = "ready_for_pickup"  #: waits at a service point
    DELIVERED = "delivered"
    COLLECTED = "collected"  #: the recipient took it at the service point
    REFUSED = "refused"  #: the recipient did not want it
    RETURNING = "returning"
    RETURNED = "returned"  #: back with the sender
    VOIDED = "voided"  #: the booking was cancelled before custody


class Place(enum.Enum):
    """Where a step happens; the dialect fills in the town from the booking's addresses."""

    SENDER = "sender"
    ORIGIN_DEPOT = "origin_depot"
    HUB = "hub"
    DESTINATION_DEPOT = "destination_depot"
    SERVICE_POINT = "service_point"
    RECIPIENT = "recipient"


@attrs.frozen
class Leg:
    """One line of a script: what happens, how many hours after the booking, and where."""

    kind: StepKind
    after_h: float
    place: Place


@attrs.frozen
class Journey:
    """The script of one parcel's way."""

    name: str
    legs: tuple[Leg, ...]


@attrs.frozen(kw_only=True)
class Step:
    """One thing that happened to one parcel at a virtual instant. ``index`` counts from 0 within the parcel."""

    number: str
    booking_id: str
    index: int
    kind: StepKind
    at: datetime
    place: Place


_K, _P = StepKind, Place
_TO_DEPOT: Final = (
    Leg(_K.ANNOUNCED, 0, _P.SENDER),
    Leg(_K.ACCEPTED, 6, _P.ORIGIN_DEPOT),
    Leg(_K.DEPARTED, 10, _P.ORIGIN_DEPOT),
    Leg(_K.ARRIVED, 18, _P.HUB),
    Leg(_K.ARRIVED, 28, _P.DESTINATION_DEPOT),
)
_TO_DOOR: Final = (*_TO_DEPOT, Leg(_K.OUT_FOR_DELIVERY, 31, _P.DESTINATION_DEPOT))

#: Every script by name. Hours are invented; only their order matters.
JOURNEYS: Final[Mapping[str, Journey]] = {
    journey.name: journey
    for journey in (
        Journey("delivered", (*_TO_DOOR, Leg(_K.DELIVERED, 36, _P.RECIPIENT))),
        Journey(
            "second_attempt",
            (
                *_TO_DOOR,
                Leg(_K.ATTEMPTED, 36, _P.RECIPIENT),
                Leg(_K.OUT_FOR_DELIVERY, 55, _P.DESTINATION_DEPOT),
                Leg(_K.DELIVERED, 59, _P.RECIPIENT),
            ),
        ),
        Journey(
            "pickup_point",
            (
                *_TO_DOOR,
                Leg(_K.READY_FOR_PICKUP, 37, _P.SERVICE_POINT),
                Leg(_K.COLLECTED, 61, _P.SERVICE_POINT),
            ),
        ),
        Journey(
            "exception",
            (
                *_TO_DEPOT,
                Leg(_K.EXCEPTION, 30, _P.DESTINATION_DEPOT),
                Leg(_K.OUT_FOR_DELIVERY, 55, _P.DESTINATION_DEPOT),
                Leg(_K.DELIVERED, 60, _P.RECIPIENT),
            ),
        ),
        Journey(
            "refused",
            (
                *_TO_DOOR,
                Leg(_K.REFUSED, 36, _P.RECIPIENT),
                Leg(_K.RETURNING, 42, _P.DESTINATION_DEPOT),
                Leg(_K.ARRIVED, 60, _P.HUB),
                Leg(_K.RETURNED, 80, _P.SENDER),
            ),
        ),
    )
}


@attrs.frozen(kw_only=True)
class Parcel:
    """One package on its way: its whole script, and what of it has happened at ``now``."""

    number: str
    booking_id: str
    journey: Journey
    booked_at: datetime
    voided_at: datetime | None
    now: datetime

    @property
    def accepted_at(self) -> datetime | None:
        """When the carrier takes the parcel into custody; None for a parcel voided before that."""
        return next((step.at for step in self.steps() if step.kind is StepKind.ACCEPTED), None)

    def steps(self) -> tuple[Step, ...]:
        """Everything that happens to it, past and future; a void before custody ends the way."""
        steps = [self._step(index, leg) for index, leg in enumerate(self.journey.legs)]
        if self.voided_at is None or any(_in_custody(step, self.voided_at) for step in steps):
            return tuple(steps)
        before = [step for step in steps if step.at <= self.voided_at]
        return (*before, self._at(len(before), StepKind.VOIDED, self.voided_at, Place.SENDER))

    def steps_until_now(self) -> tuple[Step, ...]:
        """What has happened, oldest first."""
        return self.steps_until(self.now)

    def steps_until(self, at: datetime) -> tuple[Step, ...]:
        """What had happened at *at*, oldest first."""
        return tuple(step for step in self.steps() if step.at <= at)

    def _step(self, index: int, leg: Leg) -> Step:
        return self._at(index, leg.kind, self.booked_at + timedelta(hours=leg.after_h), leg.place)

    def _at(self, index: int, kind: StepKind, at: datetime, place: Place) -> Step:
        return Step(number=self.number, booking_id=self.booking_id, index=index, kind=kind, at=at, place=place)


def _in_custody(step: Step, at: datetime) -> bool:
    return step.kind is StepKind.ACCEPTED and step.at <= at
