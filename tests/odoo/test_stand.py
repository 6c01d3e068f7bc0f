"""What the stand says of a run, and when it makes a thing anew: without an Odoo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.odoo import cluster, debian, interpreter, places, stand
from tests.odoo.__main__ import report
from tests.odoo.pins import Found
from tests.odoo.verdict import verdict

STAMP = "2026-11-24 16:12:41,866 11882"
COUNTED = f"{STAMP} INFO t odoo.tests.result: {{}} failed, {{}} error(s) of {{}} tests when loading database 't'\n"


def line(level: str, text: str) -> str:
    return f"{STAMP} {level} t {text}\n"


def test_the_last_line_is_the_count_of_what_passed_and_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(verdict(COUNTED.format(0, 0, 17))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "17 passed, 0 failed"
    assert report(verdict(COUNTED.format(1, 2, 17))) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "14 passed, 3 failed"


@pytest.mark.parametrize("log", ["", COUNTED.format(0, 0, 0), line("INFO", "odoo.modules.loading: 70 modules loaded")])
def test_a_run_without_a_test_has_not_passed(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(verdict(log)) == 5
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"


def test_an_error_in_the_log_fails_a_run_whose_tests_passed() -> None:
    assert report(verdict(line("ERROR", "odoo.sql_db: bad query") + COUNTED.format(0, 0, 17))) == 1
    assert report(verdict(line("CRITICAL", "odoo.modules: no such module") + COUNTED.format(0, 0, 17))) == 1


def test_a_warning_fails_the_run_if_it_names_us() -> None:
    assert report(verdict(line("WARNING", "py.warnings: PyPDF2 is deprecated") + COUNTED.format(0, 0, 17))) == 0
    assert report(verdict(line("WARNING", "odoo.fields: shipkit_state is odd") + COUNTED.format(0, 0, 17))) == 1


def test_of_two_counts_the_last_one_is_that_of_the_run() -> None:
    assert verdict(COUNTED.format(0, 0, 5) + COUNTED.format(1, 0, 7)).failed == 1


# What things are made from --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.py").write_text("2"),
        lambda folder: (folder / "a.py").rename(folder / "b.py"),
        lambda folder: (folder / "data").mkdir() or (folder / "data/new.xml").touch(),
    ],
)
def test_what_is_made_from_files_is_made_anew_when_one_changes(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    (tmp_path / "a.py").write_text("1")
    before = places.files_of(tmp_path)
    change(tmp_path)

    assert places.files_of(tmp_path) != before


def test_tests_and_caches_are_not_what_a_template_is_made_from(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = places.files_of(tmp_path, without=("tests",))
    for name in ("tests", "__pycache__"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").touch()

    assert places.files_of(tmp_path, without=("tests",)) == before


def test_a_folder_that_was_half_made_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), places.changing(tmp_path / "made") as folder:
        (folder / "half").touch()
        raise RuntimeError

    assert not (tmp_path / "made").exists()
    with places.changing(tmp_path / "made") as folder:
        (folder / "whole").touch()
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["whole"]


HOLDS = """
import sys, time
from tests.odoo import places
places.CACHE = places.Path(sys.argv[1])
with places.locked("it"):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.mark.process
def test_a_lock_is_of_one_process_and_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CACHE", tmp_path)
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "in\n"
        probe = ["flock", "--nonblock", str(tmp_path / "locks/it"), "true"]
        assert subprocess.run(probe, check=False).returncode == 1
        holder.kill()
    with places.locked("it"):
        pass


# Where it cannot run --------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing in the cache, and a PATH of its own."""
    monkeypatch.setattr(debian, "SOURCE", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    debian.reason_against.cache_clear()
    yield tmp_path
    debian.reason_against.cache_clear()


def test_without_apt_the_reason_says_so(bare: Path) -> None:
    assert "no apt-get" in debian.reason_against()


def test_another_distribution_is_named(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("apt-get", "dpkg-deb", "tar"):
        (bare / tool).write_text("#!/bin/sh\n")
        (bare / tool).chmod(0o755)
    monkeypatch.setattr(debian, "_system", lambda: ("ubuntu", "noble"))

    assert "ubuntu" in debian.reason_against()


def test_without_root_a_missing_postgresql_is_not_installed(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_binaries", lambda: None)
    monkeypatch.setattr(os, "getuid", lambda: 1000)

    assert "PostgreSQL" in cluster.reason_against()


def test_a_machine_that_cannot_ends_a_script_with_the_reason_and_the_code_for_a_skip(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, stand.Stand.or_skipped():
        pass

    assert ended.value.code == places.UNAVAILABLE
    assert "apt-get" in capsys.readouterr().err


# Odoo's pins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", interpreter.SUPPORTED)
def test_every_pin_of_what_we_share_with_odoo_is_asked_for_as_it_is(version: str) -> None:
    wanted, other = interpreter.pins(version)
    changed = {told.partition("==")[0] for told in other}

    assert {name.partition("==")[0] for name in wanted} >= {
        "zeep",
        "lxml",
        "cryptography",
        "idna",
        "requests",
        "urllib3",
    }
    assert all("==" in pin for pin in wanted if pin not in {"pytz", "lxml-html-clean"})
    assert changed <= {"gevent", "lxml", "psycopg2", "python-ldap"}


def test_a_version_that_changed_or_a_conflict_is_no_success() -> None:
    kept = Found(python="3.11.7", pinned=42, other=(), added=("httpx 0.28.1",), changed=(), conflicts="")

    assert kept.good
    assert not kept._replace(changed=("lxml: 4.9.3 -> 6.0.0",)).good
    assert not kept._replace(conflicts="zeep 4.2.1 requires lxml").good
