"""Time in Transit: POST /shipments/{version}/transittimes."""

from __future__ import annotations

from datetime import date
from typing import Any

from shipkit.simulator import Call, Reply, route

from .base import RefusedError, UpsBase, signed
from .places import check_place, country_name
from .tariff import PRODUCTS, Product, arrival, offered

__all__ = ["TimeInTransit"]


class TimeInTransit(UpsBase):
    """Days by service."""

    @route("POST", "/api/shipments/{version}/transittimes", operation="transit_times")
    @signed
    def transit_times(self, call: Call) -> Reply:
        asked = call.json()
        origin, destination = asked["originCountryCode"], asked["destinationCountryCode"]
        for side in ("origin", "destination"):
            place = {
                "CountryCode": asked[f"{side}CountryCode"],
                "PostalCode": asked.get(f"{side}PostalCode"),
                "StateProvinceCode": asked.get(f"{side}StateProvince"),
            }
            check_place(place, "270042")
        if origin != destination and not asked.get("weight"):
            raise RefusedError("270039", "Weight is required for international requests")
        ship_on = date.fromisoformat(asked["shipDate"])
        rows = [_row(PRODUCTS[code], ship_on) for code in offered(origin, destination) if PRODUCTS[code].transit_code]
        rows.sort(key=lambda row: (row["deliveryDate"], row["deliveryTime"]))
        return Reply.json({"emsResponse": self._ems(asked, call, rows)}, 200, self.tags(call))

    def _ems(self, asked: dict[str, Any], call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "shipDate": asked["shipDate"],
            "shipTime": asked.get("shipTime") or f"{self.world.clock.now():%H:%M:%S}",
            "serviceLevel": "A",
            "billType": asked.get("billType") or "02",
            "residentialIndicator": asked.get("residentialIndicator") or "02",
        }
        for side in ("destination", "origin"):
            zip_code = asked.get(f"{side}PostalCode") or ""
            body[f"{side}CityName"] = str(asked.get(f"{side}CityName") or "").upper()
            body[f"{side}CountryName"] = country_name(asked[f"{side}CountryCode"])
            body[f"{side}CountryCode"] = asked[f"{side}CountryCode"]
            for end in ("", "Low", "High"):
                body[f"{side}PostalCode{end}"] = zip_code
            body[f"{side}StateProvince"] = asked.get(f"{side}StateProvince") or ""
        body |= {
            "weightUnitOfMeasure": asked.get("weightUnitOfMeasure") or "LBS",
            "weight": str(asked.get("weight") or "0.0"),
            "shipmentContentsValue": str(asked.get("shipmentContentsValue") or "0"),
            "guaranteeSuspended": False,
            "numberOfServices": len(rows),
            "services": rows,
        }
        if asked.get("shipmentContentsCurrencyCode"):
            body["shipmentContentsCurrencyCode"] = asked["shipmentContentsCurrencyCode"]
        return {name: value for name, value in body.items() if value != ""}


def _row(product: Product, ship_on: date) -> dict[str, Any]:
    there = arrival(product, ship_on)
    return {
        "serviceLevel": product.transit_code,
        "serviceLevelDescription": product.name,
        "businessTransitDays": product.days,
        "totalTransitDays": 0,
        "deliveryDate": there.isoformat(),
        "deliveryTime": product.by,
        "deliveryDayOfWeek": f"{there:%a}".upper(),
        "nextDayPickupIndicator": "0",
        "saturdayPickupIndicator": "0",
        "saturdayDeliveryIndicator": "0",
        "sundayPickupIndicator": "0",
        "sundayDeliveryIndicator": "0",
        "guaranteeIndicator": "1" if product.guaranteed else "0",
        "restDaysCount": 0,
        "holidayCount": 0,
        "delayCount": 0,
        "commitTime": product.by,
        "shipDate": ship_on.isoformat(),
        "pickupTime": "20:00:00",
        "pickupDate": ship_on.isoformat(),
        "poddays": 0,
        "cstccutoffTime": "18:00:00",
    }
