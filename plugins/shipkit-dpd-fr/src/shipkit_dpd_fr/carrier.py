"""The conversation with DPD France's EPrint web service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import AuthenticationError, RejectedError
from shipkit.flow import Flow, Request, Response, secret
from shipkit.model import (
    CancellationResult,
    CancelOutcome,
    DocumentKind,
    Environment,
    PackageOutcome,
    Pickup,
    PickupState,
    ShipmentRequest,
)
from shipkit.soap import SoapFault, SoapService

from .codes import AUTHENTICATION_CODES, SERVERS
from .terms import label_type, problems_of

if TYPE_CHECKING:
    from shipkit.model import (
        CancelRequest,
        CarrierFacts,
        Document,
        DocumentQuery,
        PickupRequest,
        Problem,
        RateRequest,
        ReturnRequest,
        ReturnShipment,
        Shipment,
        TrackingNumber,
    )

    from .wire import ShippingRow

__all__ = ["DpdFrance"]

T = TypeVar("T")

# The interface's operations, and how telemetry calls them.
_OPERATIONS: Final = {
    "CreateShipmentWithLabelsBc": "create_shipment",
    "CreateMultiShipmentBc": "create_shipment",
    "CreateReverseInverseShipmentWithLabelsBc": "create_return",
    "GetLabelBc": "documents",
    "TerminateShipment": "cancel_shipment",
    "CreatePickupAtCustomerBc": "book_pickup",
    "GetShipping": "find_shipments",
}
_SERVICE: Final = SoapService(package="shipkit_dpd_fr", wsdl="dpd_fr.wsdl", operations=tuple(_OPERATIONS))

# Days before the look-up whose lists are read, beside the ship date: a booking may be made days before it is shipped,
# and lists go by the day of booking (SDK). Older ones are a person's to find.
_LOOK_BACK_DAYS: Final = 7
# Paris is at most two hours east of UTC: its day, late in the evening, is already the next.
_PARIS_AHEAD: Final = timedelta(hours=2)


@attrs.frozen(kw_only=True)
class DpdFrance(Carrier):
    """An account at DPD France: EPrint web service (e-Station), WSDL of 2024.

    ``customer_country``, ``customer_center`` and ``customer_number`` name the contract: 250 is France, the centre is
    the depot's number. The carrier tells the product from the contract and the services asked for.
    """

    code: ClassVar[str] = "dpd_fr"

    userid: str
    password: str = secret()
    customer_country: int = attrs.field(default=250, converter=int)
    customer_center: int = attrs.field(converter=int)
    customer_number: int = attrs.field(converter=int)

    @classmethod
    def facts(cls) -> CarrierFacts:
        from .facts import FACTS

        return FACTS

    def problems(self, request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
        """What of *request* this interface does not take, beyond its facts."""
        if isinstance(request, ShipmentRequest):
            seen: list[Problem] = []
            for problem in problems_of(request):
                if problem not in seen:
                    seen.append(problem)
                    yield problem

    def check(self, response: Response) -> None:
        """A refusal is HTTP 500 with a code in ``detail/Error/ErrorId``; a fault without one proves nothing."""
        fault = _SERVICE.fault(response)
        code = _error_id(fault) if fault is not None else ""
        if fault is None or not code:
            return
        kind = AuthenticationError if code in AUTHENTICATION_CODES else RejectedError
        raise kind.of(response, carrier_code=code, carrier_message=fault.carrier_message)

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        """Book *request*: one parcel comes with its label, several are booked at once and labelled by `documents`.

        Raises:
            RejectedError: DPD France refused it; the message is its own.
        """
        from . import payloads, wire

        if len(request.packages) == 1:
            response = yield self._request(
                "CreateShipmentWithLabelsBc", payloads.booking_to_wire(request, self._customer)
            )
            booked = self._read("CreateShipmentWithLabelsBc", response, wire.BookedReply)
            return wire.shipment_from_wire(request, booked, response)
        response = yield self._request("CreateMultiShipmentBc", payloads.multi_to_wire(request, self._customer))
        several = self._read("CreateMultiShipmentBc", response, wire.MultiReply)
        return wire.multi_from_wire(request, several, response)

    def create_return(self, request: ReturnRequest) -> Flow[ReturnShipment]:
        """Book a way back with its label; the customer hands the parcel in at a relay point."""
        from . import payloads, wire

        operation = "CreateReverseInverseShipmentWithLabelsBc"
        response = yield self._request(operation, payloads.return_to_wire(request, self._customer))
        return wire.return_from_wire(request, self._read(operation, response, wire.ReturnReply), response)

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        """Every booking under the request's mark, out of the lists of the days on which it can have been booked.

        The list shows one reference per parcel; that it is the ``referencenumber``, where the mark goes, is how public
        clients read it, and is not in the WSDL. A parcel to the same recipient without a mark is therefore an error.
        Nor does a row say whether its parcel was terminated: whatever is listed counts as booked.
        """
        from . import wire

        rows, response = yield from self._listed(request.ship_on)
        if found := wire.listed_from_wire(request, rows.values(), response):
            return found
        for day in _other_days(response, request.ship_on):
            more, response = yield from self._listed(day)
            rows |= more
        return wire.listed_from_wire(request, rows.values(), response)

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]:
        """The labels of a booking again, parcel by parcel, in any format that DPD France prints."""
        from . import wire

        if query.kinds and not query.kinds & {DocumentKind.LABEL, DocumentKind.RETURN_LABEL}:
            return ()
        wanted = label_type(query.label)
        found: tuple[Document, ...] = ()
        for number in [number.value for number in query.tracking_numbers] or [query.shipment_id]:
            payload = {
                "refnrasbarcode": False,
                "referenceInBarcode": {"type": "Reference2"},
                "labelType": {"type": wanted},
                "shipmentNumber": number,
                "customer": self._customer,
            }
            response = yield self._request("GetLabelBc", payload, replayable=True)
            fetched = self._read("GetLabelBc", response, wire.FetchedReply)
            found += wire.documents_from_wire(fetched, wanted, number, response, query.label_kind)
        return tuple(document for document in found if not query.kinds or document.kind in query.kinds)

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        """Terminate every parcel of a booking.

        Raises:
            RejectedError: DPD France refused to terminate the first parcel; nothing was cancelled.
        """
        outcomes: list[PackageOutcome] = []
        for number in request.tracking_numbers or [None]:
            payload = {
                "customer": self._customer,
                "BarcodeSource": None,
                "BarcodeId": number.value if number else request.shipment_id,
                "Reason": request.reason,
            }
            try:
                response = yield self._request("TerminateShipment", payload, replayable=True)
                _SERVICE.read("TerminateShipment", response)
            except RejectedError as error:
                if not outcomes:
                    raise
                outcomes.append(_refused(number, error))
            else:
                outcomes.append(PackageOutcome(tracking_number=number, outcome=CancelOutcome.VOIDED))
        whole = all(outcome.outcome is CancelOutcome.VOIDED for outcome in outcomes)
        return CancellationResult(
            outcome=CancelOutcome.VOIDED if whole else CancelOutcome.PARTLY,
            packages=tuple(outcomes) if len(outcomes) > 1 else (),
        )

    def book_pickup(self, request: PickupRequest) -> Flow[Pickup]:
        """Have booked parcels collected at the sender's address."""
        from . import payloads, wire

        response = yield self._request("CreatePickupAtCustomerBc", payloads.pickup_to_wire(request, self._customer))
        booked = self._read("CreatePickupAtCustomerBc", response, wire.PickupReply)
        return Pickup(
            confirmation=str(booked.Sin),
            state=PickupState.CONFIRMED,
            window=request.window,
            pickup_from=request.pickup_from,
            package_count=request.package_count,
            created_at=response.received_at,
        )

    def _listed(self, day: date | None) -> Flow[tuple[dict[str, ShippingRow], Response]]:
        from . import payloads, wire

        response = yield self._request("GetShipping", payloads.day_to_wire(day, self._customer), replayable=True)
        return wire.rows_from_wire(self._read("GetShipping", response, wire.DayReply), response), response

    @property
    def _customer(self) -> Mapping[str, int]:
        return {
            "centernumber": self.customer_center,
            "number": self.customer_number,
            "countrycode": self.customer_country,
        }

    def _request(self, operation: str, payload: Mapping[str, Any], *, replayable: bool = False) -> Request:
        server = self.base_url or SERVERS.get(self.environment, SERVERS[Environment.TEST])
        return _SERVICE.request(
            operation,
            {"request": payload},
            url=f"{server.rstrip('/')}/eprintwebservice.asmx",
            name=_OPERATIONS[operation],
            replayable=replayable,
            headers={"UserCredentials": {"userid": self.userid, "password": self.password}},
        )

    def _read(self, operation: str, response: Response, shape: type[T]) -> T:
        from .wire import reader

        return reader.convert(_SERVICE.read(operation, response), shape, response)


def _error_id(fault: SoapFault) -> str:
    error = fault.detail.get("Error")
    code = error.get("ErrorId") if isinstance(error, Mapping) else None
    return code if isinstance(code, str) else ""


def _refused(number: TrackingNumber | None, error: RejectedError) -> PackageOutcome:
    return PackageOutcome(
        tracking_number=number,
        outcome=CancelOutcome.REJECTED,
        carrier_code=error.carrier_code,
        text=error.carrier_message,
    )


def _other_days(response: Response, asked: date | None) -> Iterator[date]:
    """The days on which a booking to be shipped on *asked* can have been made, the latest first, none in the future."""
    today = (response.received_at + _PARIS_AHEAD).date()
    days = {today - timedelta(days=back) for back in range(_LOOK_BACK_DAYS + 1)}
    if asked is not None:
        # It is today's date where the host's clock stands, as a rule, and that may be the day before or after.
        days |= {asked - timedelta(days=1), asked + timedelta(days=1)}
    yield from sorted((day for day in days if day != asked and day <= today), reverse=True)
