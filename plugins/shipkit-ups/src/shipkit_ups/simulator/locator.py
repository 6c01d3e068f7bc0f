"""Locator: POST /locations/{version}/search/availabilities/{option}; Access Points only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from shipkit.simulator import Call, Reply, route

from .base import RefusedError, UpsBase, one, signed, text_at
from .places import country_name

__all__ = ["Locator"]

_ACCESS_POINTS: Final = "64"
_NAMES: Final = ("The Corner Shop", "Station Kiosk", "Market Books")
_OFFERINGS: Final = (("001", "Direct To Retail"), ("006", "Drop Off"))
_DAYS: Final = "1234567"


class Locator(UpsBase):
    """Three invented shops near every place, each with the same hours."""

    @route("POST", "/api/locations/{version}/search/availabilities/{option}", operation="service_points")
    @signed
    def locations(self, call: Call) -> Reply:
        request = call.json()["LocatorRequest"]
        if call.params["option"] != _ACCESS_POINTS:
            raise RefusedError("350201", "Only Access Points are simulated")
        criteria = one(request.get("LocationSearchCriteria"))
        unit = text_at(request, ("UnitOfMeasurement", "Code")) or "MI"
        wanted = text_at(criteria, ("AccessPointSearch", "PublicAccessPointID"))
        points = self._near(one(request["OriginAddress"]), unit)
        if wanted:
            points = [point for point in self.world.drawer("access points").values() if _id(point) == wanted]
        points = points[: int(text_at(criteria, ["MaximumListSize"]) or 5)]
        head: dict[str, Any] = {"ResponseStatusCode": "1", "ResponseStatusDescription": "Success"}
        if not points:
            error = {"ErrorSeverity": "Hard", "ErrorCode": "350202", "ErrorDescription": "No locations found"}
            head = {"ResponseStatusCode": "0", "ResponseStatusDescription": "Failure", "Error": error}
        body: dict[str, Any] = {"Response": head, "SearchResults": {"DropLocation": points}}
        if not points:
            body["SearchResults"] = {"Disclaimer": "No locations found"}
        return self.answer(call, {"LocatorResponse": {**body, "AllowAllConfidenceLevels": "False"}}, since=3)

    def _near(self, origin: Mapping[str, Any], unit: str) -> list[dict[str, Any]]:
        key = one(origin.get("AddressKeyFormat"))
        place = one(origin.get("Geocode"))
        seed = zlib.crc32(repr((sorted(key.items()), sorted(place.items()))).encode()) % 10**6
        points = [_point(key, place, seed, index, unit) for index in range(len(_NAMES))]
        self.world.drawer("access points").update({_id(point): point for point in points})
        return points


def _id(point: Mapping[str, Any]) -> str:
    return str(point["AccessPointInformation"]["PublicAccessPointID"])


def _point(key: Mapping[str, Any], place: Mapping[str, Any], seed: int, index: int, unit: str) -> dict[str, Any]:
    number = f"{seed:06d}{index:02d}"
    country = text_at(key, ["CountryCode"])
    return {
        "LocationID": number[-6:],
        "OriginOrDestination": "01",
        "IVR": {"PhraseID": "0"},
        "Geocode": {
            "Latitude": text_at(place, ["Latitude"]) or f"{40 + index / 100:.8f}",
            "Longitude": text_at(place, ["Longitude"]) or f"{-74 - index / 100:.8f}",
        },
        "AddressKeyFormat": {
            "ConsigneeName": _NAMES[index].upper(),
            "AddressLine": f"{10 + index} HIGH ST",
            "PoliticalDivision2": text_at(key, ["PoliticalDivision2"]) or country_name(country),
            "PoliticalDivision1": text_at(key, ["PoliticalDivision1"]),
            "PostcodePrimaryLow": text_at(key, ["PostcodePrimaryLow"]) or "00000",
            "CountryCode": country,
        },
        "PhoneNumber": [f"555{number[-7:]}"],
        "LocationAttribute": [
            {
                "OptionType": {"Code": "01", "Description": "Location"},
                "OptionCode": [{"Code": "018", "Description": "UPS Access Point"}],
            }
        ],
        "Distance": {"Value": f"{0.4 + index:.1f}", "UnitOfMeasurement": {"Code": unit}},
        "Timezone": "America/New_York" if country == "US" else "Europe/Paris",
        "OperatingHours": {"StandardHours": [{"HoursType": "10", "DayOfWeek": [_day(day) for day in _DAYS]}]},
        "ServiceOfferingList": {"ServiceOffering": [{"Code": code, "Description": text} for code, text in _OFFERINGS]},
        "AccessPointInformation": {
            "PublicAccessPointID": f"U{number}",
            "AccessPointStatus": {"Code": "01", "Description": "Active-available"},
        },
    }


def _day(day: str) -> dict[str, str]:
    if day == "1":
        return {"Day": day, "ClosedIndicator": ""}
    return {"Day": day, "OpenHours": "900", "CloseHours": "1830"}
