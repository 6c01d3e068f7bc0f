"""How simulated parcels move: carrier-neutral steps at virtual times. A dialect turns each step into its own code."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

__all__ = ["JOURNEYS", "OVER", "Journey", "Leg", "Parcel", "Place", "Step", "StepKind"]


class StepKind(enum.Enum):
    """What happens to a parcel at one step, in no carrier's words."""

    ANNOUNCED = "announced"  #: the data is there, the parcel is not
    ACCEPTED = "accepted"  #: first custody
    DEPARTED = "departed"
    ARRIVED = "arrived"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPTED = "attempted"  #: nobody at home
    EXCEPTION = "exception"  #: held up on the way, information only
    CUSTOMS_HELD = "customs_held"  #: customs keep it
    CUSTOMS_CLEARED = "customs_cleared"
    HANDED_OVER = "handed_over"  #: another carrier takes it from here
    REDIRECTED = "redirected"  #: it goes to a service point instead of the door
    READY_FOR_PICKUP = "ready_for_pickup"  #: waits at a service point
    DELIVERED = "delivered"
    COLLECTED = "collected"  #: the recipient took it at the service point
    REFUSED = "refused"  #: the recipient did not want it
    RETURNING = "returning"
    RETURNED = "returned"  #: back with the sender
    LOST = "lost"  #: the carrier gives it up
    NOTED = "noted"  #: something is filed about it, information only
    UNEXPLAINED = "unexplained"  #: told with a code that stands in no list of the carrier's
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

    @property
    def end(self) -> StepKind:
        """Where the parcel is in truth when all of it has happened: the last step that is more than a note or noise."""
        kinds = [leg.kind for leg in self.legs if leg.kind not in _BESIDE]
        over = [kind for kind in kinds if kind in OVER]
        return over[-1] if over else kinds[-1]

    def hurried(self, happened: int, kind: StepKind, at_h: float, *, unexplained: bool = False) -> Journey:
        """The way on which the legs after the first *happened* until the next *kind* come second by second from *at_h*.

        What follows keeps its distance. With *unexplained* a step that no list explains comes before that *kind*.

        Raises:
            ValueError: no *kind* is to come.
        """
        index = next((index for index, leg in enumerate(self.legs) if index >= happened and leg.kind is kind), None)
        if index is None:
            raise ValueError(f"nothing of the way {self.name} that is still to come is {kind.value}")
        legs, target = list(self.legs), self.legs[index]
        if unexplained:
            legs.insert(index, Leg(StepKind.UNEXPLAINED, target.after_h, target.place))
            index += 1
        soon = [attrs.evolve(leg, after_h=at_h + i / 3600) for i, leg in enumerate(legs[happened : index + 1])]
        shift = soon[-1].after_h - target.after_h
        rest = [attrs.evolve(leg, after_h=leg.after_h + shift) for leg in legs[index + 1 :]]
        return attrs.evolve(self, legs=(*legs[:happened], *soon, *rest))


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
_BESIDE: Final = frozenset({_K.EXCEPTION, _K.NOTED, _K.UNEXPLAINED})
#: What ends a parcel's way; only noise comes after it.
OVER: Final = frozenset({_K.DELIVERED, _K.COLLECTED, _K.RETURNED, _K.LOST, _K.VOIDED})
_TO_DEPOT: Final = (
    Leg(_K.ANNOUNCED, 0, _P.SENDER),
    Leg(_K.ACCEPTED, 6, _P.ORIGIN_DEPOT),
    Leg(_K.DEPARTED, 10, _P.ORIGIN_DEPOT),
    Leg(_K.ARRIVED, 18, _P.HUB),
    Leg(_K.ARRIVED, 28, _P.DESTINATION_DEPOT),
)
_TO_DOOR: Final = (*_TO_DEPOT, Leg(_K.OUT_FOR_DELIVERY, 31, _P.DESTINATION_DEPOT))
_DELIVERED: Final = (*_TO_DOOR, Leg(_K.DELIVERED, 36, _P.RECIPIENT))


def _back(after_h: float) -> tuple[Leg, ...]:
    return (
        Leg(_K.RETURNING, after_h, _P.DESTINATION_DEPOT),
        Leg(_K.ARRIVED, after_h + 18, _P.HUB),
        Leg(_K.RETURNED, after_h + 38, _P.SENDER),
    )


