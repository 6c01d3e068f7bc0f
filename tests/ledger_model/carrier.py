"""The smallest carrier that the ledger's driver can buy from: a plugin of each recovery mode, and its books in memory.

The books are a value. What the explorer does to them (deliver, drop, show) gives new books, so that many futures can be
tried from one state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any, ClassVar, NamedTuple

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import RejectedError
from shipkit.flow import Flow, Request, Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    CancellationResult,
    CancelOutcome,
    CancelRequest,
    CarrierFacts,
    Document,
    DocumentFormat,
    DocumentKind,
    Environment,
    FindMethod,
    LabelFormatFacts,
    LengthFacts,
    LengthUnit,
    Limits,
    Operation,
    OperationFacts,
    RecoveryFacts,
    RecoveryMode,
    ServiceLevel,
    Shipment,
    ShipmentRequest,
    Support,
    TrackingNumber,
    WeightFacts,
    WeightUnit,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
HOST = "api.plain.example"
REFUSED, DUPLICATE, TOO_LATE = "NO", "DUP", "LATE"


class Booked(NamedTuple):
    """One booking in the carrier's books: under which mark, for whose order, since when, and who can see it.

    ``late`` says that it is too late to undo it, which it then stays.
    """

    booking: str
    mark: str
    order: str
    at: int
    shown: bool
    live: bool
    late: bool = False


class Pending(NamedTuple):
    """A request between a worker and the carrier; ``worker`` is -1 once nobody listens any more."""

    kind: str
    subject: str
    order: str
    at: int
    until: int
    worker: int


class Books(NamedTuple):
    """The carrier's side: what is on its way there, and what it has booked."""

    pending: tuple[Pending, ...] = ()
    booked: tuple[Booked, ...] = ()

    def under(self, mark: str) -> tuple[Booked, ...]:
        """Every booking under *mark*, oldest first."""
        return tuple([row for row in self.booked if row.mark == mark])

    def live(self, order: str | None = None) -> tuple[Booked, ...]:
        """What would be billed for *order*, or at all."""
        return tuple([row for row in self.booked if row.live and order in (None, row.order)])


class Reply(NamedTuple):
    """What the carrier answers."""

    status: int
    body: bytes

    def to(self, request: Request) -> Response:
        """The answer to *request*."""
        return Response(status=self.status, content=self.body, request=request, received_at=START)


def _said(status: int, **data: object) -> Reply:
    return Reply(status, json.dumps(data).encode())


def _shown(row: Booked) -> dict[str, object]:
    return {"id": row.booking, "live": row.live}


def bought(
    books: Books, pending: Pending, mode: RecoveryMode, at: int, *, show: bool, key_ttl: int | None
) -> tuple[Books, Reply]:
    """A purchase that the carrier carries out: a booking, the same one again (native key), or none (seen before)."""
    seen = [row for row in books.under(pending.subject) if key_ttl is None or at < row.at + key_ttl]
    if seen and mode is RecoveryMode.NATIVE_KEY:
        return books, _said(200, bookings=[_shown(seen[0])])
    if seen and mode is RecoveryMode.UNIQUE_REFERENCE:
        return books, _said(422, code=DUPLICATE)
    row = Booked(f"B{len(books.booked) + 1}", pending.subject, pending.order, at, show, live=True)
    return books._replace(booked=(*books.booked, row)), _said(200, bookings=[_shown(row)])


def refused() -> Reply:
    """A refusal: nothing is booked."""
    return _said(422, code=REFUSED)


def too_late(books: Books, booking: str) -> Books:
    """The books once *booking* cannot be undone any more."""
    return books._replace(booked=tuple([row._replace(late=row.late or row.booking == booking) for row in books.booked]))


def broken() -> Reply:
    """A page that proves nothing."""
    return _said(503, code="DOWN")


def found(books: Books, mark: str) -> Reply:
    """What a search under *mark* shows."""
    return _said(200, bookings=[_shown(row) for row in books.under(mark) if row.shown])


def undone(books: Books, booking: str) -> tuple[Books, Reply]:
    """A cancellation: of what is not shown yet, the carrier knows nothing."""
    rows = [row for row in books.booked if row.booking == booking and row.shown]
    if not rows:
        return books, _said(200)
    if rows[0].late:
        return books, _said(422, code=TOO_LATE)
    after = tuple([row._replace(live=False) if row is rows[0] else row for row in books.booked])
    return books._replace(booked=after), _said(200, state="voided")


