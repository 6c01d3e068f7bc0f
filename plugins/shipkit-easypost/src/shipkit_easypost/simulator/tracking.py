"""Trackers: what EasyPost says of a parcel, and what it pushes when something happens to one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from shipkit.simulator import Call, NotInBooksError, Place, Push, Step, StepKind, Subscription
from shipkit.webhooks import Hmac

from . import objects
from .base import EasyPostBase, Json, stamp

__all__ = ["SIGNATURE", "Tracking"]

#: PyPI easypost/util.py, validate_webhook.
SIGNATURE: Final = Hmac(header="X-Hmac-Signature", prefix="hmac-sha256-hex=", normalise="NFKD")

_K = StepKind
# Status, detail and sentence of each step; the pairs of the first, the moving and the last ones are recorded
# (test_shipment_get_next_page), the others join words of npm Tracker/TrackerStatus and TrackerStatusDetail.
_WORDS: Final = {
    _K.ANNOUNCED: ("pre_transit", "status_update", "Shipping Label Created"),
    _K.ACCEPTED: ("in_transit", "received_at_origin_facility", "Accepted at Origin Facility"),
    _K.DEPARTED: ("in_transit", "departed_facility", "Departed Facility"),
    _K.ARRIVED: ("in_transit", "arrived_at_facility", "Arrived at Facility"),
    _K.OUT_FOR_DELIVERY: ("out_for_delivery", "out_for_delivery", "Out for Delivery"),
    _K.ATTEMPTED: ("failure", "delivery_exception", "Delivery Attempted, No Access"),
    _K.EXCEPTION: ("in_transit", "delayed", "Delayed"),
    _K.CUSTOMS_HELD: ("in_transit", "held", "Held by Customs"),
    _K.CUSTOMS_CLEARED: ("in_transit", "in_transit", "Customs Clearance Completed"),
    _K.HANDED_OVER: ("in_transit", "transferred_to_destination_carrier", "Tendered to Delivery Partner"),
    _K.REDIRECTED: ("in_transit", "status_update", "Rerouted to a Pickup Location"),
    _K.READY_FOR_PICKUP: ("available_for_pickup", "arrived_at_pickup_location", "Available for Pickup"),
    _K.DELIVERED: ("delivered", "arrived_at_destination", "Delivered"),
    _K.COLLECTED: ("delivered", "arrived_at_destination", "Delivered, Picked Up"),
    _K.REFUSED: ("failure", "refused", "RefusedError"),
    _K.RETURNING: ("return_to_sender", "return", "Return to Sender"),
    _K.RETURNED: ("return_to_sender", "return", "Delivered to Original Sender"),
    _K.LOST: ("failure", "lost", "Lost"),
    _K.NOTED: ("unknown", "status_update", "Signature Image Recorded"),
    _K.UNEXPLAINED: ("resting", "resting", "Resting"),  # neither word is EasyPost's
    _K.VOIDED: ("cancelled", "cancelled", "Cancelled"),
}
_HERE: Final = {
    Place.SENDER: "from_address",
    Place.ORIGIN_DEPOT: "from_address",
    Place.DESTINATION_DEPOT: "to_address",
    Place.SERVICE_POINT: "to_address",
    Place.RECIPIENT: "to_address",
}
_DONE: Final = frozenset({_K.DELIVERED, _K.COLLECTED})
_ATTEMPTS: Final = _DONE | {_K.ATTEMPTED, _K.REFUSED}

# docs tracking-guide: numbers for tests, each with the life that it stands for.
TEST_CODES: Final = {
    "EZ1000000001": (_K.ANNOUNCED,),
    "EZ2000000002": (_K.ANNOUNCED, _K.ACCEPTED),
    "EZ3000000003": (_K.ANNOUNCED, _K.ACCEPTED, _K.OUT_FOR_DELIVERY),
    "EZ4000000004": (_K.ANNOUNCED, _K.ACCEPTED, _K.OUT_FOR_DELIVERY, _K.DELIVERED),
    "EZ5000000005": (_K.ANNOUNCED, _K.ACCEPTED, _K.RETURNING),
    "EZ6000000006": (_K.ANNOUNCED, _K.ACCEPTED, _K.ATTEMPTED),
}
_NOWHERE: Final[Json] = {"object": "TrackingLocation", "city": None, "state": None, "country": None, "zip": None}
_HOUSTON: Final[Json] = {"city": "HOUSTON", "state": "TX", "zip": "77063", "country": "US"}


class Tracking(EasyPostBase):
    """How trackers are written; the routes are in the classes derived from it."""

    def new_tracker(self, row: Json) -> Json:
        """The tracker that a purchase makes: nothing has happened yet."""
        return {
            "id": self.new_id("trk"),
            "object": "Tracker",
            "mode": row["mode"],
            "tracking_code": row["tracking_code"],
            "status": "unknown",
            "status_detail": "unknown",
            "created_at": self.now(),
            "updated_at": self.now(),
            "signed_by": None,
            "weight": None,
            "est_delivery_date": None,
            "shipment_id": row["id"],
            "carrier": row["selected_rate"]["carrier"],
            "tracking_details": [],
            "fees": [],
            "carrier_detail": None,
        }

    def tracker_of(self, row: Json, at: datetime | None = None) -> Json:
        """The tracker of a bought shipment as of now, or as it was *at* a moment."""
        moment = at or self.world.clock.now()
        base: Json = row["tracker"]
        steps = self.world.parcel(row["tracking_code"]).steps_until(moment)
        if not steps or (at is None and moment == self.world.booking(row["id"]).created_at):
            return _public(base)
        return _public({**base, **_written(steps, row, moment)})

    def shipment_of(self, call: Call, code: str) -> Json | None:
        """The account's own bought shipment that has the tracking code."""
        try:
            booking = self.world.by_number(code)
        except NotInBooksError:
            return None
        row: Json = self.world.drawer("shipments")[booking.id]
        return row if booking.account == self.account(call) else None

    def test_tracker(self, base: Json, code: str) -> Json:
        """The tracker of one of EasyPost's test numbers: its whole life lies a month back."""
        now = self.world.clock.now()
        start = now - timedelta(days=28)
        steps = [
            Step(
                number=code, booking_id="", index=i, kind=kind, at=start + timedelta(hours=12.6 * i), place=Place.SENDER
            )
            for i, kind in enumerate((_K.ANNOUNCED, *TEST_CODES[code]))
        ]
        row = {
            "from_address": _HOUSTON,
            "to_address": {**_HOUSTON, "city": "CHARLESTON", "state": "SC", "zip": "29401"},
            "selected_rate": {"carrier": "USPS", "service": "First-Class Package Service"},
        }
        written = _written(steps, row, now)
        written["tracking_details"][0] |= {
            "message": "Pre-Shipment Info Sent to USPS",
            "tracking_location": dict(_NOWHERE),
        }
        return _public({**base, **written})

    def pushes(self, step: Step, subscription: Subscription) -> Push | None:
        """An event for every step of a parcel of the same account, signed where the webhook has a secret."""
        row = self.world.drawer("shipments").get(step.booking_id)
        booking = self.world.booking(step.booking_id)
        if row is None or booking.account != subscription.account:
            return None
        before = self.world.parcel(step.number).steps_until(step.at - timedelta(microseconds=1))
        event_id = hashlib.sha256(f"{step.number}-{step.index}-{step.kind.value}-{step.at}".encode()).hexdigest()[:32]
        body = json.dumps(
            {
                "id": f"evt_{event_id}",
                "object": "Event",
                "mode": row["mode"],
                "description": "tracker.updated" if before else "tracker.created",
                "created_at": stamp(step.at),
                "updated_at": stamp(step.at),
                "previous_attributes": {"status": _WORDS[before[-1].kind][0] if before else "unknown"},
                "pending_urls": [subscription.url],
                "completed_urls": [],
                "status": "pending",
                "result": {**self.tracker_of(row, step.at), "finalized": True, "is_return": row["is_return"]},
            }
        ).encode()
        headers = {"Content-Type": "application/json"}
        if subscription.credential:
            headers[SIGNATURE.header] = SIGNATURE.signature(body, subscription.credential)
        return Push(url=subscription.url, headers=headers, body=body, proof=SIGNATURE.header)


