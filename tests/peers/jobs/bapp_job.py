"""bapp-connectors: an AWB of Sameday through its registry, which gives the client the retries of the manifest."""

import dataclasses

import bapp_connectors.core.http.retry as retry
from bapp_connectors.core.dto import Address, Parcel, Shipment
from bapp_connectors.core.registry import ProviderRegistry
from bapp_connectors.providers.courier.sameday.adapter import SamedayCourierAdapter
from jobs import work

# Only the waits are left out, and the answer is awaited for one second in place of ten.
retry.time.sleep = lambda seconds: None
TIMEOUT_S = 1


def ship(url):
    manifest = dataclasses.replace(SamedayCourierAdapter.manifest, base_url=f"{url}/api/")
    adapter_class = type("Sameday", (SamedayCourierAdapter,), {"manifest": manifest})
    registry = ProviderRegistry()
    registry.register(adapter_class)
    adapter = registry.create_adapter(
        "courier", "sameday", {"username": "user", "password": "secret"}, {"pickup_point_id": 1}
    )
    adapter.client.http.timeout = TIMEOUT_S
    shipment = Shipment(
        recipient=Address(street="Strada Lunga 2", city="Bucuresti", region="Bucuresti", country="RO"),
        parcels=[Parcel(weight=1.2)],
        extra={"observation": "SO042"},
    )

    def job():
        label = adapter.generate_awb(shipment)
        return label.tracking_number and label.label_pdf

    return job


work(ship)
