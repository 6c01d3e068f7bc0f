"""Hostile deliveries, a few thousand of them; ``python -m tests.service.hostile --profile full`` sends 100,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.hostile import REQUESTS, run


@pytest.mark.slow
@pytest.mark.process
def test_nothing_hostile_is_taken_and_everything_taken_is_on_the_disk(tmp_path: Path) -> None:
    wrong, figures = run(REQUESTS["ci"], 4, tmp_path)
    assert wrong == [], figures
    answers = figures["answers"]
    assert isinstance(answers, dict)
    assert answers["good"]["200"] > 300  # what is good is taken, among all the rest
    assert set(answers["forged"]) <= {"401", "429", "503", "closed"}
