"""``bootstrap.py`` is the first thing that a stranger runs: what can be said of it without the package index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with its environments in an empty folder and its steps noted instead of run."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, "bootstrap", raising=False)
    import bootstrap

    monkeypatch.setattr(bootstrap, "HOME", tmp_path / ".env")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("one")
    return bootstrap


@pytest.fixture
def steps(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    noted: list[list[str]] = []

    def run(command: list[str], **more: str) -> int:
        noted.append(command)
        if "virtualenv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
        return 0

    monkeypatch.setattr(bootstrap, "run", run)
    return noted


def test_it_needs_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "bootstrap.py"), "help"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "python3 bootstrap.py demo" in done.stdout


def test_a_word_it_does_not_know_gets_the_help_and_an_exit_code(
    bootstrap: ModuleType, steps: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["frobnicate"]) == 2
    assert "bootstrap.py tests" in capsys.readouterr().out
    assert steps == []


def test_the_demo_installs_the_tree_with_every_plugin(bootstrap: ModuleType, steps: list[list[str]]) -> None:
    bootstrap.main(["demo", "--fault", "drop_after_commit"])
    *_, install, demo = steps

    assert [word for word in install if word.startswith(str(ROOT))] == [
        f"{ROOT}[cli,simulator,soap]",
        *sorted(str(path.parent) for path in ROOT.glob("plugins/*/pyproject.toml")),
    ]
    assert demo[1:] == ["demo", "--fault", "drop_after_commit"]


@pytest.mark.skipif(os.name == "nt", reason="the folder of programs has another name there")
def test_an_environment_is_made_once_and_again_when_the_project_changes(
    bootstrap: ModuleType, steps: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "PLUGINS", [])

    first = bootstrap.tool("nox", "nox")
    made = len(steps)
    assert bootstrap.tool("nox", "nox") == first == tmp_path / ".env" / first.parts[-3] / "bin" / "nox"
    assert len(steps) == made > 0

    (tmp_path / "pyproject.toml").write_text("another")
    bootstrap.tool("nox", "nox")
    assert len(steps) == 2 * made


def test_a_step_that_fails_ends_the_script_with_its_exit_code(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bootstrap.check([sys.executable, "-c", "raise SystemExit(7)"])

    assert ended.value.code == 7
    assert "this failed" in capsys.readouterr().err


def test_pip_is_not_led_astray_by_settings_of_the_user(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PIP_USER", "1")
    asked = "import os; raise SystemExit(int(os.environ['PIP_USER'] != '0' or 'PYTHONPATH' in os.environ))"

    assert bootstrap.run([sys.executable, "-c", asked]) == 0


def test_uv_asks_the_index_that_pip_asks_and_trusts_what_pip_trusts(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    told = "global.index-url='https://mirror.example/simple'\n:env:.cert='/etc/mirror.pem'\n"
    monkeypatch.setattr(
        bootstrap.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=told, stderr="")
    )
    expected = {"UV_DEFAULT_INDEX": "https://mirror.example/simple", "SSL_CERT_FILE": "/etc/mirror.pem"}
    assert bootstrap.as_pip_does(Path("python")) == expected

    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    assert "SSL_CERT_FILE" not in bootstrap.as_pip_does(Path("python"))
