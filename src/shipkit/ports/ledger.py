"""The ledger's side of a store: claims, rows, what a row goes through, and every event that may befall it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

import attrs

from ..model.base import Value

__all__ = ["Backlog", "Claim", "Entry", "Kept", "LedgerStore", "Phase", "Resend", "Step", "Stray"]


class Phase(str, Enum):
    """Where one key stands in the ledger (`shipkit.ledger.states` has the table)."""

    PLANNED = "planned"
    """A parent: its pieces are rows of their own, and they say how it stands; with a wish to void it is undoing."""
    NEW = "new"
    IN_FLIGHT = "in_flight"
    IN_DOUBT = "in_doubt"
    ABSENT = "absent"
    REJECTED = "rejected"
    SUCCEEDED = "succeeded"
    VOIDING = "voiding"
    VOIDED = "voided"
    NEEDS_PERSON = "needs_person"
    CLOSED = "closed"


@attrs.frozen
class Kept:
    """A value as a durable store keeps it: JSON without the documents' bytes, and those bytes beside it."""

    text: bytes = attrs.field(repr=False)
    blobs: tuple[bytes, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True, eq=False)
class Claim:
    """The intention to send: written durably before a byte leaves.

    ``base`` is what the mark of each attempt is made from; ``lease_s``, ``settle_s`` and ``watch_s`` are durations that
    the store adds to its own clock. A piece names the key and the generation of its ``parent``, and may be claimed only
    while that is running and no piece beside it is in flight, in doubt or with a person.
    """

    key: str
    generation: int
    attempt: int
    operation: str
    account: str
    carrier: str
    fingerprint: str
    base: str
    owner: str
    request: Value = attrs.field(repr=False)
    lease_s: float
    settle_s: float
    watch_s: float = 0
    """How long after ``settle_at`` late bookings are still looked for."""
    attempts_max: int
    parent: tuple[str, int] | None = None
    instead: bool = False
    """Another way is taken: the generation before this one has to be new, absent or rejected, with no wish to undo it,
    and is closed by the same transaction; else nothing is claimed."""


@attrs.frozen(kw_only=True, eq=False)
class Resend:
    """The intention to send the same identity once more, to a carrier that recognises it (native key, or reference).

    Allowed while sends are left, the second send at once and later ones from ``settle_at`` on, and where the carrier
    forgets keys only if the first send plus ``key_ttl_s`` lies after this window and its settling.
    """

    owner: str
    lease_s: float
    settle_s: float
    sends_max: int
    key_ttl_s: float | None = None


@attrs.frozen(kw_only=True, eq=False)
class Entry:
    """A row of the ledger: one generation of one key. Times are the store's, aware UTC.

    ``request``, ``result`` and ``void_result`` are the values themselves, or as a durable store keeps them.
    """

    key: str
    generation: int
    operation: str
    account: str
    carrier: str
    phase: Phase
    void_wanted: bool
    fingerprint: str
    base: str
    attempt: int
    send: int
    sole: bool
    owner: str
    request: Value | Kept = attrs.field(repr=False)
    booking: str = ""
    result: Value | Kept | None = attrs.field(default=None, repr=False)
    complete: bool = False
    void_result: Value | Kept | None = None
    error: str = ""
    lease_until: datetime | None = None
    settle_at: datetime | None = None
    first_sent_at: datetime | None = None
    """When the present attempt was first claimed."""
    watch_until: datetime | None = None
    """Until then a late booking is looked for, though the row is at rest."""
    next_at: datetime | None = None
    """When a recovery run is to look at the row again; None when never."""
    parent: tuple[str, int] | None = None
    """Key and generation of the row that this is a piece of."""
    note: str = ""
    """What the person wrote who ended it; no personal data belongs here."""
    purged_at: datetime | None = None
    """When retention took the bodies away: the key stays used."""
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True, eq=False)
class Step:
    """One line of the audit trail: what an event did to a row. Codes and phases only, nobody's data.

    ``digest`` covers this line and the digest of the line before it of the same key, so none can be changed or taken
    out unnoticed.
    """

    key: str
    generation: int
    number: int
    event: str
    before: str
    after: str
    attempt: int
    send: int
    booking: str
    detail: str
    at: datetime
    digest: str


@attrs.frozen(kw_only=True, eq=False)
class Stray:
    """A further booking that came in for a key.

    ``open`` until it is ``voided``, ``gone`` (the carrier does not know it; open again if it comes in once more) or
    ``shown`` to a person.
    """

    key: str
    generation: int
    booking: str
    attempt: int
    result: Value | Kept = attrs.field(repr=False)
    phase: str


@attrs.frozen(kw_only=True)
class Backlog:
    """How much of one kind (``in_doubt``, ``label_pending``) waits for a recovery run, and for how long the oldest."""

    queue: str
    depth: int
    age_s: float


