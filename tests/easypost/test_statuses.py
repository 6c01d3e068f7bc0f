"""The plugin's status tables against the shared one and against what recorded trackers say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipkit.model import Milestone, Reason
from shipkit_easypost import codes
from shipkit_easypost.facts import FACTS
from tests.statuses import differences, fingerprint, pairs_of

TABLES: dict[str, Any] = {"easypost.status": codes.STATUSES, "easypost.status_detail": codes.STATUS_DETAILS}


@pytest.mark.parametrize("vocabulary", sorted(TABLES))
def test_every_row_is_the_shared_tables(shared: Path, vocabulary: str) -> None:
    assert differences(shared, vocabulary, TABLES[vocabulary]) == []
    assert vocabulary in FACTS.vocabularies


@pytest.mark.parametrize("vocabulary", sorted(TABLES))
def test_a_row_that_is_gone_is_noticed(shared: Path, vocabulary: str) -> None:
    table = TABLES[vocabulary]
    for code in table:
        assert differences(shared, vocabulary, {c: m for c, m in table.items() if c != code}) == [code]


def test_every_status_of_a_recorded_tracker_is_known(shared: Path) -> None:
    found = set(_recorded(shared / "recordings/easypost"))

    assert ("pre_transit", "status_update") in found
    assert [pair for pair in sorted(found) if codes.unmapped(*pair)] == []


def _recorded(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.glob("*.json"):
        for text in _texts(json.loads(path.read_bytes())):
            try:
                content = json.loads(text)
            except ValueError:
                continue
            yield from pairs_of(content, "status", "status_detail")


def _texts(value: Any) -> Iterator[str]:
    """Bodies are JSON in texts, or JSON as it is."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield json.dumps(value)
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def test_a_word_that_no_table_has_is_counted_and_moves_nothing() -> None:
    assert codes.meaning("resting", "") == (None, Reason.UNMAPPED)
    assert codes.meaning("in_transit", "resting") == (Milestone.IN_TRANSIT, Reason.UNMAPPED)
    assert codes.meaning("failure", "resting") == (None, Reason.UNMAPPED)
    assert codes.meaning("delivered", "resting") == (Milestone.DELIVERED, Reason.DELIVERED)
    assert codes.unmapped("in_transit", "resting") == "in_transit/resting"


def test_another_table_is_another_version() -> None:
    found = fingerprint(codes.STATUSES, codes.STATUS_DETAILS)
    assert (codes.MAPPING_VERSION, found) == ("easypost-2026.11.1", "aa122e525811")
