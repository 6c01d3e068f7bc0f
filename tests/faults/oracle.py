"""What must be true when all is quiet, read per key in the carrier's books and compared with the ledger's rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
        case = _Case(plan, verdict, key, twice=key in twice)
        if key in counted:
            case.carrier_side(counted[key].arrivals, counted[key].overlapping)
        row = store.ledger.read(space + key)
        pieces = store.ledger.pieces(row) if row is not None else ()
        for piece in pieces:  # each is a row and an intent of its own
            case.judge(piece, store.ledger.strays(piece.key), _under(piece, books[key]))
        if pieces:
            earlier = [booking for booking in books[key] if not any(_under(piece, [booking]) for piece in pieces)]
            case.earlier(earlier)
        else:
            case.judge(row, store.ledger.strays(space + key), books[key])
        _judge_hands(verdict, row, key, [hand for hand in given if hand.key == key])
    if strangers := set(books) - set(plan.wanted):
        verdict.violations.append(f"bookings of nobody's key: {sorted(strangers)}")
    return verdict


@attrs.frozen
class _Case:
    """One key before the judge."""

    plan: Facts
    verdict: Verdict
    key: str
    twice: bool = attrs.field(kw_only=True)

    def wrong(self, text: str, about: str = "") -> None:
        self.verdict.violations.append(f"{self.key}: {text}{about and '; '}{about}")

    def carrier_side(self, arrivals: int, overlapping: int) -> None:
        """What the carrier saw of the key as a whole, whatever its pieces and generations."""
        self.verdict.counts["requests"] += arrivals
        if self.plan.bounded and overlapping:
            self.wrong(f"{overlapping} requests came while another one was open at the carrier")

    def earlier(self, bookings: list[Booking]) -> None:
        """Bookings of generations that were undone before this one."""
        self._count(bookings)
        if live := [booking for booking in bookings if booking.live]:
            self.wrong(f"{len(live)} live bookings of a generation that was undone", _told(None, bookings, ()))

    def judge(self, row: Any, strays: Sequence[Any], bookings: list[Booking]) -> None:
        """One row against its bookings."""
        self._count(bookings)
        about = _told(row, bookings, strays)
        if row is None:
            if bookings:
                self.wrong("booked at the carrier and not in the ledger", about)
            return
        self._count_row(row, strays)
        if self.plan.bounded and not self.twice and _met(bookings):
            # Stopped right between the last look at its clock and the first byte, a process sends however late it is.
            self.verdict.counts["met"] += self.plan.paused
            if not self.plan.paused:
                self.wrong("two live bookings at one moment", about)
        judges = _asked if carriers.recovers(self.plan.carrier) else _unasked
        for text in judges(self, row, strays, [booking for booking in bookings if booking.live]):
            self.wrong(text, about)

    def _count(self, bookings: list[Booking]) -> None:
        counts = self.verdict.counts
        counts["bookings"] += len(bookings)
        counts["voided"] += sum(not booking.live for booking in bookings)

    def _count_row(self, row: Any, strays: Sequence[Any]) -> None:
        counts = self.verdict.counts
        counts["intents"] += 1
        counts["shown"] += sum(stray.phase == "shown" for stray in strays)
        counts["person"] += row.phase is Phase.NEEDS_PERSON
        counts["undone"] += row.phase in (Phase.VOIDED, Phase.REJECTED, Phase.CLOSED)
        counts["in_hand"] += row.phase is Phase.SUCCEEDED and row.complete


def _asked(case: _Case, row: Any, strays: Sequence[Any], live: list[Booking]) -> Iterator[str]:
    """A carrier that can be asked: bookings are intents, every label is in hand, no key in doubt."""
    if row.phase not in _MADE_WHOLE:
        yield "the key is not at its end"
    known = {row.booking} if row.phase is Phase.SUCCEEDED else set()
    known |= {stray.booking for stray in strays if stray.phase == "shown"}
    hidden = [booking for booking in live if not known & {booking.id, *booking.numbers}]
    if hidden and not (case.twice and not case.plan.sweep):
        yield f"{len(hidden)} live bookings that nobody knows of"
    if [stray for stray in strays if stray.phase == "open"]:
        yield "a second booking that nobody has dealt with"
    if row.phase is Phase.SUCCEEDED and not row.complete:
        yield "it is said to be booked, and the label is not in hand"
    if row.phase is Phase.SUCCEEDED and not live:
        yield "it is said to be booked, and is not"
    if row.phase is not Phase.SUCCEEDED and case.plan.wanted[case.key] == "shipped":
        yield "wanted, and not booked"


def _unasked(case: _Case, row: Any, strays: Sequence[Any], live: list[Booking]) -> Iterator[str]:
    """A carrier that nobody can ask: one booking at most, and where no answer came, one row for a person."""
    if len(live) > 1 + case.twice:
        yield "more than one live booking"
    if row.phase not in (*_MADE_WHOLE, Phase.NEEDS_PERSON):
        yield "neither at its end nor with a person"
    if row.phase is Phase.SUCCEEDED and (not row.complete or not live):
        yield "it is said to be booked, and is not, or its label is not in hand"
    if live and row.phase not in (Phase.SUCCEEDED, Phase.NEEDS_PERSON):
        yield "booked, and neither the host nor a person knows"


def _under(row: Any, bookings: list[Booking]) -> list[Booking]:
    """Those under one of the row's marks."""
    return [booking for booking in bookings if booking.mark.startswith(f"{row.base}-")]


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
