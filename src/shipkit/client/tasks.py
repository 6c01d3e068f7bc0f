"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence, Sized
from contextlib import suppress
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import NotSentError, ShipkitError
from ..flow import Call, Done, Effect, Emit, Fork, Now, Run, Sleep, Transmit, Wait
from .base import ClientBase, Numbers, with_service
from .clock import drawn, seconds

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from typing_extensions import Self

    from .. import model as m
    from ..model.base import Value
    from ..shopping import Route
    from ..voids import VoidAnswer
    from .books import AsyncLedger
    from .events import AsyncEvents
    from .lists import Order, Progress, Shipped
    from .purchases import Purchase
    from .routing import Routed
    from .transport_async import AsyncTransport

__all__ = ["AsyncClient"]

T = TypeVar("T")
V = TypeVar("V", bound="Value")


class AsyncClient(ClientBase):
    """The same operations for asyncio; one client belongs to one event loop.

    A blocking store works on one thread of its own, never on the loop. A cancelled call settles the ledger first.
    """

    _transport: AsyncTransport | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, and the store unless the host brought it."""
        transport, self._transport = self._transport, None
        if transport is not None and self._loop in (None, asyncio.get_running_loop()):
            await transport.close()
        if self._thread is not None:
            if self._own_store:  # closing waits for the disk like any other call of the store
                await asyncio.get_running_loop().run_in_executor(self._thread, self._close_store)
            self._thread.shutdown()
            self._thread = None
        else:
            self._close_store()

    async def rates(
        self,
        request: m.RateRequest | m.ShipmentRequest,
        *,
        accounts: Sequence[str] | None = None,
        deadline_s: float | None = None,
    ) -> m.RateAnswer:
        """Prices of many accounts at once (all, or *accounts*): ``.quotes``, cheapest first, and ``.errors``.

        There is one error for each account that failed, and none is silent.
        """
        return await self._run(self._desk.rates(request, accounts, deadline_s))

    async def transit_times(
        self, request: m.RateRequest | m.ShipmentRequest, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.ServiceTransit, ...]:
        """When it would arrive, by service."""
        return await self._run(self._desk.transit_times(request, account, deadline_s))

    async def create_shipment(
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

        return await self._run(
            self._buy(purchases.CREATE_SHIPMENT, with_service(request, service), account, key, deadline_s)
        )

    async def create_shipment_by(
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

        return await self._run(routed(self._desk, request, routes, key, deadline_s))

    def create_shipments(
        self,
        orders: Iterable[Order] | AsyncIterable[Order],
        *,
        at_once: int | None = None,
        deadline_s: float | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Shipped, None]:
        """Book a list of any length: one outcome for each order, as they end; ``index`` says which one it was.

        At most *at_once* calls of each account are under way (``list_concurrency``), each with *deadline_s* of its own,
        and they yield to single calls. The list is read as places come free, and nothing is kept of what is done. One
        bad order costs the others nothing. The same list again gives what is booked and goes on with the rest. What is
        under way is waited for, also when the reader stops or the list itself fails; a second cancellation cuts it off.
        """
        from .lists import Work
        from .lists_async import shipped_in_tasks

        at_once = max(1, at_once or self.settings.list_concurrency)
        work = Work(self._desk, at_once, deadline_s, progress, len(orders) if isinstance(orders, Sized) else None)
        return shipped_in_tasks(orders, work, self._run)

    async def create_return(
        self, request: m.ReturnRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.ReturnShipment:
        """Order a way back, exactly once under *key*; raises like `create_shipment`."""
        from . import purchases

        return await self._run(self._buy(purchases.CREATE_RETURN, request, account, key, deadline_s))

    async def cancel_shipment(
        self, *, key: str, package: str | None = None, deadline_s: float | None = None
    ) -> m.CancellationResult:
        """Undo what was booked under *key*, or one *package* of it (its ref); asked again, the same answer.

        A booking that is still in doubt is undone once it is found: the wish stands, and `InDoubtError` says so. Where
        the carrier states until when it cancels and that is over, the outcome is ``too_late`` and nothing is sent."""
        from . import cancelling, purchases

        if package is not None:
            return await self._run(cancelling.cancel_package(self._desk, key, package, deadline_s))
        return await self._run(purchases.cancel(self._desk, key, deadline_s))

    async def can_cancel(
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
        return await self._run(asked(self._desk, shipment, key, account, question))

    async def documents(
        self, query: m.DocumentQuery, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.Document, ...]:
        """Papers of a booking once more, or in another format."""
        return await self._run(self._desk.documents(query, account, deadline_s))

    async def track(
        self, numbers: Numbers, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.Outcome[m.Timeline], ...]:
        """One timeline, or one error, for each of *numbers*, in order."""
        return await self._run(self._desk.track(numbers, account, deadline_s))

    async def service_points(
        self, query: m.ServicePointQuery, *, account: str, deadline_s: float | None = None
    ) -> tuple[m.ServicePoint, ...]:
        """Drop-off and collection places near somewhere, nearest first."""
        return await self._run(self._desk.service_points(query, account, deadline_s))

    async def check_address(
        self, request: m.AddressCheck, *, account: str, deadline_s: float | None = None
    ) -> m.AddressCheckResult:
        """What the carrier knows of an address; the host decides, nothing is replaced."""
        return await self._run(self._desk.check_address(request, account, deadline_s))

    async def book_pickup(
        self, request: m.PickupRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Pickup:
        """Ask the carrier to collect, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return await self._run(self._buy(purchases.BOOK_PICKUP, request, account, key, deadline_s))

    async def cancel_pickup(self, *, key: str, deadline_s: float | None = None) -> m.CancellationResult:
        """Call the collection off that was booked under *key*."""
        from . import purchases

        return await self._run(purchases.cancel(self._desk, key, deadline_s))

    async def close_manifest(
        self, request: m.ManifestRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Manifest:
        """Close the day, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return await self._run(self._buy(purchases.CLOSE_MANIFEST, request, account, key, deadline_s))

    async def insure(
        self, request: m.InsuranceRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.InsurancePolicy:
        """Insure a booked parcel, once under *key*; raises like `create_shipment`."""
        from . import purchases

        return await self._run(self._buy(purchases.INSURE, request, account, key, deadline_s))

    async def refund(
        self, request: m.RefundRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.CancellationResult:
        """Ask for the money of labels that were never used, once under *key*."""
        from . import purchases

        return await self._run(self._buy(purchases.REFUND, request, account, key, deadline_s))

    async def subscribe(
        self, request: m.SubscriptionRequest, *, account: str, key: str, deadline_s: float | None = None
    ) -> m.Subscription:
        """Ask the carrier to push, once under *key*."""
        from . import purchases

        return await self._run(self._buy(purchases.SUBSCRIBE, request, account, key, deadline_s))

    async def close_key(self, *, key: str, note: str = "") -> None:
        """A person looked, and dealt with what nobody else can end: the key may be used anew.

        *note* says so in the ledger; no personal data belongs there.

        Raises:
            InDoubtError: it was sent too short a time ago for a look at the carrier to prove anything.
            ConflictError: the row ends by itself, or by cancelling it.
        """
        from . import purchases

        await self._run(purchases.close_key(self._desk, key, note))

    async def resolve(
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

        found: m.Shipment | m.ReturnShipment = await self._run(
            purchases.resolve(self._desk, key, shipment_id, tracking_number, note, deadline_s)
        )
        return found

    async def recover(self, *, limit: int = 100, deadline_s: float | None = None) -> tuple[tuple[str, Done], ...]:
        """Finish what can be finished: look doubts up, fetch labels, carry cancellations out.

        Each key comes with its result or its error.
        """
        from . import purchases

        return await self._run(purchases.recover(self._desk, limit, deadline_s))

    @cached_property
    def ledger(self) -> AsyncLedger:
        """What stands under this host's keys, and one of them finished by itself."""
        from .books import AsyncLedger

        return AsyncLedger(self._desk, self._run)

    @cached_property
    def events(self) -> AsyncEvents:
        """Parcels on their way: pushes, timelines, announcements.

        Raises:
            NotSupportedError: the store keeps no events.
        """
        from .events.tasks import AsyncEvents

        return AsyncEvents(self._event_desk(), self._run)

    def _buy(self, kind: Purchase[V], request: Value, account: str, key: str, deadline_s: float | None) -> Run[V]:
        from . import purchases

        return purchases.purchase(self._desk, kind, request, account, key, deadline_s)

    async def _run(self, run: Run[T]) -> T:
        """Perform the effects of *run* on this loop."""
        effect: Effect
        value: Any = None
        error: BaseException | None = None
        cancelled: asyncio.CancelledError | None = None
        while True:
            try:
                effect = run.throw(error) if error is not None else run.send(value)
            except StopIteration as stop:
                if cancelled is not None:
                    raise cancelled from None
                result: T = stop.value
                return result
            except Exception as failure:
                if cancelled is not None:  # who cancelled the task waits for that, whatever else went wrong
                    raise cancelled from failure
                raise
            value = error = None
            try:
                if isinstance(effect, Call):
                    # What the store did must be known to the run, so a cancellation waits until the store is done.
                    called, late = await self._called(effect)
                    cancelled = cancelled or late
                    value = called()
                elif cancelled is not None and isinstance(effect, (Transmit, Sleep, Wait, Fork)):
                    if isinstance(effect, Transmit):
                        effect.left = False
                    error, cancelled = cancelled, None
                else:
                    value = await self._perform(effect)
            except BaseException as failure:
                error = failure

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Now():
                return seconds()
            case Transmit():
                return await self._connections().send(effect)
            case Emit():
                return self._told(effect)
            case Sleep():
                return await asyncio.sleep(drawn(effect.seconds) if effect.jitter else effect.seconds)
            case Wait():
                return await _waited(effect)
            case Fork():
                return await self._fork(effect)
            case _:
                raise TypeError(f"{type(effect).__name__} is no effect")

    async def _called(self, effect: Call) -> tuple[Callable[[], Any], asyncio.CancelledError | None]:
        if not effect.blocking:
            return partial(effect.function, *effect.args), None
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shipkit-store")
        future = asyncio.get_running_loop().run_in_executor(self._thread, effect.function, *effect.args)
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.shield(future)
            except asyncio.CancelledError as late:
                cancelled = late
            except Exception:
                break  # result() raises it again
        return future.result, cancelled

    async def _fork(self, effect: Fork) -> tuple[Done, ...]:
        places = asyncio.Semaphore(effect.at_once)

        async def done(run: Run[Any]) -> Done:
            async with places:
                try:
                    return Done(await self._run(run))
                except ShipkitError as error:
                    return Done(error=error)

        # Whatever ends one of them, a cancellation, say, all have settled when this ends: the store may be closed then.
        ended = await asyncio.gather(*(done(run) for run in effect.runs), return_exceptions=True)
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return tuple([each for each in ended if isinstance(each, Done)])

    def _connections(self) -> AsyncTransport:
        loop = asyncio.get_running_loop()
        if self._transport is not None and self._loop not in (None, loop):
            if not self._loop.is_closed():
                raise NotSentError("this client belongs to another event loop, which is still open")
            self._transport = None  # its connections ended with their loop
        if self._transport is None:
            from .transport_async import AsyncTransport

            self._transport, self._loop = AsyncTransport(self._desk.settings), loop
        return self._transport


def _finish(called: asyncio.Future[None]) -> None:
    if not called.done():
        called.set_result(None)


async def _waited(effect: Wait) -> None:
    loop = asyncio.get_running_loop()
    called: asyncio.Future[None] = loop.create_future()

    def call() -> None:  # from any thread, and perhaps when nobody waits any more
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_finish, called)

    effect.listen(call)
    # Not wait_for(): before 3.12 it may lose a cancellation that comes together with the call.
    await asyncio.wait((called,), timeout=max(0.0, effect.until - seconds()))
