"""A carrier that pushes and answers as a test says, clients of both kinds over one store, and a clock for all of it."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import attrs

from shipkit import AsyncClient, Client
from shipkit.carrier import Carrier
from shipkit.errors import NotFoundError, ReplyError, ShipkitError
from shipkit.flow import Flow
from shipkit.model import (
    CarrierFacts,
    EventTime,
    LengthFacts,
    LengthUnit,
    Message,
    Milestone,
    Operation,
    OperationFacts,
    Reason,
    RecoveryFacts,
    RecoveryMode,
    Support,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackQuery,
    TrackResult,
    TransitEstimate,
    WebhookDelivery,
    WeightFacts,
    WeightUnit,
)
from shipkit.ports.events import LetterState, Parcel
from shipkit.settings import Settings
from shipkit.webhooks import Hmac, SharedHeader, Unsigned

SECRET = "whsec-of-acme"
START = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
SCHEMES = {"signed": Hmac(header="X-Sign"), "shared": SharedHeader(header="X-Key"), "unsigned": Unsigned()}
MILESTONES = {milestone.value: milestone for milestone in Milestone}


FACTS = CarrierFacts(
    code="acme",
    name="Acme",
    interface="invented",
    operations={Operation.TRACK: OperationFacts(support=Support.YES)},
    weight=WeightFacts(unit=WeightUnit.KG, decimals=3),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0),
    recovery=RecoveryFacts(mode=RecoveryMode.NONE),
    hosts={},
)


@attrs.frozen(kw_only=True)
class Acme(Carrier):
    """Its pushes are JSON: ``[{"number": ..., "events": [{"code": ..., "hour": ...}]}]``."""

    code: ClassVar[str] = "acme"

    scheme: str = "signed"
    webhook_secrets: tuple[str, ...] = attrs.field(default=(SECRET,), repr=False)
    table: Mapping[str, Milestone] = attrs.field(factory=lambda: MILESTONES, repr=False)
    version: str = "1"
    answers: Callable[[str], Any] = attrs.field(default=lambda number: [], repr=False)
    asked: list[str] = attrs.field(factory=list, repr=False)

    @classmethod
    def facts(cls) -> CarrierFacts:
        return FACTS

    @property
    def webhook_scheme(self) -> Any:
        return SCHEMES[self.scheme]

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        rows = json.loads(delivery.body)
        if any("nonsense" in each for each in rows):
            raise ReplyError("no such push @ $.nonsense", paths=("$.nonsense", "$['Jo Receiver, 2 Home Street']"))
        return tuple(self._result(row, delivery.received_at) for row in rows)

    def _result(self, row: Mapping[str, Any], at: datetime) -> TrackResult:
        codes = [event["code"] for event in row.get("events", ())]
        return TrackResult(
            number=TrackingNumber(value=row["number"], carrier="acme"),
            events=tuple(self._event(event, at) for event in row.get("events", ())),
            complete=row.get("complete", False),
            messages=tuple(Message.unmapped(code) for code in codes if code not in self.table),
            related=tuple(TrackingNumber(value=one, carrier="acme") for one in row.get("related", ())),
            transit=TransitEstimate(computed_at=START + timedelta(hours=row["eta"])) if "eta" in row else None,
            received_at=at,
        )

    def _event(self, row: Mapping[str, Any], at: datetime) -> TrackingEvent:
        milestone = self.table.get(row["code"])
        local = (START + timedelta(hours=row["hour"])).replace(tzinfo=None)
        return TrackingEvent(
            time=EventTime(local=local, precision=TimePrecision.MINUTE, offset_min=0, basis=TimeBasis.OFFSET),
            milestone=milestone,
            reason=Reason(row["reason"]) if "reason" in row else None if milestone else Reason.UNMAPPED,
            code=row["code"],
            piece=row.get("piece"),
            text=row.get("text"),
            signed_by=row.get("signed_by"),
            observed_at=at,
            mapping_version=self.version,
        )


@attrs.frozen(kw_only=True)
class Tracked(Acme):
    """It also answers for a number."""

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        self.asked.append(query.number.value)
        answer = self.answers(query.number.value)
        if isinstance(answer, ShipkitError):
            raise answer
        if answer is None:
            raise NotFoundError("no such number")
        row = {"number": query.number.value, "events": answer, "complete": True}
        return self._result(row, datetime.now(timezone.utc))
        yield  # a flow that asks nobody


def event(code: str, hour: float = 0, **more: Any) -> dict[str, Any]:
    return {"code": code, "hour": hour, **more}


def row(number: str, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"number": number, "events": list(events), **more}


def pushed(*rows: Any, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    """Headers and body of a push that says *rows*, with whatever any of the schemes wants."""
    body = json.dumps(rows[0] if len(rows) == 1 and not isinstance(rows[0], dict) else rows).encode()
    return {"X-Sign": hmac.new(secret.encode(), body, "sha256").hexdigest(), "X-Key": secret}, body


def parcel(number: str, *, account: str = "acme-de", since: datetime = START, **more: Any) -> Parcel:
    given: dict[str, Any] = {"scope": f"acme:{number}:{since.date()}", "carrier": "acme", "number": number}
    query = TrackQuery(number=TrackingNumber(value=number, carrier="acme"))
    return Parcel(**(given | {"account": account, "since": since, "query": query} | more))


class Clock:
    """Moves when the test says so."""

    def __init__(self, at: datetime = START + timedelta(days=1)) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Host:
    """One client over a store; what it does is done the same way by either kind of client."""

    def __init__(self, store: Any, clock: Clock, accounts: Mapping[str, Carrier], kind: str, **more: Any) -> None:
        self.clock, self.kind, self.store = clock, kind, store
        self.seen: list[Any] = []
        made: Any = Client if kind == "threads" else AsyncClient
        self.client = made(accounts, store=store, observers=[self.seen.append], destinations=("erp",), **more)
        self.client._desk.utc_now = clock.now
        self._runner = asyncio.new_event_loop() if kind == "tasks" else None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client.events, name)

        def called(*args: Any, **named: Any) -> Any:
            result = method(*args, **named)
            return self._runner.run_until_complete(result) if self._runner is not None else result

        return called

    def push(self, *rows: Any, account: str = "acme-de", **more: Any) -> Any:
        headers, body = pushed(*rows, **more)
        return self.receive(account, headers, body)

    def drain(self) -> Any:
        """Process until nothing is taken; what it came to."""
        total = self.process()
        last = total
        while last.taken:
            last = self.process()
            total += last
        return total

    def state(self, number: str) -> Parcel:
        found = self.store.events.find([("acme", number)])[0]
        assert found is not None
        return found

    def milestone(self, number: str) -> str:
        timeline = self.state(number).timeline
        return timeline.milestone.value if timeline is not None else ""

    def announced(self) -> list[str]:
        return [told.key for told in self.store.events.announcements(limit=10_000)]

    def letters(self, *states: str) -> list[Any]:
        return list(self.store.events.letters([LetterState(one) for one in states], limit=10_000))

    def close(self) -> None:
        if self._runner is not None:
            self._runner.run_until_complete(self.client.close())
            self._runner.close()
        else:
            self.client.close()


@contextmanager
def hosted(store: Any, kind: str = "threads", *, clock: Clock | None = None, **more: Any) -> Iterator[Host]:
    """A host with one account, ``acme-de``, unless *accounts* says otherwise."""
    accounts = more.pop("accounts", None) or {"acme-de": more.pop("carrier", Tracked())}
    host = Host(store, clock or Clock(), accounts, kind, settings=more.pop("settings", Settings()), **more)
    try:
        yield host
    finally:
        host.close()
