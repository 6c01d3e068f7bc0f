"""Does installing shipkit change a version that Odoo pins? Asked of pip itself, on every Python that is here.

    python -m tests.odoo.pins 3.11 3.12

For each: an environment with exactly what Odoo 19 pins (``pins.csv``), then shipkit and its plugins as somebody
installs them who knows nothing of pins. Odoo need not be there, nor a Debian.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from . import interpreter
from .places import PLUGINS, ROOT, run

# uv does not read this archive of 2016; pip does.
BY_PIP = "pypdf2==1.26.0"
# Source archives of that time import what setuptools has since dropped.
OLD_SETUPTOOLS = "setuptools<81"

# What the addon rests on, at those versions.
USED = "import zeep, lxml.etree; from shipkit import Registry; r = Registry(); [r.carrier(name) for name in r.names()]"


class Found(NamedTuple):
    """What became of one Python's environment."""

    python: str
    pinned: int
    other: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    conflicts: str

    @property
    def good(self) -> bool:
        """Nothing changed, and pip finds no conflict."""
        return not self.changed and not self.conflicts


def asked_of(version: str, folder: Path, wheels: Path) -> Found:
    """Make the environment in *folder*, install shipkit from *wheels* (made if there are none yet), compare."""
    python = folder / "bin/python"
    wanted, other = interpreter.pins(version)
    interpreter.make(f"python{version}", folder)
    install_pins(python, wanted, folder)
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    if not wheels.exists():
        run(*pip, "wheel", "-q", "--no-deps", "-w", wheels, ROOT, *PLUGINS)
    ours = [f"{wheel}[soap]" if wheel.name.startswith("shipkit_sdk") else str(wheel) for wheel in wheels.iterdir()]
    before = installed(*pip)
    run(*pip, "install", "-q", *ours)
    after = installed(*pip)
    run(python, "-W", "ignore", "-c", USED)
    checked = subprocess.run([str(word) for word in (*pip, "check")], capture_output=True, text=True, check=False)
    return Found(
        python=run(python, "-c", "import platform; print(platform.python_version())").strip(),
        pinned=len(wanted),
        other=tuple(other),
        added=tuple(sorted(f"{name} {after[name]}" for name in after.keys() - before.keys())),
        changed=tuple(f"{name}: {old} -> {after.get(name)}" for name, old in before.items() if after.get(name) != old),
        conflicts=checked.stdout.strip() if checked.returncode else "",
    )


def install_pins(python: Path, wanted: list[str], folder: Path) -> None:
    """What Odoo pins, exactly."""
    building = folder / "build-constraints.txt"
    building.write_text(f"{OLD_SETUPTOOLS}\n")
    interpreter.install(python, *(pin for pin in wanted if pin != BY_PIP), building=building)
    if BY_PIP in wanted:
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", BY_PIP)


def installed(*pip: str | Path) -> dict[str, str]:
    """Every distribution in the environment, with its version."""
    return {row["name"].lower(): row["version"] for row in json.loads(run(*pip, "list", "--format", "json"))}


def main(versions: list[str]) -> int:
    """One line for each Python; 0 if nothing changed on any."""
    began = time.monotonic()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for version in versions:
            found.append(asked_of(version, Path(folder, version), Path(folder, "wheels")))
            shutil.rmtree(Path(folder, version))
    row = "{:8} {:>7} {:>8} {:>10}  {}".format
    print(row("Python", "pinned", "changed", "pip check", "shipkit and its plugins bring along"))
    for each in found:
        verdict = "conflict" if each.conflicts else "clean"
        others = (name for name in each.added if not name.startswith("shipkit-"))
        print(row(each.python, each.pinned, len(each.changed), verdict, ", ".join(others)))
    for each in found:
        print(f"{each.python}, not as Odoo has it: {'; '.join(each.other)}")
    for each in found:
        for line in (*each.changed, *each.conflicts.splitlines()):
            print(f"{each.python}: {line}")
    good = [each for each in found if each.good]
    print(f"{len(good)} of {len(found)} Pythons keep every version, after {time.monotonic() - began:.0f} s")
    return 0 if good and len(good) == len(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
