"""DPD France on loopback: the same envelopes, refusals as HTTP 500 with a code in their detail, labels in every type.

It keeps bookings and moves parcels on the virtual clock. What DPD France says of a parcel that it does not know, and
of one that is under way and cannot be terminated, no source has: those two codes, `UNKNOWN` and `UNDER_WAY`, are made
up, and so are prices. A parcel terminated twice is terminated. Any user with a password is let in, unless `users` names
some.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Final, TypeVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import attrs

from shipkit.simulator import Booking, Call, Dialect, NotInBooksError, Reply, World, route
from shipkit.simulator.labels import LabelFields, render

from .codes import CLASSIC, LABELS, PREDICT, RELAIS

__all__ = ["UNDER_WAY", "UNKNOWN", "DpdFrDialect"]

UNKNOWN: Final = "UnknownShipment"
UNDER_WAY: Final = "ShipmentUnderWay"

_NAMESPACE: Final = "http://www.cargonet.software"
_SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_SOURCE: Final = 902  # recorded
_RETOUR: Final = "retour"
# The service in a bar code, up to one kilogram and above (SDK, DeliveryServiceCatalog; recorded: 101 and 337).
_SERVICE_CODES: Final = {
    CLASSIC: ("136", "101"),
    PREDICT: ("328", "327"),
    RELAIS: ("338", "337"),
    _RETOUR: ("332",) * 2,
}
_PRICES: Final = {CLASSIC: Decimal("8.40"), PREDICT: Decimal("7.20"), RELAIS: Decimal("5.60"), _RETOUR: Decimal("5.90")}
_HEAVIEST_KG: Final = Decimal("31.5")
_TOO_HEAVY: Final = ("InvalidWeight", "Invalid weight - Maximum supported weight is 31,5")  # recorded
_PARIS_AHEAD: Final = timedelta(hours=1)

H = TypeVar("H", bound=Callable[..., Reply])


class _Refusal(Exception):  # noqa: N818  the carrier's, not ours
    """What the carrier says no with."""

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.error_id, self.message = error_id, message


def _service(operation: str, *, purchase: bool = False) -> Callable[[H], H]:
    """An operation, under the paths that the carrier's two servers have and under ours."""

    def stacked(handler: H) -> H:
        for path in ("/eprintwebservice.asmx", "/{server}/eprintwebservice.asmx"):
            handler = route("POST", path, operation=operation, purchase=purchase)(handler)
        return handler

    return stacked


