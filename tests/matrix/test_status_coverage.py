"""The share of a simulated year's events that no table explains, and the page that says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipkit.simulator import JOURNEYS
from tests.coverage_of_status import CARRIERS, PAGE, PARCELS, WEIGHTS, coverage, page, shown_codes

pytestmark = pytest.mark.slow


def test_every_way_is_gone_by_its_part_of_the_parcels() -> None:
    assert set(WEIGHTS) == set(JOURNEYS)
    assert sum(WEIGHTS.values()) == 1000
    assert all(weight * PARCELS % 1000 == 0 for weight in WEIGHTS.values())


@pytest.mark.parametrize(("carrier", "explained"), [("easypost", 0.999), ("mondialrelay", 0.999), ("ups", 0.96)])
def test_nearly_all_that_is_told_has_a_row_and_the_rest_is_counted(carrier: str, explained: float) -> None:
    found = coverage(carrier)

    assert found.events > 5 * PARCELS
    assert found.by_code.total() / found.events >= explained
    assert found.unmapped, "the way that is not explained is counted"
    assert not found.by_code.keys() & found.unmapped.keys()


def test_no_code_that_a_file_or_a_recording_shows_is_unmapped(shared: Path) -> None:
    found = list(shown_codes(shared))

    assert {carrier for carrier, _, _, _ in found} == {"easypost", "ups"}
    assert [row for row in found if not row[3]] == []


def test_the_page_says_what_is_so(shared: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(shared), "python -m tests.coverage_of_status --write"
    assert set(CARRIERS) == {"easypost", "mondialrelay", "ups"}
