"""Places within rate limits in a database, for the workers that share it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from .dialect import Home, Session
from .sql_rows import Rows
from .tries import done

__all__ = ["SqlLimits"]

_MAKE: Final = "INSERT INTO shipkit_limit (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"
_LOOK: Final = "SELECT {now}, free_at, held_until FROM shipkit_limit WHERE name = :name {locked}"
_TAKE: Final = "UPDATE shipkit_limit SET free_at = :free_at WHERE name = :name"
_HOLD: Final = """UPDATE shipkit_limit SET held_until = :until
WHERE name = :name AND (held_until IS NULL OR held_until < :until)"""


class SqlLimits:
    """One row for each name; its size does not depend on the limit."""

    blocking = True

    def __init__(self, home: Home, clock: Callable[[], float] | None) -> None:
        self._home, self._rows = home, Rows(home, clock)

    def reserve(self, name: str, step_s: float, slack_s: float, within_s: float) -> float:
        """Seconds until the next place under *name*; it is taken if that is *within_s*."""
        dialect = self._rows.dialect

        def reserved(session: Session) -> float:
            self._rows.tell(session, _MAKE, {"name": name})
            times = self._rows.ask(session, _LOOK, {"name": name})[0]
            at, free_at, held_until = (None if moment is None else dialect.time_out(moment) for moment in times)
            assert at is not None  # noqa: S101 (the first column is the clock)
            slack = timedelta(seconds=slack_s)
            place = max(at, at if free_at is None else free_at - slack, at if held_until is None else held_until)
            wait_s = (place - at).total_seconds()
            if wait_s <= within_s:
                then = (place if free_at is None else max(free_at, place)) + timedelta(seconds=step_s)
                self._rows.tell(session, _TAKE, {"name": name, "free_at": dialect.time_in(then)})
            return wait_s

        return done(self._home, reserved, held=True, durable=False)

    def hold(self, name: str, for_s: float) -> None:
        """No place under *name* comes before *for_s* seconds are over; a hold is never shortened."""

        def held(session: Session) -> None:
            self._rows.tell(session, _MAKE, {"name": name})
            until = self._rows.dialect.time_in(self._rows.now(session) + timedelta(seconds=for_s))
            self._rows.tell(session, _HOLD, {"name": name, "until": until})

        done(self._home, held, held=True, durable=False)
