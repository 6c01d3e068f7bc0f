"""``client.events`` for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ...flow import Run
    from .desk import EventDesk

__all__ = ["Events"]

T = TypeVar("T")


class _Performs(Protocol):
    """Performs the effects of a run: the client's own loop."""

    def __call__(self, run: Run[T], /) -> T: ...


class Events:
    """Pushes in, parcels followed, one state for each, and every change announced once; shared by threads."""

    def __init__(self, desk: EventDesk, run: _Performs) -> None:
        self._desk, self._run = desk, run

    # Pushes: receiving, processing, dead letters, replay

    # Parcels: following, asking carriers, reconciling