def _journeys(ways: Mapping[str, tuple[Leg, ...]]) -> Mapping[str, Journey]:
    return {name: Journey(name, legs) for name, legs in ways.items()}


#: Every script by name. Hours are invented; only their order matters.
JOURNEYS: Final[Mapping[str, Journey]] = _journeys(
    {
        "delivered": _DELIVERED,
        "second_attempt": (
            *_TO_DOOR,
            Leg(_K.ATTEMPTED, 36, _P.RECIPIENT),
            Leg(_K.OUT_FOR_DELIVERY, 55, _P.DESTINATION_DEPOT),
            Leg(_K.DELIVERED, 59, _P.RECIPIENT),
        ),
        "pickup_point": (
            *_TO_DOOR,
            Leg(_K.READY_FOR_PICKUP, 37, _P.SERVICE_POINT),
            Leg(_K.COLLECTED, 61, _P.SERVICE_POINT),
        ),
        "exception": (
            *_TO_DEPOT,
            Leg(_K.EXCEPTION, 30, _P.DESTINATION_DEPOT),
            Leg(_K.OUT_FOR_DELIVERY, 55, _P.DESTINATION_DEPOT),
            Leg(_K.DELIVERED, 60, _P.RECIPIENT),
        ),
        "refused": (*_TO_DOOR, Leg(_K.REFUSED, 36, _P.RECIPIENT), *_back(42)),
        "returned_after_attempts": (
            *_TO_DOOR,
            Leg(_K.ATTEMPTED, 36, _P.RECIPIENT),
            Leg(_K.OUT_FOR_DELIVERY, 55, _P.DESTINATION_DEPOT),
            Leg(_K.ATTEMPTED, 60, _P.RECIPIENT),
            *_back(66),
        ),
        "uncollected": (*_TO_DOOR, Leg(_K.READY_FOR_PICKUP, 37, _P.SERVICE_POINT), *_back(133)),
        "redirected": (
            *_TO_DOOR,
            Leg(_K.ATTEMPTED, 36, _P.RECIPIENT),
            Leg(_K.REDIRECTED, 37, _P.DESTINATION_DEPOT),
            Leg(_K.READY_FOR_PICKUP, 42, _P.SERVICE_POINT),
            Leg(_K.COLLECTED, 66, _P.SERVICE_POINT),
        ),
        "customs_hold": (
            *_TO_DEPOT[:4],
            Leg(_K.CUSTOMS_HELD, 20, _P.HUB),
            Leg(_K.CUSTOMS_CLEARED, 68, _P.HUB),
            Leg(_K.ARRIVED, 76, _P.DESTINATION_DEPOT),
            Leg(_K.OUT_FOR_DELIVERY, 79, _P.DESTINATION_DEPOT),
            Leg(_K.DELIVERED, 84, _P.RECIPIENT),
        ),
        "partner": (
            *_TO_DEPOT[:4],
            Leg(_K.HANDED_OVER, 22, _P.HUB),
            Leg(_K.ARRIVED, 40, _P.DESTINATION_DEPOT),
            Leg(_K.OUT_FOR_DELIVERY, 43, _P.DESTINATION_DEPOT),
            Leg(_K.DELIVERED, 48, _P.RECIPIENT),
        ),
        "lost": (*_TO_DEPOT[:4], Leg(_K.EXCEPTION, 42, _P.HUB), Leg(_K.LOST, 186, _P.HUB)),
        # The van is unloaded and the signature filed after the end.
        "trailing": (
            *_DELIVERED,
            Leg(_K.ARRIVED, 40, _P.DESTINATION_DEPOT),
            Leg(_K.NOTED, 64, _P.DESTINATION_DEPOT),
        ),
        "unexplained": (
            *_TO_DEPOT,
            Leg(_K.UNEXPLAINED, 29, _P.DESTINATION_DEPOT),
            Leg(_K.OUT_FOR_DELIVERY, 31, _P.DESTINATION_DEPOT),
            Leg(_K.DELIVERED, 36, _P.RECIPIENT),
        ),
    }
)


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
