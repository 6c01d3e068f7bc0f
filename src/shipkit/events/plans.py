"""When a carrier is asked for a parcel next, as data and one function of it: no clock, no drawn number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, TypeVar

import attrs

from shipkit.errors import InputError
from shipkit.model import CarrierFacts, Milestone, Operation, Problem, ProblemCode, Support
from shipkit.ports.events import Parcel

__all__ = ["DEFAULT_PLAN", "PollPlan", "Stage", "Standing", "Wait", "next_poll", "plan_of", "planned", "standing"]

K = TypeVar("K")
V = TypeVar("V")
_DOUBLINGS_MAX: Final = 16
_HOUR_S: Final = 3_600


class Stage(str, Enum):
    """The part of a journey, by how soon something is to be expected."""

    ANNOUNCED = "announced"  # the carrier does not have it yet, or does not know it
    MOVING = "moving"
    LAST_MILE = "last_mile"  # on the round, or tried in vain
    WAITING = "waiting"  # at a counter, shop or locker
    RETURNING = "returning"


_STAGES: Final[Mapping[Milestone, Stage]] = {
    Milestone.UNKNOWN: Stage.ANNOUNCED,
    Milestone.ANNOUNCED: Stage.ANNOUNCED,
    Milestone.ACCEPTED: Stage.MOVING,
    Milestone.IN_TRANSIT: Stage.MOVING,
    Milestone.OUT_FOR_DELIVERY: Stage.LAST_MILE,
    Milestone.DELIVERY_ATTEMPTED: Stage.LAST_MILE,
    Milestone.READY_FOR_PICKUP: Stage.WAITING,
    Milestone.RETURNING: Stage.RETURNING,
}


class Standing(str, Enum):
    """Whether a parcel is asked for any more, and why not."""

    OPEN = "open"
    MISSING = "missing"  # asked for, though the carrier ought to know it by now
    ENDED = "ended"  # its journey has ended, and the time for late corrections is over
    NEVER_KNOWN = "never_known"  # given up: the carrier never knew the number
    FORGOTTEN = "forgotten"  # given up: the carrier knew it once, and does not any more
    TOO_OLD = "too_old"  # given up: older than the carrier answers for, or than the plan asks

    @property
    def asked(self) -> bool:
        """Whether there is a next time."""
        return self in (Standing.OPEN, Standing.MISSING)

    @property
    def given_up(self) -> bool:
        """Whether it is not asked for any more though its journey has not ended."""
        return self in (Standing.NEVER_KNOWN, Standing.FORGOTTEN, Standing.TOO_OLD)


def _positive(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        text = "is a number greater than 0, and not endless"
        raise InputError(problems=(Problem(path=f"/{field.name}", code=ProblemCode.OUT_OF_RANGE, text=text),))


def _number(default: float) -> Any:
    return attrs.field(default=default, validator=_positive)


def _kept(table: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(table))


@attrs.frozen
class Wait:
    """Up to what age of the parcel (None: any) how long is waited before it is asked for again."""

    hours: float = attrs.field(validator=_positive)
    until_age_days: float | None = None


_WAITS: Final[Mapping[Stage, tuple[Wait, ...]]] = MappingProxyType(
    {
        Stage.ANNOUNCED: (Wait(4, 2), Wait(8, 7), Wait(24)),
        Stage.MOVING: (Wait(4, 5), Wait(8, 21), Wait(24)),
        Stage.LAST_MILE: (Wait(1, 7), Wait(3, 21), Wait(12)),
        Stage.WAITING: (Wait(6, 21), Wait(12)),
        Stage.RETURNING: (Wait(8, 21), Wait(24)),
    }
)
# A parcel that was delivered may come back, one that was lost is found, a label that was voided is used all the same.
_AFTER_END: Final[Mapping[Milestone, tuple[float, ...]]] = MappingProxyType(
    {
        Milestone.DELIVERED: (12, 48),
        Milestone.RETURNED: (24,),
        Milestone.LOST: (24, 72, 168),
        Milestone.DESTROYED: (72,),
        Milestone.CANCELLED: (24, 72, 168),
    }
)


@attrs.frozen(kw_only=True)
class PollPlan:
    """How often a parcel is asked for: judgement, not a carrier's fact, and so a host's to change (`attrs.evolve`)."""

    asks: bool = True
    """Whether carriers are asked at all: some answer for no number, and a host may rely on pushes alone."""
    waits: Mapping[Stage, tuple[Wait, ...]] = attrs.field(default=_WAITS, converter=_kept)
    """By stage, rising in age; beyond the last age its wait goes on."""
    after_end: Mapping[Milestone, tuple[float, ...]] = attrs.field(default=_AFTER_END, converter=_kept)
    """By milestone that ends a journey the waits in hours, one after the other, for late corrections; then it is over.
    Of a milestone that is left out nothing more is asked."""
    quiet_factor: float = _number(1.25)
    """Each answer in a row without news makes the wait so much longer ..."""
    quiet_most: float = _number(3)
    """... up to so many times."""
    pushed_within_h: float = _number(36)
    """Of a parcel that the carrier told of in this time ..."""
    pushed_factor: float = _number(3)
    """... it is asked so many times less often."""
    failure_first_h: float = _number(0.25)
    """The least wait after an answer that failed; it doubles with each one in a row ..."""
    failure_most_h: float = _number(6)
    """... up to this."""
    spread: float = attrs.field(
        default=0.1, validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.lt(1))
    )
    """Each parcel's waits are longer or shorter by up to this share, always the same for one parcel, so that parcels
    which were booked together are not asked for together."""
    least_s: float = _number(60)
    """No wait is shorter."""
    known_after_h: float = _number(72)
    """How long after its booking a number may be unknown to the carrier; from then on it counts as missing."""
    not_found_after_h: float = _number(336)
    """An unknown number is given up then."""
    forgotten_after_answers: int = attrs.field(default=3, validator=_positive)
    """Answers in a row that do not know a number which they knew before, until it is given up."""
    most_days: float = _number(90)
    """Nothing older is asked for."""


DEFAULT_PLAN: Final = PollPlan()


def plan_of(facts: CarrierFacts, plan: PollPlan = DEFAULT_PLAN) -> PollPlan:
    """*plan* within what the carrier states: how long it answers for a number, how often it wants to be asked.

    A rate limit is kept where requests are sent, by all workers together; here it sets the least wait of one parcel.
    """
    if not any(_offered(facts, operation) for operation in (Operation.TRACK, Operation.TRACK_MANY)):
        return attrs.evolve(plan, asks=False)
    told = facts.polling
    if told is not None:
        plan = attrs.evolve(
            plan,
            most_days=min(plan.most_days, told.history_days or plan.most_days),
            least_s=max(plan.least_s, told.wait_min_s or 0),
            known_after_h=max(plan.known_after_h, told.known_after_h or 0),
            not_found_after_h=max(plan.not_found_after_h, told.known_after_h or 0),
        )
    asked = facts.operations.get(Operation.TRACK)
    if asked is not None and asked.rate_limit is not None:
        limit = asked.rate_limit
        plan = attrs.evolve(plan, least_s=max(plan.least_s, limit.per_s / max(1, limit.calls)))
    return plan


def _offered(facts: CarrierFacts, operation: Operation) -> bool:
    told = facts.operations.get(operation)
    return told is not None and told.support in (Support.YES, Support.EMULATED)


def standing(parcel: Parcel, plan: PollPlan, now: datetime) -> Standing:
    """Whether *parcel* is asked for any more; every parcel ends some day."""
    age_h = _age_h(parcel, now)
    milestone = _milestone(parcel)
    if milestone.terminal and parcel.polls >= len(plan.after_end.get(milestone, ())):
        return Standing.ENDED
    if age_h >= plan.most_days * 24:
        return Standing.ENDED if milestone.terminal else Standing.TOO_OLD
    if parcel.not_found and not milestone.terminal:
        if _known(parcel):
            return Standing.FORGOTTEN if parcel.not_found >= plan.forgotten_after_answers else Standing.OPEN
        if age_h >= plan.not_found_after_h:
            return Standing.NEVER_KNOWN
        return Standing.MISSING if age_h >= plan.known_after_h else Standing.OPEN
    return Standing.OPEN


def next_poll(parcel: Parcel, plan: PollPlan, now: datetime) -> datetime | None:
    """When *parcel* is asked for next, always after *now*; None: never again, or it is a shipment of several.

    A further failure never makes it earlier.
    """
    if parcel.query is None or not plan.asks or not standing(parcel, plan, now).asked:
        return None
    least_h = plan.least_s / _HOUR_S
    wait_h = max(_wait_h(parcel, plan, now), _failure_h(parcel, plan)) * _share(parcel.scope, plan.spread)
    left_h = plan.most_days * 24 - _age_h(parcel, now)  # asked once more just before it is given up
    return now + timedelta(hours=max(least_h, min(wait_h, left_h)))


def planned(parcel: Parcel, plan: PollPlan, now: datetime) -> Parcel:
    """*parcel* with its next time, or with the time since when it is not asked for any more.

    What was finished is open again when news of it came: a parcel that was delivered is on its way back.
    """
    at = next_poll(parcel, plan, now)
    over = _over(parcel, plan, now)
    finished_at = (parcel.finished_at or now) if over else None
    if at == parcel.next_poll_at and finished_at == parcel.finished_at:
        return parcel
    return attrs.evolve(parcel, next_poll_at=at, finished_at=finished_at)


def _over(parcel: Parcel, plan: PollPlan, now: datetime) -> bool:
    if parcel.number and parcel.query is None:  # somebody let it go
        return True
    if not parcel.number or not plan.asks:  # a shipment of several ends with the last of its parcels
        return _milestone(parcel).terminal
    return not standing(parcel, plan, now).asked


def _wait_h(parcel: Parcel, plan: PollPlan, now: datetime) -> float:
    milestone = _milestone(parcel)
    if milestone.terminal:
        return plan.after_end[milestone][parcel.polls]
    hours = _by_age(plan.waits.get(_STAGES[milestone], ()), _age_h(parcel, now) / 24)
    hours *= min(plan.quiet_most, max(1.0, plan.quiet_factor) ** min(parcel.polls, _DOUBLINGS_MAX))
    pushed_at = parcel.pushed_at
    if pushed_at is not None and now - pushed_at < timedelta(hours=plan.pushed_within_h):
        hours *= max(1.0, plan.pushed_factor)
    return hours


def _by_age(waits: tuple[Wait, ...], age_days: float) -> float:
    for wait in waits:
        if wait.until_age_days is None or age_days < wait.until_age_days:
            return wait.hours
    return waits[-1].hours if waits else 24.0


def _failure_h(parcel: Parcel, plan: PollPlan) -> float:
    if not parcel.failures:
        return 0.0
    doubled = plan.failure_first_h * 2.0 ** min(parcel.failures - 1, _DOUBLINGS_MAX)
    return min(plan.failure_most_h, doubled)


def _share(scope: str, spread: float) -> float:
    """Between 1 - spread and 1 + spread, by the digest of the scope."""
    drawn = int.from_bytes(sha256(scope.encode("utf-8", "surrogatepass")).digest()[:4], "big") / 2**32
    return 1 - spread + 2 * spread * drawn


def _milestone(parcel: Parcel) -> Milestone:
    return parcel.timeline.milestone if parcel.timeline is not None else Milestone.UNKNOWN


def _known(parcel: Parcel) -> bool:
    return parcel.timeline is not None and parcel.timeline.evidence_count > 0


def _age_h(parcel: Parcel, now: datetime) -> float:
    return max(0.0, (now - parcel.since).total_seconds() / _HOUR_S)
