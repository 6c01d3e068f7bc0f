"""Interpreters with just what is measured: ours without rich and click, and karrio in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["environment"]

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"


def environment(folder: Path, *packages: str) -> Path:
    """The Python of an environment in *folder* that holds *packages*; made once, kept for the next run."""
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    wanted = "\n".join(packages)
    if python.exists() and done.exists() and done.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if Path(uv).exists():
        _run(uv, "venv", "-q", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "-q", "--python", str(python), *packages)
    else:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "-q", *packages)
    done.write_text(wanted)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, "VIRTUAL_ENV": ""}, timeout=600)
