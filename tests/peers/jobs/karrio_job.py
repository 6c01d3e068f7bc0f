"""karrio with karrio-ups: a shipment; no label in the answer means that the job failed, as its documentation has it."""

import karrio.sdk as karrio
from jobs import work
from karrio.core.models import Address, Parcel, ShipmentRequest
from karrio.providers.ups.utils import Settings

where = [""]
Settings.server_url = property(lambda self: where[0])


def address(name, line, city, state, code):
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


def ship(url):
    where[0] = url
    gateway = karrio.gateway["ups"].create(
        {
            "client_id": "id",
            "client_secret": "secret",
            "account_number": "A1B2C3",
            "account_country_code": "US",
            "test_mode": True,
        }
    )
    request = ShipmentRequest(
        shipper=address("Sender", "1 Main Street", "Beverly Hills", "CA", "90210"),
        recipient=address("Receiver", "2 Long Road", "New York", "NY", "10001"),
        parcels=[Parcel(weight=2.5, weight_unit="LB", length=10, width=8, height=6, dimension_unit="IN")],
        service="ups_ground",
        reference="SO042",
        label_type="ZPL",
    )

    def job():
        shipment, _ = karrio.Shipment.create(request).from_(gateway).parse()
        return shipment and shipment.docs.label

    return job


work(ship)
