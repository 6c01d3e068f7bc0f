"""Addresses, pickups, scan forms and insurances of parcels that were shipped elsewhere."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Final

from shipkit.simulator import Call, NotInBooksError, PickupRecord, Reply, labels, route

from . import objects
from .base import Json, RefusedError, stamp
from .tracking import Tracking

__all__ = ["PlaceRoutes"]

_NOT_FOUND: Final[Json] = {
    "code": "E.ADDRESS.NOT_FOUND",
    "field": "address",
    "message": "Address not found",
    "suggestion": None,
}
_NO_NUMBER: Final[Json] = {
    "code": "E.HOUSE_NUMBER.MISSING",
    "field": "street1",
    "message": "House number is missing",
    "suggestion": None,
}


class PlaceRoutes(Tracking):
    """``/v2/addresses`` and the objects that shipments name, pickups, scan forms and insurances."""

    @route("POST", "/v2/addresses", operation="check_address")
    def create_address(self, call: Call) -> Reply:
        """An address, verified where the request says so; what fails is said beside it."""
        given = self.wrapped(call, "address")
        row = objects.address(given, self.new_id, self.now(), self.mode(call))
        if call.json().get("verify"):
            row = _checked(row)
        return Reply.json(self.keep(row), 201)

    @route("POST", "/v2/addresses/create_and_verify", operation="check_address")
    def create_and_verify(self, call: Call) -> Reply:
        """An address that must exist."""
        row = objects.address(self.wrapped(call, "address"), self.new_id, self.now(), self.mode(call))
        return Reply.json({"address": self.keep(_verified(row))}, 201)

    @route("GET", "/v2/addresses/{id}", operation="retrieve_address")
    def retrieve_address(self, call: Call) -> Reply:
        """An address by its id."""
        return Reply.json(self._object(call))

    @route("GET", "/v2/addresses/{id}/verify", operation="verify_address")
    def verify_address(self, call: Call) -> Reply:
        """An address that was created before must exist."""
        return Reply.json({"address": self.keep(_verified(self._object(call)))})

    @route("POST", "/v2/customs_infos", operation="customs_info")
    def create_customs_info(self, call: Call) -> Reply:
        """A declaration on its own, to be named in a shipment."""
        given = self.wrapped(call, "customs_info")
        return Reply.json(self.keep(objects.customs_info(given, self.new_id, self.now(), self.mode(call))), 201)

    @route("POST", "/v2/parcels", operation="parcel")
    def create_parcel(self, call: Call) -> Reply:
        """A box on its own, to be named in a shipment."""
        given = self.wrapped(call, "parcel")
        return Reply.json(self.keep(objects.parcel(given, self.new_id, self.now(), self.mode(call))), 201)

    # Pickups

    @route("POST", "/v2/pickups", operation="draft_pickup")
    def create_pickup(self, call: Call) -> Reply:
        """A pickup with its rates; nothing is ordered yet."""
        given = self.wrapped(call, "pickup")
        shipment = self.world.drawer("shipments").get(str(self.given(given.get("shipment")).get("id")))
        if shipment is None or shipment["postage_label"] is None:
            raise RefusedError(
                "PICKUP.REQUEST.INVALID", "A pickup is for a shipment that was bought.", ("shipment", "is invalid")
            )
        first, last = (_moment(given.get(name), name) for name in ("min_datetime", "max_datetime"))
        pickup_id, now, mode = self.new_id("pickup"), self.now(), self.mode(call)
        row = {
            "id": pickup_id,
            "object": "Pickup",
            "created_at": now,
            "updated_at": now,
            "mode": mode,
            "status": "unknown",
            "reference": given.get("reference"),
            "min_datetime": stamp(first),
            "max_datetime": stamp(last),
            "is_account_address": False,
            "instructions": given.get("instructions"),
            "messages": [],
            "confirmation": None,
            "address": objects.address(self.given(given.get("address")), self.new_id, now, mode),
            "carrier_accounts": [],
            "pickup_rates": [self._pickup_rate(pickup_id, shipment["selected_rate"]["carrier"], now, mode)],
        }
        self.world.drawer("pickups")[pickup_id] = row
        return Reply.json(row)

    def _pickup_rate(self, pickup_id: str, carrier: str, now: str, mode: str) -> Json:
        return {
            "mode": mode,
            "service": "NextDay",
            "rate": "0.00",
            "currency": "USD",
            "created_at": now,
            "updated_at": now,
            "carrier": carrier,
            "pickup_id": pickup_id,
            "id": self.new_id("pickuprate"),
            "object": "PickupRate",
        }

    @route("POST", "/v2/pickups/{id}/buy", operation="book_pickup", purchase=True)
    def buy_pickup(self, call: Call) -> Reply:
        """Order the collection, by the carrier and service of one of its rates."""
        row, body = self._pickup(call), call.json()
        fits = [
            r for r in row["pickup_rates"] if (r["carrier"], r["service"]) == (body.get("carrier"), body.get("service"))
        ]
        if not fits:
            raise RefusedError("PICKUP.BUY.NO_MATCHING_RATES", "No rate of this pickup has that carrier and service.")
        if row["status"] != "unknown":
            raise RefusedError("PICKUP.BUY.FORBIDDEN", "This pickup has been bought or cancelled.")
        row["status"], row["confirmation"] = "scheduled", f"WTC{65024000 + self.world.next('pickup-number'):08d}"
        row["updated_at"] = self.now()
        on = datetime.fromisoformat(row["min_datetime"].replace("Z", "+00:00")).date()
        self.world.add_pickup(pickup_id=row["id"], account=self.account(call), reference=row["reference"] or "", on=on)
        return Reply.json(row)

    @route("POST", "/v2/pickups/{id}/cancel", operation="cancel_pickup")
    def cancel_pickup(self, call: Call) -> Reply:
        """Call it off."""
        row = self._pickup(call)
        if row["status"] != "scheduled":
            raise RefusedError("PICKUP.CANCEL.FAILED", "This pickup is not scheduled.")
        row["status"], row["updated_at"] = "canceled", self.now()
        record: PickupRecord = self.world.update_pickup(row["id"], state="voided")
        return Reply.json(self.world.drawer("pickups")[record.id])

    @route("GET", "/v2/pickups/{id}", operation="retrieve_pickup")
    def retrieve_pickup(self, call: Call) -> Reply:
        """A pickup by its id."""
        return Reply.json(self._pickup(call))

    def _pickup(self, call: Call) -> Json:
        row: Json | None = self.world.drawer("pickups").get(call.params["id"])
        if row is None:
            raise NotInBooksError(call.params["id"])
        return row

    # Scan forms

    @route("POST", "/v2/scan_forms", operation="close_manifest", purchase=True)
    def create_scan_form(self, call: Call) -> Reply:
        """One form over bought shipments of one origin, none of them refunded or on another form (npm ScanForm)."""
        given = self.wrapped(call, "scan_form")
        named = given.get("shipments") or given.get("shipment") or []
        if not named:
            raise RefusedError(
                "SCAN_FORM.SHIPMENTS.REQUIRED", "Shipments are missing.", ("shipments", "cannot be blank")
            )
        rows = [self._on_form(str(self.given(each).get("id"))) for each in named]
        if len({row["from_address"]["street1"] for row in rows}) > 1:
            raise RefusedError("SCAN_FORM.SHIPMENTS.INVALID", "The shipments do not have one origin.")
        form_id, now = self.new_id("sf"), self.now()
        fields = labels.LabelFields(
            carrier=rows[0]["selected_rate"]["carrier"],
            service="SCAN FORM",
            number=form_id[3:25].upper(),
            reference=f"{len(rows)} parcels",
            ship_from=(rows[0]["from_address"]["street1"] or "",),
        )
        path = f"/files/scan_form/{now[:10].replace('-', '')}/{form_id[3:]}.pdf"
        url = call.base_url + self.world.publish(path, labels.render("PDF", fields), "application/pdf")
        self.world.add_manifest(
            manifest_id=form_id, booking_ids=[row["id"] for row in rows], account=self.account(call)
        )
        return Reply.json(
            {
                "id": form_id,
                "object": "ScanForm",
                "created_at": now,
                "updated_at": now,
                "tracking_codes": [row["tracking_code"] for row in rows],
                "address": rows[0]["from_address"],
                "status": "created",
                "message": None,
                "form_url": url,
                "form_file_type": None,
                "batch_id": self.new_id("batch"),
                "confirmation": None,
            }
        )

    def _on_form(self, shipment_id: str) -> Json:
        row: Json | None = self.world.drawer("shipments").get(shipment_id)
        if row is None or row["postage_label"] is None or not self.world.booking(row["id"]).live:
            raise RefusedError("SCAN_FORM.SHIPMENTS.INVALID", "A shipment was not bought, or was refunded.")
        if any(row["id"] in manifest.booking_ids for manifest in self.world.manifests()):
            raise RefusedError("SCAN_FORM.SHIPMENTS.INVALID", "A shipment is on another form.")
        return row

    # Insurances

    @route("POST", "/v2/insurances", operation="insure", purchase=True)
    def create_insurance(self, call: Call) -> Reply:
        """Insure a parcel by its tracking code; it is pending until its tracking has been looked at."""
        given = self.wrapped(call, "insurance")
        missing = [n for n in ("to_address", "from_address", "tracking_code", "amount") if not given.get(n)]
        if missing:
            text = "One or more parameters were invalid."
            raise RefusedError("INSURANCE.PARAMETERS.INVALID", text, *((name, "cannot be blank") for name in missing))
        now, mode, amount = self.now(), self.mode(call), Decimal(str(given["amount"]))
        premium = max(Decimal(1), amount / 100)
        self.world.charge("insurance", premium, "USD", account=self.account(call))
        insurance_id = self.new_id("ins")
        ends = {
            name: objects.verified(objects.address(self.given(given[name]), self.new_id, now, mode))
            for name in ("to_address", "from_address")
        }
        row = {
            "id": insurance_id,
            "object": "Insurance",
            "mode": mode,
            "reference": given.get("reference"),
            "status": "pending",
            "amount": f"{amount:.5f}",
            "provider": "easypost",
            "provider_id": None,
            **ends,
            "shipment_id": None,
            "tracker": self._insured(call, given, ends),
            "tracking_code": given["tracking_code"],
            "fee": objects.fee("InsuranceFee", premium),
            "messages": [],
            "created_at": now,
            "updated_at": now,
        }
        return Reply.json(self.keep(row), 201)

    @route("GET", "/v2/insurances/{id}", operation="retrieve_insurance")
    def retrieve_insurance(self, call: Call) -> Reply:
        """An insurance by its id."""
        return Reply.json(self._object(call))

    def _insured(self, call: Call, given: Json, ends: Json) -> Json:
        shipment = self.shipment_of(call, given["tracking_code"])
        if shipment is not None:
            return {**self.tracker_of(shipment), "finalized": True, "is_return": False}
        blank = {"id": None, "mode": self.mode(call), "tracking_code": given["tracking_code"], **ends}
        tracker = self.new_tracker({**blank, "selected_rate": {"carrier": given.get("carrier") or "USPS"}})
        url = f"https://track.easypost.com/{tracker['id'][4:]}"
        return {**tracker, "finalized": True, "is_return": False, "public_url": url}

    def _object(self, call: Call) -> Json:
        row: Json | None = self.world.drawer("objects").get(call.params["id"])
        if row is None:
            raise NotInBooksError(call.params["id"])
        return row


def _problems(row: Json) -> list[Json]:
    """What is wrong with an address. Invented rule: a street has a number, and no unknown name; ZZ is no state."""
    street = str(row["street1"] or "")
    found = [_NOT_FOUND] if "unknown" in street.lower() or row["state"] == "ZZ" or not row["city"] else []
    return found if any(sign.isdigit() for sign in street) else [_NOT_FOUND, _NO_NUMBER]


def _checked(row: Json) -> Json:
    problems = [dict(problem) for problem in _problems(row)]
    if not problems:
        return objects.verified(row)
    failed: Json = {"success": False, "errors": problems}
    return {**row, "verifications": {"zip4": {**failed, "details": None}, "delivery": {**failed, "details": {}}}}


def _verified(row: Json) -> Json:
    problems = [dict(problem) for problem in _problems(row)]
    if problems:
        refused = RefusedError("ADDRESS.VERIFY.FAILURE", "Unable to verify address.")
        body = {"code": "ADDRESS.VERIFY.FAILURE", "message": "Unable to verify address.", "errors": problems}
        refused.reply = Reply.json({"error": body}, 422)
        raise refused
    return objects.verified(row)


def _moment(text: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise RefusedError(
            f"PICKUP.{name.upper()}.REQUIRED", "The time is missing or cannot be read.", (name, "is invalid")
        ) from None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
