"""A carrier on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Final, TypeVar

from typing_extensions import Self

from .admin import ADMIN, Admin
from .calls import Call
from .clock import Clock
from .dialect import Dialect
from .engine import Engine, RequestRecord
from .faults import ALL, PURCHASES, Fault, FaultBox
from .misbehave import Answer
from .push_faults import PushFault, PushFaultBox
from .pushing import Delivery, PushDesk
from .records import Booking, Counts, InvoiceLine, NotInBooksError
from .server import Server
from .triggering import Trigger
from .world import World

__all__ = ["Simulator"]

T = TypeVar("T")
_AT_ONCE: Final = 8


class Simulator:
    """Answers on loopback as the carrier of *dialect* does, and keeps that carrier's books.

    ::

        with Simulator(AcmeDialect()) as acme:
            carrier = Acme(client_id="any", client_secret="any", base_url=acme.url)
            acme.add_fault("drop_after_commit")
            ...
            assert acme.counts()[mark].live == 1

    Port 0 takes a free port. The methods may be called from any thread but the simulator's own. Under asyncio call
    those that push (:meth:`advance`, :meth:`deliver`, :meth:`redeliver`, :meth:`trigger`) with ``asyncio.to_thread``,
    so that the receiver of the pushes can answer meanwhile.

    With *push_every_s* it also pushes by itself: so often it looks for what has fallen due, eight at once. Its time has
    to go on for that, or to be advanced.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[Fault] = (),
        push_every_s: float = 0.0,
    ) -> None:
        if not ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback:
            raise ValueError(f"a simulator listens on loopback only, not on {host}")
        self.dialect = dialect
        self.faults = FaultBox()
        self._address = (host, port)
        self._engine = Engine(dialect, self.faults)
        self._desk = PushDesk(dialect)
        self._push_every_s = push_every_s
        self._admin = Admin(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ending = threading.Lock()
        self._url = ""
        for fault in faults:
            self.misbehave(fault)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Running

    def start(self) -> str:
        """Listen and answer; returns the URL. Raises OSError when the port is taken."""
        if self._thread is not None:
            return self._url
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        listener = socket.create_server(self._address, family=family, backlog=256)
        host, port = listener.getsockname()[:2]
        self._url = f"http://[{host}]:{port}" if family is socket.AF_INET6 else f"http://{host}:{port}"
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, started), name=f"simulator-{self.dialect.code}", daemon=True
        )
        self._thread.start()
        started.result()
        return self._url

    def stop(self) -> None:
        """Close every connection and end the thread; the books stay readable."""
        with self._ending:
            thread, loop, stop = self._thread, self._loop, self._stop
            if thread is None or loop is None or stop is None:
                return
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            self._thread = self._loop = self._stop = None

    def serve(self) -> None:
        """Answer until the process is interrupted (Ctrl-C), or :meth:`stop` is called."""
        self.start()
        thread = self._thread
        with contextlib.suppress(KeyboardInterrupt):
            while thread is not None and thread.is_alive():
                thread.join(0.5)
        self.stop()

    @property
    def push_faults(self) -> PushFaultBox:
        """What goes wrong with pushes."""
        return self._desk.faults

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end; empty before the start."""
        return self._url

    # What the carrier knows

    @property
    def world(self) -> World:
        """The carrier's books."""
        return self.dialect.world

    @property
    def clock(self) -> Clock:
        """The carrier's own time; move it with :meth:`advance`, so that due pushes go out."""
        return self.dialect.world.clock

    def bookings(self) -> tuple[Booking, ...]:
        """Every booking, live and voided, oldest first."""
        with self.world.lock:
            return self.world.bookings()

    def counts(self, by: str = "mark") -> dict[str, Counts]:
        """Bookings, arrivals, labels and voids under each mark (or each reference, the host's order number)."""
        with self.world.lock:
            return self.world.counts(by)

    def invoice(self) -> tuple[InvoiceLine, ...]:
        """What the carrier would bill now."""
        with self.world.lock:
            return self.world.invoice()

    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that reached it, oldest first (the latest 10,000)."""
        return self._engine.requests()

    # Misbehaviour

    def add_fault(
        self, name: str, *, operation: str = "", times: int | None = 1, skip: int = 0, mark: str = "", **params: Any
    ) -> int:
        """Let a fault of ``FAULTS`` happen; returns the number to take it back by. Raises ValueError if unknown."""
        return self.misbehave(Fault(name=name, operation=operation, times=times, skip=skip, mark=mark, params=params))

    def misbehave(self, fault: Fault) -> int:
        """Let *fault* happen; returns the number to take it back by.

        Raises:
            ValueError: the carrier has no such operation, so that it would never happen.
        """
        operations = tuple(self.dialect.operations())
        if fault.aims_at not in (ALL, PURCHASES, *operations):
            known = ", ".join((ALL, PURCHASES, *operations))
            raise ValueError(f"{self.dialect.code} has no operation {fault.aims_at}; there are {known}")
        return self.faults.add(fault)

    def wait_for_late_commits(self, timeout_s: float = 10.0) -> None:
        """Return when every call that ``commit_late`` holds back is carried out. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while self._engine.late:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._engine.late} calls are still held back after {timeout_s} s")
            time.sleep(0.005)

    def wait_until_idle(self, timeout_s: float = 10.0) -> None:
        """Return when every request that has arrived is dealt with, calls that ``commit_late`` holds back excepted.

        Wait for it before the time is advanced: a request that is being answered would take that long. Raises
        TimeoutError.
        """
        self._in_loop(self._idle(timeout_s))

    # Time and pushes

    def advance(
        self, seconds: float, *, order: str = "in_order", copies: int = 1, at_once: int = 1
    ) -> tuple[Delivery, ...]:
        """Let the carrier's time jump ahead, carry out what is due, and deliver the pushes that fall due.

        *order* is ``in_order``, ``reversed`` or ``shuffled``; each push is sent *copies* times, *at_once* of them at
        the same time, on connections that are kept.
        """
        return self._in_loop(self.advance_in_loop(seconds, order=order, copies=copies, at_once=at_once))

    def deliver(self, *, order: str = "in_order", copies: int = 1, at_once: int = 1) -> tuple[Delivery, ...]:
        """Deliver the pushes that are due now."""
        return self.advance(0, order=order, copies=copies, at_once=at_once)

    def redeliver(
        self, ids: Iterable[int] | None = None, *, order: str = "in_order", copies: int = 1, at_once: int = 1
    ) -> tuple[Delivery, ...]:
        """Send pushes again, the same bytes, delivered or not; all of them unless *ids* names some.

        One that was lost is sent only where it is named.
        """
        return self._in_loop(self.redeliver_in_loop(ids, order=order, copies=copies, at_once=at_once))

    def trigger(self, milestone: str, **how: Any) -> tuple[Delivery, ...]:
        """Let *milestone* happen to a parcel now and push what led there; *how* are the fields of ``Trigger``.

        The carrier's time goes on by some seconds. Raises ValueError for what cannot happen, NotInBooksError where
        there is no such parcel or nobody to push to.
        """
        return self._in_loop(self.trigger_in_loop(Trigger(milestone=milestone, **how)))

    def add_push_fault(self, name: str, **params: Any) -> int:
        """Let a fault of ``PUSH_FAULTS`` happen to pushes that are made from now on: ``hit=1, of=5`` hits every fifth.

        Returns the number to take it back by. Raises ValueError if unknown.
        """
        return self._desk.faults.add(PushFault(name=name, **params))

    def pushes(self) -> tuple[Delivery, ...]:
        """Every push so far with its attempts, in the order in which things happened."""
        return self._desk.deliveries()

    def reset(self) -> None:
        """Forget bookings, requests, faults and pushes; the time stays."""
        if self._loop is None:
            self.reset_in_loop()
        else:
            self._in_loop(_returning(self.reset_in_loop))

    # The same, in the simulator's loop (for the admin interface)

    async def advance_in_loop(self, seconds: float, **manner: Any) -> tuple[Delivery, ...]:
        self._pass(seconds)
        await self._desk.collect()
        return await self._desk.deliver(self._desk.due(), **manner)

    async def redeliver_in_loop(self, ids: Iterable[int] | None, **manner: Any) -> tuple[Delivery, ...]:
        wanted = None if ids is None else set(ids)
        chosen = [
            each
            for each in self._desk.deliveries()
            if ("lost" not in each.faults if wanted is None else each.id in wanted)
        ]
        return await self._desk.deliver(chosen, **manner)

    async def trigger_in_loop(self, trigger: Trigger) -> tuple[Delivery, ...]:
        with self.world.lock:
            number, at = trigger.prepare(self.world)
        self._pass(max(0.0, (at - self.clock.now()).total_seconds()))
        faults = [self._desk.faults.add(fault) for fault in trigger.faults]
        try:
            await self._desk.collect({number})
        finally:
            for fault_id in faults:
                self._desk.faults.remove(fault_id)
        due = [each for each in self._desk.due() if each.step.number == number]
        if not due:
            raise NotInBooksError(f"{self.dialect.code} pushes nothing for {number}")
        return await self._desk.deliver(due, **trigger.manner)

    def _pass(self, seconds: float) -> None:
        end = self.clock.ahead(seconds)
        for moment in (*self._engine.due_until(end), end):  # what is held back is carried out at its own moment
            with self.world.lock:
                self.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))
            self._engine.time_passed()

    def reset_in_loop(self) -> None:
        self.world.reset()
        self._engine.reset()
        self._desk.reset()

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None or self._thread is threading.current_thread():
            work.close()
            raise RuntimeError("the simulator is not running, or this is its own thread")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self, listener: socket.socket, started: concurrent.futures.Future[None]) -> None:
        asyncio.run(self._main(listener, started))

    async def _main(self, listener: socket.socket, started: concurrent.futures.Future[None]) -> None:
        server = Server(listener, self._answer)
        try:
            await server.start()
        except BaseException as failed:
            listener.close()
            started.set_exception(failed)
            return
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        pushing = asyncio.create_task(self._push()) if self._push_every_s else None
        started.set_result(None)
        await self._stop.wait()
        if pushing is not None:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        self._engine.stop()
        await server.close()

    async def _push(self) -> None:
        while True:
            await self.advance_in_loop(0, at_once=_AT_ONCE)
            await asyncio.sleep(self._push_every_s)

    async def _idle(self, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while True:
            for _ in range(10):  # accepting, reading and parsing what the kernel holds takes a few turns of the loop
                await asyncio.sleep(0)
            if not self._engine.busy:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{self._engine.busy} calls are still being answered after {timeout_s} s")
            await asyncio.sleep(0.005)

    async def _answer(self, call: Call, idle_s: float | None) -> Answer:
        if call.path.startswith(ADMIN):
            return Answer(reply=await self._admin.answer(call))
        return await self._engine.answer(call, idle_s)


async def _returning(work: Any) -> None:
    work()
