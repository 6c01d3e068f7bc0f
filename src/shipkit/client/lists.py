"""A list of orders, worked through with a bounded number under way: what is read, begun, and told of each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

import attrs

from .. import model as m
from ..errors import InputError, ShipkitError
from ..flow import Run
from . import purchases
from .base import with_service
from .desk import Desk

__all__ = ["Order", "Progress", "Shipped", "Work", "shipped_in_threads"]

_AHEAD = 32
"""Orders read ahead for each place of an account, so that those of a slow carrier do not hide the others'."""


@attrs.frozen
class Order:
    """One of a list: what is to be sent (or sent back), at which account, under the host's key."""

    key: str
    request: m.ShipmentRequest | m.ReturnRequest
    account: str
    service: str | None = None


@attrs.frozen(kw_only=True)
class Shipped:
    """What became of one order: what is booked under its key, now or before, or the error that ended it."""

    index: int
    """Counted from 0, in the order in which the list was read."""
    key: str
    account: str
    value: m.Shipment | m.ReturnShipment | None = None
    error: ShipkitError | None = None

    @property
    def shipment(self) -> m.Shipment | None:
        """The booking; of a way back, what the carrier booked for it."""
        return self.value.shipment if isinstance(self.value, m.ReturnShipment) else self.value


@attrs.frozen(kw_only=True)
class Progress:
    """How far a list has come; ``total`` is None where the list does not know its length."""

    done: int
    failed: int
    under_way: int
    total: int | None = None


@attrs.define(eq=False)
class Work:
    """The orders that are read and wait, and those under way: some for each account, one for each key.

    Nothing is kept of an order that is done, so a list may have any length.
    """

    desk: Desk
    at_once: int
    deadline_s: float | None
    progress: Callable[[Progress], object] | None
    total: int | None
    _waiting: dict[str, deque[tuple[int, Any]]] = attrs.field(factory=dict, init=False)
    _turns: dict[str, deque[int]] = attrs.field(factory=dict, init=False)
    _under_way: dict[str, int] = attrs.field(factory=dict, init=False)
    _read: int = attrs.field(default=0, init=False)
    _waits: int = attrs.field(default=0, init=False)
    _done: int = attrs.field(default=0, init=False)
    _failed: int = attrs.field(default=0, init=False)

    @property
    def wants(self) -> bool:
        """Whether another order is to be read: one of some account could begin at once."""
        if self._waits >= self.at_once * _AHEAD:
            return False
        return any(self._under_way.get(alias, 0) < self.at_once for alias in self.desk.accounts) or not self._under_way

    @property
    def under_way(self) -> int:
        return sum(self._under_way.values())

    def put(self, order: Any) -> None:
        """The next order of the list."""
        key, account = _named(order)
        self._waiting.setdefault(account, deque()).append((self._read, order))
        self._turns.setdefault(key, deque()).append(self._read)
        self._read += 1
        self._waits += 1

    def take(self) -> tuple[int, Any] | None:
        """An order that may begin now; of those of one key the earliest, when the one before it is done."""
        for account, line in self._waiting.items():
            if self._under_way.get(account, 0) >= self.at_once:
                continue
            for place, (index, order) in enumerate(line):
                if self._turns[_named(order)[0]][0] == index:
                    del line[place]
                    if not line:
                        del self._waiting[account]
                    self._under_way[account] = self._under_way.get(account, 0) + 1
                    self._waits -= 1
                    return index, order
        return None

    def forget_waiting(self) -> None:
        """Begin nothing more."""
        self._waiting.clear()
        self._waits = 0

    def run(self, order: Any) -> Run[Any]:
        """The call for *order*.

        Raises:
            InputError: it is no order.
        """
        if not isinstance(order, Order):
            raise _malformed("", f"is an Order, not a {type(order).__name__}")
        for name, text in (("account", order.account), ("service", order.service or "")):
            if not isinstance(text, str):
                raise _malformed(f"/{name}", f"is a name, not a {type(text).__name__}")
        back = isinstance(order.request, m.ReturnRequest)
        kind: Any = purchases.CREATE_RETURN if back else purchases.CREATE_SHIPMENT
        request = with_service(order.request, order.service)
        return purchases.purchase(self.desk, kind, request, order.account, order.key, self.deadline_s, bulk=True)

    def told(self, index: int, order: Any, value: Any, error: ShipkitError | None) -> Shipped:
        """*order* is done."""
        key, account = _named(order)
        left = self._under_way[account] - 1
        if left:
            self._under_way[account] = left
        else:
            del self._under_way[account]
        turns = self._turns[key]
        turns.popleft()
        if not turns:
            del self._turns[key]
        self._done += 1
        self._failed += error is not None
        return Shipped(index=index, key=key, account=account, value=value, error=error)

    def report(self) -> None:
        """Tell who wants to know how far the list is; whatever that raises is the host's own."""
        if self.progress is not None:
            self.progress(Progress(done=self._done, failed=self._failed, under_way=self.under_way, total=self.total))


