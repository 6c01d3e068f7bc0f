"""What a host may bring, each a small protocol named after its role; in-memory versions stand in `shipkit.store`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Protocol

import attrs

from .flow import Token
from .model.base import Value

__all__ = ["Claim", "Entry", "Kept", "LedgerStore", "Observation", "Phase", "Store", "Stray", "TokenStore"]


@attrs.frozen(kw_only=True)
class Observation:
    """Something that happened in a client: what ``shipkit_observe`` gets; of low cardinality, free of personal data.

    ``kind`` is ``request`` (one exchange), ``call`` (one operation of the host), ``retry``, ``breaker``, ``token``,
    ``booked``, ``in_doubt``, ``unmapped_code`` or ``strays``. ``error`` is the code of the error that ended it.
    """

    kind: str
    account: str = ""
    carrier: str = ""
    operation: str = ""
    request: str = ""
    status: int | None = None
    elapsed_s: float | None = None
    error: str = ""
    detail: str = ""


class TokenStore(Protocol):
    """Keeps access tokens between calls, and between workers if the host shares it. Times are the store's own."""

    @property
    def blocking(self) -> bool: ...

    def get(self, account: str, margin_s: float) -> Token | None:
        """The token of *account* unless it ends within *margin_s*."""
        ...

    def claim(self, account: str, owner: str, lease_s: float) -> bool:
        """True for the one caller that is to fetch a token now; its claim ends with *lease_s* at the latest."""
        ...

    def put(self, account: str, owner: str, token: Token) -> None:
        """Keep *token* and end the claim of *owner*."""
        ...

    def release(self, account: str, owner: str) -> None:
        """End the claim of *owner* without a token."""
        ...

    def drop(self, account: str, token: Token) -> None:
        """Forget exactly *token*; a newer one stays."""
        ...


class Phase(str, Enum):
    """Where one key stands in the ledger (`shipkit.ledger.states` has the table)."""

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

    ``base`` is what the mark of each attempt is made from; ``lease_s`` and ``settle_s`` are durations that the store
    adds to its own clock.
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
    attempts_max: int


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
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True, eq=False)
class Stray:
    """A second booking that came in for a key: kept until it is voided or a person has seen it."""

    key: str
    generation: int
    booking: str
    attempt: int
    result: Value | Kept = attrs.field(repr=False)
    phase: str


class LedgerStore(Protocol):
    """The ledger's table. Every method is one durable transaction of the store's own; times are the store's.

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
        """Take the key for exactly this generation and attempt; None when the row does not allow it any more."""
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

    def book(self, entry: Entry, booking: str, value: Value, complete: bool) -> Phase | None:
        """Evidence of a booking, accepted from anyone at any time: the phase that the row then has.

        None when another booking was first: this one is kept as a stray.
        """
        ...

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """The documents of a booking that was recorded without them."""
        ...

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone; the row says what that means now."""
        ...

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone; with *asked_at* (the carrier does not know it) only after ``settle_at``."""
        ...

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it: the booking stands."""
        ...

    def close_key(self, key: str) -> Entry | None:
        """A person ends a row that nobody else can end."""
        ...

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*."""
        ...

    def stray_voided(self, stray: Stray) -> None:
        """That further booking was undone."""
        ...

    def open(self, limit: int) -> Iterable[Entry]:
        """Rows that a recovery run has work with, longest waiting first."""
        ...


class Store(Protocol):
    """What a client keeps durably."""

    @property
    def blocking(self) -> bool: ...

    @property
    def ledger(self) -> LedgerStore: ...

    @property
    def tokens(self) -> TokenStore: ...

    def close(self) -> None: ...
