"""The common suite: a good carrier passes, and each rule that is broken is found by the check that names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from shipkit.carrier import Carrier
from shipkit.testing import CarrierConformance, Conversation
from shipkit.testing.source import faults_of
from tests.testing.carriers import BAD, CONVERSATIONS, GOOD, Good, Refuses

CHECKS = [name.removeprefix("test_") for name in vars(CarrierConformance) if name.startswith("test_")]


class TestGood(CarrierConformance):
    """Run as a plugin's author runs it."""

    #: The file of this carrier has the bad ones beside it.
    unsupported: ClassVar[Mapping[str, str]] = {"source": "the tests keep bad carriers in the same file"}

    @pytest.fixture
    def carrier(self) -> Carrier:
        return GOOD

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        return CONVERSATIONS


def check(name: str, carrier: Carrier, suite: CarrierConformance | None = None) -> None:
    method: Callable[..., Any] = getattr(suite or CarrierConformance(), f"test_{name}")
    given = {"carrier": carrier, "conversations": CONVERSATIONS}
    method(**{name: given[name] for name in inspect.signature(method).parameters})


def test_there_is_a_bad_carrier_for_every_check() -> None:
    assert set(BAD) == set(CHECKS)


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "source"])
def test_a_good_carrier_passes(name: str) -> None:
    check(name, GOOD)


@pytest.mark.parametrize("name", CHECKS)
def test_a_carrier_that_breaks_the_rule_fails(name: str) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        check(name, BAD[name](password="a-long-password"))


def test_a_request_that_is_no_longer_the_recorded_one_fails() -> None:
    conversation = CONVERSATIONS[0]
    recorded = conversation.play(GOOD).requests
    fresh = attrs.evolve(conversation, requests=recorded)
    stale = attrs.evolve(conversation, requests=(attrs.evolve(recorded[0], url="https://api.good.example/v1"),))

    CarrierConformance().test_recordings(GOOD, [fresh])
    with pytest.raises(AssertionError, match="create_shipment, address"):
        CarrierConformance().test_recordings(GOOD, [stale])


def test_a_secret_that_is_not_marked_is_found_by_its_name() -> None:
    @attrs.frozen(kw_only=True)
    class Bare(Good):
        api_key: str

    with pytest.raises(AssertionError, match=r"api_key: by its name a secret"):
        check("secrets", Bare(password="a-long-password", api_key="hush"))


def test_whether_a_purchase_is_marked_stays_open_without_a_booking() -> None:
    looked = [conversation for conversation in CONVERSATIONS if conversation.operation != "create_shipment"]

    assert looked
    with pytest.raises(pytest.skip.Exception, match="no conversation of a booking is given"):
        CarrierConformance().test_purchases(GOOD, looked)


def test_what_the_checks_let_through_is_not_refused_by_the_flow() -> None:
    with pytest.raises(AssertionError, match="refuses what facts"):
        check("pure_requests", Refuses(password="a-long-password"))


def suite(**reasons: str) -> CarrierConformance:
    class Suite(CarrierConformance):
        unsupported = reasons

    return Suite()


def test_a_check_that_cannot_hold_is_skipped_with_its_reason() -> None:
    forgetful = BAD["customs"](password="a-long-password")

    with pytest.raises(pytest.skip.Exception, match="delivers inside the EU only"):
        check("customs", forgetful, suite(customs="it delivers inside the EU only"))


def test_an_empty_reason_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="without a reason"):
        check("customs", BAD["customs"](password="a-long-password"), suite(customs=" "))


def test_a_reason_for_something_that_passes_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="take its reason away"):
        check("customs", GOOD, suite(customs="it delivers inside the EU only"))


def test_a_suite_without_an_account_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="override the fixture carrier"):
        CarrierConformance.carrier.__wrapped__(CarrierConformance())  # type: ignore[attr-defined]


def test_without_conversations_the_checks_that_need_them_are_skipped() -> None:
    with pytest.raises(pytest.skip.Exception, match="no recorded conversation"):
        CarrierConformance().test_recordings(GOOD, ())


def test_a_flow_that_is_dropped_and_a_forbidden_import_are_found_with_their_line() -> None:
    lines = inspect.getsource(inspect.getmodule(Good) or Good).splitlines()
    dropped = 1 + next(number for number, line in enumerate(lines) if "self.track(m.TrackQuery" in line)
    imported = 1 + lines.index("import socket")

    assert f"carriers.py:{dropped}: calls self.track() and drops it: write yield from" in faults_of(GOOD)
    assert f"carriers.py:{imported}: imports socket: the client sends, waits and draws" in faults_of(GOOD)
