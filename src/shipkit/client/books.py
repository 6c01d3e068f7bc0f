"""``client.ledger``: what stands under a host's keys, and one key finished by itself."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from ..flow import Run
    from .desk import Desk
    from .standing import Further, Standing

__all__ = ["AsyncLedger", "Ledger"]

T = TypeVar("T")


class _Performs(Protocol):
    """Performs the effects of a run: the client's own loop."""

    def __call__(self, run: Run[T], /) -> T: ...


class _PerformsLater(Protocol):
    """The same on an event loop."""

    def __call__(self, run: Run[T], /) -> Awaitable[T]: ...


class Ledger:
    """What stands under this host's keys; shared by threads.

    Every method may raise `StoreError`: the store cannot be read.
    """

    def __init__(self, desk: Desk, run: _Performs) -> None:
        self._desk, self._run = desk, run

    def now(self) -> datetime:
        """The store's clock, by which its moments are told."""
        from .standing import now_of

        return self._run(now_of(self._desk))

    def standing(self, *, key: str) -> Standing | None:
        """Where *key* stands; None where nothing was ever asked for under it."""
        from .standing import standing

        return self._run(standing(self._desk, key))

    def further(self, *, key: str) -> tuple[Further, ...]:
        """The bookings that came in for *key* beside its own, and what became of them."""
        from .standing import further

        return self._run(further(self._desk, key))

    def open(self) -> tuple[Standing, ...]:
        """Every key whose outcome is not known yet, that is being cancelled, or that waits for a person, in order."""
        from .standing import open_keys

        return self._run(open_keys(self._desk))

    def booked(self, *, since: datetime, before: datetime) -> tuple[Standing, ...]:
        """Every key with a booking that came, or changed last, from *since* on and before *before*, in that order."""
        from .standing import booked_between

        return self._run(booked_between(self._desk, since, before))

    def finish(self, *, key: str, deadline_s: float | None = None) -> Any:
        """What *key* comes to, as `recover` finishes it: never bought, and without the request it was bought with.

        What is booked comes with its papers, what is in doubt is asked for now; None where nothing is booked.

        Raises:
            InputError: nothing was ever asked for under the key, or its account is gone.
            InDoubtError: it is not known yet, or a person has to tell.
            InProgressError: a live worker holds it.
            LabelPendingError: it is booked; the papers cannot be had now.
            ConflictError: it was booked, and retention removed what was kept of it.
        """
        from .recovering import finish

        return self._run(finish(self._desk, key, deadline_s))


class AsyncLedger:
    """`Ledger` on an event loop."""

    def __init__(self, desk: Desk, run: _PerformsLater) -> None:
        self._desk, self._run = desk, run

    async def now(self) -> datetime:
        """The store's clock, by which its moments are told."""
        from .standing import now_of

        return await self._run(now_of(self._desk))

    async def standing(self, *, key: str) -> Standing | None:
        """Where *key* stands; None where nothing was ever asked for under it."""
        from .standing import standing

        return await self._run(standing(self._desk, key))

    async def further(self, *, key: str) -> tuple[Further, ...]:
        """The bookings that came in for *key* beside its own, and what became of them."""
        from .standing import further

        return await self._run(further(self._desk, key))

    async def open(self) -> tuple[Standing, ...]:
        """Every key whose outcome is not known yet, that is being cancelled, or that waits for a person, in order."""
        from .standing import open_keys

        return await self._run(open_keys(self._desk))

    async def booked(self, *, since: datetime, before: datetime) -> tuple[Standing, ...]:
        """Every key with a booking that came, or changed last, from *since* on and before *before*, in that order."""
        from .standing import booked_between

        return await self._run(booked_between(self._desk, since, before))

    async def finish(self, *, key: str, deadline_s: float | None = None) -> Any:
        """What *key* comes to; as `Ledger.finish` says."""
        from .recovering import finish

        return await self._run(finish(self._desk, key, deadline_s))
