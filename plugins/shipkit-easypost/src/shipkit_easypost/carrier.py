"""EasyPost: many carriers behind one REST interface."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import InputError, NotFoundError, RejectedError, ReplyError, ShipkitError
from shipkit.flow import Flow, Request, Response, path_segment, secret
from shipkit.model import Environment, Problem, ProblemCode

if TYPE_CHECKING:
    from shipkit.model import (
        AddressCheck,
        AddressCheckResult,
        CancellationResult,
        CancelRequest,
        CarrierFacts,
        Document,
        DocumentQuery,
        InsurancePolicy,
        InsuranceRequest,
        Manifest,
        ManifestRequest,
        Pickup,
        PickupCancelRequest,
        PickupRequest,
        RateQuote,
        RateRequest,
        RefundRequest,
        ReturnRequest,
        ReturnShipment,
        ServiceTransit,
        Shipment,
        ShipmentRequest,
        Subscription,
        SubscriptionRequest,
        TrackingNumber,
        TrackQuery,
        TrackResult,
        WebhookDelivery,
    )
    from shipkit.webhooks import Hmac

    from .wire.shipments import ShipmentRow
    from .wire.subscriptions import WebhookRow

__all__ = ["EasyPost"]

_HOST: Final = "https://api.easypost.com"

# What EasyPost's dashboard gives out: a test key spends nothing, a production key does.
_KEYS: Final = {"EZTK": Environment.TEST, "EZAK": Environment.PRODUCTION}


def _environment_of_key(account: EasyPost) -> Environment:
    return _KEYS.get(account.api_key[:4], Environment.TEST)


@attrs.frozen(kw_only=True)
class EasyPost(Carrier):
    """An account at EasyPost (API v2; sources in ``facts.py``): one key, and the carriers that stand behind it.

    The key decides whether money is spent: ``environment`` follows from its prefix, and one that contradicts it is
    refused. ``webhook_secret`` signs the pushes. Services are written as carrier and service, such as
    ``usps/GroundAdvantage``.
    """

    code: ClassVar[str] = "easypost"

    api_key: str = secret()
    webhook_secret: str = attrs.field(default="", repr=False, metadata={"secret": True})
    environment: Environment = attrs.field(
        default=attrs.Factory(_environment_of_key, takes_self=True), converter=Environment
    )

    def __attrs_post_init__(self) -> None:
        expected = _KEYS.get(self.api_key[:4], self.environment)
        if expected is not self.environment:
            text = f"the key is a {expected} key: it cannot serve {self.environment}"
            raise InputError(problems=(Problem(path="/environment", code=ProblemCode.INCONSISTENT, text=text),))

    @classmethod
    def facts(cls) -> CarrierFacts:
        """What EasyPost takes, offers and promises."""
        from .facts import FACTS

        return FACTS

    @classmethod
    def options_schema(cls) -> Mapping[str, Any]:
        """What ``carrier_options["easypost"]`` may hold."""
        from .facts import OPTIONS_SCHEMA

        return OPTIONS_SCHEMA

    def check(self, response: Response) -> None:
        """EasyPost's errors are objects named ``error``; a 5xx proves nothing and is left to the driver."""
        from .wire.errors import check

        check(response)

    def sign(self, request: Request) -> Request:
        """The key is the user of HTTP basic authentication, without a password."""
        credentials = base64.b64encode(f"{self.api_key}:".encode()).decode()
        return request.with_header("Authorization", f"Basic {credentials}")

    def problems(self, request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
        """What EasyPost has no field for, and what it demands beyond its facts."""
        from .wire.demands import problems

        return problems(request)

    # Prices and bookings

    def rates(self, request: RateRequest) -> Flow[tuple[RateQuote, ...]]:
        """Price *request* at every carrier of the account; each quote can be bought as it is.

        Raises:
            RejectedError: no carrier gave a price; the message has each carrier's own words.
        """
        from .wire.common import messages_from_wire, reader
        from .wire.drafts import draft_to_wire
        from .wire.rates import RatesReply, quotes_from_wire

        response = yield self._post("/shipments", draft_to_wire(request), "rates", replayable=True)
        reply = reader.read(response, RatesReply)
        if not reply.rates and reply.messages:
            said = "; ".join(message.text or "" for message in messages_from_wire(reply.messages))
            raise RejectedError.of(response, message="no carrier of the account quoted", carrier_message=said)
        return tuple(quotes_from_wire(reply, request.services, response.received_at))

    def transit_times(self, request: RateRequest) -> Flow[tuple[ServiceTransit, ...]]:
        """Business days by service, from EasyPost's history of the lane; within the United States only."""
        from .wire.common import reader
        from .wire.drafts import draft_to_wire
        from .wire.rates import RatesReply, SmartRates, transits_from_wire

        response = yield self._post("/shipments", draft_to_wire(request), "rates", replayable=True)
        draft = reader.read(response, RatesReply)
        response = yield self._get(f"/shipments/{path_segment(draft.id)}/smartrate", "transit_times")
        return tuple(transits_from_wire(reader.read(response, SmartRates), request.services, response.received_at))

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        """Draft *request* under its mark, pick the cheapest rate of its service, and buy it.

        With a ``quote_id`` that quote's own draft is bought: its parcel and options are those of the request that was
        quoted, and its label is a PNG: one in another format is left for ``documents`` to convert.

        Raises:
            RejectedError: refused, and nothing was bought.
        """
        from .wire.shipments import shipment_from_wire

        row, received_at = yield from self._bought(request, returning=False)
        return shipment_from_wire(request, row, received_at)

    def create_return(self, request: ReturnRequest) -> Flow[ReturnShipment]:
        """A label for the way back, from the customer (``ship_from``) to the place that takes the goods.

        Raises:
            InputError: another label is wanted than one to be printed, or one that is valid for a time.
            RejectedError: refused, and nothing was bought.
        """
        from shipkit.model import ReturnShipment

        from .wire.demands import return_problems
        from .wire.shipments import shipment_from_wire

        if refused := tuple(return_problems(request)):
            raise InputError(problems=refused)
        row, received_at = yield from self._bought(
            request.shipment, returning=True, authorization=request.authorization
        )
        return ReturnShipment(
            kind=request.kind,
            shipment=shipment_from_wire(request.shipment, row, received_at),
            outbound=request.outbound,
            authorization=request.authorization,
        )

    def _bought(
        self, request: ShipmentRequest, *, returning: bool, authorization: str | None = None
    ) -> Flow[tuple[ShipmentRow, datetime]]:
        from .wire.common import reader
        from .wire.drafts import draft_to_wire
        from .wire.shipments import ShipmentRow, buy_to_wire, chosen_rate

        if request.quote_id:
            shipment_id, _, rate_id = request.quote_id.partition("/")
        else:
            body = draft_to_wire(request, returning=returning, authorization=authorization)
            response = yield self._post("/shipments", body, "draft", replayable=True)
            draft = reader.read(response, ShipmentRow)
            shipment_id, rate_id = draft.id, chosen_rate(request.service, draft, response)
        url = f"/shipments/{path_segment(shipment_id)}/buy"
        response = yield self._post(url, buy_to_wire(request, rate_id), "buy")
        return reader.read(response, ShipmentRow), response.received_at

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        """Every purchase under the request's mark, refunded ones included; of a quote, the purchase of that quote.

        The look-up by reference tells in which days to look, the list is the proof: see the recovery in ``facts.py``.
        """
        from .wire.common import reader
        from .wire.finding import first_page, is_purchase_of, looked_up, next_page
        from .wire.shipments import ShipmentRow, ShipmentsPage, shipment_from_wire

        found: dict[str, Shipment] = {}
        draft: ShipmentRow | None = None
        try:
            response = yield self._get(f"/shipments/{path_segment(looked_up(request))}", "find_shipments")
        except NotFoundError:
            pass
        else:
            draft = reader.read(response, ShipmentRow)
            if is_purchase_of(request, draft):
                found[draft.id] = shipment_from_wire(request, draft, response.received_at)
        params = first_page(request, draft)
        while params is not None:
            response = yield self._get("/shipments", "find_shipments", params)
            page = reader.read(response, ShipmentsPage)
            for row in page.shipments:
                if row.id not in found and is_purchase_of(request, row):
                    found[row.id] = shipment_from_wire(request, row, response.received_at)
            params = next_page(params, page)
        return tuple(found.values())

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]:
        """The label, converted where another format is wanted, and the forms. Only a PNG can be converted."""
        from .codes import LABEL_FORMATS
        from .wire.common import reader
        from .wire.labels import label_url, labels_from_wire
        from .wire.shipments import ShipmentRow

        url = f"/shipments/{path_segment(query.shipment_id)}"
        wanted = query.label.format if query.label is not None else None
        response = yield self._get(url, "documents")
        row = reader.read(response, ShipmentRow)
        if wanted is not None and row.postage_label is not None and label_url(row.postage_label, wanted) is None:
            name = LABEL_FORMATS.get(wanted, wanted.value.upper())
            response = yield self._get(f"{url}/label", "convert_label", {"file_format": name})
            row = reader.read(response, ShipmentRow)
        found = labels_from_wire(row.postage_label, row.forms, is_return=bool(row.is_return), wanted=wanted)
        if row.tracking_code and not found:
            path = "$.postage_label.label_url"
            raise ReplyError.of(response, message=f"bought, and without a label @ {path}", paths=(path,))
        return tuple(document for document in found if not query.kinds or document.kind in query.kinds)

    # Money back

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        """Ask for the money back; the carrier decides later, and a label already refunded is done."""
        from .wire.common import reader
        from .wire.refunds import refused_from_wire, result_from_shipment
        from .wire.shipments import ShipmentRow

        url = f"/shipments/{path_segment(request.shipment_id)}"
        try:
            response = yield self._post(f"{url}/refund", {}, "cancel_shipment", replayable=True)
        except RejectedError as refusal:
            response = yield self._get(url, "refund_status")
            return refused_from_wire(reader.read(response, ShipmentRow), refusal)
        return result_from_shipment(reader.read(response, ShipmentRow))

    def refund(self, request: RefundRequest) -> Flow[CancellationResult]:
        """Money back for tracking numbers of one carrier; where that is not known, their trackers are asked.

        Raises:
            InputError: the numbers are of several carriers.
        """
        from .codes import carrier_name
        from .wire.common import reader
        from .wire.refunds import RefundRow, refund_to_wire, results_from_wire
        from .wire.trackers import TrackerRow, tracker_to_wire

        carriers = {carrier_name(number.carrier) for number in request.tracking_numbers} - {""}
        for number in request.tracking_numbers:
            if not carrier_name(number.carrier):
                response = yield self._post("/trackers", tracker_to_wire(number), "track", replayable=True)
                carriers.add(reader.read(response, TrackerRow).carrier or "")
        response = yield self._post("/refunds", refund_to_wire(request, carriers), "refund")
        return results_from_wire(request, reader.read(response, tuple[RefundRow, ...]))

    # Following a parcel

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        """Everything EasyPost has of the parcel; asking for one it did not ship makes a tracker, which may cost."""
        from .wire.common import reader
        from .wire.trackers import TrackerRow, result_from_wire, tracker_to_wire

        response = yield self._post("/trackers", tracker_to_wire(query.number), "track", replayable=True)
        return result_from_wire(reader.read(response, TrackerRow), response.received_at, query.number)

    def subscribe(self, request: SubscriptionRequest) -> Flow[Subscription]:
        """Watch each number with a tracker, and have the account push to the callback, signed with the secret.

        Raises:
            RejectedError: EasyPost watches none of the numbers; nothing was set up.
        """
        from .wire.common import reader
        from .wire.subscriptions import subscription_from_wire
        from .wire.trackers import TrackerRow, tracker_to_wire

        accepted: list[TrackingNumber] = []
        refused: dict[str, ShipkitError] = {}
        for number in request.numbers:
            try:
                response = yield self._post("/trackers", tracker_to_wire(number), "track", replayable=True)
                reader.read(response, TrackerRow)
            except (RejectedError, NotFoundError) as error:
                refused[number.value] = error
            else:
                accepted.append(number)
        if not accepted:
            raise next(iter(refused.values()))
        webhook = yield from self._webhook(request)
        return subscription_from_wire(webhook, accepted, refused)

    def _webhook(self, request: SubscriptionRequest) -> Flow[WebhookRow]:
        """The account's webhook for the callback: a new one, or the one there is, enabled and with the secret."""
        from .wire.common import reader
        from .wire.subscriptions import WebhookRow, WebhooksReply, webhook_to_wire

        response = yield self._get("/webhooks", "webhooks")
        body = webhook_to_wire(request, self.webhook_secret)
        for row in reader.read(response, WebhooksReply).webhooks:
            if row.url == request.callback_url:
                change = Request.json("PATCH", self._url(f"/webhooks/{path_segment(row.id)}"), body, name="subscribe")
                response = yield change
                break
        else:
            response = yield self._post("/webhooks", {"webhook": {"url": request.callback_url, **body}}, "subscribe")
        return reader.read(response, WebhookRow)

    @property
    def webhook_scheme(self) -> Hmac:
        """EasyPost signs the body (PyPI easypost/util.py, validate_webhook); there is no time in it."""
        from shipkit.webhooks import Hmac

        return Hmac(header="X-Hmac-Signature", prefix="hmac-sha256-hex=", normalise="NFKD")

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secret of the account's webhooks, where the host configured one."""
        return (self.webhook_secret,) if self.webhook_secret else ()

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        """The tracker of a push; other events (batches, reports, refunds) say nothing of a parcel's way.

        Raises:
            ReplyError: the push cannot be read.
        """
        from .wire.trackers import results_from_push

        return results_from_push(delivery)

    # Addresses, pickups, manifests, insurance

    def check_address(self, request: AddressCheck) -> Flow[AddressCheckResult]:
        """Whether it can be delivered to, whether it is a home, and how EasyPost writes it."""
        from .wire.addresses import address_check_to_wire, refused_from_wire, verdict_from_wire
        from .wire.common import AddressRow, reader

        body = address_check_to_wire(request.address)
        try:
            response = yield self._post("/addresses", body, "check_address", replayable=True)
        except RejectedError as refusal:
            return refused_from_wire(refusal)
        return verdict_from_wire(request.address, reader.read(response, AddressRow))

    def book_pickup(self, request: PickupRequest) -> Flow[Pickup]:
        """Draft the collection of one shipment, and buy the cheapest pickup rate it is offered.

        Raises:
            InputError: not exactly one shipment is named.
            RejectedError: no carrier offers it, and nothing was ordered.
        """
        from .wire.common import reader
        from .wire.pickups import PickupRow, chosen_rate, pickup_from_wire, pickup_to_wire

        response = yield self._post("/pickups", pickup_to_wire(request), "draft_pickup", replayable=True)
        draft = reader.read(response, PickupRow)
        rate = chosen_rate(request, draft, response)
        response = yield self._post(f"/pickups/{path_segment(draft.id)}/buy", rate, "book_pickup")
        return pickup_from_wire(request, reader.read(response, PickupRow), rate, response.received_at)

    def cancel_pickup(self, request: PickupCancelRequest) -> Flow[CancellationResult]:
        """Call the collection off, any time before it is done."""
        from .wire.common import reader
        from .wire.pickups import PickupRow, cancellation_from_wire, pickup_id

        url = f"/pickups/{path_segment(pickup_id(request.confirmation))}"
        try:
            response = yield self._post(f"{url}/cancel", {}, "cancel_pickup", replayable=True)
        except RejectedError as refusal:
            response = yield self._get(url, "pickup_status")
            return cancellation_from_wire(reader.read(response, PickupRow), refusal)
        return cancellation_from_wire(reader.read(response, PickupRow))

    def close_manifest(self, request: ManifestRequest) -> Flow[Manifest]:
        """One scan form for the shipments named, all of one carrier and one origin.

        Raises:
            InputError: none is named, or a manifest without paper is wanted.
        """
        from .wire.common import reader
        from .wire.manifests import ScanFormRow, manifest_from_wire, scan_form_to_wire

        response = yield self._post("/scan_forms", scan_form_to_wire(request), "close_manifest")
        return manifest_from_wire(request, reader.read(response, ScanFormRow))

    def insure(self, request: InsuranceRequest) -> Flow[InsurancePolicy]:
        """Insure a shipment of EasyPost's at once, or any other parcel once its tracking has been looked at.

        Raises:
            InputError: the amount is not in US dollars, or a parcel shipped elsewhere comes without its two ends.
        """
        from .wire.common import reader
        from .wire.insurance import (
            InsuranceRow,
            amount_to_wire,
            insurance_to_wire,
            policy_from_shipment,
            policy_from_wire,
        )
        from .wire.shipments import ShipmentRow

        if not request.shipment_id:
            response = yield self._post("/insurances", insurance_to_wire(request), "insure")
            return policy_from_wire(reader.read(response, InsuranceRow))
        url = f"/shipments/{path_segment(request.shipment_id)}/insure"
        response = yield self._post(url, {"amount": amount_to_wire(request.amount)}, "insure")
        return policy_from_shipment(request, reader.read(response, ShipmentRow))

    def _post(self, path: str, payload: object, name: str, *, replayable: bool = False) -> Request:
        return Request.json("POST", self._url(path), payload, name=name, replayable=replayable)

    def _get(self, path: str, name: str, params: Mapping[str, str] | None = None) -> Request:
        return Request.get(self._url(path), name=name, params=params)

    def _url(self, path: str) -> str:
        return f"{(self.base_url or _HOST).rstrip('/')}/v2{path}"
