"""The official easypost client: create a shipment, buy its lowest rate, as its README shows."""

import easypost
from jobs import work

TIMEOUT_S = 1
ADDRESS = {
    "name": "Dr. Steve Brule",
    "street1": "179 N Harbor Dr",
    "city": "Redondo Beach",
    "state": "CA",
    "zip": "90277",
    "country": "US",
    "phone": "3331114444",
}


def ship(url):
    client = easypost.EasyPostClient("EZTK00000000000000000000000000000000", api_base=url + "/v2", timeout=TIMEOUT_S)

    def job():
        shipment = client.shipment.create(
            from_address=ADDRESS,
            to_address={**ADDRESS, "street1": "417 Montgomery Street", "city": "San Francisco", "zip": "94104"},
            parcel={"length": 10, "width": 8, "height": 4, "weight": 15.4},
            reference="SO042",
        )
        bought = client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
        return bought.tracking_code and bought.postage_label.label_url

    return job


work(ship)
