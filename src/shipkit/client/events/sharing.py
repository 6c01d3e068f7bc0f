"""Whose news a push is, and whether its own words count: signed bytes are evidence, the rest are hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from ...events.advancing import divided
from ...flow import Run, call
from ...model import EventSource, TrackingEvent, TrackResult, TrustLevel, evolve
from ...ports.events import Letter, Parcel
from .asking import can_ask
from .desk import EventDesk

__all__ = ["Share", "evidence_of", "proved", "shares_of"]


@attrs.frozen(kw_only=True, eq=False)
class Share:
    """What a push says of one parcel, where its own words are evidence."""

    events: tuple[TrackingEvent, ...]
    """Within the parcel's scope."""
    result: TrackResult | None = None
    """Where the parcel is the one that the push is about. A push may tell all that there was when it was sent, and
    arrive when there is more, so it is never taken for complete."""


def shares_of(
    desk: EventDesk, answers: Iterable[tuple[Parcel, TrackResult]]
) -> Run[tuple[tuple[TrackingEvent, ...], ...]]:
    """What each answer tells of the parcel that it was asked for.

    Events of a piece that is followed by itself are no part of it, as they are none in a push.
    """
    given = tuple(answers)
    named = [(parcel.carrier, piece) for parcel, result in given for piece in _pieces(parcel, result)]
    pairs = tuple(dict.fromkeys(named))
    rows = (yield from call(desk.store.find, pairs)) if pairs else ()
    followed = [row for row in rows if row is not None]
    shares = []
    for parcel, result in given:
        others = [row for row in followed if row.carrier == parcel.carrier]
        found = divided(result, (*others, parcel), source=EventSource.POLL)
        shares.append(found.get(parcel.scope, ()))
    return tuple(shares)


def _pieces(parcel: Parcel, result: TrackResult) -> set[str]:
    """Other numbers whose events would count as those of *parcel*: of a piece they never do."""
    pieces = {event.piece for event in result.events if event.piece}
    return set() if parcel.number in pieces else pieces


def evidence_of(
    desk: EventDesk, letter: Letter, result: TrackResult, parcels: Iterable[Parcel]
) -> Iterator[tuple[Parcel, Share | None]]:
    """Each of *parcels* that *result* speaks of, with its share; None where the push is but a hint.

    Parcels whose evidence is gone, by retention, are left out: nothing is concluded of them any more.
    """
    here = tuple(parcels)
    shares = divided(result, here, source=EventSource.WEBHOOK)
    for parcel in here:
        asked = parcel.number == result.number.value
        if parcel.purged_at is not None or not (asked or parcel.scope in shares):
            continue
        if _believed(desk, letter, parcel):
            events = shares.get(parcel.scope, ())
            yield parcel, Share(events=events, result=evolve(result, complete=False) if asked else None)
        else:
            yield parcel, None


def _believed(desk: EventDesk, letter: Letter, parcel: Parcel) -> bool:
    """Signed bytes prove what they say; of a carrier that answers for no number, a proved sender is all that there is.

    Of a parcel of another account neither proves anything: its secret is not that account's.
    """
    delivery = letter.delivery
    if delivery.account != parcel.account:
        return False
    return delivery.trust is TrustLevel.BODY_SIGNED or (proved(letter) and not can_ask(desk, parcel))


def proved(letter: Letter) -> bool:
    """Whether somebody showed a secret at all."""
    return letter.delivery.trust is not TrustLevel.UNAUTHENTICATED
