"""Track Alert: POST /track/{version}/subscription/{type}/package, and the pushes."""

from __future__ import annotations

import json
import re
from datetime import timedelta, timezone
from typing import Any, Final

from shipkit.simulator import Call, Push, Reply, Step, Subscription, route

from .base import RefusedError, UpsBase, listed, signed, text_at
from .tracking import ACTIVITIES, place_of, zone_at

__all__ = ["TrackAlert"]

_DAYS: Final = 14
_NUMBER: Final = re.compile(r"1Z[0-9A-Z]{16}|1R[0-9A-Z]{14}|1R[0-9A-Z]{26}")
_STATE: Final = re.compile(r"[A-Z]{2}")
_ZIP: Final = re.compile(r"\d{5}(?:[-\s]\d{4})?")


class TrackAlert(UpsBase):
    """Subscriptions of version v1, which name where to push and the credential to show there."""

    @route("POST", "/api/track/{version}/subscription/{type}/package", operation="subscribe")
    @signed
    def subscribe(self, call: Call) -> Reply:
        request = call.json()
        numbers = [str(number) for number in listed(request.get("trackingNumberList"))]
        _check(request, numbers, versioned=call.params["version"] == "v1")
        valid = [number for number in numbers if _NUMBER.fullmatch(number)]
        invalid = [number for number in numbers if number not in valid]
        if not valid:
            error = {"code": "VSS210", "message": "The Subscription request should have at least one valid number."}
            body = {"invalidTrackingNumbers": invalid, "response": {"errors": [error]}}
            return Reply.json(body, 400, self.tags(call))
        url = text_at(request, ("destination", "url"))
        if url:
            self.world.subscribe(
                subscription_id=f"alert-{self.world.next('alert')}",
                url=url,
                numbers=valid,
                credential=text_at(request, ("destination", "credential")),
                expires_at=self.world.clock.now() + timedelta(days=_DAYS),
            )
        answer: dict[str, Any] = {"validTrackingNumbers": valid}
        if invalid:
            answer["invalidTrackingNumbers"] = invalid
        return Reply.json(answer, 200, self.tags(call))

    def pushes(self, step: Step, subscription: Subscription) -> Push:
        """What UPSTrackAlert.yaml calls TrackingEventRequest; fields without a value are left out."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "UPSPubSubTrackingService",
            "credential": subscription.credential,
        }
        body = json.dumps(self._event(step)).encode()
        return Push(url=subscription.url, headers=headers, body=body, proof="credential")

    def _event(self, step: Step) -> dict[str, Any]:
        booking = self.world.booking(step.booking_id)
        kind, code, detail, text = ACTIVITIES[step.kind]
        local, gmt = step.at.astimezone(zone_at(booking, step)), step.at.astimezone(timezone.utc)
        place = place_of(booking, step.place)
        location = {"city": place.get("city", ""), "country": place["countryCode"]}
        if _STATE.fullmatch(place.get("stateProvince", "")):
            location["stateProvince"] = place["stateProvince"]
        if kind == "D" and _ZIP.fullmatch(place.get("postalCode", "")):
            location["postalCode"] = place["postalCode"]
        event: dict[str, Any] = {
            "trackingNumber": step.number,
            "localActivityDate": f"{local:%Y%m%d}",
            "localActivityTime": f"{local:%H%M%S}",
            "activityLocation": {name: value for name, value in location.items() if value},
            "activityStatus": {"type": kind, "code": code, "description": text, "descriptionCode": detail},
            "gmtActivityDate": f"{gmt:%Y%m%d}",
            "gmtActivityTime": f"{gmt:%H%M%S}",
        }
        if kind == "D":
            event |= {"actualDeliveryDate": f"{local:%Y%m%d}", "actualDeliveryTime": f"{local:%H%M%S}"}
        return event


def _check(request: Any, numbers: list[str], *, versioned: bool) -> None:
    """The refusals of UPSTrackAlertEnhanced.yaml, "Error Codes"."""
    if not text_at(request, ["locale"]):
        raise RefusedError("VSS300", "Locale is required. The Subscription request has been rejected.")
    if not numbers:
        raise RefusedError("VSS200", "Tracking Number List is required. The Subscription request has been rejected.")
    if len(numbers) > 100:
        raise RefusedError("VSS220", "You have submitted over 100 tracking numbers which is not allowed.")
    for name, code in (("url", "VSS600"), ("credential", "VSS700"), ("credentialType", "VSS800")):
        if versioned and not text_at(request, ("destination", name)):
            raise RefusedError(code, f"{name} is empty or not present. The Subscription request has been rejected.")
