"""The four plugins run the common suite, like anyone's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from shipkit.carrier import Carrier
from shipkit.testing import CarrierConformance, Conversation
from tests.conformance.written import MONDIALRELAY_TRACKING, UPS_TRACKING
from tests.conftest import shared_folder
from tests.recordings.accounts import DPD, EASYPOST, MONDIALRELAY, UPS
from tests.recordings.conversations import cases


def recorded(carrier: Carrier) -> Sequence[Conversation]:
    folder = shared_folder() / "recordings"
    if not folder.is_dir():
        return ()
    return [case.conversation for case in cases(folder) if case.carrier == type(carrier).code]


class TestUps(CarrierConformance):
    @pytest.fixture
    def carrier(self) -> Carrier:
        return UPS

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        return [*recorded(UPS), UPS_TRACKING]


class TestEasyPost(CarrierConformance):
    @pytest.fixture
    def carrier(self) -> Carrier:
        return EASYPOST

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        return recorded(EASYPOST)


class TestDpdFrance(CarrierConformance):
    unsupported: ClassVar[Mapping[str, str]] = {
        "customs": "the interface has no field for customs data",
        "events": "the interface has no tracking",
        "charges": "the interface tells no price",
    }

    @pytest.fixture
    def carrier(self) -> Carrier:
        return DPD

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        return recorded(DPD)


class TestMondialRelay(CarrierConformance):
    unsupported: ClassVar[Mapping[str, str]] = {
        "customs": "the interface has no field for customs data",
        "charges": "the interface tells no price",
    }

    @pytest.fixture
    def carrier(self) -> Carrier:
        return MONDIALRELAY

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        return [*recorded(MONDIALRELAY), MONDIALRELAY_TRACKING]
