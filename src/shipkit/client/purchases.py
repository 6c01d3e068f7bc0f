"""The operations that cost money or move goods: each is an intent under the host's key, carried out by the ledger."""

from __future__ import annotations

from typing import TypeVar

import attrs

from .. import model as m
from ..carrier import CancelsPickups, able
from ..errors import ConflictError, NotSupportedError
from ..flow import Run, call
from ..ledger import booked, cancelled
from ..ledger.intent import unpacked, used_up
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, Phase
from .desk import Desk, reason
from .intents import intent_of, refuse_key, stored
from .kinds import (
    BOOK_PICKUP,
    CLOSE_MANIFEST,
    CREATE_RETURN,
    CREATE_SHIPMENT,
    INSURE,
    REFUND,
    SUBSCRIBE,
    Purchase,
    kind_of,
)
from .recovering import recover, recovered_row
from .resolving import close_key, resolve

__all__ = [
    "BOOK_PICKUP",
    "CLOSE_MANIFEST",
    "CREATE_RETURN",
    "CREATE_SHIPMENT",
    "INSURE",
    "REFUND",
    "SUBSCRIBE",
    "Purchase",
    "cancel",
    "close_key",
    "intent_of",
    "purchase",
    "recover",
    "recovered_row",
    "refuse_key",
    "resolve",
]

V = TypeVar("V", bound=Value)


def purchase(
    desk: Desk,
    kind: Purchase[V],
    request: Value,
    alias: str,
    key: str,
    deadline_s: float | None,
    *,
    bulk: bool = False,
) -> Run[V]:
    """Buy *request* at the account, once under *key*; with *bulk* it yields to single calls."""
    account = desk.account(alias)

    def asked(stack: Stack) -> Run[V]:
        refuse_key(key)
        intent = intent_of(desk, account, kind, request, desk.full_key(key), stack)
        return (yield from booked(intent, desk.store.ledger, stack))

    return desk.calling(account, kind.operation, deadline_s, request, asked, bulk=bulk)


def cancel(desk: Desk, key: str, deadline_s: float | None) -> Run[m.CancellationResult]:
    """Undo what was bought under *key*, whatever it is."""
    entry = yield from desk.read(desk.full_key(key))
    if entry.purged_at is not None:
        return (yield from _cancelled_long_after(desk, entry))
    if entry.parent is not None:
        text = f"{key} is a piece of {desk.own_key(entry.parent[0])}, which is cancelled as a whole"
        raise ConflictError(text, key=key, generation=entry.generation)
    account, kind = desk.account_of(entry), kind_of(entry)
    operation = "cancel_pickup" if kind.undo is CancelsPickups else "cancel_shipment"
    if kind.undo is None or not able(account.carrier, kind.undo):
        raise NotSupportedError(
            f"{account.carrier.code} does not undo a {entry.operation}: {reason(account.carrier, operation)}"
        )

    def asked(stack: Stack) -> Run[m.CancellationResult]:
        from .cancelling import too_late

        # Of a whole, one package that is too late is enough: the others would be undone for nothing.
        whole = entry.phase is Phase.PLANNED and not entry.void_wanted
        pieces = (yield from call(desk.store.ledger.pieces, entry)) if whole else ()
        for row in (entry, *pieces):
            late = too_late(desk, account, row)
            if late is not None:
                return late
        return (yield from cancelled(stored(desk, account, entry, stack), desk.store.ledger, stack))

    request = unpacked(entry.request, kind.request_type)
    return (yield from desk.calling(account, operation, deadline_s, request, asked))


def _cancelled_long_after(desk: Desk, entry: Entry) -> Run[m.CancellationResult]:
    """What is left to say of a key whose request and answer were removed."""
    if entry.phase is Phase.SUCCEEDED:
        raise used_up(entry)
    for piece in (yield from call(desk.store.ledger.pieces, entry)) if entry.phase is Phase.PLANNED else ():
        if piece.phase is Phase.SUCCEEDED:
            raise used_up(attrs.evolve(piece, key=entry.key, generation=entry.generation))
    yield from call(desk.store.ledger.want_void, entry.key)
    return m.CancellationResult(outcome=m.CancelOutcome.VOIDED)
