"""What to do next about a row, in one sentence, and whose move it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from ...client.kinds import kind_of
from ...client.papers import in_hand
from ...errors import WhoseMove
from ...ledger.identity import mark_of
from ...ledger.intent import unpacked
from ...ledger.pieces import phase_of
from ...model import ReturnShipment, Shipment
from ...ports import Entry, Phase, Stray

__all__ = ["Advice", "advice", "moment", "standing"]

_RECOVER: Final = "shipkit ledger recover"


@attrs.frozen
class Advice:
    """Whose move it is, and what that is."""

    whose: WhoseMove
    text: str


_NOT_UNDONE: Final = Advice(
    WhoseMove.PERSON, "cancelling it came to no end, and is not tried any more: cancel once more, or undo it there"
)
_PLAIN: Final = {
    Phase.NEW: Advice(WhoseMove.HOST, "nothing was sent: the same call, or another order, may be tried under the key"),
    Phase.ABSENT: Advice(WhoseMove.HOST, "nothing was booked: the same call tries once more"),
    Phase.REJECTED: Advice(WhoseMove.HOST, "refused, and nothing was booked: the order may be changed and tried again"),
    Phase.SUCCEEDED: Advice(WhoseMove.NOBODY, "booked: the same call gives the same papers again, a cancel undoes it"),
    Phase.VOIDING: Advice(WhoseMove.SHIPKIT, f"it is being cancelled: {_RECOVER} finishes that"),
    Phase.VOIDED: Advice(WhoseMove.NOBODY, "undone: the key may be used anew"),
    Phase.CLOSED: Advice(WhoseMove.NOBODY, "a person ended it: the key may be used anew"),
}


def standing(entry: Entry, pieces: Sequence[Entry]) -> Phase:
    """The phase of a row; of one that has pieces, the phase that these make."""
    return phase_of(entry, pieces) if entry.phase is Phase.PLANNED else entry.phase


def advice(entry: Entry, pieces: Sequence[Entry], strays: Sequence[Stray], at: datetime, key: str) -> Advice:
    """What comes next for *entry*, known to the host as *key*, when the store's clock shows *at*."""
    found = _of_pieces(entry, pieces, at, key) if entry.phase is Phase.PLANNED else _of_row(entry, at, key)
    own = entry.booking if entry.phase in (Phase.SUCCEEDED, Phase.VOIDING) else ""
    strays = [stray for stray in strays if (stray.generation, stray.booking) != (entry.generation, own)]
    unseen = sum(stray.phase == "open" for stray in strays)
    shown = sum(stray.phase == "shown" for stray in strays)
    if shown:
        text = f"{_count(shown, 'further booking')} at the carrier: a person undoes what is too much; {found.text}"
        return Advice(WhoseMove.PERSON, text)
    if unseen:
        text = f"{_count(unseen, 'further booking')} at the carrier: {_RECOVER} undoes or shows it; {found.text}"
        return Advice(WhoseMove.SHIPKIT, text)
    return found


def _of_row(entry: Entry, at: datetime, key: str) -> Advice:
    if entry.phase is Phase.IN_FLIGHT:
        if entry.lease_until is not None and entry.lease_until > at:
            return Advice(WhoseMove.NOBODY, f"a worker is sending it, until {moment(entry.lease_until)} at the latest")
        return Advice(WhoseMove.SHIPKIT, f"its worker is gone: {_RECOVER} looks for the booking")
    if entry.phase is Phase.IN_DOUBT:
        return Advice(WhoseMove.SHIPKIT, f"{_RECOVER} looks for the booking; {_settled(entry, at)}")
    if entry.phase is Phase.NEEDS_PERSON:
        return _for_a_person(entry, at, key)
    if entry.phase is Phase.SUCCEEDED and not entry.complete:
        return _without_papers(entry)
    if entry.phase is Phase.VOIDING and entry.next_at is None:
        return _NOT_UNDONE
    return _PLAIN[entry.phase]


def _without_papers(entry: Entry) -> Advice:
    value = unpacked(entry.result, kind_of(entry).result_type) if entry.purged_at is None else None
    shipment = value.shipment if isinstance(value, ReturnShipment) else value
    if isinstance(shipment, Shipment) and in_hand(shipment):
        text = "booked, as a person entered it: its papers come from the carrier's portal, a cancel undoes it"
        return Advice(WhoseMove.NOBODY, text)
    if entry.next_at is None:
        return Advice(WhoseMove.HOST, "booked, papers did not come for long: the same call asks for them once more")
    return Advice(WhoseMove.SHIPKIT, f"booked, papers are still at the carrier: {_RECOVER} fetches them")


def _for_a_person(entry: Entry, at: datetime, key: str) -> Advice:
    marks = " or ".join(mark_of(entry.base, attempt) for attempt in range(1, entry.attempt + 1))
    decide = f"shipkit ledger resolve {key} --booked NUMBER, or --not-booked"
    return Advice(WhoseMove.PERSON, f"look at {entry.carrier} for {marks}, then {decide}; {_settled(entry, at)}")


def _settled(entry: Entry, at: datetime) -> str:
    if entry.settle_at is None or entry.settle_at <= at:
        return "what cannot be found now was not booked"
    return f"what cannot be found counts from {moment(entry.settle_at)} on"


def _of_pieces(entry: Entry, pieces: Sequence[Entry], at: datetime, key: str) -> Advice:
    phase, booked = phase_of(entry, pieces), sum(piece.phase is Phase.SUCCEEDED for piece in pieces)
    if phase is Phase.NEEDS_PERSON:
        for number, piece in enumerate(pieces, 1):
            if piece.phase is Phase.NEEDS_PERSON:
                return _for_a_person(piece, at, f"{key}#{entry.generation}/{number}")
        return Advice(WhoseMove.PERSON, "the carrier would not undo a package: undo it there, then cancel once more")
    if phase is Phase.PLANNED:
        text = f"{booked} of {len(pieces)} bookings stand: the same call buys the others, a cancel undoes all"
        return Advice(WhoseMove.HOST, text)
    if phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT):
        open_one = next(piece for piece in pieces if piece.phase is phase)
        return _of_row(open_one, at, key)
    if phase is Phase.VOIDING and entry.void_wanted and entry.next_at is None:
        return _NOT_UNDONE
    return _PLAIN[phase]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def moment(at: datetime) -> str:
    """A moment as the store has it: UTC, whole seconds."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ")
