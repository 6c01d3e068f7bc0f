"""What differs between the databases that keep a store: how a parameter, the time and a lock are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import Any, Final, Protocol

import attrs

__all__ = ["POSTGRES", "SQLITE", "Clashed", "Dialect", "Home", "Session", "moment"]

_PARAMETER: Final = re.compile(r":([a-z_]+)")
_AMONG: Final = re.compile(r"\{among ([a-z_]+)\}")


class Clashed(Exception):  # noqa: N818
    """Somebody else changed the same rows at the same moment: nothing was written, read again."""


@attrs.define(eq=False)
class Dialect:
    """How one text serves two databases: it is written with ``:name``, ``{now}``, ``{locked}`` and ``{skip}``.

    ``column {among names}`` is true where the column is one of ``:names``, given as `many` wants it.
    """

    name: str
    now: str
    """The database's own clock; empty where the time comes as a parameter."""
    locked: str
    skip: str
    parameter: str
    time_in: Callable[[datetime], Any]
    time_out: Callable[[Any], datetime]
    among: str
    many: Callable[[Sequence[Any]], Any]
    """A list, as a parameter."""
    _texts: dict[tuple[str, bool], str] = attrs.field(factory=dict, init=False)

    def text(self, statement: str, *, clocked: bool = False) -> str:
        """*statement* as this database wants it; *clocked* where the host's clock stands in for the database's own."""
        found = self._texts.get((statement, clocked))
        if found is None:
            now = ":now" if clocked or not self.now else self.now
            found = statement.replace("{now}", now).replace("{locked}", self.locked).replace("{skip}", self.skip)
            found = _AMONG.sub(self.among, found)
            found = self._texts[statement, clocked] = _PARAMETER.sub(self.parameter, found)
        return found


class Session(Protocol):
    """What may be done within one transaction. Rows are tuples, in the order of the statement's columns."""

    def ask(self, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*."""
        ...

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Write; this may travel with what follows it, but not beyond the end of the transaction."""
        ...


class Home(Protocol):
    """A database that a store lives in.

    Raises `shipkit.errors.StoreError` when it cannot be reached, and `Clashed` when others were at the same rows.
    """

    @property
    def dialect(self) -> Dialect: ...

    def close(self) -> None:
        """Close the connections; what is asked afterwards fails."""
        ...

    def reading(self) -> AbstractContextManager[Session]:
        """Statements that change nothing."""
        ...

    def writing(self, *, held: bool = False, durable: bool = True) -> AbstractContextManager[Session]:
        """One transaction; unless it is *held*, what it asks for may change before it writes.

        Where that matters the write itself clashes: two lines of one trail with the same number cannot be. What is
        *durable* survives the machine.
        """
        ...


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, timezone.utc)


# SQLite has no clock of its own that knows fractions before 3.42, and no rows that could be locked one by one.
SQLITE: Final = Dialect(
    name="sqlite",
    now="",
    locked="",
    skip="",
    parameter=r":\1",
    time_in=datetime.timestamp,
    time_out=moment,
    among=r"IN (SELECT value FROM json_each(:\1))",
    many=lambda items: json.dumps(list(items)),
)
POSTGRES: Final = Dialect(
    name="postgres",
    now="clock_timestamp()",
    locked="FOR UPDATE",
    skip="FOR UPDATE SKIP LOCKED",
    parameter=r"%(\1)s",
    time_in=lambda at: at,
    time_out=lambda at: at.astimezone(timezone.utc),
    among=r"= ANY(:\1)",
    many=list,
)