def _named(order: Any) -> tuple[str, str]:
    return (str(order.key), str(order.account)) if isinstance(order, Order) else ("", "")


def _malformed(path: str, text: str) -> InputError:
    return InputError(problems=(m.Problem(path=path, code=m.ProblemCode.MALFORMED, text=text),))


Done = tuple[int, Any, Any, "BaseException | None"]


def shipped_in_threads(
    orders: Iterable[Order], work: Work, perform: Callable[[Run[Any]], Any]
) -> Generator[Shipped, None, None]:
    """The outcomes as they come; the thread that asks for them reads the list, others carry the calls out.

    What is under way is waited for, however it ends: an interrupt, an error of the list and a reader that stops begin
    nothing more, or nothing that was not read yet.
    """
    places = work.at_once * max(1, len(work.desk.accounts))
    with ThreadPoolExecutor(max_workers=places, thread_name_prefix="shipkit-list") as pool:
        calls = _Calls(iter(orders), work, perform, pool)
        try:
            while True:
                try:
                    found = calls.next()
                    if found is None:
                        break
                    yield calls.told(*found)
                except GeneratorExit:
                    raise
                except BaseException as failure:
                    calls.fail(failure)
        finally:
            work.forget_waiting()
    if calls.error is not None:
        raise calls.error


class _Calls:
    """The list and the calls of a list that threads work on."""

    def __init__(
        self,
        source: Iterator[Order],
        work: Work,
        perform: Callable[[Run[Any]], Any],
        pool: ThreadPoolExecutor,
    ) -> None:
        self.error: BaseException | None = None
        self._source: Iterator[Order] | None = source
        self._work, self._perform, self._pool = work, perform, pool
        self._done: SimpleQueue[Done | None] = SimpleQueue()
        self._interrupted = False

    def next(self) -> Done | None:
        """Begin what may begin, and wait until a call ends; None when all are done."""
        self._begin()
        # An interrupt may have come between the work and its count, so the end is then that of the threads.
        return self._done.get() if self._work.under_way or self._interrupted else None

    def _begin(self) -> None:
        while True:
            while (found := self._work.take()) is not None:
                # Whose call it is, a host's log and telemetry know by the context: a thread of its own has none.
                self._pool.submit(copy_context().run, self._carry_out, *found)
            if self._source is None or not self._work.wants:
                return
            try:
                self._work.put(next(self._source))
            except StopIteration:
                self._source = None

    def _carry_out(self, index: int, order: Any) -> None:
        try:
            self._done.put((index, order, self._perform(self._work.run(order)), None))
        except BaseException as error:
            self._done.put((index, order, None, error))

    def told(self, index: int, order: Any, value: Any, error: BaseException | None) -> Shipped:
        """The outcome of a call; raises what is none."""
        known = error if isinstance(error, ShipkitError) else None
        outcome = self._work.told(index, order, value, known)
        try:
            self._work.report()
        except BaseException as failure:
            self.fail(failure)
        if error is None or known is not None:
            return outcome
        raise error

    def fail(self, failure: BaseException) -> None:
        """Read nothing more: *failure* is raised when what was read is done, or what was begun where it is no error."""
        self._source = None
        if isinstance(failure, Exception):
            self.error = self.error or failure
            return
        if self._interrupted:
            raise failure  # told twice: whoever asks does not want to wait
        self.error, self._interrupted = failure, True
        self._work.forget_waiting()
        threading.Thread(target=self._until_all_ended, name="shipkit-list-end").start()

    def _until_all_ended(self) -> None:
        self._pool.shutdown()
        self._done.put(None)
