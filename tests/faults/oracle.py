"""What must be true when all is quiet, read per key in the carrier's books and compared with the ledger's rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import attrs

from shipkit.ports import Phase
from shipkit.simulator import Booking, Simulator

from . import carriers

__all__ = ["Handed", "Verdict", "judged"]

_MADE_WHOLE = (Phase.SUCCEEDED, Phase.VOIDED, Phase.REJECTED, Phase.CLOSED)


@attrs.frozen
class Handed:
    """A label that a caller was given."""

    key: str
    generation: int
    digest: str
    whole: bool


@attrs.define
class Verdict:
    """What one run did and what was wrong with it."""

    name: str
    carrier: str
    bounded: bool
    store: str = ""
    counts: Counter[str] = attrs.field(factory=Counter)
    violations: list[str] = attrs.field(factory=list)
    hit: set[tuple[str, str]] = attrs.field(factory=set)


class Facts(Protocol):
    """What the judge must know of a run."""

    @property
    def name(self) -> str: ...
    @property
    def carrier(self) -> str: ...
    @property
    def wanted(self) -> dict[str, str]: ...
    @property
    def bounded(self) -> bool: ...
    @property
    def sweep(self) -> bool: ...
    @property
    def paused(self) -> bool: ...


def judged(
    plan: Facts, sim: Simulator, store: Any, given: Sequence[Handed], bare: Iterable[str], space: str = ""
) -> Verdict:
    """Every promise, key by key; the ledger keeps the host's keys within *space*."""
    verdict = Verdict(name=plan.name, carrier=plan.carrier, bounded=plan.bounded, store=type(store).__name__)
    verdict.violations += [f"an error that is none of ours: {text}" for text in bare]
    books: dict[str, list[Booking]] = defaultdict(list)
    for booking in sim.bookings():
        books[booking.reference].append(booking)
    counted = sim.counts("reference")
    twice = {record.reference for record in sim.requests() if record.purchase and "commit_twice" in record.faults}
    for key in plan.wanted:
        arrivals = counted[key].arrivals if key in counted else 0
        overlapping = counted[key].overlapping if key in counted else 0
        row, strays = store.ledger.read(space + key), store.ledger.strays(space + key)
        _judge_key(verdict, plan, row, strays, key, books[key], arrivals, overlapping, key in twice)
        _judge_hands(verdict, row, key, [hand for hand in given if hand.key == key])
    if strangers := set(books) - set(plan.wanted):
        verdict.violations.append(f"bookings of nobody's key: {sorted(strangers)}")
    return verdict


def _judge_key(
    verdict: Verdict,
    plan: Facts,
    row: Any,
    strays: Sequence[Any],
    key: str,
    bookings: list[Booking],
    arrivals: int,
    overlapping: int,
    twice: bool,
) -> None:
    counts = verdict.counts
    live = [booking for booking in bookings if booking.live]
    shown = [stray for stray in strays if stray.phase == "shown"]
    person = row is not None and row.phase is Phase.NEEDS_PERSON
    counts.update(
        intents=row is not None,
        requests=arrivals,
        bookings=len(bookings),
        labels=sum(booking.labels_issued for booking in bookings),
        voided=len(bookings) - len(live),
        shown=len(shown),
        person=person,
        undone=row is not None and row.phase in (Phase.VOIDED, Phase.REJECTED, Phase.CLOSED),
        in_hand=row is not None and row.phase is Phase.SUCCEEDED and row.complete,
    )

    def wrong(text: str) -> None:
        verdict.violations.append(f"{key}: {text}; {_told(row, bookings, strays)}")

    if row is None:
        if arrivals:
            wrong("asked of the carrier and not in the ledger")
        return
    if plan.bounded and overlapping:
        wrong(f"{overlapping} requests came while another one was open at the carrier")
    if plan.bounded and not twice and _met(bookings):
        # Stopped right between the last look at its clock and the first byte, a process sends however late it is.
        counts["met"] += plan.paused
        if not plan.paused:
            wrong("two live bookings at one moment")
    if not carriers.recovers(plan.carrier):
        _judge_unasked(wrong, row, live, twice)
        return
    if row.phase not in _MADE_WHOLE:
        wrong("the key is not at its end")
    known = {row.booking} if row.phase is Phase.SUCCEEDED else set()
    known |= {stray.booking for stray in shown}
    hidden = [booking for booking in live if not known & {booking.id, *booking.numbers}]
    if hidden and not (twice and not plan.sweep):
        wrong(f"{len(hidden)} live bookings that nobody knows of")
    if [stray for stray in strays if stray.phase == "open"]:
        wrong("a second booking that nobody has dealt with")
    if row.phase is Phase.SUCCEEDED and (not row.complete or not live):
        wrong(
            "it is said to be booked, and the label is not in hand" if live else "it is said to be booked, and is not"
        )
    if row.phase is not Phase.SUCCEEDED and plan.wanted[key] == "shipped":
        wrong("wanted, and not booked")


def _judge_unasked(wrong: Any, row: Any, live: list[Booking], twice: bool) -> None:
    """A carrier that nobody can ask: one booking at most, and where no answer came, one row for a person."""
    if len(live) > 1 + twice:
        wrong("more than one live booking")
    if row.phase not in (*_MADE_WHOLE, Phase.NEEDS_PERSON):
        wrong("neither at its end nor with a person")
    if row.phase is Phase.SUCCEEDED and (not row.complete or not live):
        wrong(
            "it is said to be booked, and the label is not in hand" if live else "it is said to be booked, and is not"
        )
    if live and row.phase not in (Phase.SUCCEEDED, Phase.NEEDS_PERSON):
        wrong("booked, and neither the host nor a person knows")


def _judge_hands(verdict: Verdict, row: Any, key: str, given: list[Handed]) -> None:
    """One label per generation, whoever holds it; and the ledger holds it too."""
    for generation in {hand.generation for hand in given}:
        digests = {hand.digest for hand in given if hand.generation == generation}
        if len(digests) > 1:
            verdict.violations.append(
                f"{key}: {len(digests)} different labels of generation {generation} were handed out"
            )
    if any(not hand.whole for hand in given):
        verdict.violations.append(f"{key}: handed out without its label")
    if given and (row is None or row.generation < max(hand.generation for hand in given)):
        verdict.violations.append(f"{key}: a label is in hand that the ledger does not know")


def _met(bookings: list[Booking]) -> bool:
    """Whether two of them were live at the same moment."""
    times = [(booking.created_at, booking.voided_at) for booking in sorted(bookings, key=lambda each: each.created_at)]
    return any(ended is None or ended > begun for (_, ended), (begun, _) in pairwise(times))


def _told(row: Any, bookings: list[Booking], strays: Sequence[Any]) -> str:
    stands = (
        "no row" if row is None else f"row {row.phase.value} gen {row.generation} attempt {row.attempt} send {row.send}"
    )
    held = ", ".join(f"{booking.id} {booking.state.value} {booking.mark}" for booking in bookings) or "none"
    second = [(stray.booking, stray.phase) for stray in strays]
    return f"{stands} booking {getattr(row, 'booking', '')!r}; books: {held}; strays: {second}"
