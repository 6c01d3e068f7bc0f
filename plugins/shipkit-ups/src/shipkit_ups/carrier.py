"""The conversation with UPS; each operation loads its own part of the wire."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    ReplyError,
    UnavailableError,
)
from shipkit.flow import Flow, Request, Response, Token, path_segment, secret

if TYPE_CHECKING:
    from shipkit.model import (
        AddressCheck,
        AddressCheckResult,
        CancellationResult,
        CancelRequest,
        CarrierFacts,
        Document,
        DocumentQuery,
        InvoiceLine,
        Pickup,
        PickupCancelRequest,
        PickupRequest,
        Problem,
        RateQuote,
        RateRequest,
        ReturnRequest,
        ReturnShipment,
        ServicePoint,
        ServicePointQuery,
        ServiceTransit,
        Shipment,
        ShipmentRequest,
        Subscription,
        SubscriptionRequest,
        TrackQuery,
        TrackResult,
        WebhookDelivery,
    )
    from shipkit.webhooks import Scheme

    from .wire.labels import RecoveryRow
    from .wire.tracking import PackageRow

__all__ = ["Ups"]

# "servers" of every file: production, and the Customer Integration Environment, which books nothing.
_HOSTS: Final[Mapping[str, str]] = {"production": "https://onlinetools.ups.com"}
_TEST_HOST: Final = "https://wwwcie.ups.com"
_SOURCE: Final = "shipkit"
_PAGE: Final = 50  # Tracking.yaml, "count"
_PICKUP_BY_NUMBER: Final = "02"  # Pickup.yaml, CancelBy


def _texts(values: Iterable[str] | str) -> tuple[str, ...]:
    """One text is one, not its letters."""
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen(kw_only=True)
class Ups(Carrier):
    """A UPS account with the REST interface (files of github.com/UPS-API/api-documentation, e6f36df4da, 2026).

    ``client_id`` and ``client_secret`` are the application's; ``shipper_number`` is the six-character account it ships
    and is billed on. ``webhook_credentials`` are what Track Alert repeats in its pushes: the first is used for new
    subscriptions that have no ``secret`` of their own, all are accepted, and no other.
    """

    code: ClassVar[str] = "ups"

    client_id: str
    client_secret: str = secret()
    shipper_number: str
    webhook_credentials: tuple[str, ...] = attrs.field(
        default=(), converter=_texts, repr=False, metadata={"secret": True}
    )

    @classmethod
    def facts(cls) -> CarrierFacts:
        from .facts import FACTS

        return FACTS

    @classmethod
    def options_schema(cls) -> Mapping[str, Any]:
        """``pickup_type`` decides the rate table, ``taxes`` asks for prices with taxes (Rating.yaml)."""
        return {
            "properties": {
                "pickup_type": {"type": "string", "enum": ["01", "03", "06", "19", "20"]},
                "taxes": {"type": "boolean"},
            }
        }

    def problems(self, request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
        """UPS's demands that span several fields."""
        from .checks import problems

        return problems(request)

    def rates(self, request: RateRequest) -> Flow[tuple[RateQuote, ...]]:
        """Price *request*: the account's own price where it has one, with the published one beside it."""
        from .wire.rating import rates_to_wire, request_option

        payload = rates_to_wire(request, self.shipper_number)
        response = yield self._post(f"rating/v2409/{request_option(request)}", payload, "rates")
        from .wire.quotes import quotes_from_wire  # loads while nothing waits for the request any more

        return quotes_from_wire(request, response)

    def transit_times(self, request: RateRequest) -> Flow[tuple[ServiceTransit, ...]]:
        """When *request* would arrive, by service."""
        from .wire.common import reader
        from .wire.time_in_transit import TransitReply, transit_to_wire, transits_from_wire

        response = yield self._post("shipments/v1/transittimes", transit_to_wire(request), "transit_times")
        return transits_from_wire(reader.read(response, TransitReply), request, response.received_at)

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        """Book *request*; the labels come with the answer.

        Raises:
            RejectedError: UPS refused it and nothing was booked; code and message are UPS's own.
        """
        from .wire.shipping import shipment_from_wire, shipment_to_wire

        payload = shipment_to_wire(request, self.shipper_number)
        response = yield self._post("shipments/v2409/ship", payload, "create_shipment", replayable=False)
        return shipment_from_wire(request, response)

    def create_return(self, request: ReturnRequest) -> Flow[ReturnShipment]:
        """Book the way back; with a printed label it comes with the answer, else UPS brings it.

        Raises:
            InputError: UPS has no such return; nothing was sent.
            RejectedError: UPS refused it and nothing was booked.
        """
        from shipkit.model import ReturnShipment

        from .booking_checks import return_problems
        from .wire.shipping import return_to_wire, shipment_from_wire

        if problems := tuple(return_problems(request)):
            raise InputError(problems=problems)
        payload = return_to_wire(request, self.shipper_number)
        response = yield self._post("shipments/v2409/ship", payload, "create_return", replayable=False)
        shipment = shipment_from_wire(request.shipment, response, returned=request.kind)
        return ReturnShipment(
            kind=request.kind,
            shipment=shipment,
            outbound=request.outbound,
            authorization=request.authorization,
            messages=shipment.messages,
        )

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        """Every booking whose packages carry the mark as a reference number.

        Label recovery has the labels, but no way to say "none" (it refuses with 400) nor "voided"; tracking by
        reference has both.
        """
        from .wire.common import reader
        from .wire.labels import found_shipments
        from .wire.tracking import TrackReply, search_days, tracked_shipments

        mark = request.mark or request.reference
        rows, received_at = yield from self._recovered(request, mark)
        params = {"locale": "en_US", "shipperNum": self.shipper_number, "refNumType": "SmallPackage"}
        params |= search_days(request.ship_on)
        url = self._url(f"track/v1/reference/details/{path_segment(mark)}")
        try:
            response = yield Request.get(url, name="find_shipments", params=params)
        except NotFoundError:
            return found_shipments(request, rows, (), received_at) if received_at else ()
        tracked = tracked_shipments(reader.read(response, TrackReply))
        return found_shipments(request, rows, tracked, response.received_at)

    def _recovered(self, request: ShipmentRequest, mark: str) -> Flow[tuple[list[RecoveryRow], datetime | None]]:
        """What label recovery knows by *mark*: one booking with its labels, several by their numbers, one by one."""
        from .wire.labels import candidates_from_wire, recovery_to_wire

        payload = recovery_to_wire(mark=mark, shipper_number=self.shipper_number, label=request.label)
        try:
            first, received_at = yield from self._recovery(payload)
        except (RejectedError, NotFoundError):
            return [], None
        rows = [first]
        for number in candidates_from_wire(first):
            row, received_at = yield from self._recovery(recovery_to_wire(number=number, label=request.label))
            rows.append(row)
        return rows, received_at

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]:
        """The papers of each package once more, in another format if one is asked for (PDF too)."""
        from .wire.labels import documents_from_wire, recovery_to_wire

        found: list[Document] = []
        for number in [number.value for number in query.tracking_numbers] or [query.shipment_id]:
            row, _ = yield from self._recovery(recovery_to_wire(number=number, label=query.label))
            found += documents_from_wire(row, kind=query.label_kind)
        unique = tuple(dict.fromkeys(found))  # the invoice comes with every package
        return tuple(paper for paper in unique if not query.kinds or paper.kind in query.kinds)

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        """Void the shipment, or some of its packages.

        A shipment that is void already is refused like any other that cannot be voided; what it is, tracking says.

        Raises:
            RejectedError: UPS refused and the shipment is as it was.
        """
        from .wire.common import reader
        from .wire.void import VoidReply, already_voided, cancellation_from_wire, void_params

        url = self._url(f"shipments/v2409/void/cancel/{path_segment(request.shipment_id)}")
        try:
            response = yield Request.delete(url, name="cancel_shipment", params=void_params(request))
        except RejectedError:
            if not (yield from self._is_voided(request)):
                raise
            return already_voided(request)
        return cancellation_from_wire(request, reader.read(response, VoidReply))

    def _is_voided(self, request: CancelRequest) -> Flow[bool]:
        from .wire.common import reader
        from .wire.tracking import TrackReply, tracked_shipments

        for number in [number.value for number in request.tracking_numbers] or [request.shipment_id]:
            url = self._url(f"track/v1/details/{path_segment(number)}")
            try:
                response = yield Request.get(url, name="track", params={"locale": "en_US"})
            except NotFoundError:
                return False
            found = tracked_shipments(reader.read(response, TrackReply))
            if not found or any(shipment.live for shipment in found):
                return False
        return True

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        """Every activity of every package of the shipment that *query* names a package of."""
        from .wire.common import reader
        from .wire.tracking import TrackReply, packages_of, track_params, tracked_from_wire, warnings_of

        number = path_segment(query.number.value)
        url = self._url(f"track/v1/details/{number}")
        response = yield Request.get(url, name="track", params=track_params(query))
        reply = reader.read(response, TrackReply)
        packages, messages = packages_of(reply), warnings_of(reply)
        if not packages:
            told = messages[0] if messages else None
            raise NotFoundError.of(
                response,
                carrier_code=(told and told.carrier_code) or "",
                carrier_message=(told and told.text) or "no package",
            )
        if len(packages) < max(package.packageCount or 0 for package in packages):
            packages = (yield from self._all_packages(number, query)) or packages
        return tracked_from_wire(query, packages, messages, response)

    def _all_packages(self, number: str, query: TrackQuery) -> Flow[list[PackageRow]]:
        """The shipment's packages, page by page, in its own order."""
        from .wire.common import reader
        from .wire.tracking import TrackReply, locale_of, packages_of

        packages: list[PackageRow] = []
        while True:
            params = {"locale": locale_of(query.language), "offset": str(len(packages)), "count": str(_PAGE)}
            url = self._url(f"track/v1/shipment/details/{number}")
            response = yield Request.get(url, name="track", params=params)
            page = packages_of(reader.read(response, TrackReply))
            packages += page
            if not page or len(packages) >= max(package.packageCount or 0 for package in page):
                return packages

    def book_pickup(self, request: PickupRequest) -> Flow[Pickup]:
        """Order a collection, paid by the account.

        Raises:
            RejectedError: UPS refused it and nobody will come.
        """
        from .wire.common import reader
        from .wire.pickup import PickupReply, pickup_from_wire, pickup_to_wire

        payload = pickup_to_wire(request, self.shipper_number)
        response = yield self._post("pickupcreation/v2409/pickup", payload, "book_pickup", replayable=False)
        return pickup_from_wire(request, reader.read(response, PickupReply), response.received_at)

    def cancel_pickup(self, request: PickupCancelRequest) -> Flow[CancellationResult]:
        """Call a collection off by its request number."""
        from .wire.common import reader
        from .wire.pickup import PickupCancelReply, pickup_cancellation_from_wire

        url = self._url(f"shipments/v2409/pickup/{_PICKUP_BY_NUMBER}")
        response = yield Request.delete(url, name="cancel_pickup", headers={"Prn": request.confirmation})
        return pickup_cancellation_from_wire(reader.read(response, PickupCancelReply))

    def check_address(self, request: AddressCheck) -> Flow[AddressCheckResult]:
        """Whether an address of the US or Puerto Rico exists, and whether somebody lives there.

        Raises:
            InputError: it is in another country.
        """
        from shipkit.model import Problem, ProblemCode

        from .wire.address import (
            AddressReply,
            address_check_from_wire,
            address_check_option,
            address_check_to_wire,
        )
        from .wire.common import reader

        if request.address.country not in ("US", "PR"):
            text = "UPS knows the addresses of the US and Puerto Rico only"
            raise InputError(problems=(Problem(path="/address/country", code=ProblemCode.NOT_OFFERED, text=text),))
        path = f"addressvalidation/v2/{address_check_option(request)}"
        response = yield self._post(path, address_check_to_wire(request), "check_address")
        return address_check_from_wire(request, reader.read(response, AddressReply))

    def service_points(self, query: ServicePointQuery) -> Flow[tuple[ServicePoint, ...]]:
        """UPS Access Points, nearest first.

        Raises:
            NotFoundError: UPS says that it has none there.
        """
        from .wire.common import reader
        from .wire.locator import ACCESS_POINTS, LocatorReply, locator_to_wire, points_from_wire

        path = f"locations/v3/search/availabilities/{ACCESS_POINTS}"
        response = yield self._post(path, locator_to_wire(query), "service_points")
        return points_from_wire(query, reader.read(response, LocatorReply), response)

    def subscribe(self, request: SubscriptionRequest) -> Flow[Subscription]:
        """Have UPS push every event of these numbers for 14 days.

        Raises:
            InputError: there is no credential for the pushes, neither in *request* nor in the account.
        """
        from shipkit.model import Problem, ProblemCode

        from .wire.alerts import subscription_from_wire, subscription_to_wire

        credential = request.secret or next(iter(self.webhook_credentials), "")
        if not credential:
            text = "UPS demands a credential that its pushes repeat: give one here or in the account"
            raise InputError(problems=(Problem(path="/secret", code=ProblemCode.MISSING, text=text),))
        payload = subscription_to_wire(request, credential)
        path = "track/v1/subscription/standard/package"
        response = yield self._post(path, payload, "subscribe", replayable=False)
        return subscription_from_wire(request, response)

    @property
    def webhook_scheme(self) -> Scheme:
        """A push repeats the subscription's credential: it names the sender and signs nothing."""
        from shipkit.webhooks import SharedHeader

        return SharedHeader(header="credential")

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return self.webhook_credentials

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        """The one event that a Track Alert push tells.

        Raises:
            ReplyError: the body is no Track Alert.
        """
        import json

        from .wire.alerts import alert_from_wire

        try:
            payload = json.loads(delivery.body)
        except (ValueError, RecursionError) as error:
            raise ReplyError("the push is not JSON @ $", paths=("$",)) from error
        return (alert_from_wire(delivery, payload),)

    def read_invoice(self, content: bytes) -> tuple[InvoiceLine, ...]:
        """What UPS's billing data file (CSV, from the Billing Center) bills, by parcel and reason.

        Raises:
            InputError: it is no billing data file, or a row of it cannot be read; line and column are named.
        """
        from .billing import lines_from_file

        return lines_from_file(content)

    def check(self, response: Response) -> None:
        """UPS words its refusals in ``response.errors``; a status without that body comes from somewhere before UPS."""
        status = response.status
        if status < 300:
            self._check_success(response)
            return
        from .wire.common import refusal

        told = refusal(response)
        code, text = told or ("", "")
        request_id = response.headers.get("bkndtransid", "")
        if status == 401:
            raise AuthenticationError.of(response, carrier_code=code, carrier_message=text, request_id=request_id)
        if status == 429:
            raise RateLimitedError.of(response, carrier_code=code, carrier_message=text, request_id=request_id)
        if status >= 500 or told is None:
            raise UnavailableError.of(response, carrier_code=code, carrier_message=text, request_id=request_id)
        kind = NotFoundError if status == 404 else RejectedError
        raise kind.of(response, carrier_code=code, carrier_message=text, request_id=request_id)

    def _check_success(self, response: Response) -> None:
        body = response.json()
        if isinstance(body, dict) and ("response" in body or "errors" in body):
            from .wire.common import refusal

            if told := refusal(response):
                raise RejectedError.of(response, carrier_code=told[0], carrier_message=told[1])

    def authenticate(self) -> Flow[Token]:
        """An access token by client credentials (OAuthClientCredentials.yaml); it holds for some four hours."""
        pair = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "x-merchant-id": self.shipper_number}
        response = yield Request.form(
            f"{self._host()}/security/v1/oauth/token",
            {"grant_type": "client_credentials"},
            name="token",
            replayable=True,
            signed=False,
            headers=headers,
        )
        body = response.json()
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
            raise ReplyError.of(response, message="required field missing @ $.access_token", paths=("$.access_token",))
        lifetime = str(body.get("expires_in", ""))  # UPS sends the seconds as text
        said = lifetime.isascii() and lifetime.isdigit() and len(lifetime) < 10
        expires_at = response.received_at + timedelta(seconds=int(lifetime)) if said else None
        return Token(value=body["access_token"], expires_at=expires_at)

    def authorize(self, request: Request, token: Token) -> Request:
        """The token, and the two headers by which UPS tells requests apart (``transId`` of at most 32 characters)."""
        fields = {"Authorization": f"Bearer {token.value}", "transactionSrc": _SOURCE}
        if request.id:
            fields["transId"] = request.id[-32:]
        return request.with_headers(fields)

    def _recovery(self, payload: Mapping[str, object]) -> Flow[tuple[RecoveryRow, datetime]]:
        from .wire.common import reader
        from .wire.labels import RecoveryReply

        response = yield self._post("labels/v1/recovery", payload, "documents")
        return reader.read(response, RecoveryReply).LabelRecoveryResponse, response.received_at

    def _post(self, path: str, payload: object, name: str, *, replayable: bool = True) -> Request:
        return Request.json("POST", self._url(path), payload, name=name, replayable=replayable)

    def _url(self, path: str) -> str:
        return f"{self._host()}/api/{path}"

    def _host(self) -> str:
        return self.base_url.rstrip("/") or _HOSTS.get(self.environment.value, _TEST_HOST)
