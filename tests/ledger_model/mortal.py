"""A worker that dies at a chosen moment: from then on nothing that it wants to do is done."""

from __future__ import annotations

from typing import Any

import attrs

from shipkit.flow import Response, Transmit

__all__ = ["MOMENTS", "KilledError", "Life", "MortalStore", "MortalTransport"]

#: Where a worker can die: before or after it claims, sends (again), hears, writes what it knows.
MOMENTS = tuple(
    f"{when} {what}"
    for what in ("claim", "resend", "send", "book", "doubt", "refuse", "take_over", "absent", "want_void", "voided")
    for when in ("before", "after")
)


class KilledError(BaseException):
    """The process is gone."""


@attrs.define
class Life:
    """One worker's: it ends at ``moment``, at the ``times``-th of its kind."""

    moment: str = ""
    times: int = 1
    over: bool = False

    def passes(self, when: str, what: str) -> None:
        """Raise when the worker is dead, or dies now."""
        if f"{when} {what}" == self.moment:
            self.times -= 1
            self.over = self.over or self.times <= 0
        if self.over:
            raise KilledError


class MortalStore:
    """A store as one worker reaches it; the store itself outlives them all."""

    def __init__(self, store: Any, life: Life) -> None:
        self._store, self._life = store, life
        self.blocking = store.blocking

    @property
    def ledger(self) -> MortalStore:
        """The ledger is mortal too."""
        return self

    @property
    def tokens(self) -> Any:
        """Tokens are the store's own."""
        return self._store.tokens

    @property
    def limits(self) -> Any:
        """So are limits."""
        return self._store.limits

    def close(self) -> None:
        """It stays open for the others."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._store.ledger, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            self._life.passes("before", name)
            result = function(*args, **kwargs)
            self._life.passes("after", name)
            return result

        called.__self__ = self  # type: ignore[attr-defined] - whether it blocks is said by its owner
        return called


class MortalTransport:
    """Connections of one worker for threads."""

    def __init__(self, transport: Any, life: Life) -> None:
        self._transport, self._life = transport, life

    def send(self, effect: Transmit) -> Response:
        """The exchange, unless the worker dies before or after it."""
        purchase = "send" if not effect.request.replayable else "look"
        self._life.passes("before", purchase)
        response: Response = self._transport.send(effect)
        self._life.passes("after", purchase)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


class MortalTasks(MortalTransport):
    """The same for asyncio."""

    async def send(self, effect: Transmit) -> Response:  # type: ignore[override]
        """The exchange, unless the worker dies before or after it."""
        purchase = "send" if not effect.request.replayable else "look"
        self._life.passes("before", purchase)
        response: Response = await self._transport.send(effect)
        self._life.passes("after", purchase)
        return response

    async def close(self) -> None:  # type: ignore[override]
        """Close the connections."""
        await self._transport.close()
