"""A carrier that pushes signed JSON, the pushes it makes, and an ASGI server played by hand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, ClassVar

import attrs

from shipkit import Client
from shipkit.carrier import Carrier
from shipkit.flow import Flow
from shipkit.model import (
    CarrierFacts,
    EventTime,
    Milestone,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackQuery,
    TrackResult,
    WebhookDelivery,
)
from shipkit.ports import Store
from shipkit.webhooks import Hmac
from tests.core.acme import acme_facts

SECRET = "whsec-4f1c"
MILESTONES = {"PU": Milestone.ACCEPTED, "IT": Milestone.IN_TRANSIT, "DL": Milestone.DELIVERED}


@attrs.frozen
class Pusher(Carrier):
    """Signs what it pushes, and knows nothing when it is asked."""

    webhook_secret: str = attrs.field(default=SECRET, repr=False, metadata={"secret": True})

    code: ClassVar[str] = "pusher"

    @classmethod
    def facts(cls) -> CarrierFacts:
        return acme_facts()

    @property
    def webhook_scheme(self) -> Hmac:
        return Hmac(header="X-Pusher-Signature")

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return (self.webhook_secret,)

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        row = json.loads(delivery.body)
        event = TrackingEvent(
            code=row["code"],
            milestone=MILESTONES.get(row["code"]),
            time=EventTime(
                local=datetime.fromisoformat(row["at"]),
                precision=TimePrecision.SECOND,
                offset_min=0,
                basis=TimeBasis.OFFSET,
            ),
            observed_at=delivery.received_at,
            mapping_version="pusher-1",
        )
        number = TrackingNumber(value=row["number"], carrier=self.code)
        return (TrackResult(number=number, events=(event,), complete=False, received_at=delivery.received_at),)

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        yield from ()
        at = datetime(2026, 3, 2, tzinfo=timezone.utc)
        return TrackResult(number=query.number, events=(), complete=False, received_at=at)


@attrs.frozen
class Silent(Carrier):
    """Does not push."""

    code: ClassVar[str] = "silent"

    @classmethod
    def facts(cls) -> CarrierFacts:
        return acme_facts()


def client(store: Store | None = None, **options: Any) -> Client:
    """Two accounts that are pushed to, one of a carrier that does not push."""
    accounts = {"shop": Pusher(), "näxt/door": Pusher(webhook_secret="another"), "mute": Silent()}
    return Client(accounts, store=store, **options)


def push(number: str = "1Z5", code: str = "IT", at: str = "2026-03-02T09:00:00") -> bytes:
    return json.dumps({"number": number, "code": code, "at": at}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-pusher-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@attrs.frozen
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> Any:
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)


async def asked(
    app: Any,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | Iterable[tuple[bytes, bytes]] = (),
    body: Iterable[bytes] = (b"",),
    query: str = "",
    then: str = "",
    root_path: str = "",
) -> Answered | None:
    """One request as an ASGI server hands it over: *body* in pieces; *then* ``gone`` or ``hangs``, else it ends."""
    pieces = list(body)
    pairs = [(k.encode(), v.encode()) for k, v in headers.items()] if isinstance(headers, dict) else list(headers)
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": root_path + path, "raw_path": b"", "root_path": root_path, "query_string": query.encode(),
        "headers": pairs, "client": ("192.0.2.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if pieces:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces or then)}
        if then == "gone":
            return {"type": "http.disconnect"}
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return None
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answered(start["status"], found, b"".join(message["body"] for message in rest))
