"""The way of a purchase: look at the row, claim it, send once, record what is proved, hand out what the row says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from ..codec import join
from ..errors import (
    AuthenticationError,
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    OutcomeUnknownError,
    PluginError,
    RateLimitedError,
    ReachedCarrier,
    RejectedError,
    ShipkitError,
    StoreError,
    UnavailableError,
)
from ..flow import Flow, Request, Response, Run, call, drive, now, sleep
from ..model import RecoveryFacts
from ..model.base import Value
from ..policy import Stack
from ..ports import Claim, Entry, Kept, LedgerStore, Phase
from .identity import base_of, mark_of

__all__ = ["Intent", "booked", "doubt_of", "finished", "recorded", "unpacked"]

T = TypeVar("T", bound=Value)

_ENDED = (Phase.VOIDED, Phase.CLOSED)
_LOOKS = 8  # at a row that others move meanwhile; each attempt, doubt or takeover needs one or two


@attrs.frozen(kw_only=True)
class Intent(Generic[T]):
    """What a host wants under one key, and how the carrier is asked for it.

    ``start`` begins the carrier's flow for a mark; ``find`` looks every booking under a mark up, where the carrier can
    be asked. ``pieces`` is how many packages an answer must have. ``complete`` fetches documents that are still at the
    carrier; ``in_hand`` says whether that is needed.
    """

    key: str
    operation: str
    account: str
    carrier: str
    fingerprint: str
    request: Value
    shape: type[T]
    start: Callable[[str], Flow[T]]
    find: Callable[[str], Flow[tuple[T, ...]]] | None = None
    booking_of: Callable[[T], str]
    live: Callable[[T], bool] = lambda _: True
    pieces_of: Callable[[T], int] | None = None
    pieces: int = 0
    complete: Callable[[T], Run[T]]
    in_hand: Callable[[T], bool] = lambda _: True
    stamped: Callable[[T, int], T]
    recovery: RecoveryFacts
    routed: bool = False
    """Whether it is one of several ways: after a settled absence too another one may be taken."""
    after: int | None = None
    """The generation that another way of the same call stood in: when that is voided or closed meanwhile, it is over."""


class _MovedError(ShipkitError):
    """Another worker moved the row between the look and the claim."""


def booked(intent: Intent[T], ledger: LedgerStore, stack: Stack) -> Run[T]:
    """The booking under the intent's key: made now, returned again, or found.

    Raises:
        ConflictError: the key is taken by another payload, or is being cancelled.
        InProgressError: a live worker holds it.
        InDoubtError: it may have happened; nothing is bought until that is known.
        LabelPendingError: booked, a document is still at the carrier.
    """
    from .recovery import recovered

    for _ in range(_LOOKS):
        entry = yield from call(ledger.read, intent.key)
        if entry is not None:
            _refuse_conflict(intent, entry)
            if entry.phase is Phase.SUCCEEDED:
                return (yield from finished(intent, ledger, entry))
            if entry.phase is Phase.NEEDS_PERSON:
                raise doubt_of(entry)
            if entry.phase is Phase.IN_FLIGHT:
                yield from _taken_over(ledger, entry)
                continue
            if entry.phase is Phase.IN_DOUBT:
                found = yield from recovered(intent, ledger, stack, entry)
                if found is not None:
                    return (yield from finished(intent, ledger, found))
                continue
        try:
            return (yield from _attempted(intent, ledger, stack, entry))
        except _MovedError:
            continue
    raise InProgressError(f"other workers keep moving {intent.key}", key=intent.key, retry_after_s=1)


def _refuse_conflict(intent: Intent[T], entry: Entry) -> None:
    if entry.phase in _ENDED:
        if intent.after is not None and entry.generation >= intent.after:
            raise _cancelling(entry)
        return
    if entry.void_wanted:
        raise _cancelling(entry)
    if intent.routed and entry.phase is Phase.ABSENT:
        return
    if entry.carrier != intent.carrier and entry.phase not in (Phase.REJECTED, Phase.NEW):
        raise ConflictError(
            f"{intent.key} was sent to {entry.carrier} under the same account name",
            key=intent.key,
            generation=entry.generation,
        )
    # After a refusal, or when nothing ever left, another payload is simply the next try.
    if entry.fingerprint != intent.fingerprint and entry.phase not in (Phase.REJECTED, Phase.NEW):
        raise ConflictError(
            f"{intent.key} was used for something else ({entry.operation} at {entry.account}, {entry.phase.value})",
            key=intent.key,
            generation=entry.generation,
        )


def _cancelling(entry: Entry) -> ConflictError:
    return ConflictError(f"{entry.key} is being cancelled", key=entry.key, generation=entry.generation, cancelling=True)


def _taken_over(ledger: LedgerStore, entry: Entry) -> Run[None]:
    at = yield from call(ledger.now)
    if entry.lease_until is not None and entry.lease_until > at:
        raise InProgressError(
            f"another worker holds {entry.key}",
            key=entry.key,
            generation=entry.generation,
            retry_after_s=int((entry.lease_until - at).total_seconds()) + 1,
        )
    yield from call(ledger.take_over, entry)


def _attempted(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry | None) -> Run[T]:
    salt = yield from call(ledger.salt)
    instead = entry is not None and _elsewhere(intent, entry)
    if entry is None or instead or entry.phase in _ENDED:
        generation, attempt = (entry.generation + 1 if entry else 1), 1
    else:
        generation = entry.generation
        attempt = entry.attempt + (entry.phase is not Phase.NEW)
    base = base_of(salt, intent.key, generation)
    purchase = _Purchase(intent, ledger, stack, generation, attempt, base, instead)
    try:
        yield from stack.ready()
        value = yield from drive(intent.start(mark_of(base, attempt)), purchase.send)
    except (GeneratorExit, _MovedError):
        raise
    except BaseException as error:
        failure = yield from purchase.failed(error)
        if failure is error:
            raise
        if not isinstance(failure, InDoubtError):
            raise failure from error
        return (yield from _looked_up(intent, ledger, stack, purchase.claimed, failure))
    if purchase.entry is None:
        raise PluginError(f"{intent.operation} returned without a purchase")
    return (yield from purchase.succeeded(value))


def _elsewhere(intent: Intent[T], entry: Entry) -> bool:
    """Whether this try goes another way than the one that *entry* stands for, which then is closed.

    What may still come of an earlier try is looked for at the account of its own row, so another account never takes
    that over; nor does another payload after an absence, whose late booking must stay attributable.
    """
    if entry.phase in _ENDED:
        return False
    return entry.account != intent.account or (entry.phase is Phase.ABSENT and entry.fingerprint != intent.fingerprint)


def _looked_up(intent: Intent[T], ledger: LedgerStore, stack: Stack, claimed: Entry, doubt: InDoubtError) -> Run[T]:
    """Present counts at once, so one look within what is left of the deadline may spare the host a doubt."""
    from .recovery import recovered

    entry = yield from call(ledger.read, claimed.key)
    if entry is None or entry.phase is not Phase.IN_DOUBT or entry.generation != claimed.generation:
        raise doubt
    try:
        found = yield from recovered(intent, ledger, stack, entry)
    except InDoubtError as still:
        still.__cause__ = doubt.__cause__
        raise still from doubt.__cause__
    if found is None:
        raise doubt
    return (yield from finished(intent, ledger, found))


class _Purchase(Generic[T]):
    """One attempt: it sees which of the flow's requests is the purchase, and what became of it."""

    def __init__(
        self,
        intent: Intent[T],
        ledger: LedgerStore,
        stack: Stack,
        generation: int,
        attempt: int,
        base: str,
        instead: bool,
    ) -> None:
        self.intent, self.ledger, self.stack = intent, ledger, stack
        self.generation, self.attempt, self.base, self.instead = generation, attempt, base, instead
        self.entry: Entry | None = None
        self.accepted = False
        self.last_was_purchase = False
        self.settled = False

    @property
    def claimed(self) -> Entry:
        """The row as claimed; only asked for once there is one."""
        if self.entry is None:
            raise PluginError(f"{self.intent.operation} has claimed nothing")
        return self.entry

    def send(self, request: Request) -> Run[Response]:
        """Send for the flow; claim the key right before its purchase leaves."""
        self.last_was_purchase = not request.replayable
        if request.replayable:
            return (yield from self.stack.send(request))
        if self.entry is not None:
            raise PluginError(f"{self.intent.operation} has a second purchase: {request.name}")
        context = self.stack.context
        opened_at = yield from now()
        yield from self._claim()
        context.not_after = opened_at + context.settings.send_window_s
        try:
            response = yield from self.stack.send(request)
        except GeneratorExit:
            raise  # the row stays in flight; whoever finds its lease over may look
        except BaseException as error:
            yield from self._settle(error)
            raise
        self.accepted = True
        return response

    def failed(self, error: BaseException) -> Run[BaseException]:
        """What to raise for *error*, which ended the flow: itself, or the doubt that it leaves."""
        if not self.stack.context.purchase_left and isinstance(error, OutcomeUnknownError):
            # A login or a look-up on the way: nothing was bought, and the same call may be repeated.
            unanswered = UnavailableError(error.message, reached_carrier=ReachedCarrier.NO)
            unanswered.__cause__ = error
            return unanswered
        if self.entry is None:
            return error
        if self.accepted and not self.settled:
            # A refusal that only the reader can see (SOAP, 200 with an error) comes after the yield.
            refusal = self.last_was_purchase and isinstance(error, RejectedError) and self._listed(error)
            yield from self._write(self.ledger.refuse if refusal else self.ledger.doubt, error)
        entry = yield from call(self.ledger.read, self.intent.key)
        if entry is None or entry.phase is not Phase.IN_DOUBT or not isinstance(error, Exception):
            return error
        doubt = doubt_of(entry)
        doubt.__cause__ = error
        return doubt

    def succeeded(self, value: T) -> Run[T]:
        """Record the booking that the flow brought back, and hand out what the row then says."""
        intent, entry = self.intent, self.claimed
        if intent.pieces_of is not None and intent.pieces_of(value) != intent.pieces:
            text = f"{intent.pieces_of(value)} packages for {intent.pieces} asked, booking {intent.booking_of(value)}"
            yield from call(self.ledger.doubt, entry, text)
            raise doubt_of(attrs.evolve(entry, error=text))
        whole = intent.stamped(value, entry.generation)
        yield from recorded(intent, self.ledger, self.stack, entry, whole)
        row = yield from call(self.ledger.read, intent.key)
        return (yield from finished(intent, self.ledger, row or entry))

    def _claim(self) -> Run[None]:
        intent, settings = self.intent, self.stack.context.settings
        self.entry = yield from call(
            self.ledger.claim,
            Claim(
                key=intent.key,
                generation=self.generation,
                attempt=self.attempt,
                operation=intent.operation,
                account=intent.account,
                carrier=intent.carrier,
                fingerprint=intent.fingerprint,
                base=self.base,
                owner=self.stack.context.request_id(),
                request=intent.request,
                lease_s=settings.lease_s,
                settle_s=settings.send_window_s + max(settings.settle_s, intent.recovery.settle_s),
                attempts_max=settings.ledger_attempts,
                instead=self.instead,
            ),
        )
        if self.entry is None:
            raise _MovedError("the row moved")

    def _settle(self, error: BaseException) -> Run[None]:
        self.settled = True
        if not self.stack.context.purchase_left:
            refused = isinstance(error, (AuthenticationError, RateLimitedError))
            yield from self._write(self.ledger.refuse if refused else None, error)
        elif isinstance(error, RejectedError) and self._listed(error):
            yield from self._write(self.ledger.refuse, error)
        else:
            yield from self._write(self.ledger.doubt, error)

    def _write(self, event: Callable[[Entry, str], None] | None, error: BaseException) -> Run[None]:
        try:
            if event is None:
                yield from call(self.ledger.not_sent, self.claimed)
            else:
                yield from call(event, self.claimed, _told(error))
        except StoreError as lost:
            # The row stays in flight until its lease is over; then whoever likes may look.
            if not isinstance(error, Exception):
                return
            if self.stack.context.purchase_left:
                lost.reached_carrier = ReachedCarrier.MAYBE
            raise lost from error

    def _listed(self, error: RejectedError) -> bool:
        """Only codes that the plugin lists with their source prove that nothing was booked."""
        codes, code = self.intent.recovery.refusal_codes, error.carrier_code
        if code and code in self.intent.recovery.duplicate_codes | self.intent.recovery.in_progress_codes:
            return False
        return (
            code in codes
            or f"http:{error.http_status}" in codes
            or any(item.endswith("*") and code.startswith(item[:-1]) for item in codes if code)
        )