def _public(tracker: Json) -> Json:
    return {**tracker, "public_url": f"https://track.easypost.com/{tracker['id'][4:]}"}


def _written(steps: Sequence[Step], row: Json, now: datetime) -> Json:
    status, detail, _ = _WORDS[steps[-1].kind]
    done = steps[-1].kind in _DONE
    details = [_detail(step, row) for step in steps]
    tried = next((stamp(step.at) for step in steps if step.kind in _ATTEMPTS), None)
    return {
        "status": status,
        "status_detail": detail,
        "updated_at": stamp(steps[-1].at),
        "signed_by": "John Tester" if done else None,
        "est_delivery_date": stamp(now),
        "tracking_details": details,
        "carrier_detail": objects.carrier_detail(
            row["selected_rate"]["service"],
            row["from_address"],
            row["to_address"],
            details[0]["tracking_location"],
            details[-1]["tracking_location"] if done else None,
            tried,
        ),
    }


def _detail(step: Step, row: Json) -> Json:
    status, detail, message = _WORDS[step.kind]
    return {
        "object": "TrackingDetail",
        "message": message,
        "description": "",
        "status": status,
        "status_detail": detail,
        "datetime": stamp(step.at),
        "source": row["selected_rate"]["carrier"],
        "carrier_code": "",
        "tracking_location": _place(step.place, row),
    }


def _place(place: Place, row: Json) -> Json:
    # Recorded: country is null even where the town is known; of a hub nothing is known at all.
    where: Any = row[_HERE[place]] if place in _HERE else None
    if where is None:
        return dict(_NOWHERE)
    town = str(where["city"] or "").upper() or None
    return {
        "object": "TrackingLocation",
        "city": town,
        "state": where["state"],
        "country": None,
        "zip": str(where["zip"] or "")[:5] or None,
    }
