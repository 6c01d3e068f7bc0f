"""Rows brought into any phase by events alone, and the guards of the state table read as a person reads them."""

from __future__ import annotations

from typing import Any, Final

import attrs

from shipkit.ledger import TABLE, Transition
from shipkit.ports import Entry, LedgerStore, Phase, Resend

from .store_values import SHIPMENT, VOIDED, Hands, claim

__all__ = ["AGAIN", "EVENTS", "apply", "guards", "holds", "in_phase", "scene", "told"]

EVENTS: Final = sorted({transition.event for transition in TABLE})
AGAIN: Final = Resend(owner="me", lease_s=70.0, settle_s=910.0, sends_max=3)
_WAITS_FOR_WISHES = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON, Phase.VOIDING, Phase.PLANNED)
_GUARDED_BY_WISH = ("not_sent", "refuse", "absent", "book", "end_parent")


def in_phase(
    ledger: LedgerStore, phase: Phase, clock: Hands, key: str = "order-1", *, void_wanted: bool = False
) -> Entry:
    """The row of *key*, which nobody has used, brought to *phase*; where a wish may wait, with one if *void_wanted*."""
    if phase is Phase.PLANNED:
        ledger.plan(claim(key), [claim(f"{key}#1/1", parent=(key, 1))])
    else:
        entry = ledger.claim(claim(key))
        assert entry is not None, f"the store does not let the unused key {key} be claimed"
        if phase in (Phase.SUCCEEDED, Phase.VOIDING, Phase.VOIDED):
            _booked(ledger, entry, phase)
        else:
            _sent(ledger, entry, phase, clock)
    if void_wanted and phase in _WAITS_FOR_WISHES:
        ledger.want_void(key)
    row = ledger.read(key)
    assert row is not None and row.phase is phase, f"events do not lead to {phase.value}, but to {row}"
    return row


def _sent(ledger: LedgerStore, entry: Entry, phase: Phase, clock: Hands) -> None:
    if phase is Phase.NEW:
        ledger.not_sent(entry)
    elif phase in (Phase.REJECTED, Phase.CLOSED):
        ledger.refuse(entry, "no")
        if phase is Phase.CLOSED:
            ledger.close_key(entry.key)
    elif phase is not Phase.IN_FLIGHT:
        ledger.doubt(entry, "silence")
        if phase is Phase.ABSENT:
            clock.at += 2000
            ledger.absent(entry, ledger.now(), 3)
        elif phase is Phase.NEEDS_PERSON:
            ledger.needs_person(entry, "nobody to ask")


def _booked(ledger: LedgerStore, entry: Entry, phase: Phase) -> None:
    ledger.book(entry, "B1", SHIPMENT, True)
    if phase is not Phase.SUCCEEDED:
        ledger.want_void(entry.key)
    if phase is Phase.VOIDED:
        ledger.voided(entry, VOIDED, None)


def apply(event: str, ledger: LedgerStore, row: Entry, *, last: bool = False) -> Phase:
    """Where that generation stands after *event* of the table; *last*: no attempts or sends are left."""
    follows = row.phase in (Phase.VOIDED, Phase.CLOSED)
    attempt = 1 if follows else row.attempt + (row.phase is not Phase.NEW)
    following = row.generation + 1
    events: dict[str, Any] = {
        "claim": lambda: ledger.claim(claim(row.key, attempt, row.generation + follows)),
        "instead": lambda: ledger.claim(claim(row.key, 1, following, instead=True)),
        "resend": lambda: ledger.resend(row, attrs.evolve(AGAIN, sends_max=row.send if last else 3)),
        "not_sent": lambda: ledger.not_sent(row),
        "doubt": lambda: ledger.doubt(row, "silence"),
        "refuse": lambda: ledger.refuse(row, "no"),
        "take_over": lambda: ledger.take_over(row),
        "absent": lambda: ledger.absent(row, ledger.now(), row.attempt if last else 3),
        "needs_person": lambda: ledger.needs_person(row, "nobody"),
        "book": lambda: ledger.book(row, row.booking or "B1", SHIPMENT, True),
        "want_void": lambda: ledger.want_void(row.key),
        "voided": lambda: ledger.voided(row, VOIDED, None),
        "keep": lambda: ledger.keep(row, "too late"),
        "close": lambda: ledger.close_key(row.key),
        "plan": lambda: ledger.plan(claim(row.key, 1, following), []),
        "undo": lambda: ledger.undo(row, "rejected A17"),
        "end_parent": lambda: ledger.end_parent(row),
        "restored": lambda: ledger.restored(0, 900),
    }
    events[event]()
    if event == "instead":
        return told(ledger, row)  # a store gives out the newest generation only
    after = ledger.read(row.key)
    assert after is not None, f"{event} took the row away"
    return after.phase


def told(ledger: LedgerStore, row: Entry) -> Phase:
    """Where that generation stands, as its trail says."""
    return Phase([step.after for step in ledger.history(row.key) if step.generation == row.generation][-1])


def guards(transition: Transition) -> set[str]:
    """The parts of its guard."""
    return {part.strip() for part in transition.guard.split(",")} - {""}


def holds(transition: Transition, row: Entry, *, late: bool, last: bool) -> bool:
    """Whether the guard holds for a *row* of `in_phase`, which was sent once or never."""
    wanted, parts, event = row.void_wanted, guards(transition), transition.event
    if row.phase in _WAITS_FOR_WISHES and event in _GUARDED_BY_WISH and ("void wanted" in parts) != wanted:
        return False
    false = {
        "lease over": not late,
        "asked at or after settle_at": not late,
        "attempts left": last and event == "absent",
        "no attempts left": not (last and event == "absent"),
        "sends left": last,
        "live": wanted,
        "an earlier send is open": True,
        "another one open": True,
        "restored where any might follow": True,
        "every piece at an end": not wanted,  # the only piece is new: the wish ends it
        "refused": True,  # nothing refused a piece: the whole was wished undone
    }
    return not any(false.get(part, False) for part in parts)


def scene(transition: Transition, ledger: LedgerStore, clock: Hands, key: str) -> tuple[Entry, bool]:
    """A row that *transition* is for, with everything that its guard asks, and whether it is the last attempt."""
    parts, phase = guards(transition), transition.phase
    assert phase is not None
    if parts & {"an earlier send is open", "another one open"}:
        row = in_phase(ledger, Phase.IN_DOUBT, clock, key)
        again = ledger.resend(row, AGAIN)
        assert again is not None and not again.sole, "a second send, at once, is not alone"
        return again, False
    if "restored where any might follow" in parts:
        in_phase(ledger, Phase.NEW, clock, key)
        ledger.restored(0, 900)
    else:
        in_phase(ledger, phase, clock, key, void_wanted="void wanted" in parts and "refused" not in parts)
    if "refused" in parts:
        ledger.undo(_row(ledger, key), "rejected A17")
    if parts & {"lease over", "asked at or after settle_at"}:
        clock.at += 5000
    return _row(ledger, key), "no attempts left" in parts


def _row(ledger: LedgerStore, key: str) -> Entry:
    row = ledger.read(key)
    assert row is not None
    return row
