"""A list of orders worked through on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from ..errors import ShipkitError
from ..flow import Run
from .lists import Order, Shipped, Work

__all__ = ["shipped_in_tasks"]

_END, _NOT_YET = object(), object()


async def shipped_in_tasks(
    orders: Iterable[Order] | AsyncIterable[Order], work: Work, perform: Callable[[Run[Any]], Awaitable[Any]]
) -> AsyncGenerator[Shipped, None]:
    """The outcomes as they come.

    What is under way is waited for, however it ends: a first cancellation begins nothing more, a second one cancels the
    calls, which settle the ledger.
    """
    reader = _Reader(orders)
    tasks: dict[asyncio.Task[Any], tuple[int, Any]] = {}
    try:
        while waited := reader.waited_for(_begun(reader, work, perform, tasks)):
            ended, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended & tasks.keys(), key=tasks.__getitem__):
                index, order = tasks.pop(task)
                failure = task.exception()
                known = failure if isinstance(failure, ShipkitError) else None
                outcome = work.told(index, order, None if failure else task.result(), known)
                try:
                    work.report()
                except Exception as error:
                    reader.fail(error)
                if failure is None or known is not None:
                    yield outcome
                elif isinstance(failure, Exception):
                    reader.fail(failure)
                else:
                    raise failure
    finally:
        reader.stop()
        await _waited(tasks)
    if reader.error is not None:
        raise reader.error


def _begun(
    reader: _Reader,
    work: Work,
    perform: Callable[[Run[Any]], Awaitable[Any]],
    tasks: dict[asyncio.Task[Any], tuple[int, Any]],
) -> set[asyncio.Task[Any]]:
    """Begin what may begin, and read for it; everything that is under way."""
    while True:
        while (found := work.take()) is not None:
            tasks[asyncio.ensure_future(_carried_out(work, found[1], perform))] = found
        if not reader.read(work):
            return set(tasks)


async def _carried_out(work: Work, order: Any, perform: Callable[[Run[Any]], Awaitable[Any]]) -> Any:
    return await perform(work.run(order))


async def _waited(tasks: dict[asyncio.Task[Any], tuple[int, Any]]) -> None:
    if not tasks:
        return
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    finally:
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # the ledger has it; nobody is left to be told


class _Reader:
    """The list, which may be slow itself: while its next order is awaited, outcomes go on."""

    def __init__(self, orders: Iterable[Order] | AsyncIterable[Order]) -> None:
        self.error: Exception | None = None
        self._next: asyncio.Task[Any] | None = None
        self._async: AsyncIterator[Order] | None = None
        self._sync: Iterator[Order] | None = None
        if isinstance(orders, AsyncIterable):
            self._async = orders.__aiter__()
        else:
            self._sync = iter(orders)

    def read(self, work: Work) -> bool:
        """Put one more order, if one is wanted and there."""
        if not work.wants:
            return False
        try:
            found = self._from_task() if self._sync is None else next(self._sync, _END)
        except Exception as error:
            self.fail(error)
            return False
        if found is _NOT_YET:
            return False
        if found is _END:
            self.stop()
            return False
        work.put(found)
        return True

    def _from_task(self) -> Any:
        if self._next is not None and self._next.done():
            read, self._next = self._next, None
            return read.result()
        if self._async is not None and self._next is None:
            self._next = asyncio.ensure_future(_one(self._async))
        return _NOT_YET

    def waited_for(self, tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """*tasks*, and the next order where it is still to come."""
        return tasks if self._next is None or self._next.done() else {*tasks, self._next}

    def fail(self, error: Exception) -> None:
        """Read nothing more: *error* is raised when everything that was read is done."""
        self.error = self.error or error
        self.stop()

    def stop(self) -> None:
        """Read nothing more."""
        self._sync = self._async = None
        if self._next is not None:
            self._next.cancel()
            self._next = None


async def _one(source: AsyncIterator[Order]) -> Any:
    try:
        return await source.__anext__()
    except StopAsyncIteration:
        return _END
