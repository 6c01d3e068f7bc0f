"""The audit trail of a store in memory: what happened is noted, and becomes lines when somebody reads it."""

from __future__ import annotations

from datetime import datetime

from ..ports import Entry, Step

__all__ = ["Trail"]


class Trail:
    """What happened to each key, in order.

    Digests guard a file that others can write. In memory they would cost every call, so they are made on reading.
    """

    def __init__(self) -> None:
        self._told: dict[str, list[tuple[int, str, str, str, int, int, str, str, datetime]]] = {}

    def tell(
        self, event: str, at: datetime, before: Entry | None, row: Entry, booking: str = "", detail: str = ""
    ) -> None:
        """Note that *event* made *row* of *before*."""
        was = before.phase.value if before is not None else ""
        told = (row.generation, event, was, row.phase.value, row.attempt, row.send, booking, detail, at)
        self._told.setdefault(row.key, []).append(told)

    def of(self, key: str) -> tuple[Step, ...]:
        """The lines of *key*, oldest first."""
        from .audit import chained  # loads OpenSSL, which a first look-up does not wait for

        told = list(self._told.get(key, ()))
        return chained(
            Step(
                key=key,
                generation=generation,
                number=number,
                event=event,
                before=before,
                after=after,
                attempt=attempt,
                send=send,
                booking=booking,
                detail=detail,
                at=at,
                digest="",
            )
            for number, (generation, event, before, after, attempt, send, booking, detail, at) in enumerate(told, 1)
        )
