"""The client that most programs have: it sends, and on any error it sends again, three times at most."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Final

import attrs
import httpx

from ...carrier import Authenticates, Carrier, Returns, Ships, Signs, able
from ...constraints import wrapped
from ...errors import NotSupportedError
from ...flow import Flow, Headers, Request, Response, Token
from ...model import ReturnRequest, ShipmentRequest
from .stage import Stage, set_up
from .story import Naive, Order

__all__ = ["NaiveClient", "would_have_booked"]

_ATTEMPTS: Final = 3
_TIMEOUT_S: Final = 3.0


class NaiveClient:
    """Runs a plugin's conversations with httpx and a retry around each, without a ledger, and asks nobody."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
        self._token: Token | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ship(self, request: ShipmentRequest | ReturnRequest) -> bool:
        """Book *request*; whether an answer came in one of the tries."""
        for _ in range(_ATTEMPTS):
            try:
                self._run(self._flow(request))
            except Exception:  # noqa: S112 - that is what makes it naive
                continue
            return True
        return False

    def _flow(self, request: ShipmentRequest | ReturnRequest) -> Flow[Any]:
        ready: Any = wrapped(request, self._carrier.facts())
        today = datetime.now().astimezone().date()
        if isinstance(ready, ReturnRequest) and able(self._carrier, Returns):
            shipment = attrs.evolve(ready.shipment, ship_on=ready.shipment.ship_on or today)
            return self._carrier.create_return(attrs.evolve(ready, shipment=shipment))
        if isinstance(ready, ShipmentRequest) and able(self._carrier, Ships):
            return self._carrier.create_shipment(attrs.evolve(ready, ship_on=ready.ship_on or today))
        raise NotSupportedError(f"{self._carrier.code} does not book that")

    def _run(self, flow: Flow[Any]) -> Any:
        try:
            request = next(flow)
            while True:
                request = flow.send(self._answered(request))
        except StopIteration as ended:
            return ended.value
        finally:
            flow.close()

    def _answered(self, request: Request) -> Response:
        request = self._signed(attrs.evolve(request, id=os.urandom(16).hex()))
        reply = self._http.request(
            request.method, request.url, headers=dict(request.headers), content=request.content or None
        )
        response = Response(
            status=reply.status_code,
            headers=Headers(dict(reply.headers)),
            content=reply.content,
            request=request,
            received_at=datetime.now(timezone.utc),
        )
        reply.raise_for_status()
        self._carrier.check(response)
        return response

    def _signed(self, request: Request) -> Request:
        carrier = self._carrier
        if request.signed and able(carrier, Authenticates):
            token = self._token = self._token or self._run(carrier.authenticate())
            return carrier.authorize(request, token)
        return carrier.sign(request) if request.signed and able(carrier, Signs) else request


def would_have_booked(orders: Sequence[Order], requests: dict[str, Any], fault: str) -> list[Naive]:
    """The same orders and the same faults, for a naive client, at carriers of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with set_up() as stage, ThreadPoolExecutor(max_workers=len(stage.accounts)) as pool:
        return list(pool.map(lambda alias: _at(stage, alias, orders, requests, fault), stage.accounts))


def _at(stage: Stage, alias: str, orders: Sequence[Order], requests: dict[str, Any], fault: str) -> Naive:
    own = [order for order in orders if order.account == alias]
    client = NaiveClient(stage.accounts[alias])
    try:
        answered = sum(_shipped(client, stage, order, requests[order.reference], fault) for order in own)
    finally:
        client.close()
    stage.simulators[alias].advance(120)  # what a carrier carries out late, it has carried out by then
    return Naive(account=alias, orders=len(own), bookings=len(stage.bookings(alias)), answered=answered)


def _shipped(client: NaiveClient, stage: Stage, order: Order, request: Any, fault: str) -> bool:
    with stage.aimed(order.account, fault if order.aimed else None):
        return client.ship(request)
