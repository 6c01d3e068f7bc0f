"""``client.events`` for asyncio."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ...flow import Run
    from .desk import EventDesk

__all__ = ["AsyncEvents"]

T = TypeVar("T")


class _Performs(Protocol):
    """Performs the effects of a run: the client's own loop."""

    def __call__(self, run: Run[T], /) -> Awaitable[T]: ...


class AsyncEvents:
    """The same as `Events` for asyncio: the same runs, awaited."""

    def __init__(self, desk: EventDesk, run: _Performs) -> None:
        self._desk, self._run = desk, run

    # Pushes: receiving, processing, dead letters, replay

    # Parcels: following, asking carriers, reconciling
