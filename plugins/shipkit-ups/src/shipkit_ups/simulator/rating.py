"""Rating: POST /rating/{version}/{requestoption}."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shipkit.simulator import Call, Reply, route

from .base import RefusedError, UpsBase, one, signed, text_at
from .places import check_place
from .tariff import PRODUCTS, Parcel, Price, Product, arrival, currency_of, offered, parcels_of, price_of

__all__ = ["Rating", "charges_of", "money"]

_MAY_VARY: Final = ("110971", "Your invoice may vary from the displayed reference rates")
_OPTIONS: Final = frozenset({"rate", "shop", "ratetimeintransit", "shoptimeintransit"})


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """An amount as UPS writes it: a currency and two decimals."""
    return {"CurrencyCode": currency, "MonetaryValue": f"{amount:.2f}"}


def charges_of(price: Price, index: int, currency: str) -> list[dict[str, str]]:
    """The itemised rows of a package: the cover (also when it is free) and the fuel, as recorded."""
    return [
        {"Code": "400", **money(price.covers[index], currency), "SubType": "EVS"},
        {"Code": "375", **money(price.fuels[index], currency)},
    ]


class Rating(UpsBase):
    """Prices of one service or of all."""

    @route("POST", "/api/rating/{version}/{option}", operation="rates")
    @signed
    def rates(self, call: Call) -> Reply:
        request = call.json()["RateRequest"]
        shipment = request["Shipment"]
        option = call.params["option"].lower()
        if option not in _OPTIONS:
            raise RefusedError("110002", "Missing or invalid request option")
        origin = one(shipment.get("ShipFrom")) or one(shipment["Shipper"])
        places = [origin["Address"], one(shipment["ShipTo"])["Address"]]
        for place in places:
            check_place(place, "111285")
        lane = (text_at(places[0], ["CountryCode"]), text_at(places[1], ["CountryCode"]))
        codes = offered(*lane)
        if option.startswith("rate"):
            codes = tuple(code for code in codes if code == text_at(shipment, ("Service", "Code")).zfill(2))
        if not codes:
            raise RefusedError("111210", "The requested service is unavailable between the selected locations.")
        parcels = parcels_of(shipment["Package"])
        rows = [self._rated(PRODUCTS[code], parcels, shipment, currency_of(lane[0]), option) for code in codes]
        body = {"Response": self.envelope(request, _MAY_VARY), "RatedShipment": rows}
        return self.answer(call, {"RateResponse": body})

    def _rated(
        self, product: Product, parcels: list[Parcel], shipment: Mapping[str, Any], currency: str, option: str
    ) -> dict[str, Any]:
        address = one(shipment["ShipTo"])["Address"]
        price = price_of(product, parcels, residential="ResidentialAddressIndicator" in address)
        row: dict[str, Any] = {
            "Service": {"Code": product.code, "Description": ""},
            "RatedShipmentAlert": [{"Code": _MAY_VARY[0], "Description": _MAY_VARY[1]}],
            "BillingWeight": _pounds(sum(parcel.billed for parcel in parcels)),
            "TransportationCharges": money(price.total, currency),
            "BaseServiceCharge": money(Decimal(0), currency),
            "ItemizedCharges": [{"Code": "270", **money(price.residential, currency)}],
            "ServiceOptionsCharges": money(Decimal(0), currency),
            "TotalCharges": money(price.total, currency),
        }
        if "NegotiatedRatesIndicator" in one(shipment.get("ShipmentRatingOptions")):
            row["NegotiatedRateCharges"] = {
                "BaseServiceCharge": money(price.negotiated, currency),  # from subversion 2201 on (Rating.yaml)
                "TotalCharge": money(price.negotiated, currency),
            }
        if product.guaranteed:
            row["GuaranteedDelivery"] = {"BusinessDaysInTransit": str(product.days)}
            if product.days == 1:
                row["GuaranteedDelivery"]["DeliveryByTime"] = _clock(product.by)
        row["RatedPackage"] = [_package(price, index, parcel, currency) for index, parcel in enumerate(parcels)]
        if option.endswith("timeintransit"):
            row["TimeInTransit"] = self._timed(product, shipment)
        return row

    def _timed(self, product: Product, shipment: Mapping[str, Any]) -> dict[str, Any]:
        wanted = text_at(shipment, ("DeliveryTimeInformation", "Pickup", "Date"))
        if not wanted:
            raise RefusedError("110609", "A pickup date is required for time in transit")
        ship_on = datetime.strptime(wanted, "%Y%m%d").date()  # noqa: DTZ007 - a day without a zone
        there = arrival(product, ship_on)
        return {
            "PickupDate": wanted,
            "PackageBillType": text_at(shipment, ("DeliveryTimeInformation", "PackageBillType")) or "03",
            "ServiceSummary": {
                "Service": {"Description": product.name},
                "EstimatedArrival": {
                    "Arrival": {"Date": f"{there:%Y%m%d}", "Time": product.by.replace(":", "")},
                    "BusinessDaysInTransit": str(product.days),
                    "Pickup": {"Date": wanted, "Time": "170000"},
                    "DayOfWeek": f"{there:%a}".upper(),
                    "CustomerCenterCutoff": "170000",
                },
                "SaturdayDelivery": "0",
                "SundayDelivery": "0",
            },
        }


def _package(price: Price, index: int, parcel: Parcel, currency: str) -> dict[str, Any]:
    share = price.residential / len(price.bases)
    total = price.bases[index] + price.fuels[index] + price.covers[index] + share
    return {
        "TransportationCharges": money(total, currency),
        "BaseServiceCharge": money(price.bases[index], currency),
        "ServiceOptionsCharges": money(Decimal(0), currency),
        "ItemizedCharges": charges_of(price, index, currency),
        "TotalCharges": money(total, currency),
        "Weight": parcel.actual,
        "BillingWeight": _pounds(parcel.billed),
    }


def _pounds(weight: Decimal | int) -> dict[str, Any]:
    return {"UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"}, "Weight": f"{weight:.1f}"}


def _clock(text: str) -> str:
    hour, minute = int(text[:2]), text[3:5]
    return f"{hour % 12 or 12}:{minute} {'A' if hour < 12 else 'P'}.M."
