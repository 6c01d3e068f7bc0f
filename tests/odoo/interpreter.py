"""Odoo's Python: an environment with what Odoo's package requires and this tree's distributions, editable."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import debian
from .places import CACHE, PLUGINS, ROOT, Unavailable, clean_environment, digest, locked, run, say

__all__ = ["TREE", "chosen", "environment", "fill", "install", "make", "pins", "requirements"]

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
TREE = ("-e", f"{ROOT}[simulator,soap]", *(word for plugin in PLUGINS for word in ("-e", str(plugin))))
KEPT_S = 7 * 24 * 3600
"""Environments that nobody used for so long are removed."""
# websocket-client is what Odoo's own browser tests speak with the browser.
BESIDE = ("freezegun", "python-magic", "websocket-client")
PINS = Path(__file__).with_name("pins.csv")
# For a pin of which there is no wheel and whose source wants a compiler: the nearest that has one.
INSTEAD = {
    ("psycopg2", ""): "psycopg2-binary=={}",  # the same release, with its library inside
    ("python-ldap", ""): "",  # an extra of Odoo's, that nothing of ours meets
    ("gevent", "3.10"): "gevent==21.12.0",
    ("lxml", "3.13"): "lxml==5.3.0",
}


def chosen() -> str:
    """The interpreter for Odoo: SHIPKIT_ODOO_PYTHON, this one, or the first supported one that starts."""
    asked = os.environ.get("SHIPKIT_ODOO_PYTHON")
    for candidate in [asked] if asked else [sys.executable, *(f"python{version}" for version in SUPPORTED)]:
        path = _path(candidate)
        if path and _version(path) in SUPPORTED:
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


def environment(*, pinned: bool = False) -> Path:
    """The Python that imports Odoo and this tree's distributions, made once for the same of everything.

    With the newest releases of what Odoo requires, or with those that it pins.
    """
    python = chosen()
    projects = [(project / "pyproject.toml").read_bytes() for project in (ROOT, *PLUGINS)]
    constraints = pins(_version(python))[0] if pinned else []
    key = digest(python, debian.version(), requirements(), BESIDE, TREE, projects, constraints)
    folder = CACHE / "environments" / key
    with locked(f"environment-{key}"):
        if not (folder / "complete").exists():
            say("making Odoo's Python environment")
            fill(folder, python, *TREE, constraints=constraints)
        (folder / "complete").touch()
    for other in folder.parent.glob("*/complete"):
        if time.time() - other.stat().st_mtime > KEPT_S:
            shutil.rmtree(other.parent, ignore_errors=True)
    return folder / "bin/python"


def fill(folder: Path, python: str, *packages: str, constraints: Sequence[str] = ()) -> Path:
    """An environment of *python* in *folder*, with Odoo and *packages*."""
    shutil.rmtree(folder, ignore_errors=True)
    make(python, folder)
    own = folder / "bin/python"
    (folder / "constraints.txt").write_text("".join(f"{line}\n" for line in constraints))
    install(own, "-c", str(folder / "constraints.txt"), *requirements(), *BESIDE, *packages)
    site = run(own, "-c", "import site; print(site.getsitepackages()[0])").strip()
    Path(site, "odoo-of-the-stand.pth").write_text(f"{debian.site()}\n")
    run(own, "-W", "ignore", "-c", "import odoo.release, shipkit", cwd=folder)
    return own


def pins(version: str) -> tuple[list[str], list[str]]:
    """Odoo's own requirements on Python *version*, and those of them that are not as Odoo has them."""
    with PINS.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    wanted, other = [], []
    for name, pin in ((row["package"], row[version]) for row in rows if row[version]):
        asked = name if pin == "any" else f"{name}=={pin}"
        given = INSTEAD.get((name, version), INSTEAD.get((name, ""), asked)).format(pin)
        if given != asked:
            other.append(f"{asked} -> {given or 'left out'}")
        if given:
            wanted.append(given)
    return wanted, other


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


def install(python: Path, *arguments: str, building: Path | None = None) -> None:
    """Install *arguments* into the environment of *python*; what builds them obeys the constraints in *building*."""
    # Without a compiler too: cbor2 works without its extension.
    environment = {"CBOR2_BUILD_C_EXTENSION": "0"}
    if uv := _uv():
        options = ["--build-constraint", str(building)] if building else []
        try:
            run(
                uv, "pip", "install", "-q", *options, "--python", python, *arguments, env=clean_environment(environment)
            )
        except RuntimeError as error:
            say(f"uv could not, pip tries: {error}")
        else:
            return
    if building:  # the newer name, and what it was for
        environment |= {"PIP_BUILD_CONSTRAINT": str(building), "PIP_CONSTRAINT": str(building)}
    words = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)
    run(*words, env=clean_environment(environment))


def _path(python: str) -> str:
    """Where the interpreter *python* lies, if it starts (a shim may exist for a version that it then refuses)."""
    try:
        told = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError:
        return ""
    return told.stdout.strip()


def _version(python: str) -> str:
    return run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()


def _uv() -> str | None:
    """The uv in PATH, or that beside this Python."""
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.exists() else None)
