"""Shipments: drafted, priced, bought, converted, insured, refunded, listed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Final

from shipkit.simulator import Booking, Call, NotInBooksError, Reply, labels, route

from . import objects
from .base import Json, RefusedError, stamp
from .tracking import Tracking

__all__ = ["BookingRoutes"]

_MONTH: Final = timedelta(days=31)
#: npm Refund/Refund: it takes at least 15 days until the money is back.
_REFUNDED_AFTER: Final = timedelta(days=15)
_LABELS: Final = {
    "PNG": ("PNG", "image/png", "png", "label_url"),
    "PDF": ("PDF", "application/pdf", "pdf", "label_pdf_url"),
    "ZPL": ("ZPL", "application/zpl", "zpl", "label_zpl_url"),
    "EPL2": ("EPL", "application/epl2", "epl2", "label_epl2_url"),
}
_PERCENTILES: Final = {"50": 0, "75": 0, "85": 1, "90": 1, "95": 2, "97": 2, "99": 3}


class BookingRoutes(Tracking):
    """``/v2/shipments`` and what hangs on it."""

    @route("POST", "/v2/shipments", operation="draft")
    def create(self, call: Call) -> Reply:
        """A draft with its rates; with a service and an account it is bought at once."""
        given = self.wrapped(call, "shipment")
        row = self._drafted(call, given)
        wanted = given.get("service")
        if not wanted:
            return Reply.json(self._shown(row["id"]), 201, {"Location": f"/api/v2/shipments/{row['id']}"})
        found = [rate for rate in row["rates"] if rate["service"] == wanted]
        if not found:
            raise RefusedError("SHIPMENT.RATES.UNAVAILABLE", "No rate of that service is available.")
        self._buy(call, row, found[0], given.get("insurance"))
        return Reply.json(self._just_bought(row["id"]), 201)

    @route("POST", "/v2/shipments/{id}/buy", operation="create_shipment", purchase=True)
    def buy(self, call: Call) -> Reply:
        """The purchase; a shipment is bought once."""
        row, body = self._row(call), call.json()
        if row["postage_label"] is not None:
            raise RefusedError("SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        rate_id = (body.get("rate") or {}).get("id")
        found = [rate for rate in row["rates"] if rate["id"] == rate_id]
        if not found:
            raise RefusedError(
                "SHIPMENT.MISSING_RATE", "The rate does not belong to this shipment.", ("rate", "is invalid")
            )
        self._buy(call, row, found[0], body.get("insurance"))
        return Reply.json(self._just_bought(row["id"]))

    @route("GET", "/v2/shipments/{id}", operation="retrieve_shipment")
    def retrieve(self, call: Call) -> Reply:
        """By id or, if there is none of that id, by reference: the newest one that has it."""
        shipments = self.world.drawer("shipments")
        name = call.params["id"]
        if name in shipments:
            return Reply.json(self._shown(self._row(call)["id"]))
        named = [row["id"] for row in shipments.values() if row["reference"] == name and self._owns(call, row["id"])]
        if not named:
            raise NotInBooksError(name)
        return Reply.json(self._shown(named[-1], searched=True))

    @route("GET", "/v2/shipments", operation="find_shipments")
    def listed(self, call: Call) -> Reply:
        """A page, newest first; bought ones only, unless told otherwise (npm ShipmentListParameters, utils.d.ts)."""
        query = call.query
        first, last = self._window(query)
        bought = query.get("purchased", "true").lower() != "false"
        ids = [
            row["id"]
            for row in reversed(self.world.drawer("shipments").values())
            if self._owns(call, row["id"])
            and first <= row["created_at"] <= last
            and (not bought or self._visible(row["id"]))
        ]
        if query.get("before_id") in ids:
            ids = ids[ids.index(query["before_id"]) + 1 :]
        if query.get("after_id") in ids:
            ids = ids[: ids.index(query["after_id"])]
        size = max(1, min(100, int(query.get("page_size") or 20)))
        shown = [self._shown(shipment_id, searched=True) for shipment_id in ids[:size]]
        return Reply.json({"shipments": shown, "has_more": len(ids) > size})

    @route("POST", "/v2/shipments/{id}/refund", operation="cancel_shipment")
    def refund(self, call: Call) -> Reply:
        """Ask for the money back: only before the carrier has the parcel."""
        row = self._row(call)
        self.refunded(row["id"])
        return Reply.json(self._shown(row["id"]))

    @route("POST", "/v2/shipments/{id}/insure", operation="insure", purchase=True)
    def insure(self, call: Call) -> Reply:
        """Insure a bought shipment, once."""
        row = self._bought(self._row(call))
        if row["insurance"] is not None:
            raise RefusedError("SHIPMENT.INSURANCE.ALREADY_PURCHASED", "This shipment is insured already.")
        self._insure(row, call.json().get("amount"))
        return Reply.json(self._shown(row["id"]))

    @route("GET", "/v2/shipments/{id}/label", operation="documents")
    def convert(self, call: Call) -> Reply:
        """The label in another format; only a PNG can be converted (npm Shipment, convertLabelFormat)."""
        row, wanted = self._bought(self._row(call)), call.query.get("file_format", "").upper()
        if wanted not in _LABELS:
            raise RefusedError("SHIPMENT.POSTAGE.INVALID_FORMAT", "The label format is invalid.")
        if row["postage_label"]["label_file_type"] != "image/png":
            raise RefusedError("SHIPMENT.POSTAGE.FORMAT_UNAVAILABLE", "Only a PNG label can be converted.")
        row["postage_label"][_LABELS[wanted][3]] = self._printed(call, row, wanted)
        row["postage_label"]["updated_at"] = row["updated_at"] = self.now()
        return Reply.json(self._shown(row["id"]))

    @route("GET", "/v2/shipments/{id}/smartrate", operation="transit_times")
    def smartrate(self, call: Call) -> Reply:
        """Rates with business days by percentile (docs shipping-smartrate), within the United States only."""
        row = self._row(call)
        result = []
        if row["from_address"]["country"] == row["to_address"]["country"] == "US":
            for rate in row["rates"]:
                days = {f"percentile_{name}": rate["delivery_days"] + more for name, more in _PERCENTILES.items()}
                result.append({**rate, "time_in_transit": days})
        return Reply.json({"result": result})

    @route("POST", "/v2/shipments/{id}/rerate", operation="rerate")
    def rerate(self, call: Call) -> Reply:
        """The same prices under new ids."""
        row = self._row(call)
        row["rates"] = self._rates(row["id"], row["from_address"], row["to_address"], row["parcel"], row["mode"])
        return Reply.json({"rates": row["rates"]})

    @route("POST", "/v2/refunds", operation="refund", purchase=True)
    def refund_numbers(self, call: Call) -> Reply:
        """Refunds for numbers of one carrier."""
        given = self.wrapped(call, "refund")
        rows = [self._refund_row(call, code) for code in given.get("tracking_codes") or []]
        return Reply.json(rows, 201)

    def _refund_row(self, call: Call, code: str) -> Json:
        try:
            booking = self.world.by_number(code)
        except NotInBooksError:
            raise RefusedError("REFUND.TRACKING_CODE.NOT_FOUND", "No shipment has this tracking code.") from None
        if not self._owns(call, booking.id):
            raise RefusedError("REFUND.TRACKING_CODE.NOT_FOUND", "No shipment has this tracking code.")
        self.refunded(booking.id)
        return {
            "id": self.new_id("rfnd"),
            "object": "Refund",
            "created_at": self.now(),
            "updated_at": self.now(),
            "tracking_code": code,
            "confirmation_number": None,
            "status": "submitted",
            "carrier": booking.service.partition("/")[0],
            "shipment_id": booking.id,
        }

    def mark_of(self, call: Call) -> str:
        """A shipment's reference, where the plugin puts the mark."""
        row = self.world.drawer("shipments").get(call.params.get("id", ""))
        return str(row["reference"] or "") if row is not None and call.operation == "create_shipment" else ""

    def reference_of(self, call: Call) -> str:
        """The host's number, which is printed."""
        row = self.world.drawer("shipments").get(call.params.get("id", ""))
        return _printed_reference(row) if row is not None and call.operation == "create_shipment" else ""

    # Drafts

    def _drafted(self, call: Call, given: Json) -> Json:
        missing = [name for name in ("to_address", "from_address", "parcel") if not self.given(given.get(name))]
        if missing:
            text = "Unable to create shipment, one or more parameters were invalid."
            raise RefusedError("SHIPMENT.INVALID_PARAMS", text, *((name, "cannot be blank") for name in missing))
        now, mode = self.now(), self.mode(call)
        ends = {
            name: objects.address(self.given(given[name]), self.new_id, now, mode)
            for name in ("from_address", "to_address", "return_address", "buyer_address")
            if given.get(name)
        }
        box = objects.parcel(self.given(given["parcel"]), self.new_id, now, mode)
        if not box["weight"]:
            raise RefusedError("PARCEL.PARAMETERS.INVALID", "The weight is missing.", ("weight", "is invalid"))
        shipment_id = self.new_id("shp")
        customs = self.given(given.get("customs_info"))
        parts = {
            "return_address": ends["from_address"],
            "buyer_address": ends["to_address"],
            **ends,
            "parcel": box,
            "customs_info": objects.customs_info(customs, self.new_id, now, mode) if customs else None,
            "rates": self._rates(shipment_id, ends["from_address"], ends["to_address"], box, mode),
        }
        parts["messages"] = [] if parts["rates"] else [_too_heavy()]
        row = objects.draft(shipment_id, given, parts, now, mode)
        self.world.drawer("shipments")[shipment_id] = row
        self.world.drawer("owners")[shipment_id] = self.account(call)
        return row

    def _rates(self, shipment_id: str, start: Json, end: Json, box: Json, mode: str) -> list[Json]:
        offered = objects.prices(start, end, Decimal(str(box["weight"])))
        return [objects.rate(price, shipment_id, self.new_id, self.now(), mode) for price in offered]

    # Purchases

    def _buy(self, call: Call, row: Json, rate: Json, insurance: object) -> None:
        if row["from_address"]["country"] != row["to_address"]["country"] and row["customs_info"] is None:
            raise RefusedError("SHIPMENT.CUSTOMS_INFO.REQUIRED", "Customs information is required for this shipment.")
        if _printed_reference(row).lower() == "refuse":
            raise RefusedError("SHIPMENT.POSTAGE.FAILURE", "Unable to buy postage: the carrier refused it.")
        price = Decimal(rate["rate"])
        booking = self.world.book(
            booking_id=row["id"],
            numbers=[self._number(rate["carrier"])],
            service=f"{rate['carrier']}/{rate['service']}",
            reference=_printed_reference(row),
            mark=row["reference"] or "",
            account=self.account(call),
            price=price,
            currency="USD",
            raw=call.body,
        )
        now = self.now()
        row["tracking_code"] = booking.numbers[0]
        row["selected_rate"] = {**rate, "created_at": now, "updated_at": now}
        row["fees"] = [objects.fee("LabelFee", Decimal(0)), objects.fee("PostageFee", price)]
        row["to_address"] = row["buyer_address"] = objects.verified(row["to_address"])
        row["updated_at"] = now
        form = str(row["options"].get("label_format") or "PNG").upper()
        media_type = _LABELS.get(form, _LABELS["PNG"])[1]
        url = self._printed(call, row, form if form in _LABELS else "PNG")
        row["postage_label"] = objects.label(self.new_id("pl"), url, media_type, now)
        row["tracker"] = self.new_tracker(row)
        if _amount(insurance):
            self._insure(row, insurance)

    def _number(self, carrier: str) -> str:
        if carrier == "DHLExpress":
            waybill = 123456780 + self.world.next("dhl")
            return f"{waybill}{waybill % 7}"
        # USPS IMpb: weights 3 and 1 from the right (domain/tracking_number_rules.csv), the prefix as recorded.
        serial = f"9400100208303{self.world.next('usps'):08d}"
        total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(serial)))
        return f"{serial}{-total % 10}"

    def _printed(self, call: Call, row: Json, form: str) -> str:
        name, media_type, ending, _ = _LABELS[form]
        booking = self.world.issue_label(row["id"])
        content = labels.render(name, _fields(row, booking), dpi=300)
        digits = hashlib.sha256(f"{row['id']}-{form}".encode()).hexdigest()[:32]
        path = f"/files/postage_label/{row['created_at'][:10].replace('-', '')}/{digits}.{ending}"
        return call.base_url + self.world.publish(path, content, media_type)

    def _insure(self, row: Json, amount: object) -> None:
        value = _amount(amount)
        if not value:
            raise RefusedError("INSURANCE.AMOUNT.REQUIRED", "The amount is missing.", ("amount", "cannot be blank"))
        # npm Shipment/Shipment, insure: 1 %, at least 1 dollar; npm Insurance/InsuranceCreateParameters: at most 5000.
        if value > 5000:
            raise RefusedError("INSURANCE.AMOUNT.ABOVE_MAXIMUM", "The amount is above the maximum.")
        premium = max(Decimal(1), value / 100)
        row["insurance"] = f"{value:.2f}"
        row["fees"] = [*row["fees"], objects.fee("InsuranceFee", premium)]
        self.world.charge("insurance", premium, "USD", booking_id=row["id"])

    def refunded(self, shipment_id: str) -> None:
        """Take a shipment out of the books. Raises RefusedError once the carrier holds the parcel."""
        self._bought(self.world.drawer("shipments")[shipment_id])
        if self.world.booking(shipment_id).live:
            if self.world.in_custody(shipment_id):
                raise RefusedError("SHIPMENT.REFUND.UNAVAILABLE", "The parcel has been scanned and cannot be refunded.")
            self.world.void(shipment_id)

    # What is shown

    def _shown(self, shipment_id: str, *, searched: bool = False) -> Json:
        """A shipment as of now; a search does not see a purchase that is not visible yet."""
        row: Json = self.world.drawer("shipments")[shipment_id]
        if row["postage_label"] is None:
            return dict(row)
        if searched and not self._visible(shipment_id):
            hidden = ("tracking_code", "postage_label", "selected_rate", "tracker", "insurance")
            return {**row, **dict.fromkeys(hidden), "fees": []}
        booking = self.world.booking(shipment_id)
        voided_at = booking.voided_at
        late = voided_at is not None and self.world.clock.now() - voided_at >= _REFUNDED_AFTER
        return {
            **row,
            "status": self.tracker_of(row)["status"],
            "refund_status": None if voided_at is None else "refunded" if late else "submitted",
            "fees": [{**fee, "refunded": late} for fee in row["fees"]],
            "tracker": self.tracker_of(row),
        }

    def _just_bought(self, shipment_id: str) -> Json:
        # Recorded: in the answer to a purchase the empty line of the corrected address is "", and null ever after.
        shown = self._shown(shipment_id)
        return {**shown, **{name: {**shown[name], "street2": ""} for name in ("to_address", "buyer_address")}}

    def _visible(self, shipment_id: str) -> bool:
        try:
            return self.world.booking(shipment_id).visible_at <= self.world.clock.now()
        except NotInBooksError:
            return False

    def _row(self, call: Call) -> Json:
        row: Json | None = self.world.drawer("shipments").get(call.params["id"])
        if row is None or not self._owns(call, row["id"]):
            raise NotInBooksError(call.params["id"])
        return row

    def _owns(self, call: Call, shipment_id: str) -> bool:
        owner: str = self.world.drawer("owners").get(shipment_id, "")
        return owner == self.account(call)

    def _bought(self, row: Json) -> Json:
        if row["postage_label"] is None:
            raise RefusedError("SHIPMENT.POSTAGE.REQUIRED", "This shipment has not been bought.")
        return row

    def _window(self, query: dict[str, str]) -> tuple[str, str]:
        """One bound given alone moves the other to a month away; with none it is the last month, today included."""
        now = self.world.clock.now()
        start, end = _moment(query.get("start_datetime")), _moment(query.get("end_datetime"))
        tonight = now.replace(hour=23, minute=59, second=59)
        last = end or (start + _MONTH if start else tonight)
        first = start or ((end or now) - _MONTH)
        return stamp(first), stamp(last)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise RefusedError("DATE.PARSE.FAILURE", "The date cannot be read.") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _amount(value: object) -> Decimal:
    try:
        return Decimal(str(value)) if value else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def _printed_reference(row: Json) -> str:
    return str(row["options"].get("print_custom_1") or "")


def _too_heavy() -> Json:
    return {
        "carrier": "USPS",
        "carrier_account_id": f"ca_{'usps':0<32}",
        "type": "rate_error",
        "message": f"Shipment cannot weigh more than {objects.USPS_MAX_OZ}oz",
    }


def _fields(row: Json, booking: Booking) -> labels.LabelFields:
    carrier, _, service = booking.service.partition("/")
    start, end = (
        (row["to_address"], row["from_address"]) if row["is_return"] else (row["from_address"], row["to_address"])
    )
    return labels.LabelFields(
        carrier=carrier,
        service=service,
        number=booking.numbers[0],
        reference=booking.reference,
        mark=booking.mark,
        ship_from=_address_lines(start),
        ship_to=_address_lines(end),
    )


def _address_lines(row: Json) -> tuple[str, ...]:
    town = " ".join(part for part in (row["city"], row["state"], row["zip"]) if part)
    lines = (row["name"], row["company"], row["street1"], row["street2"], town, row["country"])
    return tuple(line for line in lines if line)
