"""What the parts of an event store in a database share: how they ask, and how they write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from .dialect import Home, Session
from .sql_rows import Rows
from .tries import done

__all__ = ["Asking", "firsts", "unique"]

T = TypeVar("T")


class Asking:
    """Statements on *home*; leases go by *beside*, for nothing is lost with them."""

    blocking = True

    def __init__(self, home: Home, clock: Callable[[], float] | None, beside: Home) -> None:
        self._home, self._beside, self._dialect = home, beside, home.dialect
        self._rows = Rows(home, clock)
        self._sqlite = home.dialect.name == "sqlite"

    def now(self) -> datetime:
        """The store's clock."""
        return self._asked(self._rows.now)

    def _asked(self, ask: Callable[[Session], T]) -> T:
        with self._home.reading() as session:
            return ask(session)

    def _done(self, do: Callable[[Session], T], *, durable: bool = True, held: bool = True) -> T:
        return done(self._home if durable else self._beside, do, held=held, durable=durable)

    def _ask(self, session: Session, statement: str, **values: Any) -> list[Any]:
        return self._rows.ask(session, statement, self._given(values))

    def _tell(self, session: Session, statement: str, **values: Any) -> None:
        self._rows.tell(session, statement, self._given(values))

    def _given(self, values: dict[str, Any]) -> dict[str, Any]:
        """Times and lists as this database takes them."""
        found = {}
        for name, value in values.items():
            if isinstance(value, datetime):
                found[name] = self._dialect.time_in(value)
            elif isinstance(value, (list, tuple)):
                found[name] = self._dialect.many(value)
            else:
                found[name] = value
        return found

    def _in(self, at: datetime | None) -> Any:
        return None if at is None else self._dialect.time_in(at)

    def _out(self, at: Any) -> datetime | None:
        return None if at is None else self._dialect.time_out(at)


def firsts(names: Sequence[T], new: Iterable[T]) -> tuple[bool, ...]:
    """Of each name whether it is one of *new*, and the first of its kind."""
    left = set(new)
    found = []
    for name in names:
        found.append(name in left)
        left.discard(name)
    return tuple(found)


def unique(items: Sequence[T]) -> list[T]:
    """*items* without repetition, in their order."""
    return list(dict.fromkeys(items))
