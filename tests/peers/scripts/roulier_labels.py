"""roulier: a label of DPD France, or one of Mondial Relay."""

import datetime
import json
import sys

from roulier import roulier

carrier, url = sys.argv[1:3]
sender = {
    "company": "Expediteur",
    "name": "Expediteur",
    "street1": "1 rue du Port",
    "city": "Lyon",
    "zip": "69001",
    "country": "FR",
    "phone": "0412345678",
    "email": "depart@example.org",
    "lang": "FR",
}
recipient = {
    "name": "Destinataire",
    "firstName": "Jo",
    "street1": "2 rue Longue",
    "city": "Paris",
    "zip": "75001",
    "country": "FR",
    "phone": "0612345678",
    "email": "arrivee@example.org",
    "lang": "FR",
}
if carrier == "dpd_fr_soap":
    from roulier.carriers.dpd_fr_soap.carrier_action import DpdGetLabel

    DpdGetLabel.ws_url = DpdGetLabel.ws_test_url = url + sys.argv[3]
    data = {
        "auth": {"login": "user", "password": "secret", "isTest": True},
        "service": {
            "labelFormat": "PDF",
            "customerCountry": "250",
            "customerId": "12345",
            "agencyId": "77",
            "product": "DPD_Classic",
            "shippingDate": datetime.date(2026, 3, 2),
            "reference1": "SO042",
            "notifications": "No",
        },
        "parcels": [{"weight": 1.2}],
        "from_address": {**sender, "lang": ""},
        "to_address": {**recipient, "lang": ""},
    }
    for end in ("from_address", "to_address"):
        data[end].pop("lang")
else:
    from roulier.carriers.mondialrelay.carrier_action import MondialRelayGetLabel

    MondialRelayGetLabel.ws_url = url + sys.argv[3]
    data = {
        "auth": {"login": "BDTEST13", "password": "PrivateK"},
        "service": {
            "product": "24R",
            "pickupMode": "CCC",
            "shippingCountry": "FR",
            "shippingSite": sys.argv[4],
        },
        "parcels": [{"weight": 1.2}],
        "from_address": sender,
        "to_address": recipient,
    }
answer = roulier.get(carrier, "get_label", data)
parcel = answer["parcels"][0]
label = parcel["label"] or {}
print(
    json.dumps(
        {
            "number": str(parcel.get("tracking", {}).get("number") or parcel["id"]),
            "label": str(label.get("data") or "")[:60],
            "type": label.get("type"),
        }
    )
)
