"""Run the project on a machine that has nothing but Python 3.10 or newer and pip.

    python3 bootstrap.py demo [--fault NAME] [--json]    the main job: four carriers, simulated on this machine
    python3 bootstrap.py tests                           the tests, on the Pythons found here
    python3 bootstrap.py nox -s types lint               any other nox session

Why a script: no single command makes an environment everywhere. Debian's Python refuses to install beside the system's
packages (PEP 668) and may come without ``venv``'s ensurepip; older ones have a pip that cannot install into another
environment. But every pip can install into a plain folder, and virtualenv, run from such a folder, brings a pip of its
own. So there is one way for all: pip puts virtualenv into ``.env/virtualenv``, and that makes ``.env/<name>``, which is
used again until a ``pyproject.toml`` changes. It needs the package index and writes nothing outside this folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".env"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
# What each environment holds, as arguments of ``pip install``. The demo runs the tree itself, hence editable.
WANTED = {
    "demo": ["-e", f"{ROOT}[cli,simulator,soap]", *(word for plugin in PLUGINS for word in ("-e", str(plugin)))],
    "nox": ["--group", f"{ROOT / 'pyproject.toml'}:nox"],
}


def main(arguments: list[str]) -> int:
    """Make the environment that the first word needs, unless it stands, and run the rest in it."""
    command, *rest = arguments or ["help"]
    if command == "demo":
        return run([str(tool("demo", "shipkit")), "demo", *rest])
    if command in ("tests", "nox"):
        nox = tool("nox", "nox")
        session = ["-s", "tests"] if command == "tests" else []
        return run([str(nox), *session, *rest], **as_pip_does(nox.with_name("python")))
    print(__doc__)
    return 0 if command in {"help", "-h", "--help"} else 2


def tool(name: str, script: str) -> Path:
    """The *script* of environment *name*, made first where it is missing or out of date."""
    folder = HOME / f"{name}-{sys.version_info[0]}.{sys.version_info[1]}"
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    stamp = folder / "stamp"
    wanted = fingerprint(WANTED[name])
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"making the environment {folder.relative_to(ROOT)} (once)", file=sys.stderr, flush=True)
        make(folder)
        check([str(binaries / "python"), "-m", "pip", "install", "--quiet", *WANTED[name]])
        stamp.write_text(wanted)
    return binaries / script


def fingerprint(wanted: list[str]) -> str:
    """Changes when what is to be installed changes: the wish, the interpreter, any of the project files."""
    digest = hashlib.sha256(repr((wanted, sys.version, sys.executable)).encode())
    for project in (ROOT, *PLUGINS):
        digest.update((project / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def make(folder: Path) -> None:
    """An empty environment with a pip of its own, by a virtualenv that lies in a plain folder."""
    shutil.rmtree(folder, ignore_errors=True)
    seed = HOME / f"virtualenv-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (seed / "virtualenv").is_dir():
        check([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(seed), "virtualenv>=20.31"])
    check([sys.executable, "-m", "virtualenv", "--quiet", str(folder)], PYTHONPATH=str(seed))


def as_pip_does(python: Path) -> dict[str, str]:
    """The index and the certificates that pip is told to use, as variables for uv, which does not read pip's files."""
    asked = [str(python), "-m", "pip", "config", "list"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    told = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        told[name.rpartition(".")[2]] = value.strip("'\"")
    wanted = {"UV_DEFAULT_INDEX": told.get("index-url", ""), "SSL_CERT_FILE": told.get("cert", "")}
    return {name: value for name, value in wanted.items() if value and name not in os.environ}


def check(command: list[str], **more: str) -> None:
    """Run one step of making an environment, or end with its exit code."""
    code = run(command, **more)
    if code:
        print(f"bootstrap: this failed: {' '.join(command)}", file=sys.stderr)
        raise SystemExit(code)


def run(command: list[str], **more: str) -> int:
    """The exit code of *command*, run without what an outer environment or pip's own settings would change in it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    environment |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment |= {"PIP_ROOT_USER_ACTION": "ignore", **more}
    # Sessions make further environments with the uv that stands beside nox.
    environment["PATH"] = os.pathsep.join([str(Path(command[0]).parent), environment.get("PATH", os.defpath)])
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036, an older one should hear a sentence
        raise SystemExit("shipkit needs Python 3.10 or newer; this is " + sys.version.split()[0])
    raise SystemExit(main(sys.argv[1:]))
