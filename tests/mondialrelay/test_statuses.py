"""What Mondial Relay's texts and STAT codes mean, as far as a source says."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipkit.model import Operation, Support
from shipkit_mondialrelay import codes
from shipkit_mondialrelay.facts import FACTS
from tests.statuses import fingerprint


def test_the_interface_lists_no_status_so_that_no_public_vocabulary_is_claimed(shared: Path) -> None:
    files = list((shared / "specs/mondialrelay").rglob("*.*sdl"))

    assert files
    assert not any(b"enumeration" in path.read_bytes() for path in files)
    assert FACTS.vocabularies == frozenset()


def test_every_text_is_its_own_code() -> None:
    assert all(codes.text_code(text) == text for text in codes.TRACING)
    assert all(len(text) <= 30 for text in codes.TRACING), "the carrier cuts them there"


def test_the_four_answers_of_the_tracing_are_no_errors() -> None:
    assert set(codes.TRACED) == {"0", "80", "81", "82", "83"}
    assert not codes.TRACED.keys() & codes.STATS.keys()


@pytest.mark.parametrize("operation", [Operation.READ_WEBHOOK, Operation.SUBSCRIBE])
def test_that_it_pushes_nothing_is_said_with_the_reason(operation: Operation) -> None:
    fact = FACTS.operations[operation]
    assert fact.support is Support.NO
    assert "asked for" in fact.note
    assert FACTS.webhooks is None


def test_another_table_is_another_version() -> None:
    assert (codes.MAPPING_VERSION, fingerprint(codes.TRACING)) == ("mondialrelay-2026.11", "68367a2f6c8f")
