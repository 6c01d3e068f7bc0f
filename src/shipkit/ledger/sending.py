"""One sending of a purchase: claimed before a byte leaves, and only what is proved is recorded of what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from ..errors import (
    AuthenticationError,
    OutcomeUnknownError,
    PluginError,
    RateLimitedError,
    ReachedCarrier,
    RejectedError,
    StoreError,
    UnavailableError,
)
from ..flow import Request, Response, Run, call, drive, now, sleep
from ..model import FindMethod
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, LedgerStore, Phase
from ..settings import Settings
from .intent import Intent, MovedError, doubt_of, told

__all__ = ["put_aside", "recorded", "sent"]

T = TypeVar("T", bound=Value)
W = TypeVar("W")

Take = Callable[..., Entry | None]

_AGAIN_S = 0.2  # until a store that failed is asked to keep a booking once more
_LAST_S = 5.0  # how long a call that was cancelled still tries that
_EXACT = (FindMethod.EXACT_ALL, FindMethod.EXACT_ONE)


def sent(
    intent: Intent[T], ledger: LedgerStore, stack: Stack, asked: Any, mark: str, take: Take, *what: Any
) -> Run[Entry]:
    """Send the purchase of *asked* once, under *mark*; the row with the booking that came back.

    ``take`` with *what* is the store's own statement that allows the sending, right before it.

    Raises:
        InDoubtError: the row is in doubt.
        MovedError: the row did not allow it any more, and nothing was sent.
    """
    sending = _Sending(intent, ledger, stack, asked, lambda: call(take, *what))
    try:
        yield from stack.ready()
        value = yield from drive(intent.start(asked, mark), sending.send)
    except (GeneratorExit, MovedError):
        raise
    except BaseException as error:
        failure = yield from sending.failed(error)
        if failure is error:
            raise
        raise failure from error
    return (yield from sending.succeeded(value))


class _Sending(Generic[T]):
    """It sees which of the flow's requests is the purchase, and what became of it."""

    def __init__(
        self,
        intent: Intent[T],
        ledger: LedgerStore,
        stack: Stack,
        asked: Any,
        take: Callable[[], Run[Entry | None]],
    ) -> None:
        self.intent, self.ledger, self.stack, self.asked, self.take = intent, ledger, stack, asked, take
        self.entry: Entry | None = None
        self.accepted = False
        self.last_was_purchase = False
        self.settled = False
        # An earlier sending of the same call may have left its traces.
        stack.context.purchase_left, stack.context.not_after = False, None

    @property
    def claimed(self) -> Entry:
        """The row as claimed; only asked for once there is one."""
        if self.entry is None:
            raise PluginError(f"{self.intent.operation} returned without a purchase")
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
        self.entry = yield from self.take()
        if self.entry is None:
            raise MovedError("the row moved")
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
        doubt = doubt_of(entry, self.intent.recovery.mode)
        doubt.__cause__ = error
        return doubt

    def succeeded(self, value: T) -> Run[Entry]:
        """Record the booking that the flow brought back; the row as it then is."""
        intent, entry = self.intent, self.claimed
        whole = intent.stamped(self.asked, value, entry.generation)
        if not intent.whole(self.asked, value) and intent.pieces_of is not None:
            text = f"{intent.pieces_of(value)} packages for {intent.pieces(self.asked)} asked"
            yield from put_aside(intent, self.ledger, self.stack, entry, whole)
            yield from call(self.ledger.doubt, entry, text)
            raise doubt_of(attrs.evolve(entry, phase=Phase.IN_DOUBT, error=text), intent.recovery.mode)
        watch = _watched(intent, self.stack.context.settings)
        yield from recorded(intent, self.ledger, self.stack, entry, whole, watch=watch)
        return (yield from call(self.ledger.read, intent.key)) or entry

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
                yield from call(event, self.claimed, told(error))
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


def _watched(intent: Intent[T], settings: Settings) -> bool:
    """Whether a booking that was answered at once is looked for once more: a gateway may have repeated the request."""
    if intent.find is None or settings.watch_booked == "none":
        return False
    return settings.watch_booked == "all" or intent.recovery.find in _EXACT


def recorded(
    intent: Intent[T],
    ledger: LedgerStore,
    stack: Stack,
    entry: Entry,
    whole: T,
    *,
    watch: bool,
    complete: bool = True,
) -> Run[Phase | None]:
    """Write the evidence of a booking: the phase that the row then has; None when another booking was first.

    What is not *complete*, though nothing is to be fetched any more, makes room for an answer that is.

    Raises:
        StoreError: it could not be stored; the error carries the booking.
    """
    complete = complete and intent.in_hand(whole)
    booking = intent.booking_of(whole)
    written = _written(intent, stack, whole, lambda: call(ledger.book, entry, booking, whole, complete, watch))
    phase, stopped = yield from written
    yield stack.context.emit("booked" if phase is not None else "strays")
    if stopped is not None:
        raise stopped
    return phase


def put_aside(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, whole: T) -> Run[None]:
    """Keep a booking that is not what was asked for, label and all; a person is shown it, once.

    Raises:
        StoreError: it could not be stored; the error carries the booking.
    """
    booking = intent.booking_of(whole)
    written = _written(intent, stack, whole, lambda: call(ledger.set_aside, entry, booking, whole))
    new, stopped = yield from written
    if new:
        yield stack.context.emit("strays", detail="shown")
    if stopped is not None:
        raise stopped


def _written(
    intent: Intent[T], stack: Stack, whole: T, write: Callable[[], Run[W]]
) -> Run[tuple[W, BaseException | None]]:
    """What *write* gave, and the cancellation that has waited for it; the store is asked until the deadline.

    The label is worth that.
    """
    until, stopped = stack.context.until, None
    while True:
        try:
            return (yield from write()), stopped
        except StoreError as error:
            at = yield from now()
            if at + _AGAIN_S >= until:
                if stopped is not None:
                    raise stopped from error
                error.key, error.shipment = intent.key, whole  # type: ignore[assignment]
                error.reached_carrier = ReachedCarrier.YES
                raise
        try:
            yield from sleep(_AGAIN_S)
        except GeneratorExit:
            raise
        except BaseException as late:
            # Whoever cancels has no use for the label, but the next call has.
            stopped, until = late, min(until, at + _LAST_S)
