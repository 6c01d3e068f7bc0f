"""What each operation can be called with, made from a carrier's facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from hypothesis import strategies as st

from shipkit import model as m
from shipkit.carrier import Carrier

from .places import PLACES
from .strategies import parties, pickup_requests, rate_requests, return_requests, shipment_requests

__all__ = ["arguments_of", "numbers"]


def numbers(carrier: Carrier) -> st.SearchStrategy[m.TrackingNumber]:
    """Numbers that look like a parcel's."""
    digits = st.text("0123456789", min_size=8, max_size=8)
    return digits.map(lambda value: m.TrackingNumber(value=value, carrier=type(carrier).code))


def arguments_of(carrier: Carrier) -> Mapping[str, st.SearchStrategy[Any]]:
    """A strategy for the argument of every operation."""
    number, one = numbers(carrier), numbers(carrier).map(lambda value: (value,))
    code = st.text("0123456789ABCDEF", min_size=8, max_size=8)
    day = st.dates(date(2026, 1, 5), date(2026, 12, 20))
    somebody = parties(carrier, "ship_from")
    shipments = shipment_requests(carrier)
    money = st.integers(1, 500).map(lambda amount: m.Money(Decimal(amount), "USD"))
    return {
        "rates": rate_requests(carrier),
        "transit_times": rate_requests(carrier),
        "create_shipment": shipments,
        "find_shipments": shipments,
        "create_return": return_requests(carrier),
        "book_pickup": pickup_requests(carrier),
        "cancel_pickup": st.builds(m.PickupCancelRequest, confirmation=code),
        "cancel_shipment": st.builds(m.CancelRequest, shipment_id=code, reference=code, tracking_numbers=one),
        "refund": st.builds(m.RefundRequest, tracking_numbers=one),
        "documents": st.builds(m.DocumentQuery, shipment_id=code, tracking_numbers=one),
        "track": st.builds(m.TrackQuery, number=number),
        "track_many": st.tuples(st.builds(m.TrackQuery, number=number)),
        "service_points": st.sampled_from(PLACES).map(
            lambda place: m.ServicePointQuery(
                near=m.Address(
                    lines=(place.street,), postal_code=place.postal_code, city=place.city, country=place.country
                ),
                country=place.country,
            )
        ),
        "check_address": somebody.map(lambda party: m.AddressCheck(address=cast(m.Address, party.address))),
        "close_manifest": st.builds(m.ManifestRequest, ship_from=somebody, day=day, shipment_ids=st.tuples(code)),
        "insure": st.builds(m.InsuranceRequest, reference=code, number=number, amount=money, shipment_id=code),
        "subscribe": st.builds(
            m.SubscriptionRequest,
            numbers=one,
            callback_url=st.just("https://host.example/hooks/3f2a"),
            secret=st.just("a-secret-of-the-host"),
        ),
    }
