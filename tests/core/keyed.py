"""Acmes that recognise an identity they have seen, and one that nobody can ask: a carrier of each way of recovery."""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs

from shipkit.flow import Flow, Request, path_segment
from shipkit.model import (
    CarrierFacts,
    Document,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    FindMethod,
    RecoveryFacts,
    RecoveryMode,
)
from shipkit.simulator import Call, Reply, route
from tests.core.acme import Acme, acme_facts
from tests.simulator.acme import AcmeDialect


class RepeatingDialect(AcmeDialect):
    """The same mark gets the same booking again."""

    @route("POST", "/v2/shipments", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        known = [booking for booking in self.world.bookings() if booking.mark == call.json().get("mark")]
        return Reply.json(self._shown(known[0])) if known else super().create(call)


class RefusingDialect(AcmeDialect):
    """A mark that was seen is refused."""

    @route("POST", "/v2/shipments", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        if any(booking.mark == call.json().get("mark") for booking in self.world.bookings()):
            return Reply.json({"error": {"code": "A40", "text": "reference in use"}}, 422)
        return super().create(call)


@cache
def _facts(mode: RecoveryMode, key_ttl_s: int | None = None) -> CarrierFacts:
    recovery = RecoveryFacts(
        mode=mode,
        find=FindMethod.EXACT_ALL if mode is RecoveryMode.UNIQUE_REFERENCE else None,
        mark_field="mark",
        key_ttl_s=key_ttl_s,
        refusal_codes=frozenset({"A17"}),
        duplicate_codes=frozenset({"A40"}),
    )
    return attrs.evolve(acme_facts(), recovery=recovery)


class Native(Acme):
    """Its key is its own, and it cannot be asked for a mark."""

    find_shipments: Any = None

    @classmethod
    def facts(cls) -> CarrierFacts:
        return _facts(RecoveryMode.NATIVE_KEY, 7 * 86400)


class ShortLived(Native):
    """It forgets a key before anything has settled."""

    @classmethod
    def facts(cls) -> CarrierFacts:
        return _facts(RecoveryMode.NATIVE_KEY, 600)


class Unique(Acme):
    """It refuses a reference that it has seen, and can be asked for it."""

    @classmethod
    def facts(cls) -> CarrierFacts:
        return _facts(RecoveryMode.UNIQUE_REFERENCE)


class Mute(Acme):
    """It can neither be asked nor told apart."""

    find_shipments: Any = None

    @classmethod
    def facts(cls) -> CarrierFacts:
        return _facts(RecoveryMode.NONE)


LABEL = Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 printed again")


class Printing(Mute):
    """It hands a label out again, to who knows its number."""

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]:
        number = query.tracking_numbers[0].value
        yield Request.get(f"{self._url}/track/{path_segment(number)}", name="documents")
        return (LABEL,)
