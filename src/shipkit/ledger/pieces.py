"""Several bookings under one key: planned at once, bought one after another, undone together.

A piece is a row like any other, and so is its way; the parent's row only says that there are pieces, and whether they
are on the way back. How the whole stands is told from its pieces (`phase_of`). Nothing is bought beside a piece that is
in flight, in doubt or with a person: the store sees to that in the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

from ..errors import (
    AuthenticationError,
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    LabelPendingError,
    NotSentError,
    NotSupportedError,
    RateLimitedError,
    ReachedCarrier,
    RejectedError,
    ShipkitError,
    StoreError,
    UnavailableError,
)
from ..flow import Run, call
from ..model import CancellationResult
from ..model.base import Value
from ..policy import Stack
from ..ports import Claim, Entry, LedgerStore, Phase
from ..store.rules import ENDED
from .booking import booked, finished, refuse_conflict, take_over
from .identity import base_of
from .intent import Intent, MovedError, cancelling, settle_s, told, unpacked, used_up
from .recovery import recovered
from .voiding import cancelled

__all__ = [
    "Several",
    "booked_in_pieces",
    "cancelled_in_pieces",
    "given_up",
    "phase_of",
    "piece_key",
    "recovered_in_pieces",
]

T = TypeVar("T", bound=Value)
K = TypeVar("K", bound="ConflictError | InDoubtError | InProgressError | LabelPendingError | StoreError")

_LOOKS = 8  # at rows that others move meanwhile
_OPEN: Final = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)
_FOR_GOOD = (RejectedError, InputError, NotSupportedError)
_NOT_DONE = (AuthenticationError, NotSentError, RateLimitedError, UnavailableError)
_UNSENT: Final = frozenset({Phase.NEW, Phase.REJECTED})
_KEYED = (ConflictError, InDoubtError, InProgressError, LabelPendingError, StoreError)


@attrs.frozen(kw_only=True)
class Several(Generic[T]):
    """How one order becomes several bookings, and how these are one answer again.

    ``parts`` are the requests of the pieces, in order, and ``fingerprint`` is of one; ``piece`` is the intent of a row.
    ``joined`` and ``joined_back`` make one value of what the pieces of a parent came to.
    """

    parts: Callable[[Any], tuple[Value, ...]]
    fingerprint: Callable[[Value], str]
    piece: Callable[[Entry], Intent[T]]
    joined: Callable[[Sequence[T], Entry], T]
    joined_back: Callable[[Sequence[Entry]], CancellationResult]


def piece_key(key: str, generation: int, number: int) -> str:
    """The key of piece *number*, counted from 1."""
    return f"{key}#{generation}/{number}"


def given_up(piece: Entry) -> bool:
    """Whether the piece of a whole that is being bought will never be: refused for good, or undone.

    One that a person closed, because it is not at the carrier, is bought anew.
    """
    # Credentials that fail and a limit of calls end an attempt too, and the next one may well pass.
    refused = piece.phase is Phase.REJECTED and piece.error.partition(" ")[0] == RejectedError.code
    return refused or piece.phase is Phase.VOIDED


def phase_of(parent: Entry, pieces: Sequence[Entry]) -> Phase:
    """How the whole stands: ``planned`` while pieces are left to be bought, ``voiding`` on the way back."""
    phases = {piece.phase for piece in pieces}
    if parent.phase is not Phase.PLANNED:
        return parent.phase
    # Undoing, and yet booked with no wish to undo it: the carrier would not.
    if Phase.NEEDS_PERSON in phases or (parent.void_wanted and Phase.SUCCEEDED in phases):
        return Phase.NEEDS_PERSON
    if parent.void_wanted or any(given_up(piece) for piece in pieces):
        return Phase.VOIDING
    for phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT):
        if phase in phases:
            return phase
    return Phase.SUCCEEDED if phases == {Phase.SUCCEEDED} else Phase.PLANNED


def booked_in_pieces(intent: Intent[T], several: Several[T], ledger: LedgerStore, stack: Stack) -> Run[T]:
    """Everything under the intent's key, as one value: what is missing is bought now, piece by piece.

    Raises:
        ShipkitError: as `booked` does; when some pieces are booked and others not, `InProgressError`, for then the same
            call goes on and nothing else may be tried.
    """
    begun: Entry | None = None
    for _ in range(_LOOKS):
        parent = yield from call(ledger.read, intent.key)
        if begun is not None and parent is not None and parent.phase in ENDED and parent.generation >= begun.generation:
            raise cancelling(parent)  # what this call was buying was undone: it does not begin anew
        if parent is not None and parent.phase is Phase.SUCCEEDED and parent.fingerprint == intent.fingerprint:
            return (yield from finished(intent, ledger, parent))  # from a time when it was one booking
        whole = _Whole(intent, several, ledger, stack)
        try:
            begun = yield from whole.begun(parent)
            return (yield from whole.bought(begun))
        except MovedError:
            continue
    raise InProgressError(f"other workers keep moving {intent.key}", key=intent.key, retry_after_s=1)


def cancelled_in_pieces(
    intent: Intent[T], several: Several[T], ledger: LedgerStore, stack: Stack, parent: Entry
) -> Run[CancellationResult]:
    """Undo every piece of *parent*, which is wished undone.

    Raises:
        InDoubtError: a piece is not answered yet, or the carrier would not undo it; the wish stands.
    """
    whole = _Whole(intent, several, ledger, stack)
    if parent.phase is Phase.PLANNED:
        yield from whole.undone(parent)
    return several.joined_back((yield from call(ledger.pieces, parent)))


def recovered_in_pieces(
    intent: Intent[T], several: Several[T], ledger: LedgerStore, stack: Stack, parent: Entry
) -> Run[T | CancellationResult | None]:
    """What *parent* comes to without buying anything: all of it, its cancellation, or None.

    None: nothing was booked, or pieces are left that the host's next call buys.
    """
    whole = _Whole(intent, several, ledger, stack)
    return (yield from whole.recovered(parent))


class _Whole(Generic[T]):
    """One look at a parent and its pieces."""

    def __init__(self, intent: Intent[T], several: Several[T], ledger: LedgerStore, stack: Stack) -> None:
        self.intent, self.several, self.ledger, self.stack = intent, several, ledger, stack

    def begun(self, entry: Entry | None) -> Run[Entry]:
        """The running parent: the one there is, or a new plan."""
        if entry is None or entry.phase in (*ENDED, Phase.REJECTED, Phase.NEW):
            if entry is not None:
                refuse_conflict(self.intent, entry)
            return (yield from self._planned(entry.generation + 1 if entry is not None else 1))
        if entry.phase is Phase.PLANNED and entry.void_wanted and entry.error:
            yield from self.undone(entry)  # refused, and its worker did not come to the end of it
            raise MovedError("undone")
        if entry.phase is Phase.PLANNED and entry.void_wanted:
            pieces = yield from call(self.ledger.pieces, entry)
            if phase_of(entry, pieces) is Phase.NEEDS_PERSON:
                raise _doubt(entry, pieces)  # nothing goes on by itself any more
        refuse_conflict(self.intent, entry)
        if entry.phase is not Phase.PLANNED:
            text = f"{entry.key} was begun as one booking ({entry.phase.value}), and ends as one"
            raise ConflictError(text, key=entry.key, generation=entry.generation)
        return entry

    def _planned(self, generation: int) -> Run[Entry]:
        asked = self.intent.request()
        salt, key = (yield from call(self.ledger.salt)), self.intent.key
        pieces = tuple(
            self._claim(
                piece_key(key, generation, number), 1, salt, part, self.several.fingerprint(part), (key, generation)
            )
            for number, part in enumerate(self.several.parts(asked), 1)
        )
        whole = self._claim(key, generation, salt, asked, self.intent.fingerprint, None)
        planned = yield from call(self.ledger.plan, whole, pieces)
        if planned is None:
            raise MovedError("the row moved")
        return planned

    def _claim(
        self, key: str, generation: int, salt: str, request: Value, mark: str, parent: tuple[str, int] | None
    ) -> Claim:
        intent, settings = self.intent, self.stack.context.settings
        return Claim(
            key=key,
            generation=generation,
            attempt=1,
            operation=intent.operation,
            account=intent.account,
            carrier=intent.carrier,
            fingerprint=mark,
            base=base_of(salt, key, generation),
            owner="",
            request=request,
            lease_s=settings.lease_s,
            settle_s=settle_s(settings, intent.recovery),
            watch_s=settings.watch_s if intent.find is not None else 0,
            attempts_max=settings.ledger_attempts,
            parent=parent,
        )

    def bought(self, parent: Entry) -> Run[T]:
        """Every piece, those bought now included, as one value."""
        pieces = yield from call(self.ledger.pieces, parent)
        for piece in pieces:
            if piece.purged_at is not None:
                raise used_up(attrs.evolve(piece, key=parent.key, generation=parent.generation))
        if not _in_hand(pieces):
            pieces = yield from self._looked_at(parent, pieces)
            if any(given_up(piece) for piece in pieces):
                yield from self._back(parent, _reason(pieces))
                raise MovedError("undone")
            pending = yield from self._completed(parent, pieces)
            pieces = yield from self._standing(parent)
            if pending is not None:
                pending.shipment = self._joined(parent, pieces)  # type: ignore[assignment]
                raise pending
        return self._joined(parent, pieces)

    def _completed(self, parent: Entry, pieces: Sequence[Entry]) -> Run[LabelPendingError | None]:
        """Buy what is not bought, fetch what is not in hand; what is still at the carrier is no reason to stop."""
        pending = None
        for number, piece in enumerate(pieces, 1):
            if piece.phase is Phase.SUCCEEDED and piece.complete:
                continue
            try:
                one = booked(self.several.piece(piece), self.ledger, self.stack)
                yield from self._tried(parent, number, len(pieces), one)
            except LabelPendingError as error:
                pending = self._named(error, parent)
        return pending

    def _refused(self, parent: Entry, refusal: ShipkitError) -> Run[None]:
        """A piece will not be bought, so none shall be."""
        try:
            yield from self._back(parent, told(refusal))
        except InDoubtError as doubt:
            raise doubt from refusal
        raise refusal

    def _back(self, parent: Entry, reason: str) -> Run[None]:
        undoing = yield from call(self.ledger.undo, parent, reason)
        yield from self.undone(undoing or parent)

    def _looked_at(self, parent: Entry, pieces: tuple[Entry, ...]) -> Run[tuple[Entry, ...]]:
        """The pieces once their doubts have ended; nothing is bought before.

        Raises:
            InDoubtError: a piece is in doubt still, or a person decides.
            InProgressError: a live worker holds one.
        """
        if phase_of(parent, pieces) is Phase.NEEDS_PERSON:
            raise _doubt(parent, pieces)
        for number, piece in enumerate(pieces, 1):
            if piece.phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT):
                yield from self._tried(parent, number, len(pieces), self._looked_up(piece))
        return (yield from call(self.ledger.pieces, parent))

    def _looked_up(self, piece: Entry) -> Run[None]:
        now: Entry | None = piece
        if piece.phase is Phase.IN_FLIGHT:
            now = yield from take_over(self.ledger, piece)
        if now is not None and now.phase is Phase.IN_DOUBT:
            yield from recovered(self.several.piece(now), self.ledger, self.stack, now)

    def _tried(self, parent: Entry, number: int, count: int, run: Run[Any]) -> Run[None]:
        """*run*, which is about one piece; what ends it is told of the whole."""
        try:
            yield from run
        except LabelPendingError:
            raise
        except _FOR_GOOD as refusal:
            refusal.message = f"package {number} of {count}: {refusal.message}"
            yield from self._refused(parent, refusal)
        except ShipkitError as error:
            ended = yield from self._ended_by(error, parent)
            if ended is error:
                raise
            raise ended from error

    def undone(self, parent: Entry) -> Run[Entry]:
        """Carry out on each piece that it is wished undone, and end *parent*.

        Raises:
            InDoubtError: a piece is open; the wish stands, and recovery or the next call carries it out.
        """
        reason: ShipkitError | None = None
        pieces = yield from call(self.ledger.pieces, parent)
        wished = attrs.evolve(parent, void_wanted=True)
        for piece in pieces:
            if piece.phase not in _OPEN:
                continue
            if phase_of(wished, (yield from call(self.ledger.pieces, parent))) is Phase.NEEDS_PERSON:
                break  # nothing more is voided until that is known
            try:
                yield from cancelled(self.several.piece(piece), self.ledger, self.stack)
            except ShipkitError as error:
                reason = reason or error
        ended = yield from call(self.ledger.end_parent, parent)
        if ended is not None:
            return ended
        standing = yield from call(self.ledger.read, parent.key)
        if standing is None or standing.generation != parent.generation or standing.phase is not Phase.PLANNED:
            return standing or parent  # another worker ended it
        raise _doubt(standing, (yield from call(self.ledger.pieces, parent))) from reason

    def recovered(self, parent: Entry) -> Run[T | CancellationResult | None]:
        """See `recovered_in_pieces`."""
        if parent.void_wanted:
            ended = yield from self.undone(parent)
            pieces = yield from call(self.ledger.pieces, parent)
            return self.several.joined_back(pieces) if ended.phase is Phase.VOIDED else None
        pieces = yield from self._looked_at(parent, (yield from call(self.ledger.pieces, parent)))
        if any(given_up(piece) for piece in pieces):
            yield from self._back(parent, _reason(pieces))
            return None
        if phase_of(parent, pieces) is not Phase.SUCCEEDED:
            return None
        return (yield from self.bought(parent))

    def _standing(self, parent: Entry) -> Run[tuple[Entry, ...]]:
        """All pieces, booked: read again, for what is handed out is what the rows say."""
        pieces = yield from call(self.ledger.pieces, parent)
        if phase_of(parent, pieces) is not Phase.SUCCEEDED:
            raise MovedError("a piece moved")
        return pieces

    def _joined(self, parent: Entry, pieces: Sequence[Entry]) -> T:
        values = [unpacked(piece.result, self.intent.shape) for piece in pieces]
        return self.several.joined(values, parent)

    def _named(self, error: K, parent: Entry) -> K:
        error.key = parent.key
        if not isinstance(error, StoreError):
            error.generation = parent.generation
        return error

    def _ended_by(self, error: ShipkitError, parent: Entry) -> Run[ShipkitError]:
        """What to raise for *error*, which ended a piece: the host knows the whole only."""
        if isinstance(error, MovedError):
            return error
        if isinstance(error, _KEYED):
            return self._named(error, parent)
        pieces = yield from call(self.ledger.pieces, parent)
        done = sum(piece.phase is Phase.SUCCEEDED for piece in pieces)
        if not done:
            if self.intent.routed and isinstance(error, _NOT_DONE) and {p.phase for p in pieces} <= _UNSENT:
                yield from self._back(parent, told(error))  # nothing came of it: another way may be tried
            return error
        text = f"{done} of {len(pieces)} bookings stand ({error}): the same call goes on, and cancelling undoes them"
        return InProgressError(
            text,
            key=parent.key,
            generation=parent.generation,
            reached_carrier=ReachedCarrier.YES,
            retry_after_s=error.retry_after_s,
        )


def _in_hand(pieces: Sequence[Entry]) -> bool:
    return bool(pieces) and all(piece.phase is Phase.SUCCEEDED and piece.complete for piece in pieces)


def _reason(pieces: Sequence[Entry]) -> str:
    """Why the whole is undone: the code of the first piece that will not be bought."""
    return next(piece.error or piece.phase.value for piece in pieces if given_up(piece))


def _doubt(parent: Entry, pieces: Sequence[Entry]) -> InDoubtError:
    """What keeps *parent* from going on, as a doubt of the whole."""
    person = phase_of(parent, pieces) is Phase.NEEDS_PERSON
    held = [piece for piece in pieces if piece.phase is Phase.NEEDS_PERSON] if person else []
    held = held or [piece for piece in pieces if piece.phase is Phase.SUCCEEDED and person]
    piece = (held or [piece for piece in pieces if piece.phase in _OPEN] or list(pieces))[0]
    number = list(pieces).index(piece) + 1
    what = "only a person can tell" if person else "it is finished before anything is repeated"
    return InDoubtError(
        f"{parent.operation} under {parent.key}: package {number} of {len(pieces)} is {piece.phase.value}, {what}"
        f" ({piece.error})",
        key=parent.key,
        generation=parent.generation,
        since=piece.updated_at,
        retry_at=None if person else piece.settle_at,
        needs_person=person,
    )
