"""The same input gives the same requests, however it came to be."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import model as m
from shipkit.carrier import Carrier
from shipkit.codec import from_json, to_json
from shipkit.constraints import problems, wrapped
from shipkit.flow import Request
from shipkit.testing import broken, rate_requests, shipment_requests
from tests.recordings.accounts import ACCOUNTS

CARRIERS = list(ACCOUNTS.values())
RATING = [carrier for carrier in CARRIERS if hasattr(carrier, "rates")]


def first(carrier: Carrier, operation: str, request: Any) -> Request:
    flow = getattr(carrier, operation)(wrapped(request, carrier.facts()))
    try:
        sent: Request = next(flow)
    finally:
        flow.close()
    return sent


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: carrier.code)
def test_the_same_booking_gives_the_same_request(carrier: Carrier) -> None:
    @given(shipment_requests(carrier))
    def same(request: m.ShipmentRequest) -> None:
        again = from_json(to_json(request), m.ShipmentRequest)

        assert first(carrier, "create_shipment", request) == first(carrier, "create_shipment", again)
        assert first(attrs.evolve(carrier), "create_shipment", request) == first(carrier, "create_shipment", request)

    same()


@pytest.mark.parametrize("carrier", RATING, ids=lambda carrier: carrier.code)
def test_the_same_question_for_prices_gives_the_same_request(carrier: Carrier) -> None:
    @given(rate_requests(carrier))
    def same(request: m.RateRequest) -> None:
        again = from_json(to_json(request), m.RateRequest)

        assert first(carrier, "rates", request) == first(carrier, "rates", again)

    same()


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: carrier.code)
def test_another_booking_gives_another_request(carrier: Carrier) -> None:
    """The mark, at least, is in it: what the ledger looks for is what was sent (a plugin may say that it has none)."""

    @given(shipment_requests(carrier), st.sampled_from(["MARKOFANOTHER123"]))
    def another(request: m.ShipmentRequest, mark: str) -> None:
        other = attrs.evolve(request, mark=mark)

        assert first(carrier, "create_shipment", request) != first(carrier, "create_shipment", other)

    if carrier.facts().recovery.mode is m.RecoveryMode.NONE:
        pytest.skip("it keeps no mark")
    another()


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: carrier.code)
def test_one_thing_wrong_is_found_before_anything_is_sent(carrier: Carrier) -> None:
    @given(broken(carrier, shipment_requests(carrier)))
    def found(case: Any) -> None:
        said = problems(case.request, carrier.facts(), schema=carrier.options_schema())

        assert (case.path, case.code) in [(problem.path, problem.code) for problem in said]

    found()
