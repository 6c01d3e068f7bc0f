"""What DPD France's test server really answered, read; and what was really asked, compared with what we ask."""

from __future__ import annotations

import base64
import re
from datetime import date
from pathlib import Path

import attrs
import pytest

from shipkit.errors import AuthenticationError, RejectedError
from shipkit.model import (
    Address,
    BookingState,
    Contact,
    DocumentFormat,
    DocumentKind,
    LabelSpec,
    PageFormat,
    Party,
    ShipmentRequest,
)
from shipkit.testing import play, playback
from tests.dpd_fr.samples import DPD, HOME, RELAY, package


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    return shared / "recordings" / "dpd_fr"


def recorded_label(text: str) -> bytes:
    return base64.b64decode(re.findall("<label>([^<]+)</label>", text)[0])


# As the recordings ask: no mark, the two lines of the sender joined.
ASKED = attrs.evolve(
    HOME,
    mark=None,
    ship_on=date(2025, 1, 1),
    ship_from=Party(
        address=Address(
            lines=("27 rue Henri Rolland, Batiment B",), postal_code="69100", city="Villeurbanne", country="FR"
        ),
        contact=Contact(company="Akrétion", phone="+33400000000"),
    ),
)

CASES: dict[str, tuple[ShipmentRequest, str, str]] = {
    "test_dpd_label": (ASKED, "10774000248377", "%007500410774000248377101902"),
    "test_dpd_format_zpl": (
        attrs.evolve(ASKED, label=LabelSpec(format=DocumentFormat.ZPL)),
        "10774000248383",
        "%007500410774000248383101902",
    ),
    "test_relai_ok": (
        attrs.evolve(RELAY, mark=None, ship_on=ASKED.ship_on, ship_from=ASKED.ship_from),
        "10774000248387",
        "%007501110774000248387337902",
    ),
}


def test_every_recording_is_read(recordings: Path) -> None:
    assert {path.stem for path in recordings.glob("*.json")} == {
        *CASES,
        "test_auth",
        "test_common_failed_get_label_1",
    }


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_label_is_read_byte_by_byte(recordings: Path, name: str) -> None:
    request, number, barcode = CASES[name]
    recording = playback(recordings / f"{name}.json")

    shipment = play(DPD.create_shipment(request), *recording.replies).value

    [document] = shipment.documents
    assert document.content == recorded_label(recording.replies[0].content.decode())
    assert document.kind is DocumentKind.LABEL
    assert document.format == (DocumentFormat.ZPL if "zpl" in name else DocumentFormat.PDF)
    assert document.dpi is None
    assert (document.size.format if document.size else None) == (None if "zpl" in name else PageFormat.A4)
    assert shipment.shipment_id == number
    assert [str(tracking) for tracking in shipment.tracking_numbers] == [number]
    assert shipment.packages[0].barcodes == (barcode,)
    assert shipment.packages[0].carrier_package_id == f"902{number}"
    assert shipment.state is BookingState.CONFIRMED
    assert shipment.service == ("relais" if "relai" in name else "classic")


@pytest.mark.parametrize("name", CASES)
def test_what_we_ask_is_what_was_asked(recordings: Path, name: str) -> None:
    """The recorded client sends no referencenumber, where we put the mark, else the order's number; and to the door it
    passes the recipient's numbers on although nobody is to be told (type No)."""
    request, _, _ = CASES[name]
    exchange = playback(recordings / f"{name}.json").exchanges[0]

    sent = play(DPD.create_shipment(request), exchange.reply).requests[0]

    assert sent.url == exchange.request.url
    assert sent.headers["SOAPAction"] == exchange.request.headers["SOAPAction"]
    ours, theirs = _leaves(sent.content), _leaves(exchange.request.content)
    unlike = {path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path)}
    masked = {path for path in unlike if theirs.get(path) in ("masked", "xxxx")}
    told = set() if name == "test_relai_ok" else {f"services/contact/{part}" for part in ("sms", "email", "type")}
    assert unlike - masked == {"referencenumber"} | told


def _leaves(content: bytes) -> dict[str, str]:
    from lxml import etree

    def walk(element: etree._Element, at: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for child in element:
            path = f"{at}/{etree.QName(child).localname}".lstrip("/")
            found |= walk(child, path) if len(child) else {path: child.text} if child.text else {}
        return found

    request = etree.fromstring(content).find(".//{*}request")
    assert request is not None
    return walk(request, "")


def test_a_recorded_refusal_of_the_weight_is_a_rejection(recordings: Path) -> None:
    recording = playback(recordings / "test_common_failed_get_label_1.json")
    heavy = attrs.evolve(ASKED, packages=(package(kg="999.99"),))

    error = play(DPD.create_shipment(heavy), *recording.replies).raised(RejectedError)

    assert (error.carrier_code, error.http_status) == ("InvalidWeight", 500)
    assert error.carrier_message == "Invalid weight - Maximum supported weight is 31,5"
    assert error.carrier_code in DPD.facts().recovery.refusal_codes


def test_a_recorded_refusal_of_the_password_is_an_authentication_error(recordings: Path) -> None:
    recording = playback(recordings / "test_auth.json")

    error = play(DPD.create_shipment(ASKED), *recording.replies).raised(AuthenticationError)

    assert (error.carrier_code, error.carrier_message) == ("PermissionDenied", "Permission denied")


def test_the_heaviest_parcel_is_the_one_that_the_recorded_refusal_names(recordings: Path) -> None:
    from shipkit.constraints import problems

    def found(kg: str) -> list[str]:
        request = attrs.evolve(ASKED, packages=(package(kg=kg),))
        return [problem.path for problem in problems(request, DPD.facts())]

    assert found("31.5") == []
    assert found("31.501") == ["/packages/0/weight"]
