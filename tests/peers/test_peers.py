"""What other people's clients do against the simulators, and what the simulators' books then say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipkit.simulator import Simulator
from tests.peers.conftest import Peer

pytestmark = [pytest.mark.peers, pytest.mark.slow]
Simulated = Callable[[str], Simulator]


def test_the_official_easypost_client_buys_tracks_and_refunds(peer: Peer, simulated: Simulated) -> None:
    sim = simulated("easypost")
    answer = peer("easypost", "easypost_buys.py", sim.url)

    assert answer["rates"] >= 2
    assert answer["tracker"] == answer["tracking_code"]
    assert answer["tracker_status"]
    assert answer["refund_status"] in ("submitted", "refunded")
    assert answer["label_url"].startswith(sim.url)
    [booking] = sim.bookings()
    assert answer["tracking_code"] in booking.numbers
    assert booking.state.value == "voided"


def test_karrio_rates_ships_tracks_and_cancels_at_ups(peer: Peer, simulated: Simulated) -> None:
    sim = simulated("ups")
    answer = peer("karrio", "karrio_ships.py", sim.url)

    assert answer["rates"], answer
    assert answer["label"]
    assert answer["tracked"] and answer["tracked"][0][0] == answer["tracking_number"]
    assert answer["cancelled"], answer
    [booking] = sim.bookings()
    assert answer["tracking_number"] in (booking.id, *booking.numbers)
    assert booking.state.value == "voided"


def test_roulier_makes_a_label_of_dpd_france(peer: Peer, simulated: Simulated) -> None:
    sim = simulated("dpd_fr")
    answer = peer("roulier", "roulier_labels.py", "dpd_fr_soap", sim.url, "/eprintwebservice/eprintwebservice.asmx")

    [booking] = sim.bookings()
    assert answer["number"] and answer["label"]
    assert any(number in answer["number"] or answer["number"] in number for number in booking.numbers)


def test_roulier_makes_a_label_of_mondial_relay(peer: Peer, simulated: Simulated) -> None:
    sim = simulated("mondialrelay")
    answer = peer("roulier", "roulier_labels.py", "mondialrelay", sim.url, "/Web_Services.asmx", "020288")

    [booking] = sim.bookings()
    assert answer["number"] in (booking.id, *booking.numbers)
    assert answer["label"]
