"""On-call pickups: POST /pickupcreation/{version}/pickup, DELETE /shipments/{version}/pickup/{by}."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shipkit.simulator import BookingState, Call, NotInBooksError, Reply, route

from .base import RefusedError, UpsBase, listed, signed, text_at
from .tariff import currency_of

__all__ = ["Pickups"]

_BASE: Final = Decimal("9.60")
_FUEL: Final = Decimal("1.63")
_BY_NUMBER: Final = "02"


class Pickups(UpsBase):
    """Collections on call; billed when they are ordered."""

    @route("POST", "/api/pickupcreation/{version}/pickup", operation="book_pickup", purchase=True)
    @signed
    def book_pickup(self, call: Call) -> Reply:
        request = call.json()["PickupCreationRequest"]
        country = text_at(request, ("PickupAddress", "CountryCode"))
        day = datetime.strptime(text_at(request, ("PickupDateInfo", "PickupDate")), "%Y%m%d").date()  # noqa: DTZ007
        ready, close = (text_at(request, ("PickupDateInfo", name)) for name in ("ReadyTime", "CloseTime"))
        if not country or not text_at(request, ("PickupAddress", "Phone", "Number")):
            raise RefusedError("9510101", "Missing or invalid pickup address")
        if day < self.world.clock.now().date() or ready >= close:
            raise RefusedError("9510107", "The pickup date or time is not valid")
        pieces = sum(int(text_at(piece, ["Quantity"]) or 0) for piece in listed(request["PickupPiece"]))
        if not pieces:
            raise RefusedError("9510106", "Missing or invalid number of pieces")
        record = self.world.add_pickup(
            pickup_id=f"29{self.world.next('pickup'):09d}",
            account=text_at(request, ("Shipper", "Account", "AccountNumber")),
            reference=text_at(request, ["ReferenceNumber"]),
            on=day,
            pieces=pieces,
        )
        self.world.charge("pickup", _BASE + _FUEL, currency_of(country), account=record.account)
        body: dict[str, Any] = {"Response": self.envelope(request), "PRN": record.id, "RateStatus": _status(request)}
        if text_at(request, ["RatePickupIndicator"]) == "Y":
            body["RateResult"] = _rated(currency_of(country))
        return self.answer(call, {"PickupCreationResponse": body})

    @route("DELETE", "/api/shipments/{version}/pickup/{by}", operation="cancel_pickup")
    @signed
    def cancel_pickup(self, call: Call) -> Reply:
        number = call.headers.get("prn", "")
        try:
            record = self.world.pickup(number)
        except NotInBooksError:
            raise RefusedError("9510113", "Pickup request not found") from None
        if call.params["by"] != _BY_NUMBER or record.state == BookingState.VOIDED:
            raise RefusedError("9510117", "The pickup cannot be cancelled")
        self.world.update_pickup(number, state=BookingState.VOIDED)
        self.world.charge("pickup cancelled", -(_BASE + _FUEL), account=record.account)
        body = {"Response": self.envelope({}), "PickupType": "01"}
        return self.answer(call, {"PickupCancelResponse": body})


def _status(request: Any) -> dict[str, str]:
    if text_at(request, ["RatePickupIndicator"]) == "Y":
        return {"Code": "01", "Description": "Rate available"}
    return {"Code": "04", "Description": "Rate not requested"}


def _rated(currency: str) -> dict[str, Any]:
    rows = (("B", "BASE CHARGE", _BASE), ("S", "FUEL SURCHARGE", _FUEL))
    return {
        "RateType": "FD",
        "CurrencyCode": currency,
        "ChargeDetail": [
            {"ChargeCode": code, "ChargeDescription": text, "ChargeAmount": str(amount), "TaxAmount": "0.00"}
            for code, text, amount in rows
        ],
        "GrandTotalOfAllCharge": str(_BASE + _FUEL),
    }
