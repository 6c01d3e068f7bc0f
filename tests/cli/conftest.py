"""The command line with a carrier of the tests' own: Acme, installed like any plugin, answering on loopback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from shipkit.cli import main
from shipkit.simulator import Simulator, World
from tests.simulator.acme import AcmeDialect

ROOT = Path(__file__).resolve().parents[2]

PLUGIN = '''"""Acme as a plugin."""

from shipkit.hookspecs import hookimpl

PLUGIN_API = 1


@hookimpl
def shipkit_carriers():
    from tests.core.acme import Acme

    return [Acme]


@hookimpl
def shipkit_simulator():
    from tests.simulator.acme import AcmeDialect

    return AcmeDialect
'''


def install(folder: Path, name: str, module: str, *, files: Mapping[str, str] | None = None) -> None:
    """A distribution on the import path, with an entry point for a carrier."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    if module:
        (info / "entry_points.txt").write_text(f"[shipkit]\n{name.removeprefix('shipkit-')} = {module}\n")
    written = {**(files or {})}
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in written))


WARNINGS = "error,ignore:'cgi' is deprecated:DeprecationWarning"
"""What a process of its own makes of warnings: the oldest zeep that we take imports cgi."""


@attrs.frozen
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in this process, in a folder of its own, without anybody's configuration."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SHIPKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def running(*arguments: object, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return running


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Ran]:
    """Run a command as a shell does: its own process, the real entry point."""

    def started(*arguments: object, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIPKIT_")}
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from shipkit.cli import main; sys.exit(main())", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**kept, "HOME": str(tmp_path / "home"), "PYTHONWARNINGS": WARNINGS, **(env or {})},
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return started


@pytest.fixture
def acme_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Acme among the installed plugins; the folder that it is installed in."""
    folder = tmp_path / "site"
    install(folder, "shipkit-acme", "shipkit_acme", files={"shipkit_acme.py": PLUGIN})
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "shipkit_acme", raising=False)
    return folder


@pytest.fixture
def acme(acme_plugin: Path) -> Iterator[Simulator]:
    """Acme on loopback."""
    with Simulator(AcmeDialect(World())) as simulator:
        yield simulator


@pytest.fixture
def shop(acme: Simulator, tmp_path: Path) -> Path:
    """A configuration with one account, ``shop``, at Acme; the ledger lies beside it."""
    path = tmp_path / "shipkit.toml"
    path.touch(mode=0o600)
    path.write_text(
        f'[accounts.shop]\ncarrier = "acme"\nclient_id = "shop"\nclient_secret = "hush-hush"\n'
        f'base_url = "{acme.url}/v2"\n\n[store]\npath = "ledger.db"\n'
    )
    return path
