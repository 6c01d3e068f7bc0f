"""The official shippo client: a label in one call, with the shipment in it."""

from jobs import work
from shippo import Shippo
from shippo.models import components


def ship(url):
    client = Shippo(api_key_header="ShippoToken shippo_test_0000", server_url=url)
    parcel = components.ParcelCreateRequest(
        mass_unit=components.WeightUnitEnum.LB,
        weight="2.5",
        distance_unit=components.DistanceUnitEnum.IN,
        height="6",
        length="10",
        width="8",
    )

    def address(name, street, city, state, code):
        return components.AddressCreateRequest(
            country="US", name=name, street1=street, city=city, state=state, zip=code, phone="5555555555"
        )

    request = components.InstantTransactionCreateRequest(
        carrier_account="b741b99f95e841639b54272834bc478c",
        servicelevel_token="usps_priority",
        metadata="SO042",
        shipment=components.ShipmentCreateRequest(
            address_from=address("Sender", "1 Main Street", "Beverly Hills", "CA", "90210"),
            address_to=address("Receiver", "2 Long Road", "New York", "NY", "10001"),
            parcels=[parcel],
        ),
    )

    def job():
        bought = client.transactions.create(request)
        return bought.status == components.TransactionStatusEnum.SUCCESS and bought.label_url

    return job


work(ship)
