"""The plugin's status tables against the shared one and the types and codes that UPS's published files show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shipkit.model import Milestone, Reason
from shipkit_ups import statuses
from shipkit_ups.facts import FACTS
from tests.statuses import differences, fingerprint, pairs_of

TABLES: dict[str, Any] = {"ups.type+code": statuses.MILESTONES, "ups.status_type": statuses.TYPES}


def published(shared: Path, name: str) -> Any:
    content = (shared / f"specs/ups/openapi/{name}.yaml").read_bytes()
    return yaml.load(content, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("vocabulary", sorted(TABLES))
def test_every_row_is_the_shared_tables(shared: Path, vocabulary: str) -> None:
    assert differences(shared, vocabulary, TABLES[vocabulary]) == []
    assert vocabulary in FACTS.vocabularies


@pytest.mark.parametrize("vocabulary", sorted(TABLES))
def test_a_row_that_is_gone_is_noticed(shared: Path, vocabulary: str) -> None:
    table = TABLES[vocabulary]
    for code in table:
        without = {known: meaning for known, meaning in table.items() if known != code}
        assert differences(shared, vocabulary, without) == ["+".join(code) if isinstance(code, tuple) else code]


@pytest.mark.parametrize("file", ["UPSTrackAlert", "UPSTrackAlertEnhanced"])
def test_every_type_that_a_push_may_have_is_known(shared: Path, file: str) -> None:
    push = published(shared, file)["components"]["schemas"]["TrackingEventRequest"]
    types = {each["const"] for each in push["properties"]["activityStatus"]["properties"]["type"]["oneOf"]}

    assert types == set(statuses.TYPES)


@pytest.mark.parametrize("file", ["UPSTrackAlert", "UPSTrackAlertEnhanced"])
def test_every_status_of_an_example_is_known(shared: Path, file: str) -> None:
    content = published(shared, file)
    found = {pair for part in ("paths", "webhooks") for pair in pairs_of(content.get(part), "type", "code")}

    assert found >= {("I", "OT"), ("D", "FS")}
    assert [pair for pair in sorted(found) if not statuses.is_mapped(*pair)] == []


def test_the_status_that_tracking_shows_member_by_member_is_known(shared: Path) -> None:
    members = published(shared, "Tracking")["components"]["schemas"]["Status"]["properties"]
    kind, code = members["type"]["example"], members["code"]["example"]

    assert "released by the customs agency" in members["description"]["example"]
    assert {(kind, code): (Milestone.IN_TRANSIT, Reason.CUSTOMS_CLEARED)} == statuses.FURTHER


def test_nothing_is_said_twice() -> None:
    assert not statuses.FURTHER.keys() & statuses.MILESTONES.keys()
    assert not statuses.FURTHER_TYPES.keys() & statuses.TYPES.keys()


def test_the_types_of_older_documents_mean_one_thing_whatever_their_code() -> None:
    assert statuses.status("P", "PU") == (Milestone.ACCEPTED, Reason.PICKED_UP)
    assert statuses.status("RS", "") == statuses.status("RS", "??") == (Milestone.RETURNING, Reason.RETURNING_TO_SENDER)
    assert statuses.status("M", "??") == (None, Reason.DATA_RECEIVED)
    assert statuses.is_mapped("O", "??")
    assert not statuses.is_mapped("NA", "")


def test_another_table_is_another_version() -> None:
    tables = (statuses.MILESTONES, statuses.FURTHER, statuses.TYPES, statuses.FURTHER_TYPES)
    assert (statuses.MAPPING_VERSION, fingerprint(*tables)) == ("ups-2026.11.1", "04a2d7fef9f8")
