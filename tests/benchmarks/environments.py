"""Interpreters with just what is measured: ours without rich and click, and karrio in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "environment", "karrio", "ours"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench-env"


@cache
def ours() -> Path:
    """The Python of an environment with this tree's core and UPS plugin, as they are now."""
    return environment(FOLDER / "ours", str(ROOT), str(ROOT / "plugins" / "shipkit-ups"))


@cache
def karrio() -> Path:
    """The Python of an environment with karrio and its UPS extension from the public index."""
    return environment(FOLDER / "karrio", "karrio", "karrio-ups")


def environment(folder: Path, *packages: str) -> Path:
    """Made once for the same packages, the same sources and the same Python, and kept for the next run."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed.txt"
    wanted = "\n".join([sys.version, *packages, *map(_sources, packages)])
    if python.exists() and done.exists() and done.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    _make(uv, folder, python)
    try:
        _run(uv, "pip", "install", "-q", "--python", str(python), *packages)
    except (OSError, subprocess.CalledProcessError):
        _run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages)
    done.write_text(wanted)
    return python


def _make(uv: str, folder: Path, python: Path) -> None:
    ways = (
        (uv, "venv", "-q", "--seed", "--python", sys.executable, str(folder)),
        (sys.executable, "-m", "venv", str(folder)),
        (sys.executable, "-m", "virtualenv", "-q", str(folder)),
    )
    for way in ways:
        try:
            _run(*way)
        except (OSError, subprocess.SubprocessError):
            shutil.rmtree(folder, ignore_errors=True)
        if python.exists():
            return
    raise RuntimeError("neither uv nor venv nor virtualenv makes an environment here")


def _sources(package: str) -> str:
    """A digest of a tree's files: a copy of older sources would measure what no longer is."""
    digest = hashlib.sha256()
    for path in sorted((Path(package) / "src").rglob("*")) if Path(package).is_absolute() else ():
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _run(*command: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(command, check=True, env=environment, timeout=300, capture_output=True)
