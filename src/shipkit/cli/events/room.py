"""What a command about parcels works with, and how its rows are written."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import attrs

from ...client import Client
from ...codec import dumps
from ...config import Config, loaded
from ...errors import InputError
from ...model import EventTime, Problem, ProblemCode
from ...ports.events import EventStore, Parcel
from ..ledger.advice import moment
from ..ledger.rows import hidden
from ..orders.session import refuse_unknown
from ..orders.table import aligned

__all__ = ["Room", "age_told", "line", "opened", "rows", "scope_told", "since_of", "time_told", "told"]

_SPAN: Final = re.compile(r"(\d{1,6})([mhdw])")
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440, "w": 10_080}


@attrs.frozen(kw_only=True)
class Room:
    """One run of a command."""

    config: Config
    client: Client
    store: EventStore

    @property
    def _space(self) -> str:
        namespace = self.config.settings.namespace
        return f"{namespace}/" if namespace else ""

    def own(self, full_key: str) -> str:
        """The host's own key."""
        return full_key.removeprefix(self._space)

    def full(self, key: str) -> str:
        """The key as the store has it."""
        return f"{self._space}{key}"

    @property
    def carriers(self) -> tuple[str, ...]:
        """The codes of all carriers that there are accounts at."""
        return tuple(dict.fromkeys(account.code for account in self.config.accounts.values()))


@contextmanager
def opened(path: Path | None, *accounts: str) -> Iterator[Room]:
    """The configuration in *path* (or where it usually is), its store, and a client that announces to its destinations.

    Raises:
        InputError: the configuration is wrong, or has none of *accounts*; an empty one counts as none named.
        NotSupportedError: the store keeps no events.
        StoreError: the store cannot be opened.
    """
    config = loaded(path)
    refuse_unknown(config, [account for account in accounts if account])
    store = config.store()
    try:
        with Client(
            config.accounts,
            store=store,
            settings=config.settings,
            destinations=tuple(config.destinations),
            webhooks=config.webhooks,
        ) as client:
            yield Room(config=config, client=client, store=client.entrance().store)
    finally:
        store.close()


def since_of(text: str, now: datetime) -> datetime | None:
    """``90m``, ``12h``, ``7d`` or ``2w`` before *now*, or an ISO time with its offset; None for an empty text.

    Raises:
        InputError: it is neither.
    """
    if not text:
        return None
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now - timedelta(minutes=int(span[1]) * _MINUTES[span[2]])
    try:
        at: datetime | None = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        wrong = "is a span such as 90m, 12h or 7d, or a time with its offset, such as 2026-03-01T08:00:00Z"
        raise InputError(problems=(Problem(path="/since", code=ProblemCode.MALFORMED, text=wrong),))
    return at.astimezone(timezone.utc)


def time_told(at: EventTime) -> str:
    """A time as the carrier printed it, with its offset where that is known."""
    local = at.local.isoformat(" ") if isinstance(at.local, datetime) else at.local.isoformat()
    if at.instant is None:
        return f"{local} ?"
    hours, minutes = divmod(abs(at.offset_min or 0), 60)
    return f"{local}{'-' if (at.offset_min or 0) < 0 else '+'}{hours:02d}:{minutes:02d}"


def age_told(span: timedelta) -> str:
    """How long ago, in the largest of minutes, hours and days that is full: ``0m``, ``59m``, ``1h``, ``3d``."""
    minutes = max(0, int(span.total_seconds() // 60))
    unit = max((name for name in "mhd" if minutes >= _MINUTES[name]), key=_MINUTES.__getitem__, default="m")
    return f"{minutes // _MINUTES[unit]}{unit}"


def scope_told(parcel: Parcel, *, personal: bool) -> str:
    """The scope of a parcel, without its whole number; of a shipment only that it is one."""
    if not parcel.number:
        return "shipment" if not personal else parcel.scope
    return parcel.scope.replace(parcel.number, hidden(parcel.number, personal=personal))


def line(data: Mapping[str, Any]) -> str:
    """One line of JSON; moments as ISO texts."""
    return dumps({name: _plain(value) for name, value in data.items()}).decode("utf-8") + "\n"


def rows(columns: Sequence[str], data: Iterable[Mapping[str, Any]], *, as_json: bool, none: str) -> None:
    """A table of *columns*, or every row as a line of JSON; *none* is said where there is no row."""
    found = list(data)
    if as_json:
        sys.stdout.writelines(line(row) for row in found)
    elif found:
        sys.stdout.write(aligned(columns, [{name: _word(row.get(name)) for name in columns} for row in found]))
    else:
        sys.stderr.write(f"{none}\n")


def told(data: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a line for each member, or a line of JSON."""
    if as_json:
        sys.stdout.write(line(data))
        return
    sys.stdout.writelines(f"{name.replace('_', ' ')}: {_word(value) or 'none'}\n" for name, value in data.items())


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value.astimezone(timezone.utc))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_word(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_word(item) for item in value)
    return "" if value is None else str(value)