class LedgerStore(Protocol):
    """The ledger's table. Every method is one durable transaction of the store's own; times are the store's.

    Each event that changes something also writes one `Step` in the same transaction (`shipkit.store.audit` has their
    names and digests), and says when the row is due again (``next_at``): in flight when the lease is over; in doubt,
    voiding, without its documents, or a parent that is undoing at once; otherwise, while late bookings are watched
    for, at ``settle_at`` or now, whichever is later; else never. Watched are rows of more than one attempt or send, and
    those that are absent, with a person, voided or closed. `shipkit.store.rules` says all of it as functions.

    Raises `shipkit.errors.StoreError` when the store cannot be read or written.
    """

    @property
    def blocking(self) -> bool: ...

    def now(self) -> datetime: ...

    def salt(self) -> str:
        """A text drawn once when the store was made: marks of two stores never meet."""
        ...

    def read(self, key: str) -> Entry | None:
        """The newest generation under *key*."""
        ...

    def claim(self, claim: Claim) -> Entry | None:
        """Take the key for exactly this generation and attempt; None when the row does not allow it any more.

        For a while after `restored` an unknown key, or generation, may be one that was lost: it then becomes a row in
        doubt, not alone, settled when everything is that was sent before, and None.
        """
        ...

    def resend(self, entry: Entry, again: Resend) -> Entry | None:
        """A row in doubt goes out once more under the same identity; None when it may not."""
        ...

    def take_over(self, entry: Entry) -> Entry | None:
        """A lease that ran out: from now on the row is in doubt, and whoever likes may look."""
        ...

    def doubt(self, entry: Entry, error: str) -> None:
        """No readable answer came to this claim."""
        ...

    def not_sent(self, entry: Entry) -> None:
        """Nothing of this claim left the machine: the identity may be used again."""
        ...

    def refuse(self, entry: Entry, error: str) -> None:
        """The carrier refused this claim for good."""
        ...

    def absent(self, entry: Entry, asked_at: datetime, attempts_max: int) -> Entry | None:
        """A look-up issued at *asked_at* found nothing; believed only if that was after ``settle_at``."""
        ...

    def needs_person(self, entry: Entry, error: str) -> None:
        """Nobody else can end this row."""
        ...

    def book(self, entry: Entry, booking: str, value: Value, complete: bool, watch: bool = True) -> Phase | None:
        """Evidence of a booking, accepted from anyone at any time: the phase that the row then has.

        None when another booking was first: this one is kept as a stray. The booking that the row has already is none:
        a row that is complete, voided or closed then stays as it is. Without *watch* (booked at the first answer) a row
        of one attempt and one send is not watched any more. A row that the store lost since *entry* was claimed is
        written again.
        """
        ...

    def set_aside(self, entry: Entry, booking: str, value: Value) -> bool:
        """What came back is not what was asked for: it is kept as a stray that is ``shown``, and the row stays.

        False where it was kept already.
        """
        ...

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """The documents of a booking that was recorded without them."""
        ...

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone, with every piece of it; the row says what that means now."""
        ...

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone; with *asked_at* (the carrier does not know it) only after ``settle_at``.

        A definite answer counts though another worker was refused meanwhile: the row may have succeeded again.
        """
        ...

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it: the booking stands, unless somebody has asked again since *entry* was read."""
        ...

    def close_key(self, key: str, note: str = "") -> Entry | None:
        """A person ends a row that nobody else can end."""
        ...

    def plan(self, parent: Claim, pieces: Sequence[Claim]) -> Entry | None:
        """A parent and a ``new`` row for each of its pieces, at once; None when the key does not allow a generation.

        It allows the first one, and the next one after a row that is voided or closed, or that is new or rejected (and
        is closed by the same transaction).
        """
        ...

    def pieces(self, parent: Entry) -> tuple[Entry, ...]:
        """The rows planned under *parent*, in order."""
        ...

    def undo(self, parent: Entry, error: str) -> Entry | None:
        """A piece was refused: *parent* is undoing, and every piece, open ones too, is wished undone at once."""
        ...

    def end_parent(self, parent: Entry) -> Entry | None:
        """Once no piece of a parent that is undoing can come any more: rejected if it has an error, else voided.

        Its pieces are then voided, rejected or closed.
        """
        ...

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*."""
        ...

    def open_strays(self, limit: int, prefix: str = "") -> tuple[Stray, ...]:
        """Further bookings that nobody has dealt with, longest waiting first."""
        ...

    def end_stray(self, stray: Stray, phase: str) -> None:
        """That further booking was ``voided``, is ``gone``, or is ``shown`` to a person."""
        ...

    def put_last(self, stray: Stray) -> None:
        """Nothing could be done about an open stray: it waits behind all others."""
        ...

    def due(self, limit: int, prefix: str = "", hold_s: float = 0) -> tuple[Entry, ...]:
        """Rows that a recovery run has work with, longest waiting first; for *hold_s* nobody else gets them."""
        ...

    def look_again(self, entry: Entry, in_s: float | None) -> None:
        """Have the row due again in *in_s* seconds, None: never, if it has not moved.

        That is if it shows the same phase, attempt, send, wish to void and completeness.
        """
        ...

    def entries(
        self, *, prefix: str = "", phases: Sequence[Phase] = (), after: str = "", limit: int = 100
    ) -> tuple[Entry, ...]:
        """Newest generations by key, in order, from the key after *after* on; without their documents' bytes."""
        ...

    def succeeded(self, since: datetime, after: str = "", *, prefix: str = "", limit: int = 100) -> tuple[Entry, ...]:
        """Rows that succeeded, by the time of their last change and then by key; without their documents' bytes.

        From *since* on, and of that very moment the keys after *after*.
        """
        ...

    def backlog(self, prefix: str = "") -> tuple[Backlog, ...]:
        """What recovery runs still have to end: the doubts, and the bookings without their documents; both, always."""
        ...

    def history(self, key: str) -> tuple[Step, ...]:
        """The audit trail of *key*, oldest first."""
        ...

    def restored(self, age_s: float, settle_s: float) -> int:
        """The store lost its newest commits (a failover, a backup of *age_s*): look first. How many rows that moved.

        Every row in flight, in doubt, absent, refused or new is in doubt, one send further and not alone, settling
        anew; for *age_s* plus *settle_s* unknown keys begin in doubt, sent *age_s* ago at the earliest.
        """
        ...