def subject_of(request: Request) -> tuple[str, str, str]:
    """What a request is about: ``buy``, ``find`` or ``void``, its mark or booking, and whose order."""
    *_, kind, subject = request.url.split("/")
    return kind, subject, str(json.loads(request.content)["order"]) if request.content else ""


@cache
def recovery(mode: RecoveryMode, settle_s: int, key_ttl_s: int | None) -> RecoveryFacts:
    """The facts of one mode."""
    finds = mode in (RecoveryMode.FIND, RecoveryMode.UNIQUE_REFERENCE)
    return RecoveryFacts(
        mode=mode,
        find=FindMethod.EXACT_ALL if finds else None,
        settle_s=settle_s,
        mark_field=None if mode is RecoveryMode.NONE else "mark",
        key_ttl_s=key_ttl_s,
        refusal_codes=frozenset({REFUSED}),
        duplicate_codes=frozenset({DUPLICATE}) if mode is RecoveryMode.UNIQUE_REFERENCE else frozenset(),
    )


@cache
def facts(recovers: RecoveryFacts, one_by_one: bool) -> CarrierFacts:
    """A carrier that differs in its recovery only."""
    names = ("create_shipment", "find_shipments", "cancel_shipment")
    return CarrierFacts(
        code="plain",
        name="Plain Parcel",
        interface="an invented one",
        operations={Operation(name): OperationFacts(support=Support.YES) for name in names},
        services=(ServiceLevel(carrier="plain", code="HOME", name="Plain Home"),),
        label_formats=(LabelFormatFacts(format=DocumentFormat.PDF, wire="PDF"),),
        weight=WeightFacts(unit=WeightUnit.KG, decimals=3),
        length=LengthFacts(unit=LengthUnit.CM, decimals=0),
        recovery=recovers,
        limits=Limits(packages_per_booking=1) if one_by_one else Limits(),
        hosts={Environment.TEST: frozenset({HOST})},
    )


@attrs.frozen(kw_only=True)
class Plain(Carrier):
    """Plain Parcel: buys, voids, cannot be asked."""

    recovers: RecoveryFacts
    one_by_one: bool = False

    code: ClassVar[str] = "plain"

    def facts(self) -> CarrierFacts:  # type: ignore[override]
        return facts(self.recovers, self.one_by_one)

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        payload = {"order": request.packages[0].ref}
        url = f"https://{HOST}/buy/{request.mark}"
        response = yield Request.json("POST", url, payload, name="create_shipment")
        return _shipment(request, response.json()["bookings"][0])

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        url = f"https://{HOST}/void/{request.shipment_id}"
        response = yield Request.delete(url, name="cancel_shipment", replayable=True)
        known = "state" in response.json()
        return CancellationResult(outcome=CancelOutcome.VOIDED if known else CancelOutcome.NOT_FOUND)

    def check(self, response: Response) -> None:
        if response.status == 422:
            raise RejectedError.of(response, carrier_code=response.json()["code"])


@attrs.frozen(kw_only=True)
class Findable(Plain):
    """The same, and every booking under a mark can be looked up."""

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        response = yield Request.get(f"https://{HOST}/find/{request.mark}", name="find_shipments")
        return tuple(_shipment(request, row) for row in response.json()["bookings"])


def _shipment(request: ShipmentRequest, row: Mapping[str, Any]) -> Shipment:
    numbers = [
        TrackingNumber(value=f"{row['id']}-{position}", carrier="plain") for position in range(len(request.packages))
    ]
    label = Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 " + row["id"].encode())
    return Shipment(
        shipment_id=row["id"],
        reference=request.reference,
        state=BookingState.CONFIRMED if row["live"] else BookingState.VOIDED,
        service="HOME",
        packages=tuple(
            BookedPackage(ref=package.ref, position=position, tracking_number=number)
            for position, (package, number) in enumerate(zip(request.packages, numbers, strict=True))
        ),
        tracking_numbers=tuple(numbers),
        documents=(label,),
        created_at=START,
    )


def carrier(mode: RecoveryMode, settle_s: int, key_ttl_s: int | None, *, one_by_one: bool) -> Carrier:
    """An account at Plain Parcel, whose interface recovers by *mode*."""
    kind = Findable if mode in (RecoveryMode.FIND, RecoveryMode.UNIQUE_REFERENCE) else Plain
    return kind(recovers=recovery(mode, settle_s, key_ttl_s), one_by_one=one_by_one)
