"""Recorded reality: every exchange of an operation that a plugin has is read, into values or into the right error."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from shipkit import model as m
from shipkit.testing import evidence, parts
from tests.conftest import shared_folder
from tests.recordings.accounts import ACCOUNTS
from tests.recordings.conversations import NOT_OURS, Case, Recorded, cases

FOLDER = shared_folder() / "recordings"
CASES = cases(FOLDER) if FOLDER.is_dir() else ()


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Recorded:
    return Recorded(shared / "recordings")


def test_every_exchange_is_read_or_stands_here_with_the_reason(recorded: Recorded) -> None:
    read = {place for case in CASES for place in case.exchanges}
    others = {place: exchange.request.url for place, exchange in recorded.everything.items() if place not in read}

    assert len(recorded.everything) == 57
    assert set(others.values()) == set(NOT_OURS)
    assert len(others) == len(NOT_OURS)
    assert all(" " not in why for why in NOT_OURS.values())
    assert len(read) == 53
    assert len(read) >= 45, "the bar"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_exchange_is_read(case: Case) -> None:
    conversation = case.conversation
    played = conversation.play(ACCOUNTS[case.carrier])

    if conversation.error is not None:
        error = played.raised(conversation.error)
        assert error.carrier_code or error.carrier_message, "the carrier's own words are lost"
        return
    found = evidence(played.value)
    assert found.numbers >= set(case.numbers)
    raw = b" ".join(reply.content for reply in conversation.replies)
    for document in [part for part in parts(played.value) if isinstance(part, m.Document)]:
        if document.content is not None:
            assert base64.b64encode(document.content) in _unbroken(raw), "the bytes are not the carrier's"
        else:
            assert document.url is not None
            assert document.url.partition("?")[0].rpartition("/")[2].encode() in raw


def _unbroken(raw: bytes) -> bytes:
    return re.sub(rb"\s|&#xD;", b"", raw)


BOOKED = [
    case for case in CASES if case.conversation.operation == "create_shipment" and case.conversation.error is None
]


@pytest.mark.parametrize("case", BOOKED, ids=lambda case: case.name)
def test_a_recorded_booking_has_a_number_and_a_label_for_every_package(case: Case) -> None:
    shipment = case.conversation.play(ACCOUNTS[case.carrier]).value
    request = case.conversation.argument

    assert [package.ref for package in shipment.packages] == [package.ref for package in request.packages]
    assert all(package.tracking_number is not None for package in shipment.packages)
    labels = [document for document in shipment.documents if document.kind is m.DocumentKind.LABEL]
    covered = {ref for label in labels for ref in label.package_refs or [package.ref for package in request.packages]}
    assert covered == {package.ref for package in request.packages}
