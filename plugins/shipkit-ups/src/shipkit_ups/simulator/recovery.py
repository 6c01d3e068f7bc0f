"""Label recovery: POST /labels/{version}/recovery."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from shipkit.simulator import Booking, Call, NotInBooksError, Reply, route

from .base import RefusedError, UpsBase, one, signed, text_at
from .papers import FORMATS, invoice, label, page

__all__ = ["Recovery"]

# Shipping.yaml knows no 404 here: what is not found is an invalid request. The number is the simulator's own.
_NONE: Final = ("300019", "No label found for the request")


class Recovery(UpsBase):
    """Labels once more, by number or by reference; a void shipment has none any more."""

    @route("POST", "/api/labels/{version}/recovery", operation="documents")
    @signed
    def recover(self, call: Call) -> Reply:
        request = call.json()["LabelRecoveryRequest"]
        form = text_at(request, ("LabelSpecification", "LabelImageFormat", "Code")).upper() or "GIF"
        if form not in (*FORMATS, "PDF"):
            raise RefusedError("300011", "Missing or invalid label image format code")
        number = text_at(request, ["TrackingNumber"]).upper()
        found, numbers = self._by_number(number) if number else self._by_reference(request)
        body: dict[str, Any] = {"Response": self.envelope(request), "LabelResults": []}
        if len(found) > 1:
            body["TrackingCandidate"] = [_candidate(booking) for booking in found]
            return self.answer(call, {"LabelRecoveryResponse": body}, since=0)
        [booking] = found
        body["ShipmentIdentificationNumber"] = booking.id
        body["LabelResults"] = [_result(booking, each, form) for each in numbers]
        if "InternationalForms" in one(booking.details["shipment"].get("ShipmentServiceOptions")):
            body["Form"] = {"Image": invoice(booking)["Image"]}
        self.world.issue_label(booking.id)
        return self.answer(call, {"LabelRecoveryResponse": body}, since=0)

    def _by_number(self, number: str) -> tuple[list[Booking], Iterable[str]]:
        try:
            booking = self.world.by_number(number)
        except NotInBooksError:
            raise RefusedError(*_NONE) from None
        if not booking.live or number in booking.voided_numbers:
            raise RefusedError(*_NONE)
        return [booking], [number]

    def _by_reference(self, request: Any) -> tuple[list[Booking], Iterable[str]]:
        reference = text_at(request, ("ReferenceValues", "ReferenceNumber", "Value"))
        shipper = text_at(request, ("ReferenceValues", "ShipperNumber"))
        if not reference or not shipper:
            raise RefusedError("300018", "Tracking number, or reference number and shipper number, are required")
        found = [booking for booking in self.found(reference, shipper) if booking.live]
        if not found:
            raise RefusedError(*_NONE)
        return found, [number for number in found[0].numbers if number not in found[0].voided_numbers]


def _candidate(booking: Booking) -> dict[str, Any]:
    address = one(booking.details["shipment"]["ShipTo"])["Address"]
    day = f"{booking.created_at:%Y%m%d}"
    return {
        "TrackingNumber": booking.id,
        "DestinationPostalCode": text_at(address, ["PostalCode"]) or "0",
        "DestinationCountryCode": text_at(address, ["CountryCode"]),
        "PickupDateRange": {"BeginDate": day, "EndDate": day},
    }


def _result(booking: Booking, number: str, form: str) -> dict[str, Any]:
    image = {"LabelImageFormat": {"Code": form}, "GraphicImage": label(booking, number, form)}
    if form == "GIF":
        image["HTMLImage"] = page(number)
    return {"TrackingNumber": number, "LabelImage": image}
