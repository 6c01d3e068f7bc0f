"""karrio with karrio-ups: rate, ship, track, cancel."""

import json
import sys

import karrio.sdk as karrio
from karrio.core.models import (
    Address,
    Parcel,
    RateRequest,
    ShipmentCancelRequest,
    ShipmentRequest,
    TrackingRequest,
)
from karrio.providers.ups.utils import Settings

url = sys.argv[1]
Settings.server_url = property(lambda self: url)
gateway = karrio.gateway["ups"].create(
    {
        "client_id": "id",
        "client_secret": "secret",
        "account_number": "A1B2C3",
        "account_country_code": "US",
        "test_mode": True,
    }
)


def address(name: str, line: str, city: str, state: str, code: str) -> Address:
    return Address(
        person_name=name,
        company_name=name,
        address_line1=line,
        city=city,
        state_code=state,
        postal_code=code,
        country_code="US",
        phone_number="5555555555",
    )


shipper = address("Sender", "1 Main Street", "Beverly Hills", "CA", "90210")
recipient = address("Receiver", "2 Long Road", "New York", "NY", "10001")
parcel = Parcel(weight=2.5, weight_unit="LB", length=10, width=8, height=6, dimension_unit="IN")


def asked(request):
    result, messages = request.from_(gateway).parse()
    problems = [f"{message.code}: {message.message}" for message in messages]
    return result, problems


rates, rate_problems = asked(
    karrio.Rating.fetch(RateRequest(shipper=shipper, recipient=recipient, parcels=[parcel], services=["ups_ground"]))
)
shipment, ship_problems = asked(
    karrio.Shipment.create(
        ShipmentRequest(
            shipper=shipper,
            recipient=recipient,
            parcels=[parcel],
            service="ups_ground",
            reference="SO042",
            label_type="ZPL",
        )
    )
)
tracked, track_problems = asked(
    karrio.Tracking.fetch(TrackingRequest(tracking_numbers=[shipment.tracking_number] if shipment else []))
)
cancelled, cancel_problems = asked(
    karrio.Shipment.cancel(ShipmentCancelRequest(shipment_identifier=shipment.shipment_identifier if shipment else ""))
)
print(
    json.dumps(
        {
            "rates": [[rate.service, str(rate.total_charge)] for rate in rates or []],
            "tracking_number": shipment.tracking_number if shipment else None,
            "label": bool(shipment and shipment.docs.label),
            "tracked": [[t.tracking_number, len(t.events)] for t in tracked or []],
            "cancelled": bool(cancelled and cancelled.success),
            "problems": [rate_problems, ship_problems, track_problems, cancel_problems],
        }
    )
)
