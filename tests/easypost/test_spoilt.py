"""Whatever EasyPost, or what stands between, makes of a reply: canonical values that lack nothing, or a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import ShipkitError
from shipkit.model import BookingState, DocumentQuery, Shipment, TrackQuery
from shipkit.testing import Exchange, play, playback
from shipkit.testing.spoiling import Mutation, mutations
from tests.conftest import shared_folder
from tests.easypost.samples import EASYPOST, ORDER, QUOTED, delivery, number

FOLDER = shared_folder() / "recordings/easypost"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not there (set SHIPKIT_SHARED)")
REQUEST = attrs.evolve(ORDER, label=None)


def recorded(name: str, index: int) -> Exchange:
    return playback(Path(FOLDER / f"{name}.json")).exchanges[index]


def spoilt(name: str, index: int) -> st.SearchStrategy[Mutation]:
    return st.deferred(lambda: mutations(recorded(name, index).reply)) if FOLDER.is_dir() else st.nothing()


def end(flow: Any, *replies: Any) -> Any:
    played = play(flow, *replies)
    if played.error is None:
        return played.value
    assert isinstance(played.error, ShipkitError)
    return played.error


@given(spoilt("test_shipment_buy", 1))
def test_a_spoilt_purchase_is_whole_or_pending_or_an_error(mutation: Mutation) -> None:
    draft, bought = recorded("test_shipment_buy", 0), recorded("test_shipment_buy", 1)
    whole = play(EASYPOST.create_shipment(REQUEST), draft.reply, bought.reply).value
    try:
        shipment = end(EASYPOST.create_shipment(REQUEST), draft.reply, mutation.reply)
    except AssertionError as asked_for_more:
        raise AssertionError("a purchase is one request") from asked_for_more

    if isinstance(shipment, Shipment):
        assert shipment.tracking_numbers and shipment.shipment_id
        assert shipment.documents or shipment.state is BookingState.LABEL_PENDING
        if mutation.faithful and shipment.documents:
            assert shipment.documents[0].url is not None
            assert shipment.packages[0].ref == whole.packages[0].ref


@given(spoilt("test_shipment_buy", 0))
def test_a_spoilt_draft_is_quoted_or_an_error(mutation: Mutation) -> None:
    quotes = end(EASYPOST.rates(QUOTED), mutation.reply)

    if not isinstance(quotes, ShipkitError):
        assert all(quote.total.currency and quote.service.count("/") == 1 for quote in quotes)


@given(spoilt("test_shipment_buy", 0))
def test_a_spoilt_draft_never_buys_something_else(mutation: Mutation) -> None:
    flow = EASYPOST.create_shipment(REQUEST)
    next(flow)
    bought = recorded("test_shipment_buy", 1)
    played = play_until_purchase(flow, mutation)

    if played is not None:
        body = json.loads(mutation.reply.content)
        bought_id = json.loads(played.content)["rate"]["id"]
        chosen = [row for row in body["rates"] if str(row.get("id")) == bought_id]
        assert chosen and chosen[0]["service"] == "GroundAdvantage"
        assert bought.request.method == played.method


def play_until_purchase(flow: Any, mutation: Mutation) -> Any:
    try:
        response = mutation.reply.to(next(EASYPOST.create_shipment(REQUEST)))
        EASYPOST.check(response)
        return flow.send(response)
    except (ShipkitError, StopIteration):
        return None
    finally:
        flow.close()


@given(spoilt("test_tracker_create", 0))
def test_a_spoilt_tracker_is_read_or_an_error(mutation: Mutation) -> None:
    result = end(EASYPOST.track(TrackQuery(number=number("EZ1000000001", "easypost"))), mutation.reply)

    if not isinstance(result, ShipkitError):
        assert result.number.value == "EZ1000000001"
        assert all(event.observed_at == result.received_at for event in result.events)


@given(spoilt("test_shipment_convert_label", 2))
def test_a_spoilt_shipment_gives_papers_or_an_error(mutation: Mutation) -> None:
    query = DocumentQuery(shipment_id="shp_1", tracking_numbers=(number(),))
    papers = end(EASYPOST.documents(query), mutation.reply)

    if not isinstance(papers, ShipkitError):
        assert all(paper.url for paper in papers)


@given(spoilt("test_shipment_get_next_page", 1))
def test_a_spoilt_list_is_searched_or_an_error(mutation: Mutation) -> None:
    unknown = recorded("test_error_alternative_format", 0).reply
    last = attrs.evolve(unknown, status=200, content=b'{"shipments": [], "has_more": false}')
    flow = EASYPOST.find_shipments(REQUEST)
    try:
        hits = end(flow, unknown, mutation.reply, last)
    except AssertionError:  # it was the last page as it stands
        hits = end(EASYPOST.find_shipments(REQUEST), unknown, mutation.reply)

    assert isinstance(hits, (tuple, ShipkitError))


@given(spoilt("test_tracker_create", 0))
def test_a_spoilt_push_is_read_or_an_error(mutation: Mutation) -> None:
    body = b'{"description": "tracker.updated", "result": ' + mutation.reply.content + b"}"
    try:
        results = EASYPOST.read_webhook(delivery(body))
    except ShipkitError:
        return

    assert len(results) == 1


@given(spoilt("test_pickup_buy", 2))
def test_a_spoilt_pickup_has_a_confirmation_or_is_an_error(mutation: Mutation) -> None:
    from tests.easypost.test_carrier import PICKUP

    pickup = end(EASYPOST.book_pickup(PICKUP), recorded("test_pickup_buy", 1).reply, mutation.reply)

    if not isinstance(pickup, ShipkitError):
        assert pickup.confirmation.split("/")[0]