class DpdFrDialect(Dialect):
    """DPD France's side of the conversation."""

    code = "dpd_fr"

    def __init__(self, world: World | None = None) -> None:
        super().__init__(world)
        self.users: dict[str, str] = {}

    def operation_of(self, call: Call) -> str:
        return call.soap_operation()

    def mark_of(self, call: Call) -> str:
        return _identity(_asked(call)).rpartition("/")[0] or _identity(_asked(call))

    def reference_of(self, call: Call) -> str:
        request = _asked(call)
        first = _children(request, "slaves/SlaveRequest")[:1] or [request]
        return _text(first[0], "reference2") or _text(request, "customLabelText")

    def handle(self, call: Call) -> Reply:
        try:
            if call.soap_operation():
                self._let_in(call)
            return super().handle(call)
        except _Refusal as refusal:
            return _fault(call, refusal.message, refusal.error_id)

    # Bookings

    @_service("CreateShipmentWithLabelsBc", purchase=True)
    def create(self, call: Call) -> Reply:
        request = _asked(call)
        piece = self._piece(request, _product(request))
        reverse = self._piece(request, _RETOUR) if request.find("{*}services/{*}reverse") is not None else None
        booking = self._book(call, request, [piece], piece.service, {"reverse": reverse})
        parcels = [(piece, "EPRINT"), *([(reverse, "REVERSE")] if reverse else [])]
        labels = [(piece, "BIC3"), *([(reverse, "REVERSEBIC3")] if reverse else [])]
        shipments = "".join(_parcel(parcel, kind) for parcel, kind in parcels)
        return _result(
            call, f"<shipments>{shipments}</shipments><labels>{self._labels(booking, request, labels)}</labels>"
        )

    @_service("CreateShipmentWithLabels", purchase=True)
    def create_by_numbers(self, call: Call) -> Reply:
        """The older form, that other people's clients use: numbers of a depot in place of a bar code's."""
        request = _asked(call)
        piece = self._piece(request, _product(request))
        booking = self._book(call, request, [piece], piece.service)
        customer = _customer(request)
        shipment = (
            f"<Shipment><countrycode>{customer['countrycode']}</countrycode>"
            f"<centernumber>{customer['centernumber']}</centernumber><parcelnumber>{piece.number[5:]}</parcelnumber>"
            f"<barcode>{piece.number}</barcode><type>EPRINT</type></Shipment>"
        )
        labels = self._labels(booking, request, [(piece, "EPRINT")])
        return _result(call, f"<shipments>{shipment}</shipments><labels>{labels}</labels>")

    @_service("CreateMultiShipmentBc", purchase=True)
    def create_several(self, call: Call) -> Reply:
        request = _asked(call)
        service = _product(request)
        slaves = _children(request, "slaves/SlaveRequest")
        if not slaves:
            return _unreadable(call)
        pieces = [self._piece(slave, service, journey=request) for slave in slaves]
        self._book(call, request, pieces, service)
        master = attrs.evolve(pieces[0], number=self._number())
        shipments = "".join(_parcel(piece, "EPRINT") for piece in pieces)
        return _result(call, f"{_parcel(master, 'MASTER', 'mastershipment')}<shipments>{shipments}</shipments>")

    @_service("CreateReverseInverseShipmentWithLabelsBc", purchase=True)
    def create_return(self, call: Call) -> Reply:
        request = _asked(call)
        if not _text(request, "expire_offset").isdigit():
            return _unreadable(call)
        piece = self._piece(request, _RETOUR)
        booking = self._book(call, request, [piece], _RETOUR)
        labels = self._labels(booking, request, [(piece, "REVERSEBIC3")])
        return _result(call, f"{_parcel(piece, 'REVERSE', 'Shipment')}<Labels>{labels}</Labels>")

    # Bookings that exist

    @_service("GetLabelBc")
    def label(self, call: Call) -> Reply:
        request = _asked(call)
        booking = self._known(_text(request, "shipmentNumber"), request)
        piece = self._piece_of(booking, _text(request, "shipmentNumber"))
        labels = self._labels(booking, request, [(piece, "BIC3")])
        return _result(call, f"<labels>{labels}</labels><shipment>{_barcode(piece)}</shipment>")

    @_service("TerminateShipment")
    def terminate(self, call: Call) -> Reply:
        request = _asked(call)
        number = _text(request, "BarcodeId")
        booking = self._known(number, request)
        if number not in booking.voided_numbers and self.world.in_custody(booking.id):
            raise _Refusal(UNDER_WAY, "Shipment is under way")
        self.world.void(booking.id, [number])
        return _result(call, None)

    @_service("GetShipping")
    def day(self, call: Call) -> Reply:
        request, now = _asked(call), self.world.clock.now()
        account = _account(request)
        rows = [
            _row(self._piece_of(booking, number))
            for booking in self.world.bookings()
            for number in booking.numbers
            if booking.account == account
            and booking.visible_at <= now
            and number not in booking.voided_numbers
            and f"{_in_paris(booking.created_at):%d/%m/%Y}" == _text(request, "date").replace(".", "/")
        ]
        return _result(call, f"<shippings>{''.join(rows)}</shippings>" if rows else "<shippings />")

    @_service("CreatePickupAtCustomerBc", purchase=True)
    def pickup(self, call: Call) -> Reply:
        request = _asked(call)
        numbers = [item.text or "" for item in _children(request, "shipments/string")]
        for number in numbers:
            self._known(number, request)
        sin = str(self.world.next("pickup", start=8_000_000))
        self.world.add_pickup(
            pickup_id=sin, account=_account(request), numbers=numbers, day=_text(request, "pick_date")
        )
        return _result(call, f"<Sin>{sin}</Sin>")

    @route("GET", "/eprintwebservice.asmx", operation="wsdl")
    @route("GET", "/{server}/eprintwebservice.asmx", operation="wsdl")
    def wsdl(self, call: Call) -> Reply:
        text = files("shipkit_dpd_fr").joinpath("dpd_fr.wsdl").read_text("utf-8")
        real = "https://e-station-testenv.cargonet.software/eprintwebservice/eprintwebservice.asmx"
        return Reply.xml(text.replace(real, f"{call.base_url}{call.path}"))

    # How it fails

    def failure(self, status: int, call: Call) -> Reply:
        """A fault without a code where the service itself fails, else a page of what stands before it."""
        if status == 400:
            return _unreadable(call)
        if status == 500:
            return _fault(call, "Server was unable to process request.")
        return Reply.html(f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>", status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        if committed:
            return _fault(call, "Server was unable to process request.", status=200)
        return _fault(call, _TOO_HEAVY[1], _TOO_HEAVY[0], status=200)

    def unauthorised(self, call: Call) -> Reply:
        return _fault(call, "Permission denied", "PermissionDenied")

    # Helpers

    def _let_in(self, call: Call) -> None:
        header = call.xml().find("{*}Header/{*}UserCredentials")
        user, password = (_text(header, name) for name in ("userid", "password"))
        if not user or not password or (self.users and self.users.get(user) != password):
            raise _Refusal("PermissionDenied", "Permission denied")

    def _number(self) -> str:
        return f"10774{self.world.next('parcel', start=300_000):09}"

    def _piece(self, described: ET.Element, service: str, journey: ET.Element | None = None) -> _Piece:
        weight = _kilograms(_text(described, "weight"))
        whole = described if journey is None else journey
        return _Piece(
            number=self._number(),
            service=service,
            weight=weight,
            reference=_text(described, "referencenumber"),
            order=_text(described, "reference2") or _text(described, "customLabelText"),
            ship_from=_lines(whole, "shipper"),
            ship_to=_lines(whole, "receiver"),
            name=_text(whole, "receiveraddress/name"),
            street=_text(whole, "receiveraddress/street"),
            city=_text(whole, "receiveraddress/city"),
            postal_code=_text(whole, "receiveraddress/zipCode"),
            country=_text(whole, "receiveraddress/countryPrefix"),
            point=_text(described, "services/parcelshop/shopaddress/shopid"),
        )

    def _book(
        self,
        call: Call,
        request: ET.Element,
        pieces: Sequence[_Piece],
        service: str,
        more: Mapping[str, object] | None = None,
    ) -> Booking:
        to_point = service == RELAIS and self.world.journeys == ("delivered",)
        return self.world.book(
            booking_id=pieces[0].number,
            numbers=[piece.number for piece in pieces],
            service=service,
            reference=self.reference_of(call),
            mark=self.mark_of(call),
            account=_account(request),
            price=_PRICES[service] * len(pieces),
            journeys=("pickup_point",) if to_point else (),
            raw=call.body,
            details={"pieces": {piece.number: piece for piece in pieces}, **(more or {})},
        )

    def _known(self, number: str, request: ET.Element) -> Booking:
        try:
            booking = self.world.by_number(number)
        except NotInBooksError:
            raise _Refusal(UNKNOWN, "Unknown shipment") from None
        if booking.account != _account(request):
            raise _Refusal(UNKNOWN, "Unknown shipment")
        return booking

    def _piece_of(self, booking: Booking, number: str) -> _Piece:
        piece: _Piece = booking.details["pieces"][number]
        return attrs.evolve(piece, place=f"{booking.numbers.index(number) + 1}/{len(booking.numbers)}")

    def _labels(self, booking: Booking, request: ET.Element, labels: Iterable[tuple[_Piece, str]]) -> str:
        wire_type = _text(request, "labelType/type") or "PDF"
        self.world.issue_label(booking.id)
        return "".join(
            f"<Label><type>{kind}</type><label>{b64encode(_drawn(piece, wire_type)).decode()}</label></Label>"
            for piece, kind in labels
        )


@attrs.frozen(kw_only=True)
class _Piece:
    """One parcel as the carrier keeps it."""

    number: str
    service: str
    weight: Decimal
    reference: str
    order: str
    ship_from: tuple[str, ...]
    ship_to: tuple[str, ...]
    name: str
    street: str
    city: str
    postal_code: str
    country: str
    point: str = ""
    place: str = ""

    @property
    def barcode(self) -> str:
        """Recorded: %, seven characters of postal code, number, service, source."""
        digits = "".join(char for char in self.postal_code if char.isalnum())
        service = _SERVICE_CODES[self.service][self.weight > 1]
        return f"%{digits:0>7.7}{self.number}{service}{_SOURCE}"


# ---- the request


def _asked(call: Call) -> ET.Element:
    found = call.xml().find("{*}Body/*/{*}request")
    return found if found is not None else ET.Element("request")


def _text(element: ET.Element | None, path: str) -> str:
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/"))) if element is not None else None
    return ((found.text if found is not None else "") or "").strip()


def _children(element: ET.Element, path: str) -> list[ET.Element]:
    return element.findall("/".join(f"{{*}}{step}" for step in path.split("/")))


def _identity(request: ET.Element) -> str:
    first = _children(request, "slaves/SlaveRequest")[:1] or [request]
    return _text(first[0], "referencenumber")


def _customer(request: ET.Element) -> dict[str, str]:
    """Bookings have the three numbers side by side, other requests in an element of their own."""
    names = ("countrycode", "centernumber", "number")
    return {name: _text(request, f"customer_{name}") or _text(request, f"customer/{name}") for name in names}


def _account(request: ET.Element) -> str:
    return "-".join(number.lstrip("0") for number in _customer(request).values())


def _product(request: ET.Element) -> str:
    if _text(request, "services/parcelshop/shopaddress/shopid"):
        return RELAIS
    return PREDICT if _text(request, "services/contact/type") == "Predict" else CLASSIC


def _kilograms(text: str) -> Decimal:
    try:
        weight = Decimal(text.replace(",", "."))
    except InvalidOperation:
        weight = Decimal(0)
    if not 0 < weight <= _HEAVIEST_KG:
        raise _Refusal(*_TOO_HEAVY)
    return weight


def _lines(request: ET.Element, side: str) -> tuple[str, ...]:
    named = [_text(request, f"{side}address/{name}") for name in ("name", "street")]
    further = [_text(request, f"{side}info/{name}") for name in ("contact", "name2", "name3", "name4")]
    town = f"{_text(request, f'{side}address/zipCode')} {_text(request, f'{side}address/city')}"
    country = _text(request, f"{side}address/countryPrefix")
    return tuple(line for line in (*named, *further, town, country) if line)


def _in_paris(at: datetime) -> datetime:
    """Near enough for the day of a list: the carrier's winter time."""
    return at + _PARIS_AHEAD


# ---- the answer


def _drawn(piece: _Piece, wire_type: str) -> bytes:
    label = LABELS.get(wire_type, LABELS["PDF"])
    fields = LabelFields(
        carrier="DPD France",
        service=piece.service,
        number=piece.number,
        reference=piece.order,
        mark=piece.reference,
        ship_from=piece.ship_from,
        ship_to=piece.ship_to,
        package=piece.place,
        weight=f"{piece.weight} kg",
        extra=(f"DPD RELAIS {piece.point}",) if piece.point else (),
        barcode=piece.barcode,
    )
    size = "A4" if label.page is not None and label.page.value == "a4" else "A6"
    return render(label.format.value, fields, dpi=label.dpi or 203, size=size)


def _barcode(piece: _Piece) -> str:
    return (
        f"<BarcodeId>{piece.number}</BarcodeId><BarcodeSource>{_SOURCE}</BarcodeSource>"
        f"<BarCode>{escape(piece.barcode)}</BarCode>"
    )


def _parcel(piece: _Piece, kind: str, name: str = "ShipmentBc") -> str:
    return f"<{name}><Shipment>{_barcode(piece)}</Shipment><Type>{kind}</Type></{name}>"


def _row(piece: _Piece) -> str:
    prefix = {"FR": "F", "DE": "D", "BE": "B", "ES": "E", "IT": "I"}.get(piece.country, piece.country)
    address = "".join(
        f"<{name}>{escape(value)}</{name}>"
        for name, value in (
            ("countryPrefix", prefix),
            ("zipCode", piece.postal_code),
            ("city", piece.city),
            ("street", piece.street),
            ("name", piece.name),
            ("CountryPrefixIso2", piece.country),
        )
        if value
    )
    reference = f"<reference>{escape(piece.reference)}</reference>" if piece.reference else ""
    return (
        f"<Shipping><shipment>250077{piece.number}</shipment><barcodeSource>{_SOURCE}</barcodeSource>"
        f"<barcodeId>{piece.number}</barcodeId><weight>{piece.weight}</weight>"
        f"<receiverAddress>{address}</receiverAddress>{reference}</Shipping>"
    )


def _result(call: Call, content: str | None) -> Reply:
    name = call.soap_operation()
    inner = f"<{name}Result>{content}</{name}Result>" if content is not None else ""
    return _envelope(call, f'<{name}Response xmlns="{_NAMESPACE}">{inner}</{name}Response>')


def _fault(call: Call, message: str, error_id: str = "", status: int = 500) -> Reply:
    """Recorded: the detail repeats the fault's words beside the code."""
    text = escape(message)
    error = f"<Error><ErrorId>{error_id}</ErrorId><ErrorMessage>{text}</ErrorMessage></Error>" if error_id else ""
    if _is_soap_12(call):
        body = (
            "<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value></soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
            f"<soap:Detail>{error}</soap:Detail></soap:Fault>"
        )
    else:
        body = (
            f"<soap:Fault><faultcode>soap:Server</faultcode><faultstring>{text}</faultstring>"
            f"<detail>{error}</detail></soap:Fault>"
        )
    return _envelope(call, body, status)


def _unreadable(call: Call) -> Reply:
    """What the framework of such services says of an envelope that does not fit."""
    return _fault(call, "Server was unable to read request. ---> There is an error in the XML document.")


def _is_soap_12(call: Call) -> bool:
    return _SOAP_12.encode() in call.body


def _envelope(call: Call, body: str, status: int = 200) -> Reply:
    version, kind = (_SOAP_12, "application/soap+xml") if _is_soap_12(call) else (_SOAP_11, "text/xml")
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{version}"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    headers = {"Cache-Control": "private, max-age=0" if status == 200 else "private", "X-AspNet-Version": "4.0.30319"}
    return Reply.raw(text.encode(), f"{kind}; charset=utf-8", status, headers)
