"""The official easypost client: buy, track, refund."""

import json
import sys

import easypost

client = easypost.EasyPostClient("EZTK00000000000000000000000000000000", api_base=sys.argv[1] + "/v2")
address = {
    "name": "Dr. Steve Brule",
    "street1": "179 N Harbor Dr",
    "city": "Redondo Beach",
    "state": "CA",
    "zip": "90277",
    "country": "US",
    "phone": "3331114444",
}
shipment = client.shipment.create(
    from_address=address,
    to_address={
        **address,
        "name": "Receiver",
        "street1": "417 Montgomery Street",
        "city": "San Francisco",
        "zip": "94104",
    },
    parcel={"length": 10, "width": 8, "height": 4, "weight": 15.4},
    reference="SO042",
)
bought = client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
tracker = client.tracker.create(tracking_code=bought.tracking_code, carrier=bought.selected_rate.carrier)
again = client.tracker.retrieve(tracker.id)
refunded = client.shipment.refund(bought.id)
print(
    json.dumps(
        {
            "rates": len(shipment.rates),
            "tracking_code": bought.tracking_code,
            "label_url": bought.postage_label.label_url,
            "tracker": again.tracking_code,
            "tracker_status": again.status,
            "refund_status": refunded.refund_status,
        }
    )
)
