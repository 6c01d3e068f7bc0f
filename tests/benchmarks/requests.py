"""What is asked in the measurements: a request of two packages per carrier, and clients whose network is a stub."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from shipkit import Client, MemoryStore
from shipkit.client.clock import utc_now
from shipkit.flow import Headers, Response, Transmit
from shipkit.model import (
    Address,
    Contact,
    Dimensions,
    Length,
    LengthUnit,
    Package,
    Party,
    ShipmentRequest,
    Weight,
    WeightUnit,
)

__all__ = ["Stub", "american", "answer", "french", "stubbed"]


def american() -> ShipmentRequest:
    """Two boxes within the United States."""

    def party(name: str, line: str, city: str, region: str, postal_code: str) -> Party:
        return Party(
            address=Address(lines=(line,), city=city, region=region, postal_code=postal_code, country="US"),
            contact=Contact(name=name, company=name, phone="5555555555"),
        )

    size = Dimensions(
        length=Length("10", LengthUnit.IN), width=Length("8", LengthUnit.IN), height=Length("6", LengthUnit.IN)
    )
    return ShipmentRequest(
        ship_from=party("Sender", "1 Main Street", "Beverly Hills", "CA", "90210"),
        ship_to=party("Receiver", "2 Long Road", "New York", "NY", "10001"),
        packages=(
            Package(ref="1", weight=Weight("2.5", WeightUnit.LB), dimensions=size),
            Package(ref="2", weight=Weight("1", WeightUnit.LB), dimensions=size),
        ),
        service="03",
        reference="SO042",
    )


def french() -> ShipmentRequest:
    """One box within France."""

    def party(name: str, line: str, city: str, postal_code: str) -> Party:
        return Party(
            address=Address(lines=(line,), city=city, postal_code=postal_code, country="FR"),
            contact=Contact(name=name, phone="0612345678", email="a@example.org"),
        )

    return ShipmentRequest(
        ship_from=party("Expediteur", "1 rue du Port", "Lyon", "69001"),
        ship_to=party("Destinataire", "2 rue Longue", "Paris", "75001"),
        packages=(Package(ref="1", weight=Weight("1.2", WeightUnit.KG)),),
        reference="SO042",
    )


class Stub:
    """A transport that answers from memory."""

    def __init__(self, answers: Callable[[Transmit], Response]) -> None:
        self._answers = answers

    def send(self, effect: Transmit) -> Response:
        return self._answers(effect)

    def close(self) -> None:
        pass


def answer(status: int, content: bytes | Callable[[], bytes]) -> Callable[[Transmit], Response]:
    """Always that reply, or the next one."""
    body = content if callable(content) else lambda: content
    headers = Headers({"Content-Type": "application/json"})
    return lambda effect: Response(
        status=status, headers=headers, content=body(), request=effect.request, received_at=utc_now()
    )


def stubbed(account: Any, answers: dict[str, Callable[[Transmit], Response]]) -> Client:
    """A client of *account* whose network answers by the request's name."""
    client = Client({"account": account}, store=MemoryStore())
    client._transport = Stub(lambda effect: answers[effect.request.name](effect))  # type: ignore[assignment]
    client._transport_pid = os.getpid()
    return client
