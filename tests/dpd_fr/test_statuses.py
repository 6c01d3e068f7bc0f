"""DPD France's interface tells nothing of parcels under way, and the plugin says so instead of guessing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from shipkit.model import Operation, Support
from shipkit_dpd_fr.facts import FACTS

_SCHEMA = "{http://www.w3.org/2001/XMLSchema}"


def test_the_interface_lists_no_status_of_a_parcel(shared: Path) -> None:
    (file,) = (shared / "specs/dpd_fr").rglob("*.wsdl")
    root = ElementTree.parse(file).getroot()
    operations = {each.get("name", "") for each in root.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
    statuses = [each for each in root.iter(f"{_SCHEMA}element") if each.get("name", "").lower() == "status"]

    assert len(operations) > 50
    assert [name for name in operations if "track" in name.lower() or "trace" in name.lower()] == []
    assert statuses
    assert {each.get("type") for each in statuses} == {"s:string", "s:int"}, "no list of values"
    assert FACTS.vocabularies == frozenset()


@pytest.mark.parametrize(
    "operation", [Operation.TRACK, Operation.TRACK_MANY, Operation.READ_WEBHOOK, Operation.SUBSCRIBE]
)
def test_that_it_tells_nothing_is_said_with_the_reason(operation: Operation) -> None:
    fact = FACTS.operations[operation]
    assert fact.support is Support.NO
    assert "no status codes" in fact.note
    assert FACTS.webhooks is None
