"""Odoo's source: the package ``odoo-19`` of Debian's unstable suite, unpacked beside the system and not into it.

The mirror is the one that this machine's own apt sources name; they, and apt's own state, stay as they are.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from .places import CACHE, Unavailable, changing, digest, locked, run, say

__all__ = ["package", "reason_against", "site", "version"]

PACKAGE = "odoo-19"
SUITE = "sid"
RECIPE = 1
"""To be raised when the same package is to be unpacked in another way."""

SOURCE = CACHE / f"{PACKAGE}-{digest(PACKAGE, SUITE, RECIPE)}"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The translations are 0.85 GB of the 1.2 GB; the second tree of addons holds the same files once more.
UNWANTED = (
    "*/i18n/*.po",
    "*/i18n_extra/*.po",
    "./usr/lib/python3/dist-packages/addons",
    "./usr/lib/python3/dist-packages/setup",
    "./usr/lib/python3/dist-packages/doc",
    "./etc/*",
    "./usr/share/*",
)


def site() -> Path:
    """The folder to put on Odoo's Python path."""
    return SOURCE / "usr/lib/python3/dist-packages"


def version() -> str:
    """The Debian version of what stands unpacked."""
    return (SOURCE / "version").read_text()


@functools.cache
def reason_against() -> str:
    """What this machine lacks to fetch the package, or nothing."""
    if (SOURCE / "version").exists():
        return ""
    missing = [tool for tool in ("apt-get", "dpkg-deb", "tar") if shutil.which(tool) is None]
    if missing:
        return f"Odoo comes as a Debian package, and this machine has no {', '.join(missing)}"
    name, codename = _system()
    if name != "debian":
        return f"Odoo comes from a Debian mirror of this machine's own, and this machine is {name or 'unknown'}"
    if not _mirror(codename):
        return f"the apt sources of this machine name no mirror of Debian {codename or '(which?)'}, component main"
    return ""


def package() -> None:
    """Fetch and unpack Odoo, unless it stands."""
    with locked("package"):
        if (SOURCE / "version").exists():
            return
        if reason := reason_against():
            raise Unavailable(reason)
        with changing(CACHE / "downloads") as folder:
            _fetch(folder)
            with changing(SOURCE) as source:
                _unpack(folder, source)
        shutil.rmtree(CACHE / "downloads")


def _system() -> tuple[str, str]:
    """The ID and the code name of this machine's distribution."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return "", ""
    told = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return told.get("ID", ""), told.get("VERSION_CODENAME", "")


def _mirror(codename: str) -> str:
    """The address that this machine has its Debian from."""
    wanted = {codename, "stable", "oldstable", "testing", "unstable", "sid"} - {""}
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        uri, suite, component = line.split("|")
        if suite in wanted and component == "main":
            return uri
    return ""


def _fetch(folder: Path) -> None:
    """The package, and those that its links point into: without them the web client has no scripts and no fonts."""
    state = folder / "apt"
    (state / "lists/partial").mkdir(parents=True)
    (state / "cache/archives/partial").mkdir(parents=True)
    (state / "status").touch()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    (state / "sources.list").write_text(f"deb {signed}{_mirror(_system()[1])} {SUITE} main\n")
    options = {
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": 3,
        "APT::Update::Post-Invoke": "",
        "APT::Update::Post-Invoke-Success": "",
    }
    if os.getuid() == 0:
        options["APT::Sandbox::User"] = "root"  # whose folders these are
    apt = ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    say(f"reading the list of packages of {SUITE}")
    run(*apt, "update", cwd=folder)
    say(f"fetching {PACKAGE}")
    run(*apt, "download", PACKAGE, cwd=folder)
    (deb,) = folder.glob(f"{PACKAGE}_*.deb")
    depends = run("dpkg-deb", "-f", deb, "Depends")
    linked = [
        name for name in re.findall(r"(?:^|,)\s*([a-z0-9.+-]+)", depends) if name.startswith(("libjs-", "fonts-"))
    ]
    run(*apt, "download", *linked, cwd=folder)


def _unpack(folder: Path, source: Path) -> None:
    say("unpacking")
    (deb,) = folder.glob(f"{PACKAGE}_*.deb")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as archive:
        run("tar", "-x", "-C", source, *(f"--exclude={name}" for name in UNWANTED), stdin=archive.stdout)
    for other in folder.glob("*.deb"):
        if other != deb:
            run("dpkg-deb", "-x", other, source)
    packages = source / "usr/lib/python3/dist-packages"
    if not (packages / "odoo").is_dir():
        raise RuntimeError(f"{deb.name} has no folder odoo")
    _mend(packages)
    (source / "version").write_text(run("dpkg-deb", "-f", deb, "Version").strip())


def _mend(packages: Path) -> None:
    """Empty files where Debian leaves nothing that a bundle of assets wants to read."""
    dangling = [path for path in packages.rglob("*") if path.is_symlink() and not path.exists()]
    # Taken out by Debian, since it is not free; the bundle that names it has no test without it.
    taken = packages / "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    for path in [*dangling, *([] if taken.exists() else [taken])]:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
