"""What every test may use: the folder of shared facts, and how hard Hypothesis tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

_SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)

# dev: while writing. ci: the same examples on every run, so that a red build is about the change. full: a long search.
settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile(
    "ci", max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW_MACHINES
)
# quick: the second and later interpreters, where what differs is the interpreter.
settings.register_profile(
    "quick", max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW_MACHINES
)
settings.register_profile("full", max_examples=2_000, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.load_profile(os.environ.get("SHIPKIT_HYPOTHESIS", "dev"))


def shared_folder() -> Path:
    """Where domain tables, recordings and published interface files lie: beside the repository, or SHIPKIT_SHARED."""
    return Path(os.environ.get("SHIPKIT_SHARED") or ROOT.parent / "shared")


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts; a test that needs it is skipped, with the reason, where it is absent."""
    folder = shared_folder()
    if not (folder / "domain").is_dir():
        pytest.skip(f"the shared facts are not at {folder} (set SHIPKIT_SHARED)")
    return folder
