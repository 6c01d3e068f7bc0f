"""Deliveries that wait for a person, and problems on the way that wait for somebody to act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import attrs

from ...errors import InputError
from ...flow import Run, call
from ...model import Actor, DeliveryException, Problem, ProblemCode, TrackingNumber, TrustLevel
from ...ports.events import Letter, LetterState, Parcel
from .desk import EventDesk

__all__ = ["DeadLetter", "OpenProblem", "dead_letter", "dead_letters", "exceptions", "take_up"]

_PAGE: Final = 1000


@attrs.frozen(kw_only=True)
class DeadLetter:
    """A delivery that could not be processed: why, and nothing of what it says."""

    id: int
    account: str
    carrier: str
    received_at: datetime
    trust: TrustLevel
    error: str
    """A code: ``bad_reply`` (its plugin cannot read it), ``unproved`` (nobody vouches for it, and its carrier cannot be
    asked), ``attempts`` (it ended its worker each time), or that of the error of the last try."""
    detail: str
    """Where it did not fit: paths in the body, or a place in the code."""
    attempts: int
    body_kept: bool
    """Whether it can still be read again."""


@attrs.frozen(kw_only=True)
class OpenProblem:
    """A problem on the way that nothing has resolved yet, and whose it is."""

    key: str
    """The host's, of the shipment; empty where the number alone is followed."""
    account: str
    carrier: str
    tracking_number: TrackingNumber
    scope: str
    problem: DeliveryException
    """How bad it is, since when, who must act and until when."""


def dead_letters(desk: EventDesk, account: str = "", limit: int = 100, after: int = 0) -> Run[tuple[DeadLetter, ...]]:
    """The dead letters of *account* (all), oldest first, those with an id above *after*."""
    letters = yield from call(
        desk.store.letters, (LetterState.DEAD,), account=account, after=after, limit=limit, bodies=False
    )
    return tuple([dead_letter(letter) for letter in letters])


def dead_letter(letter: Letter) -> DeadLetter:
    """*letter* without what it says."""
    delivery = letter.delivery
    return DeadLetter(
        id=letter.id,
        account=delivery.account,
        carrier=delivery.carrier,
        received_at=delivery.received_at,
        trust=delivery.trust,
        error=letter.error,
        detail=letter.detail,
        attempts=letter.attempts,
        body_kept=letter.purged_at is None,
    )


def take_up(desk: EventDesk, ids: Sequence[int]) -> Run[int]:
    """Put deliveries back into the inbox, whatever became of them; how many there were whose body is still kept."""
    return (yield from call(desk.store.take_up, tuple(ids))) if ids else 0


def exceptions(
    desk: EventDesk, key: str = "", account: str = "", actor: Actor | str | None = None
) -> Run[tuple[OpenProblem, ...]]:
    """Open problems: of the shipment *key*, else of every parcel whose journey goes on; the longest open first."""
    wanted = _actor(actor)
    found: list[OpenProblem] = []
    if key:
        found += _problems(desk, (yield from call(desk.store.of_key, desk.desk.full_key(key))))
    else:
        scope = ""
        while page := (yield from call(desk.store.walk, after=scope, limit=_PAGE, open_only=True)):
            found += _problems(desk, page)
            scope = page[-1].scope
    chosen = [
        one for one in found if account in ("", one.account) and (wanted is None or one.problem.action.actor is wanted)
    ]
    return tuple(sorted(chosen, key=lambda one: (one.problem.since.earliest, one.scope, one.problem.event_id)))


def _actor(given: Actor | str | None) -> Actor | None:
    try:
        return None if given is None else Actor(given)
    except ValueError:
        text = f"is one of {', '.join(Actor)}"
        raise InputError(problems=(Problem(path="/actor", code=ProblemCode.UNKNOWN_VALUE, text=text),)) from None


def _problems(desk: EventDesk, parcels: Iterable[Parcel]) -> Iterator[OpenProblem]:
    for parcel in parcels:
        key = desk.desk.own_key(parcel.key) if parcel.key else ""
        if key is None or not parcel.number or parcel.timeline is None:
            continue  # another host's, or a shipment of several, whose problems are those of its parcels
        for problem in parcel.timeline.exceptions:
            if problem.resolved_by is None:
                yield OpenProblem(
                    key=key,
                    account=parcel.account,
                    carrier=parcel.carrier,
                    tracking_number=TrackingNumber(value=parcel.number, carrier=parcel.carrier),
                    scope=parcel.scope,
                    problem=problem,
                )
