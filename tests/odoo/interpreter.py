"""Odoo's Python: an environment with what Odoo's package requires and this tree's distributions, editable."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import debian
from .places import CACHE, PLUGINS, ROOT, Unavailable, digest, locked, run, say

__all__ = ["TREE", "chosen", "environment", "fill", "install", "make", "requirements"]

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
TREE = ("-e", f"{ROOT}[simulator,soap]", *(word for plugin in PLUGINS for word in ("-e", str(plugin))))
# websocket-client is what Odoo's own browser tests speak with the browser.
BESIDE = ("freezegun", "python-magic", "websocket-client")


def chosen() -> str:
    """The interpreter for Odoo: SHIPKIT_ODOO_PYTHON, this one, or the first supported one that starts."""
    asked = os.environ.get("SHIPKIT_ODOO_PYTHON")
    for candidate in [asked] if asked else [sys.executable, *(f"python{version}" for version in SUPPORTED)]:
        question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
        try:
            told = subprocess.run([candidate, "-c", question], capture_output=True, text=True, timeout=60, check=False)
        except OSError:
            continue
        version, _, path = told.stdout.strip().partition(" ")
        if version in SUPPORTED:
            return path
    raise Unavailable(
        f"Odoo 19 runs on Python {SUPPORTED[0]} to {SUPPORTED[-1]}, and none is here ({asked or 'searched PATH'})"
    )


def requirements() -> list[str]:
    """What Odoo's own metadata asks for, its extras apart, by names for which there are wheels."""
    (metadata,) = debian.site().glob("odoo-*.egg-info/PKG-INFO")
    wanted = re.findall(r"^Requires-Dist: (.*)$", metadata.read_text(), re.MULTILINE)
    # psycopg2 itself is compiled on installation; PyPDF2 is pypdf since 2022 (Odoo takes either).
    other = {"psycopg2": "psycopg2-binary", "PyPDF2": "pypdf"}
    found = []
    for line in wanted:
        if "extra ==" not in line:
            name = re.match(r"[\w.-]+", line).group()
            found.append(other.get(name, name) + line.removeprefix(name))
    return found


def environment() -> Path:
    """The Python that imports Odoo and this tree's distributions, made once for the same of everything."""
    python = chosen()
    projects = [(project / "pyproject.toml").read_bytes() for project in (ROOT, *PLUGINS)]
    key = digest(python, debian.version(), requirements(), BESIDE, TREE, projects)
    folder = CACHE / "environments" / key
    with locked(f"environment-{key}"):
        if not (folder / "complete").exists():
            say("making Odoo's Python environment")
            fill(folder, python, *TREE)
            (folder / "complete").touch()
    return folder / "bin/python"


def fill(folder: Path, python: str, *packages: str) -> Path:
    """An environment of *python* in *folder*, with Odoo and *packages*."""
    shutil.rmtree(folder, ignore_errors=True)
    make(python, folder)
    own = folder / "bin/python"
    install(own, *requirements(), *BESIDE, *packages)
    site = run(own, "-c", "import site; print(site.getsitepackages()[0])").strip()
    Path(site, "odoo-of-the-stand.pth").write_text(f"{debian.site()}\n")
    run(own, "-W", "ignore", "-c", "import odoo.release, shipkit", cwd=folder)
    return own


def make(python: str, folder: Path) -> None:
    """An empty environment of *python*: by uv where there is one, else by venv, else by virtualenv."""
    ways = [[python, "-m", "venv", str(folder)], [sys.executable, "-m", "virtualenv", "-q", "-p", python, str(folder)]]
    if uv := _uv():
        ways.insert(0, [uv, "venv", "-q", "--seed", "--no-project", "--python", python, str(folder)])
    said = ""
    for way in ways:
        try:
            run(*way)
        except RuntimeError as error:
            said = str(error)
        else:
            return
    raise Unavailable(f"neither uv nor venv nor virtualenv makes an environment of {python}: {said}")


def install(python: Path, *arguments: str) -> None:
    """Install *arguments* into the environment of *python*."""
    if uv := _uv():
        try:
            run(uv, "pip", "install", "-q", "--python", python, *arguments)
        except RuntimeError as error:
            say(f"uv could not, pip tries: {error}")
        else:
            return
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)


def _uv() -> str | None:
    """The uv in PATH, or that beside this Python."""
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.exists() else None)
