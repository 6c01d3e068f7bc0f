"""Whatever becomes of a recorded reply, nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import CarrierError, ShipkitError
from shipkit.model import (
    BookingState,
    DocumentFormat,
    DocumentQuery,
    LabelSpec,
    ReturnShipment,
    Shipment,
    ShipmentRequest,
    TrackingNumber,
)
from shipkit.testing import Reply, mutations, play, playback
from tests.dpd_fr.samples import DPD, HOME, RELAY, RETURN, TWO, booked, fetched, listed, row

MULTI = "CreateMultiShipmentBc"
BACK = "CreateReverseInverseShipmentWithLabelsBc"
QUERY = DocumentQuery(shipment_id="1", tracking_numbers=(TrackingNumber(value="1", carrier="dpd_fr"),))

CONVERSATIONS: dict[str, tuple[Callable[[], Iterator[Any]], Reply]] = {
    "a booking": (
        lambda: DPD.create_shipment(HOME),
        booked("CreateShipmentWithLabelsBc", "10774000248377"),
    ),
    "several parcels": (lambda: DPD.create_shipment(TWO), booked(MULTI, "10774000248377", "10774000248378")),
    "a return": (lambda: DPD.create_return(RETURN), booked(BACK, "10774000248377")),
    "a label": (lambda: DPD.documents(QUERY), fetched()),
    "a look-up": (
        lambda: DPD.find_shipments(TWO),
        listed(row("1", "ABCDEFGHIJKLM-1/1"), row("2", "ABCDEFGHIJKLM-1/2")),
    ),
}

RECORDED: dict[str, ShipmentRequest] = {
    "test_dpd_format_zpl": attrs.evolve(HOME, label=LabelSpec(format=DocumentFormat.ZPL)),
    "test_relai_ok": RELAY,
}


def bearings(value: Any) -> tuple[set[str], set[bytes | None]]:
    """The numbers and the documents in *value*."""
    if isinstance(value, tuple):
        found = [bearings(item) for item in value]
        return set().union(*[numbers for numbers, _ in found]), set().union(*[papers for _, papers in found])
    if isinstance(value, ReturnShipment):
        return bearings(value.shipment)
    if isinstance(value, Shipment):
        return {str(number) for number in value.tracking_numbers}, {paper.content for paper in value.documents}
    return set(), {value.content}


def assert_nothing_is_lost(flow: Callable[[], Iterator[Any]], original: Reply, reply: Reply, *, faithful: bool) -> None:
    whole = play(flow(), original).value
    try:
        # An empty list makes the look-up read the other days as well: they are as empty.
        value = play(flow(), reply, *[reply] * 7).value
    except ShipkitError as error:
        assert not isinstance(error, CarrierError) or error.http_status is not None or "@ $" in error.message
        return
    except AssertionError as unused:
        assert "were not asked for" in str(unused)
        value = play(flow(), reply).value
    if not faithful:
        return
    (numbers, papers), (all_numbers, all_papers) = bearings(value), bearings(whole)
    pending = isinstance(value, Shipment) and value.state is BookingState.LABEL_PENDING
    pending |= isinstance(value, ReturnShipment) and value.shipment.state is BookingState.LABEL_PENDING
    # A list without a parcel is an answer like any other; it is the time of asking that makes it a proof.
    gone = value == () and isinstance(whole, tuple) and isinstance(whole[0], Shipment)
    assert numbers >= all_numbers or gone
    assert papers >= all_papers or pending or gone


@pytest.mark.parametrize("name", CONVERSATIONS)
@given(data=st.data())
def test_a_spoilt_reply_is_a_typed_error_or_lacks_nothing(name: str, data: st.DataObject) -> None:
    flow, original = CONVERSATIONS[name]
    mutation = data.draw(mutations(original))

    assert_nothing_is_lost(flow, original, mutation.reply, faithful=mutation.faithful)


@pytest.mark.parametrize("name", RECORDED)
@given(data=st.data())
def test_a_spoilt_recording_is_a_typed_error_or_lacks_nothing(name: str, data: st.DataObject, shared: Path) -> None:
    original = playback(shared / "recordings" / "dpd_fr" / f"{name}.json").replies[0]
    mutation = data.draw(mutations(original))

    assert_nothing_is_lost(
        lambda: DPD.create_shipment(RECORDED[name]), original, mutation.reply, faithful=mutation.faithful
    )
