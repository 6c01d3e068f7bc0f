"""Whether what is booked can still be undone, without asking anybody; and undoing one package of several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from .. import model as m
from ..carrier import Cancels, able
from ..errors import ConflictError, InputError, NotSupportedError
from ..flow import Run, call, drive
from ..ledger.intent import doubt_of, unpacked, used_up
from ..policy import Stack
from ..ports import Entry, Phase
from ..voids import CanCancel, VoidAnswer, can_cancel, not_offered
from .accounts import Account
from .desk import Desk, reason
from .kinds import CREATE_SHIPMENT, kind_of

__all__ = ["Question", "asked", "asked_of_key", "asked_of_shipment", "cancel_package", "too_late"]

_LATE = {
    "window_over": m.CancelOutcome.TOO_LATE,
    "day_closed": m.CancelOutcome.TOO_LATE,
    "manifested": m.CancelOutcome.ALREADY_USED,
}


@attrs.frozen(kw_only=True)
class Question:
    """When it is asked, and what the host knows that the booking does not say."""

    now: datetime | None = None
    timeline: m.Timeline | None = None
    manifested: bool | None = None


def asked(
    desk: Desk, shipment: m.Shipment | None, key: str | None, account: str | None, question: Question
) -> Run[VoidAnswer]:
    """Whether a shipment at an account, or what is booked under a key, can be cancelled.

    Raises:
        InputError: neither is named, or both are.
    """
    if key is not None and shipment is None and account is None:
        return (yield from asked_of_key(desk, key, question))
    if key is None and shipment is not None and (alias := account or shipment.account):
        return asked_of_shipment(desk, alias, shipment, question)
    text = "say which: a key, or a shipment and its account"
    raise InputError(problems=(m.Problem(path="/key", code=m.ProblemCode.MISSING, text=text),))


def asked_of_shipment(desk: Desk, alias: str, shipment: m.Shipment, question: Question) -> VoidAnswer:
    """Whether *shipment* can be cancelled at the account."""
    account = desk.account(alias)
    if not able(account.carrier, Cancels):
        return not_offered(reason(account.carrier, "cancel_shipment"))
    now = question.now if question.now is not None else desk.utc_now()
    more = {"timeline": question.timeline, "manifested": question.manifested}
    return can_cancel(shipment, now, account.facts.void, **more)  # type: ignore[arg-type]


def asked_of_key(desk: Desk, key: str, question: Question) -> Run[VoidAnswer]:
    """Whether what is booked under *key* can be cancelled, as far as the ledger and the carrier's facts say.

    Raises:
        InputError: nothing was ever asked for under that key.
    """
    entry = yield from desk.read(desk.full_key(key))
    if entry.phase is Phase.PLANNED and not entry.void_wanted:
        pieces = yield from call(desk.store.ledger.pieces, entry)
        return _together([_of_row(desk, piece, question) for piece in pieces])
    return _of_row(desk, entry, question)


def _of_row(desk: Desk, entry: Entry, question: Question) -> VoidAnswer:
    if entry.phase in (Phase.VOIDED, Phase.CLOSED):
        return _said(CanCancel.NO, "voided", "nothing is booked under the key any more")
    if entry.void_wanted:
        return _said(CanCancel.NO, "voiding", "its cancellation is under way")
    if entry.phase in (Phase.NEW, Phase.ABSENT, Phase.REJECTED):
        return _said(CanCancel.YES, "not_booked", "nothing is booked: a cancellation ends the key")
    if entry.phase is not Phase.SUCCEEDED:
        return _said(CanCancel.UNKNOWN, "in_doubt", "whether it is booked is not known yet; a wish to cancel it stands")
    if entry.purged_at is not None:
        return _said(CanCancel.UNKNOWN, "removed", "it was booked; what the ledger kept of it was removed since")
    shipment = _shipment_of(entry)
    if shipment is None:
        return _said(CanCancel.UNKNOWN, "not_stated", "carriers state no policy for this")
    return asked_of_shipment(desk, entry.account, shipment, question)


def _said(answer: CanCancel, code: str, text: str) -> VoidAnswer:
    return VoidAnswer(answer=answer, code=code, text=text)


def _together(answers: Sequence[VoidAnswer]) -> VoidAnswer:
    """A no of any piece is that of the whole, then an unknown; else the yes that ends first."""
    if not answers:
        return _said(CanCancel.UNKNOWN, "in_doubt", "it was booked in pieces, which this store does not have")
    for wanted in (CanCancel.NO, CanCancel.UNKNOWN):
        for answer in answers:
            if answer.answer is wanted:
                return answer
    ending = [(answer.until, place) for place, answer in enumerate(answers) if answer.until is not None]
    return answers[min(ending)[1]] if ending else answers[0]


def _shipment_of(entry: Entry) -> m.Shipment | None:
    """The booking of a row; None where it is none of a shipment, or its bodies are gone."""
    if entry.result is None or entry.purged_at is not None:
        return None
    value: Any = unpacked(entry.result, kind_of(entry).result_type)
    inner = value.shipment if isinstance(value, m.ReturnShipment) else value
    return inner if isinstance(inner, m.Shipment) else None


def too_late(desk: Desk, account: Account, entry: Entry) -> m.CancellationResult | None:
    """The answer to a cancellation that surely comes too late, so that nothing is sent and the booking stays."""
    policy = account.facts.void
    if entry.phase is not Phase.SUCCEEDED or policy is None:
        return None
    if policy.window_h is None and not policy.closes and not policy.until_manifested:
        return None
    found = _of_row(desk, entry, Question())
    if found.answer is not CanCancel.NO or found.code not in _LATE:
        return None
    return m.CancellationResult(outcome=_LATE[found.code], until=found.until)


def cancel_package(desk: Desk, key: str, package: str, deadline_s: float | None) -> Run[m.CancellationResult]:
    """Undo one *package* (its ref) of what was booked under *key*; the others stay booked, and so does the key.

    Repeating it does no harm: the carrier says that it was cancelled before.

    Raises:
        NotSupportedError: the carrier cancels shipments as a whole, or says nothing of single packages.
        InputError: there is no such package, or nothing was asked for under the key.
        ConflictError, InDoubtError: nothing is booked under the key, or that is not known.
    """
    entry = yield from desk.read(desk.full_key(key))
    account = desk.account_of(entry)
    shipment = _package_owner(entry, key)
    carrier = account.carrier
    if not able(carrier, Cancels):
        raise NotSupportedError(f"{account.facts.code} cancels nothing: {reason(account.carrier, 'cancel_shipment')}")
    if account.facts.void is None or not account.facts.void.per_package:
        raise NotSupportedError(f"{account.facts.code} cancels a shipment as a whole, not one package of it")
    found = next((each for each in shipment.packages if each.ref == package), None)
    if found is None:
        known = ", ".join(each.ref for each in shipment.packages)
        text = f"no package of this ref is booked under {key}; there are: {known}"
        raise InputError(problems=(m.Problem(path="/package", code=m.ProblemCode.UNKNOWN_VALUE, text=text),))
    if found.tracking_number is None:
        raise NotSupportedError(f"{account.facts.code} gave the package no number of its own")
    request = m.CancelRequest(
        shipment_id=shipment.shipment_id,
        reference=shipment.reference,
        tracking_numbers=(found.tracking_number,),
        package_refs=(package,),
    )

    def asked(stack: Stack) -> Run[m.CancellationResult]:
        late = too_late(desk, account, entry)
        if late is not None:
            return late
        return (yield from drive(carrier.cancel_shipment(request), stack.send))

    return (yield from desk.calling(account, "cancel_shipment", deadline_s, request, asked))


def _package_owner(entry: Entry, key: str) -> m.Shipment:
    """The shipment whose package is to be undone."""
    if entry.purged_at is not None:
        raise used_up(entry)
    if entry.operation != CREATE_SHIPMENT.operation or entry.parent is not None or entry.phase is Phase.PLANNED:
        raise NotSupportedError(f"{key} is no shipment whose packages are cancelled one by one: cancel it as a whole")
    if entry.phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON):
        raise doubt_of(entry)
    shipment = _shipment_of(entry)
    if entry.phase is not Phase.SUCCEEDED or shipment is None:
        text = f"{key} is {entry.phase.value}: no package of it is booked"
        raise ConflictError(text, key=key, generation=entry.generation, cancelling=entry.void_wanted)
    if len(shipment.packages) == 1:
        raise NotSupportedError(f"{key} has one package: cancel it as a whole, so that the key ends with it")
    return shipment
