"""The official shipengine client: a label from a shipment's details."""

from jobs import work
from shipengine import ShipEngine

TIMEOUT_S = 1


def ship(url):
    client = ShipEngine({"api_key": "TEST_0000000000000000000000000000", "base_uri": url + "/", "timeout": TIMEOUT_S})

    def address(name, line, city, state, code):
        return {
            "name": name,
            "address_line1": line,
            "city_locality": city,
            "state_province": state,
            "postal_code": code,
            "country_code": "US",
            "phone": "5555555555",
        }

    details = {
        "shipment": {
            "service_code": "usps_priority_mail",
            "external_shipment_id": "SO042",
            "ship_from": address("Sender", "1 Main Street", "Beverly Hills", "CA", "90210"),
            "ship_to": address("Receiver", "2 Long Road", "New York", "NY", "10001"),
            "packages": [{"weight": {"value": 2.5, "unit": "pound"}}],
        }
    }

    def job():
        label = client.create_label_from_shipment(details)
        return label["tracking_number"] and label["label_download"]["pdf"]

    return job


work(ship)
