"""Finishing what can be finished: doubts, missing labels, wishes to cancel, and what came in late."""

from __future__ import annotations

from typing import Any

import attrs

from .. import model as m
from ..errors import InProgressError, ShipkitError
from ..flow import Done, Run, call, now
from ..ledger import cancelled, recovered
from ..ledger.booking import finished
from ..ledger.intent import Intent, doubt_of, told, unpacked, used_up
from ..ledger.pieces import recovered_in_pieces
from ..ledger.strays import swept_away
from ..ledger.watching import at_rest, given_up, next_look_s, next_watch_s, watched
from ..policy import Stack
from ..ports import Entry, Phase, Stray
from .accounts import Account, checked_s
from .desk import Desk, together
from .intents import stored
from .kinds import kind_of

__all__ = ["finish", "recover", "recovered_row"]


def recover(desk: Desk, limit: int, deadline_s: float | None) -> Run[tuple[tuple[str, Done], ...]]:
    """Finish what can be finished: doubts are looked up, labels fetched, wishes to cancel carried out.

    Rows at rest, under whose identities something may still come in, are looked at too; they are told of when that is
    so. Further bookings are undone, or shown to a person.
    """
    seconds = checked_s(deadline_s) if deadline_s is not None else desk.settings.deadline_s
    until = (yield from now()) + seconds
    ledger, space = desk.store.ledger, desk.full_key("")
    rows = yield from _wholes(desk, (yield from call(ledger.due, limit, space, desk.settings.recover_hold_s)))
    done = yield from together(
        tuple(_worked(desk, row, due, seconds, until) for row, due in rows), desk.settings.list_concurrency
    )
    outcomes = [(row.key, one) for (row, _), one in zip(rows, done, strict=True) if one.value is not _NO_NEWS]
    strays = yield from call(ledger.open_strays, limit, space)
    swept = yield from together(
        tuple(_swept(desk, stray, seconds, until) for stray in strays), desk.settings.list_concurrency
    )
    outcomes += [(stray.key, one) for stray, one in zip(strays, swept, strict=True)]
    return tuple([(desk.own_key(key) or key, one) for key, one in outcomes])


_NO_NEWS = object()
_NOTHING = (Phase.NEW, Phase.ABSENT, Phase.REJECTED, Phase.VOIDED, Phase.CLOSED)


def finish(desk: Desk, key: str, deadline_s: float | None) -> Run[Any]:
    """What stands under *key*, with its papers, or None; a doubt is looked up now, and nothing is bought.

    Raises:
        InDoubtError, InProgressError, LabelPendingError: it came to no end yet.
        ConflictError: what was kept of it was removed.
    """
    seconds = checked_s(deadline_s) if deadline_s is not None else desk.settings.deadline_s
    until = (yield from now()) + seconds
    entry = yield from desk.read(desk.full_key(key))
    if entry.phase in _NOTHING:
        return None
    if entry.purged_at is not None:
        raise used_up(attrs.evolve(entry, key=key))
    if entry.phase is Phase.SUCCEEDED:
        account = desk.account_of(entry)

        def asked(stack: Stack) -> Run[Any]:
            return (yield from finished(stored(desk, account, entry, stack), desk.store.ledger, entry))

        request = unpacked(entry.request, kind_of(entry).request_type)
        return (yield from desk.calling(account, "documents", seconds, request, asked, until=until))
    found = yield from _worked(desk, entry, [entry], seconds, until)
    if found is not _NO_NEWS and found is not None:
        return found
    row = yield from desk.read(desk.full_key(key))
    if row.phase is Phase.IN_FLIGHT:
        text = f"another worker holds {key}"
        raise InProgressError(text, key=key, generation=row.generation, retry_after_s=1)
    if row.phase is Phase.NEEDS_PERSON:
        raise doubt_of(attrs.evolve(row, key=key))
    return None


def _wholes(desk: Desk, entries: tuple[Entry, ...]) -> Run[list[tuple[Entry, list[Entry]]]]:
    """The rows to be worked on, each with those of *entries* that say so: an open piece is finished with its whole."""
    found: dict[tuple[str, int], tuple[Entry, list[Entry]]] = {}
    for entry in entries:
        row = entry
        if entry.parent is not None and not at_rest(entry):
            whole = yield from call(desk.store.ledger.read, entry.parent[0])
            if whole is not None and (whole.key, whole.generation) == entry.parent and whole.phase is Phase.PLANNED:
                row = whole
        found.setdefault((row.key, row.generation), (row, []))[1].append(entry)
    return list(found.values())


def _worked(desk: Desk, entry: Entry, due: list[Entry], deadline_s: float, until: float) -> Run[Any]:
    """What *entry* comes to; what cannot be ended now comes again later, and in the end a person gets it."""
    try:
        return (yield from _recovery(desk, entry, deadline_s, until))
    except ShipkitError as error:
        for row in due:
            yield from _put_off(desk, row, told(error))
        raise


