"""The client for threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence, Sized
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ShipkitError
from ..flow import Call, Done, Effect, Emit, Fork, Now, Run, Sleep, Transmit, Wait
from .base import ClientBase, Numbers, with_service
from .clock import drawn, seconds

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self

    from .. import model as m
    from ..model.base import Value
    from ..shopping import Route
    from ..voids import VoidAnswer
    from .books import Ledger
    from .events import Events
    from .lists import Order, Progress, Shipped
    from .purchases import Purchase
    from .routing import Routed
    from .transport import SyncTransport

__all__ = ["Client"]

T = TypeVar("T")
V = TypeVar("V", bound="Value")


class Client(ClientBase):
    """Accounts at carriers, and every operation on them; shared by threads, closed with `close` or ``with``.

    After ``fork`` it opens connections of its own; nothing but the store is shared between processes.
    """

    _transport: SyncTransport | None = None
    _transport_pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and the store unless the host brought it."""
        if self._transport is not None and self._transport_pid == os.getpid():
            self._transport.close()
        self._transport = None
        self._close_store()

    def rates(
        self,
        request: m.RateRequest | m.ShipmentRequest,
        *,
        accounts: Sequence[str] | None = None,
        deadline_s: float | None = None,
    ) -> m.RateAnswer:
        """Prices of many accounts at once (all, or *accounts*): ``.quotes``, cheapest first, and ``.errors``.

        There is one error for each account that failed, and none is silent.
        """
        return self._run(self._desk.rates(request, accounts, deadline_s))

    def transit_times(
        self, request: m.RateRequest | m.ShipmentRequest, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.ServiceTransit, ...]:
        """When it would arrive, by service."""
        return self._run(self._desk.transit_times(request, account, deadline_s))

    def create_shipment(
        self,
        request: m.ShipmentRequest,
        *,
        account: str,
        key: str,
        service: str | None = None,
        deadline_s: float | None = None,
    ) -> m.Shipment:
        """Book *request* exactly once under *key*; asked again, the same shipment with the same label bytes comes back.

        Raises:
            InputError, NotSupportedError, ConflictError: nothing was sent.
            RejectedError, RateLimitedError, AuthenticationError, NotSentError, DeadlineError: nothing was booked.
            InDoubtError: it may have been booked; the same call, or `recover`, finds out after ``retry_at``.
            LabelPendingError: it is booked; the same call, or `recover`, fetches the label."""
        from . import purchases

        return self._run(self._buy(purchases.CREATE_SHIPMENT, with_service(request, service), account, key, deadline_s))

    def create_shipment_by(
        self,
        request: m.ShipmentRequest,
        *,
        routes: Iterable[Route],
        key: str,
        deadline_s: float | None = None,
    ) -> Routed:
        """Book *request* exactly once under *key*, on the first of *routes* that takes it.

        The next one is tried only when nothing was bought on the one before, never in doubt. Asked again, in whatever
        order, it gives the same shipment.

        Raises:
            InDoubtError, InProgressError: a way is open, so no other one is tried.
            ShipkitError: no way took it; its ``others`` say why the others did not.
        """
        from .routing import routed

        return self._run(routed(self._desk, request, routes, key, deadline_s))

    def create_shipments(
        self,
        orders: Iterable[Order],
        *,
        at_once: int | None = None,
        deadline_s: float | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> Generator[Shipped, None, None]:
        """Book a list of any length: one outcome for each order, as they end; ``index`` says which one it was.

        At most *at_once* calls of each account are under way (``list_concurrency``), each with *deadline_s* of its own,
        and they yield to single calls. The list is read as places come free, and nothing is kept of what is done. One
        bad order costs the others nothing. The same list again gives what is booked and goes on with the rest.
        What is under way is waited for, also when the reader stops or the list itself fails.
        """
        from .lists import Work, shipped_in_threads

        at_once = max(1, at_once or self.settings.list_concurrency)
        work = Work(self._desk, at_once, deadline_s, progress, len(orders) if isinstance(orders, Sized) else None)
        return shipped_in_threads(orders, work, self._run)

    def create_return(
        self, request: m.ReturnRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.ReturnShipment:
        """Order a way back, exactly once under *key*; raises like `create_shipment`."""
        from . import purchases

        return self._run(self._buy(purchases.CREATE_RETURN, request, account, key, deadline_s))

    def cancel_shipment(
        self, *, key: str, package: str | None = None, deadline_s: float | None = None
    ) -> m.CancellationResult:
        """Undo what was booked under *key*, or one *package* of it (its ref); asked again, the same answer.

        A booking that is still in doubt is undone once it is found: the wish stands, and `InDoubtError` says so. Where
        the carrier states until when it cancels and that is over, the outcome is ``too_late`` and nothing is sent."""
        from . import cancelling, purchases

        if package is not None:
            return self._run(cancelling.cancel_package(self._desk, key, package, deadline_s))
        return self._run(purchases.cancel(self._desk, key, deadline_s))

    def can_cancel(
        self,
        shipment: m.Shipment | None = None,
        *,
        key: str | None = None,
        account: str | None = None,
        now: datetime | None = None,
        timeline: m.Timeline | None = None,
        manifested: bool | None = None,
    ) -> VoidAnswer:
        """Whether *shipment*, or what is booked under *key*, can still be cancelled (yes, no, unknown) and until when.

        Nothing is sent: the carrier's stated policy is held against the booking, at *now*, and against what the host
        knows besides: the *timeline* says whether it was scanned, *manifested* whether it was closed in a manifest.
        """
        from .cancelling import Question, asked

        question = Question(now=now, timeline=timeline, manifested=manifested)
        return self._run(asked(self._desk, shipment, key, account, question))

    def documents(
        self, query: m.DocumentQuery, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.Document, ...]:
        """Papers of a booking once more, or in another format."""
        return self._run(self._desk.documents(query, account, deadline_s))

    def track(
        self, numbers: Numbers, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.Outcome[m.Timeline], ...]:
        """One timeline, or one error, for each of *numbers*, in order."""
        return self._run(self._desk.track(numbers, account, deadline_s))

    def service_points(
        self, query: m.ServicePointQuery, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.ServicePoint, ...]:
        """Drop-off and collection places near somewhere, nearest first."""
        return self._run(self._desk.service_points(query, account, deadline_s))

    def check_address(
        self, request: m.AddressCheck, *, account: str, deadline_s: float | None = None
    ) -> m.AddressCheckResult:
        """What the carrier knows of an address; the host decides, nothing is replaced."""
        return self._run(self._desk.check_address(request, account, deadline_s))

    def book_pickup(
        self, request: m.PickupRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Pickup:
        """Ask the carrier to collect, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return self._run(self._buy(purchases.BOOK_PICKUP, request, account, key, deadline_s))

    def cancel_pickup(self, *, key: str, deadline_s: float | None = None) -> m.CancellationResult:
        """Call the collection off that was booked under *key*."""
        from . import purchases

        return self._run(purchases.cancel(self._desk, key, deadline_s))

    def close_manifest(
        self, request: m.ManifestRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Manifest:
        """Close the day, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return self._run(self._buy(purchases.CLOSE_MANIFEST, request, account, key, deadline_s))

    def insure(
        self, request: m.InsuranceRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.InsurancePolicy:
        """Insure a booked parcel, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return self._run(self._buy(purchases.INSURE, request, account, key, deadline_s))

    def refund(
        self, request: m.RefundRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.CancellationResult:
        """Ask for the money of labels that were never used, once under *key*."""
        from . import purchases

        return self._run(self._buy(purchases.REFUND, request, account, key, deadline_s))

    def subscribe(
        self, request: m.SubscriptionRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Subscription:
        """Ask the carrier to push, once under *key*."""
        from . import purchases

        return self._run(self._buy(purchases.SUBSCRIBE, request, account, key, deadline_s))

    def close_key(self, *, key: str, note: str = "") -> None:
        """A person looked, and dealt with what nobody else can end: the key may be used anew.

        *note* says so in the ledger; no personal data belongs there.

        Raises:
            InDoubtError: it was sent too short a time ago for a look at the carrier to prove anything.
            ConflictError: the row ends by itself, or by cancelling it.
        """
        from . import purchases

        self._run(purchases.close_key(self._desk, key, note))

    def resolve(
        self,
        *,
        key: str,
        shipment_id: str,
        tracking_number: str | None = None,
        note: str = "",
        deadline_s: float | None = None,
    ) -> m.Shipment | m.ReturnShipment:
        """A person found the booking at the carrier: record it under *key*, with its papers where it hands them out.

        Where it does not, the shipment comes without documents and with the notice ``entered_by_person``.

        Raises:
            ConflictError: the key has another booking, is being cancelled, or has ended.
            LabelPendingError: it is recorded; its papers cannot be had now; booking again under the key does.
        """
        from . import purchases

        found: m.Shipment | m.ReturnShipment = self._run(
            purchases.resolve(self._desk, key, shipment_id, tracking_number, note, deadline_s)
        )
        return found

    def recover(self, *, limit: int = 100, deadline_s: float | None = None) -> tuple[tuple[str, Done], ...]:
        """Finish what can be finished: look doubts up, fetch labels, carry cancellations out.

        Each key comes with its result or its error.
        """
        from . import purchases

        return self._run(purchases.recover(self._desk, limit, deadline_s))

    @cached_property
    def ledger(self) -> Ledger:
        """What stands under this host's keys, and one of them finished by itself."""
        from .books import Ledger

        return Ledger(self._desk, self._run)

    @cached_property
    def events(self) -> Events:
        """Parcels on their way: pushes, timelines, announcements.

        Raises:
            NotSupportedError: the store keeps no events.
        """
        from .events.threads import Events

        return Events(self._event_desk(), self._run)

    def _buy(self, kind: Purchase[V], request: Value, account: str, key: str, deadline_s: float | None) -> Run[V]:
        from . import purchases

        return purchases.purchase(self._desk, kind, request, account, key, deadline_s)

    def _run(self, run: Run[T]) -> T:
        """Perform the effects of *run* in this thread."""
        effect: Effect
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = run.throw(error) if error is not None else run.send(value)
            except StopIteration as stop:
                result: T = stop.value
                return result
            value = error = None
            try:
                value = self._perform(effect)
            except BaseException as failure:
                error = failure

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Now():
                return seconds()
            case Transmit():
                return self._connections().send(effect)
            case Call():
                return effect.function(*effect.args)
            case Emit():
                return self._told(effect)
            case Sleep():
                return time.sleep(drawn(effect.seconds) if effect.jitter else effect.seconds)
            case Wait():
                called = threading.Event()
                effect.listen(called.set)
                return called.wait(max(0.0, effect.until - seconds()))
            case Fork():
                return self._fork(effect)

    def _fork(self, effect: Fork) -> tuple[Done, ...]:
        def done(run: Run[Any]) -> Done:
            try:
                return Done(self._run(run))
            except ShipkitError as error:
                return Done(error=error)

        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        # Whose call it is, a host's log and telemetry know by the context: a thread of its own has none.
        contexts = [copy_context() for _ in effect.runs]
        with ThreadPoolExecutor(max_workers=min(effect.at_once, len(effect.runs)) or 1) as pool:
            return tuple(pool.map(lambda context, run: context.run(done, run), contexts, effect.runs))

    def _connections(self) -> SyncTransport:
        transport = self._transport
        if transport is None or self._transport_pid != os.getpid():
            from .transport import SyncTransport

            with self._lock:
                if self._transport is None or self._transport_pid != os.getpid():
                    self._transport, self._transport_pid = SyncTransport(self._desk.settings), os.getpid()
                transport = self._transport
        return transport
