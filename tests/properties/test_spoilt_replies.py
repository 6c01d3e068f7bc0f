"""Any reply whatever: a value that lacks nothing, or a typed error; and after a purchase never a lost number."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.errors import (
    AuthenticationError,
    InDoubtError,
    LabelPendingError,
    RateLimitedError,
    RejectedError,
    ReplyError,
    ShipkitError,
)
from shipkit.model import BookingState, ManifestState
from shipkit.testing import Evidence, Mutation, Reply, evidence, mutations, no_waiting, parts, reply
from tests.conftest import shared_folder
from tests.properties.wire import Wire, client_on
from tests.recordings.accounts import ACCOUNTS
from tests.recordings.conversations import Case, cases

FOLDER = shared_folder() / "recordings"
CASES = cases(FOLDER) if FOLDER.is_dir() else ()
BOOKED = [c for c in CASES if c.conversation.operation == "create_shipment" and c.conversation.error is None]

pytestmark = pytest.mark.skipif(not CASES, reason="the shared recordings are not here")


@cache
def _spoilt(case: Case, index: int) -> st.SearchStrategy[Mutation]:
    return mutations(case.conversation.replies[index])


def spoilt(choice: list[Case]) -> st.SearchStrategy[tuple[Case, int, Mutation]]:
    """One reply of one recorded conversation, spoilt."""
    places = [(case, index) for case in choice for index in range(len(case.conversation.replies))]
    if not places:
        return st.nothing()
    return st.sampled_from(places).flatmap(lambda place: st.tuples(*map(st.just, place), _spoilt(*place)))


@cache
def _whole(case: Case) -> Evidence:
    return evidence(case.conversation.play(ACCOUNTS[case.carrier]).result)


@given(spoilt(list(CASES)))
def test_a_spoilt_reply_ends_in_a_value_that_lacks_nothing_or_in_a_typed_error(
    spoiling: tuple[Case, int, Mutation],
) -> None:
    case, index, mutation = spoiling
    played = case.conversation.spoilt(ACCOUNTS[case.carrier], index, mutation.reply)

    if played.error is not None:
        assert isinstance(played.error, ShipkitError)
    elif mutation.faithful:
        whole, left = _whole(case), evidence(played.result)
        assert whole.numbers <= left.numbers
        assert whole.documents <= left.documents or _is_pending(played.result)


@pytest.mark.parametrize("member", ["postage_label", "label_url"])
def test_a_bought_shipment_without_its_label_is_no_answer(member: str) -> None:
    case = next(c for c in CASES if c.exchanges == (("test_refund_create", 1),))
    [whole] = case.conversation.replies
    reply_ = attrs.evolve(whole, content=whole.content.replace(f'"{member}"'.encode(), b'"other"'))

    assert case.conversation.spoilt(ACCOUNTS[case.carrier], 0, reply_).raised(ReplyError).paths


def _is_pending(value: Any) -> bool:
    """Whether it says itself that a paper is still to come."""
    return any(
        getattr(part, "state", None) in (BookingState.LABEL_PENDING, ManifestState.CLOSING) for part in parts(value)
    )


@cache
def _booked(case: Case) -> Evidence:
    """What the client hands out for the recorded booking, labels fetched."""
    with client_on(Wire(list(case.conversation.replies)), ACCOUNTS[case.carrier]) as client:
        return evidence(client.create_shipment(case.conversation.argument, account="it", key="order-1042"))


@given(spoilt(BOOKED))
def test_a_booking_whose_reply_is_spoilt_is_in_doubt_or_lacks_its_label_only(
    spoiling: tuple[Case, int, Mutation],
) -> None:
    case, index, mutation = spoiling
    carrier, replies = ACCOUNTS[case.carrier], list(case.conversation.replies)
    replies[index] = mutation.reply
    wire = Wire(replies)
    with no_waiting(), client_on(wire, carrier) as client:

        def book() -> Any:
            return client.create_shipment(case.conversation.argument, account="it", key="order-1042")

        try:
            shipment = book()
        except ShipkitError as error:
            _refused(carrier, wire, error, _booked(case), faithful=mutation.faithful)
            _asked_again(wire, book, error)
        else:
            assert len(wire.purchases) == 1
            if mutation.faithful:
                assert _booked(case) <= evidence(shipment)


def _refused(carrier: Carrier, wire: Wire, error: ShipkitError, whole: Evidence, *, faithful: bool) -> None:
    if not wire.purchases:
        return  # nothing was asked for yet
    if isinstance(error, LabelPendingError):
        assert error.shipment is not None
        assert not faithful or whole.numbers <= evidence(error.shipment).numbers
        return
    # 401 and 429 prove that nothing was bought, and so does a refusal that the plugin lists.
    proved = isinstance(error, (AuthenticationError, RateLimitedError)) or (
        isinstance(error, RejectedError) and _is_listed(carrier, error)
    )
    assert proved or isinstance(error, InDoubtError), f"after a purchase: {error!r}"


def _is_listed(carrier: Carrier, error: RejectedError) -> bool:
    codes = carrier.facts().recovery.refusal_codes
    prefixes = [code[:-1] for code in codes if code.endswith("*")]
    return (
        error.carrier_code in codes
        or f"http:{error.http_status}" in codes
        or any(error.carrier_code.startswith(prefix) for prefix in prefixes)
    )


def _asked_again(wire: Wire, book: Callable[[], Any], error: ShipkitError) -> None:
    """In doubt nothing is bought again, however often it is asked."""
    if not isinstance(error, InDoubtError):
        return
    before = len(wire.purchases)
    with pytest.raises(ShipkitError):
        book()
    assert len(wire.purchases) == before


@given(st.sampled_from(BOOKED) if BOOKED else st.nothing(), st.data())
def test_a_label_that_cannot_be_fetched_is_pending_and_its_number_is_kept(case: Any, data: st.DataObject) -> None:
    carrier = ACCOUNTS[case.carrier]
    links = evidence(case.conversation.play(carrier).value).documents
    if not any(isinstance(link, str) for link in links):
        return
    spoilt_file: Reply = data.draw(
        st.sampled_from([reply(404), reply(200, b""), reply(200, b"<html>no</html>"), reply(500), reply(403, b"x")])
    )
    wire = Wire(list(case.conversation.replies), document=spoilt_file)
    with no_waiting(), client_on(wire, carrier) as client, pytest.raises(LabelPendingError) as pending:
        client.create_shipment(case.conversation.argument, account="it", key="order-1042")
    assert pending.value.shipment is not None
    assert evidence(pending.value.shipment).numbers >= set(case.numbers)