def _recovery(desk: Desk, entry: Entry, deadline_s: float, until: float) -> Run[Any]:
    if entry.phase is Phase.IN_FLIGHT:
        taken = yield from call(desk.store.ledger.take_over, entry)
        if taken is None:
            return None  # its worker is alive
        entry = taken
    if at_rest(entry) and entry.purged_at is not None:
        yield from call(desk.store.ledger.look_again, entry, None)
        return _NO_NEWS
    account = desk.account_of(entry)
    request = unpacked(entry.request, kind_of(entry).request_type)

    def asked(stack: Stack) -> Run[Any]:
        if at_rest(entry) or _without_papers(desk, account, entry, stack):
            return (yield from _watched(desk, account, entry, stack))
        return (yield from recovered_row(desk, account, entry, stack))

    return (yield from desk.calling(account, entry.operation, deadline_s, request, asked, until=until))


def _without_papers(desk: Desk, account: Account, entry: Entry, stack: Stack) -> bool:
    """Whether *entry* waits for nothing but an answer that is complete: a person entered it, and no paper comes."""
    if entry.phase is not Phase.SUCCEEDED:
        return False
    intent = stored(desk, account, entry, stack)
    return intent.in_hand(unpacked(entry.result, intent.shape))


def recovered_row(desk: Desk, account: Account, entry: Entry, stack: Stack) -> Run[Any]:
    """What *entry* comes to; None when nothing was booked, or its worker is alive."""
    intent, ledger = stored(desk, account, entry, stack), desk.store.ledger
    if entry.phase is Phase.PLANNED and intent.several is not None:
        return (yield from recovered_in_pieces(intent, intent.several, ledger, stack, entry))
    if entry.phase is Phase.SUCCEEDED:
        return (yield from finished(intent, ledger, entry))
    if entry.phase is Phase.IN_FLIGHT:
        taken = yield from call(ledger.take_over, entry)
        if taken is None:
            return None  # its worker is alive
        entry = taken
    if entry.phase is Phase.IN_DOUBT:
        found = yield from recovered(intent, ledger, stack, entry)
        if found is None:
            return None  # nothing was booked: the host may ask again
        entry = found
    if entry.phase is Phase.VOIDING:
        return (yield from cancelled(intent, ledger, stack))
    return (yield from finished(intent, ledger, entry))


def _watched(desk: Desk, account: Account, entry: Entry, stack: Stack) -> Run[Any]:
    intent, ledger = stored(desk, account, entry, stack), desk.store.ledger
    asked_at = yield from call(ledger.now)
    news = yield from watched(intent, ledger, stack, entry)
    yield from call(ledger.look_again, entry, next_watch_s(entry, desk.settings, asked_at))
    if not news:
        return _NO_NEWS
    row = yield from call(ledger.read, entry.key)
    if row is None or row.generation != entry.generation or row.phase is not Phase.SUCCEEDED or row.parent is not None:
        return None  # what came in is a stray, or a piece of what the host asked for
    return (yield from finished(intent, ledger, row))


def _put_off(desk: Desk, entry: Entry, why: str) -> Run[None]:
    """Have the row come again, later each time; never for ever: then it is listed for a person."""
    ledger = desk.store.ledger
    newest = yield from call(ledger.read, entry.key)
    row = newest if newest is not None and newest.generation == entry.generation else entry
    at = yield from call(ledger.now)
    if at_rest(row):
        yield from call(ledger.look_again, row, next_watch_s(row, desk.settings, at, looked=False))
    elif not given_up(row, desk.settings, at):
        yield from call(ledger.look_again, row, next_look_s(row, at))
    elif row.phase is Phase.IN_DOUBT:
        yield from call(ledger.needs_person, row, why)
    else:
        yield from call(ledger.look_again, row, None)


def _swept(desk: Desk, stray: Stray, deadline_s: float, until: float) -> Run[m.CancellationResult | None]:
    ledger = desk.store.ledger
    row = yield from desk.read(stray.key)

    def asked(stack: Stack) -> Run[m.CancellationResult | None]:
        intent: Intent[Any] = stored(desk, account, row, stack)
        return (yield from swept_away(intent, ledger, stack, row, stray))

    try:
        value = unpacked(stray.result, kind_of(row).result_type)
        account = _home_of(desk, value, row)
        return (yield from desk.calling(account, "cancel_shipment", deadline_s, value, asked, until=until))
    except ShipkitError:
        if given_up(row, desk.settings, (yield from call(ledger.now))):
            yield from call(ledger.end_stray, stray, "shown")
        else:
            yield from call(ledger.put_last, stray)
        raise


def _home_of(desk: Desk, value: Any, row: Entry) -> Account:
    """The account where *value* was booked: that of its own generation, whose name it bears.

    Raises:
        InputError: there is none of that name any more, or it is another carrier's now.
    """
    shipment = getattr(value, "shipment", value)
    account, carrier = getattr(shipment, "account", None), getattr(shipment, "carrier", None)
    return desk.account_of(attrs.evolve(row, account=account or row.account, carrier=carrier or row.carrier))
