"""Rows of the ledger as a table and as data: no word of what was sent or booked unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from ...codec import to_dict
from ...errors import InputError
from ...ledger.booking import unpacked
from ...model import Problem, ProblemCode, ReturnShipment, Shipment
from ...model.base import Value
from ...ports import Entry, Phase, Stray
from ..orders.session import Session
from .advice import standing

__all__ = ["Ledger", "bodies", "hidden", "row_data"]

_PAGE = 200


@attrs.frozen
class Ledger:
    """The rows of one host in the store of a session."""

    session: Session

    @property
    def _space(self) -> str:
        namespace = self.session.config.settings.namespace
        return f"{namespace}/" if namespace else ""

    def own(self, full_key: str) -> str:
        """The host's own key of a row."""
        return full_key.removeprefix(self._space)

    def entry(self, key: str) -> Entry:
        """The newest row under the host's *key*.

        Raises:
            InputError: there is none.
        """
        found = self.session.store.ledger.read(f"{self._space}{key}")
        if found is None:
            text = "nothing was ever asked for under this key"
            raise InputError(problems=(Problem(path="/key", code=ProblemCode.UNKNOWN_VALUE, text=text),))
        return found

    def pieces(self, entry: Entry) -> tuple[Entry, ...]:
        """The pieces of a row; none where it is a booking of its own."""
        return self.session.store.ledger.pieces(entry) if entry.parent is None else ()

    def strays(self, entry: Entry) -> tuple[Stray, ...]:
        """Further bookings that came in for a row."""
        return self.session.store.ledger.strays(entry.key)

    def every(self, prefix: str = "", after: str = "") -> Iterator[Entry]:
        """The newest rows by key, pieces beside the wholes, in pages of the store's."""
        after = f"{self._space}{after}" if after else ""
        while page := self.session.store.ledger.entries(prefix=f"{self._space}{prefix}", after=after, limit=_PAGE):
            yield from page
            after = page[-1].key

    def in_phases(self, phases: Sequence[Phase], prefix: str, after: str) -> Iterator[tuple[Entry, Phase]]:
        """Every row that stands in one of *phases* (in any, where none is named), a whole as its pieces make it."""
        for entry in self.every(prefix, after):
            phase = standing(entry, self.pieces(entry) if entry.phase is Phase.PLANNED else ())
            if not phases or phase in phases:
                yield entry, phase


def hidden(number: str, *, personal: bool) -> str:
    """A carrier's number; it leads to a person, so its end is enough to recognise it by."""
    return number if personal or len(number) <= 4 else f"…{number[-4:]}"


def row_data(entry: Entry, key: str, phase: Phase, *, personal: bool) -> dict[str, Any]:
    """*entry* as JSON data."""
    data: dict[str, Any] = {
        "key": key,
        "generation": entry.generation,
        "phase": phase.value,
        "void_wanted": entry.void_wanted,
        "operation": entry.operation,
        "account": entry.account,
        "carrier": entry.carrier,
        "attempt": entry.attempt,
        "send": entry.send,
        "booking": hidden(entry.booking, personal=personal),
        "complete": entry.complete,
        "error": entry.error,
        "note": entry.note,
    }
    for name in ("created_at", "updated_at", "lease_until", "settle_at", "watch_until", "next_at", "purged_at"):
        at = getattr(entry, name)
        if at is not None:
            data[name] = at.isoformat()
    if entry.parent is not None:
        data["piece_of"] = entry.parent[0]
    return data


def bodies(entry: Entry) -> dict[str, Any]:
    """What was asked for and what came back, without the bytes of papers."""
    from ...client.kinds import kind_of

    kind, data = kind_of(entry), {}
    if entry.purged_at is None:
        data["request"] = to_dict(unpacked(entry.request, kind.request_type))
        if entry.result is not None:
            data["result"] = to_dict(_without_papers(unpacked(entry.result, kind.result_type)))
    return data


def _without_papers(value: Value) -> Value:
    if isinstance(value, Shipment):
        return attrs.evolve(value, documents=())
    if isinstance(value, ReturnShipment) and value.shipment is not None:
        return attrs.evolve(value, shipment=attrs.evolve(value.shipment, documents=()))
    return value