def recorded(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, whole: T) -> Run[Phase | None]:
    """Write the evidence of a booking; the store is asked until the deadline, for the label is worth it.

    The phase that the row then has; None when another booking was first.

    Raises:
        StoreError: it could not be stored; the error carries the booking.
    """
    while True:
        try:
            phase = yield from call(ledger.book, entry, intent.booking_of(whole), whole, intent.in_hand(whole))
            yield stack.context.emit("booked" if phase is not None else "strays")
            return phase
        except StoreError as error:
            if (yield from now()) + 0.2 >= stack.context.until:
                error.key, error.shipment = intent.key, whole  # type: ignore[assignment]
                error.reached_carrier = ReachedCarrier.YES
                raise
            yield from sleep(0.2)


def finished(intent: Intent[T], ledger: LedgerStore, entry: Entry) -> Run[T]:
    """What the row says, with the documents that were still at the carrier.

    Raises:
        ConflictError: it is being cancelled, so nobody gets its label.
    """
    if entry.phase is not Phase.SUCCEEDED:
        raise _cancelling(entry)
    value = unpacked(entry.result, intent.shape)
    if entry.complete:
        return value
    full = yield from intent.complete(value)
    yield from call(ledger.fill, entry, full, intent.in_hand(full))
    return full


def unpacked(stored: Value | Kept | None, shape: type[T]) -> T:
    """A stored value as a value, whichever way the store keeps it.

    Raises:
        StoreError: it cannot be read any more.
    """
    if isinstance(stored, Kept):
        try:
            return join(stored.text, stored.blobs, shape)
        except InputError as error:
            raise StoreError(f"the stored {shape.__name__} cannot be read: {error.message}") from error
    if not isinstance(stored, shape):
        raise StoreError(f"the row holds no {shape.__name__}")
    return stored


def doubt_of(entry: Entry) -> InDoubtError:
    """The doubt that *entry* is in, and when a look-up can end it."""
    person = entry.phase is Phase.NEEDS_PERSON
    what = "only a person can tell" if person else "it is looked up before anything is repeated"
    return InDoubtError(
        f"{entry.operation} under {entry.key} was sent and not answered readably: {what} ({entry.error})",
        key=entry.key,
        generation=entry.generation,
        since=entry.updated_at,
        retry_at=None if person else entry.settle_at,
        needs_person=person,
    )


def _told(error: BaseException) -> str:
    # Codes only: a carrier's sentence may name a person, and rows are kept for long.
    if isinstance(error, ShipkitError):
        return f"{error.code} {error.carrier_code}".strip()
    return type(error).__name__
