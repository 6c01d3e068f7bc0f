"""Shipping: POST /shipments/{version}/ship, DELETE /shipments/{version}/void/cancel/{number}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from shipkit.simulator import Booking, Call, NotInBooksError, Reply, route

from .base import RefusedError, UpsBase, listed, one, signed, text_at
from .papers import FORMATS, invoice, label, number_1z, page
from .rating import charges_of, money
from .tariff import PRODUCTS, Parcel, Price, currency_of, parcels_of, price_of

__all__ = ["Shipping", "references_of"]

_LINE_MAX: Final = 35
_RETURNS: Final = frozenset({"2", "3", "5", "8", "9"})
_PRINTED_RETURN: Final = "9"
_NOT_FOUND: Final = ("190102", "No shipment found within the allowed void period")


def references_of(shipment: Mapping[str, Any]) -> list[str]:
    """Reference numbers of the shipment, then of its first package: UPS takes them at one place by the lane."""
    rows = [*listed(shipment.get("ReferenceNumber")), *listed(one(shipment.get("Package")).get("ReferenceNumber"))]
    return [str(row.get("Value") or "") for row in rows]


class Shipping(UpsBase):
    """Bookings, and undoing them."""

    @route("POST", "/api/shipments/{version}/ship", operation="create_shipment", purchase=True)
    @signed
    def ship(self, call: Call) -> Reply:
        request = call.json()["ShipmentRequest"]
        shipment = request["Shipment"]
        returned = text_at(shipment, ("ReturnService", "Code"))
        # Recorded 2024-02-07: without a format UPS draws a GIF.
        form = text_at(request, ("LabelSpecification", "LabelImageFormat", "Code")).upper() or "GIF"
        _check(shipment, returned)
        if form not in FORMATS and returned in {"", _PRINTED_RETURN}:
            raise RefusedError("120541", "Missing or invalid label image format code")
        parcels = parcels_of(shipment["Package"])
        booking = self._book(call, shipment, parcels, form)
        results = self._results(booking, parcels, form if returned in {"", _PRINTED_RETURN} else "")
        body = {"Response": self.envelope(request), "ShipmentResults": results}
        return self.answer(call, {"ShipmentResponse": body})

    def _book(self, call: Call, shipment: Mapping[str, Any], parcels: list[Parcel], form: str) -> Booking:
        service = text_at(shipment, ("Service", "Code"))
        shipper = text_at(shipment, ("Shipper", "ShipperNumber"))
        numbers = [number_1z(shipper, service, self.world.next("number")) for _ in parcels]
        reference, mark, *_ = (*references_of(shipment), "", "")
        price = _price(shipment, parcels)
        return self.world.book(
            booking_id=numbers[0],
            numbers=numbers,
            service=service,
            reference=reference,
            mark=mark,
            account=shipper,
            price=price.negotiated if _negotiated(shipment) else price.total,
            currency=_currency(shipment),
            raw=call.body,
            details={"shipment": shipment, "format": form, "weights": [parcel.actual for parcel in parcels]},
        )

    def _results(self, booking: Booking, parcels: list[Parcel], form: str) -> dict[str, Any]:
        shipment, currency = booking.details["shipment"], booking.currency
        price = _price(shipment, parcels)
        nothing = money(Decimal(0), currency)
        results: dict[str, Any] = {
            "ShipmentCharges": {
                "TransportationCharges": money(price.total, currency),
                "ItemizedCharges": [{"Code": "270", **money(price.residential, currency)}],
                "ServiceOptionsCharges": nothing,
                "TotalCharges": money(price.total, currency),
            }
        }
        if _negotiated(shipment):
            results["NegotiatedRateCharges"] = {"TotalCharge": money(price.negotiated, currency)}
        billed = sum(parcel.billed for parcel in parcels)
        results["BillingWeight"] = {
            "UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"},
            "Weight": f"{billed:.1f}",
        }
        results["ShipmentIdentificationNumber"] = booking.id
        results["PackageResults"] = [self._package(booking, price, index, form) for index in range(len(parcels))]
        if "InternationalForms" in one(shipment.get("ShipmentServiceOptions")):
            results["Form"] = invoice(booking)
        if "LabelLinksIndicator" in one(one(shipment.get("ShipmentServiceOptions")).get("LabelDelivery")):
            results["LabelURL"] = f"https://www.ups.com/uel/llp/{booking.id}/link/labelAll/simulated/en_US"
        if form:
            self.world.issue_label(booking.id)
        return results

    def _package(self, booking: Booking, price: Price, index: int, form: str) -> dict[str, Any]:
        number, currency = booking.numbers[index], booking.currency
        row: dict[str, Any] = {
            "TrackingNumber": number,
            "BaseServiceCharge": money(price.bases[index], currency),
            "ServiceOptionsCharges": money(Decimal(0), currency),
        }
        if form:
            image = {"ImageFormat": {"Code": form, "Description": form}, "GraphicImage": label(booking, number, form)}
            row["ShippingLabel"] = {**image, "HTMLImage": page(number)} if form == "GIF" else image
        row["ItemizedCharges"] = charges_of(price, index, currency)
        if _negotiated(booking.details["shipment"]):
            row["NegotiatedCharges"] = {"ItemizedCharges": row["ItemizedCharges"][:1]}
        return row

    @route("DELETE", "/api/shipments/{version}/void/cancel/{id}", operation="cancel_shipment")
    @signed
    def void(self, call: Call) -> Reply:
        try:
            booking = self.world.by_number(call.params["id"].upper())
        except NotInBooksError:
            raise RefusedError(*_NOT_FOUND) from None
        if not booking.live:
            raise RefusedError("190117", "The shipment has already been voided.")
        if self.world.in_custody(booking.id):
            raise RefusedError(*_NOT_FOUND)
        numbers = _numbers(call.query.get("trackingnumber", ""))
        gone = [number for number in numbers or booking.numbers if number in booking.numbers]
        self.world.void(booking.id, gone)
        whole = {"Status": {"Code": "1", "Description": "Voided"}}
        body: dict[str, Any] = {"Response": self._void_envelope(call), "SummaryResult": whole}
        if numbers or len(booking.numbers) > 1:
            body["PackageLevelResults"] = [_voided(number, number in gone) for number in numbers or booking.numbers]
        return self.answer(call, {"VoidShipmentResponse": body})

    def _void_envelope(self, call: Call) -> dict[str, Any]:
        reference = {
            "CustomerContext": "Simple Customer Request",
            "TransactionIdentifier": self.tags(call)["Bkndtransid"],
        }
        return {**self.envelope({}), "TransactionReference": reference}

    def mark_of(self, call: Call) -> str:
        return _reference(call, 1)

    def reference_of(self, call: Call) -> str:
        return _reference(call, 0)


def _reference(call: Call, place: int) -> str:
    request = call.json()
    if not isinstance(request, Mapping) or "ShipmentRequest" not in request:
        return ""
    shipment = one(one(request["ShipmentRequest"]).get("Shipment"))
    found = references_of(shipment) if shipment else []
    return found[place] if len(found) > place else ""


def _check(shipment: Mapping[str, Any], returned: str) -> None:
    """What UPS looks at before it books; 120202 is recorded, the other numbers are the simulator's own."""
    shipper, ship_to = one(shipment["Shipper"]), one(shipment["ShipTo"])
    origin = one(shipment.get("ShipFrom")) or shipper
    if not text_at(shipper, ["ShipperNumber"]):
        raise RefusedError("120100", "Missing or invalid shipper number")
    for party, code, name in (
        (shipper, "120102", "shipper"),
        (ship_to, "120202", "ship to"),
        (origin, "120302", "ship from"),
    ):
        for place, line in enumerate(listed(one(party.get("Address")).get("AddressLine")) or [""], 1):
            if not 1 <= len(str(line)) <= _LINE_MAX:
                raise RefusedError(code, f"Missing or invalid {name} address line {place}")
        if not text_at(party, ("Address", "City")) or not text_at(party, ("Address", "CountryCode")):
            raise RefusedError(code[:-1] + "5", f"Missing or invalid {name} city or country code")
    if text_at(shipment, ("Service", "Code")) not in PRODUCTS:
        raise RefusedError("120501", "Missing or invalid service code")
    if returned and returned not in _RETURNS:
        raise RefusedError("120517", "Missing or invalid return service code")
    if text_at(origin, ("Address", "CountryCode")) != text_at(ship_to, ("Address", "CountryCode")):
        if not text_at(ship_to, ("Phone", "Number")):
            raise RefusedError("120213", "Missing or invalid ship to phone number")
        if not text_at(shipment, ["Description"]):
            raise RefusedError("120502", "Missing or invalid description of goods")


def _price(shipment: Mapping[str, Any], parcels: list[Parcel]) -> Price:
    residential = "ResidentialAddressIndicator" in one(one(shipment["ShipTo"]).get("Address"))
    return price_of(PRODUCTS[text_at(shipment, ("Service", "Code"))], parcels, residential=residential)


def _negotiated(shipment: Mapping[str, Any]) -> bool:
    return "NegotiatedRatesIndicator" in one(shipment.get("ShipmentRatingOptions"))


def _currency(shipment: Mapping[str, Any]) -> str:
    return currency_of(text_at(shipment, ("Shipper", "Address", "CountryCode")))


def _numbers(listing: str) -> list[str]:
    """One number, or a list as Shipping.yaml writes it."""
    if not listing.startswith("["):
        return [listing] if listing else []
    return [str(number) for number in json.loads(listing)]


def _voided(number: str, gone: bool) -> dict[str, Any]:
    status = {"Code": "1", "Description": "Voided"} if gone else {"Code": "0", "Description": "Not Voided"}
    return {"TrackingNumber": number, "Status": status}
