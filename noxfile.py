"""The project's chores: ``nox -l`` lists them, ``python3 bootstrap.py nox -s NAME`` runs one on a bare machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
ADDON = ROOT / "examples/odoo/delivery_shipkit"
SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
BROKERS = "rabbitmq,nats,redis,kafka"
ODOO_PINNED = ("3.12", "3.13")  # on the others the simulator's PDFs need newer releases than Odoo pins
EXTRAS = "cli,otel,rsa,service,simulator,soap,testing"

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "types", "lint", "docs", "demo", "schema", "build"]
# What the machine offers is used; nothing is fetched in its place.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")


def runs_as(python: str, version: str) -> bool:
    """Whether *python* starts and is CPython *version* (a pyenv shim may exist for a version that it then refuses)."""
    question = "import sys; print('%d.%d %s' % (*sys.version_info[:2], sys.implementation.name))"
    try:
        answer = subprocess.run([python, "-c", question], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == f"{version} cpython"


def interpreters() -> list[str]:
    """The supported versions found on this machine, this one first; the folders they lie in go to the front of PATH."""
    path = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    shims = [folder.parent / "versions" for folder in path if folder.name == "shims"]
    roots = [*shims, Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"]
    found = []
    for version in SUPPORTED:
        name = f"python{version}"
        if runs_as(name, version):
            found.append(version)
            continue
        for candidate in (path for root in roots for path in sorted(root.glob(f"*/bin/{name}"), reverse=True)):
            if runs_as(str(candidate), version):
                # First of all: a name found later in PATH may be one that does not start.
                os.environ["PATH"] = os.pathsep.join([str(candidate.parent), os.environ.get("PATH", "")])
                found.append(version)
                break
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return sorted(found, key=lambda version: (version != this, found.index(version)))


PYTHONS = interpreters()
OLDEST = min(PYTHONS, key=SUPPORTED.index)


def install_tree(session: nox.Session, *groups: str, extras: str = EXTRAS) -> None:
    """The five distributions of this tree, editable, and the dependency *groups*."""
    session.install(*tree(extras), *wanted_by(*groups))


def tree(extras: str = EXTRAS) -> tuple[str, ...]:
    """The five distributions as arguments of an installer, editable."""
    return ("-e", f".[{extras}]", *(word for plugin in PLUGINS for word in ("-e", str(plugin))))


def wanted_by(*groups: str) -> tuple[str, ...]:
    """The requirements of dependency *groups*."""
    return tuple(nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), *groups))


def workers() -> str:
    return str(min(os.cpu_count() or 1, 4))


@nox.session(python=[version for version in PYTHONS if version != OLDEST or version == PYTHONS[0]])
def tests(session: nox.Session) -> None:
    """Every test on the first Python; all but the slow ones, with fewer examples, on the others found here.

    The oldest one is left to ``floors``, which runs the same with the oldest versions of what we need.
    """
    install_tree(session, "test")
    whole = session.python == PYTHONS[0]
    elsewhere = "not campaign and not peers and not services"  # sessions of their own
    chosen = elsewhere if whole else f"{elsewhere} and not slow"
    session.run(
        "pytest", "-q", "-n", workers(), "--dist", "worksteal", "-m", chosen, *(session.posargs or ("tests",)),
        env={"SHIPKIT_HYPOTHESIS": "ci" if whole else "quick"},
    )  # fmt: skip


@nox.session(python=OLDEST, venv_backend="uv")
def floors(session: nox.Session) -> None:
    """The quicker tests on the oldest Python found here, with the oldest versions that the distributions allow."""
    session.install("--resolution", "lowest-direct", *tree("cli,otel,rsa,service,simulator,soap"))
    BUILD.mkdir(exist_ok=True)
    frozen = session.run("uv", "pip", "freeze", "--exclude-editable", silent=True, external=True)
    floor = BUILD / "floors.txt"
    floor.write_text("".join(f"{line}\n" for line in str(frozen).splitlines() if "==" in line))
    session.install("--constraint", str(floor), *wanted_by("test"))
    # The oldest zeep imports cgi, which Python 3.11 and 3.12 warn about; 3.13 has none and asks for a newer zeep.
    session.run(
        "pytest", "-q", "-n", workers(), "--dist", "worksteal", "-W", "ignore:'cgi' is deprecated:DeprecationWarning",
        "-m", "not campaign and not peers and not services and not slow", *(session.posargs or ("tests",)),
        env={"SHIPKIT_HYPOTHESIS": "quick"},
    )  # fmt: skip


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict and pyright, for the core and each plugin."""
    install_tree(session, "types", extras=f"{EXTRAS},postgres,{BROKERS}")
    session.run("mypy", "--strict", "src", *(str(plugin / "src") for plugin in PLUGINS))
    session.run("mypy", "--strict", "noxfile.py", "bootstrap.py")
    session.run("pyright", "--pythonpath", shutil.which("python", path=session.bin) or "python")


@nox.session
def lint(session: nox.Session) -> None:
    """Format, rules, the house's order of imports, the changelog's fragments."""
    install_tree(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")
    misnamed = [
        path.name
        for path in (ROOT / "changelog.d").iterdir()
        if path.name != "README.md" and not re.fullmatch(r"\d+\.(added|changed|fixed|removed)(\.\d+)?\.md", path.name)
    ]
    if misnamed:
        session.error(f"changelog.d: not <issue>.<added|changed|fixed|removed>.md: {', '.join(misnamed)}")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages, warnings as errors, and every example in them and in the README executed."""
    install_tree(session, "docs")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", str(BUILD / "docs"))
    session.run("pytest", "-q", "README.md", "docs", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """The main job, as it is and with a carrier that loses its answers."""
    install_tree(session, extras="cli,simulator,soap")
    session.run("shipkit", "demo", *session.posargs)
    session.run("shipkit", "demo", "--fault", "drop_after_commit")


@nox.session(python="3.11" if "3.11" in PYTHONS else None)
def bench(session: nox.Session) -> None:
    """Ratios of one run, into build/bench.json and a table."""
    install_tree(session, "test", extras=f"{EXTRAS},postgres,{BROKERS}")
    BUILD.mkdir(exist_ok=True)
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Long searches, --profile ci or full: the ledger, bookings under faults, journeys, hostile pushes."""
    install_tree(session, "test")
    profile = "full" if "full" in session.posargs else "ci"
    session.run(
        "pytest", "-q", "-n", workers(), "-m", "campaign", "tests/ledger_model", "tests/faults", "tests/events",
        env={"SHIPKIT_HYPOTHESIS": profile},
    )  # fmt: skip
    session.run("python", "-m", "tests.ledger_model", "--profile", profile)
    session.run("python", "-m", "tests.faults", *session.posargs)
    session.run("python", "-m", "tests.service.hostile", "--profile", profile)


@nox.session
def services(session: nox.Session) -> None:
    """Hosts, brokers and the service over real servers: killed, cut off, rolled back, run again; --profile as above."""
    install_tree(session, "test", "services", extras=f"{EXTRAS},postgres,{BROKERS}")
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None and shutil.which("apt-get"):
        # The gateway of the example; without it, and without leave to install it, its tests say that it is missing.
        session.run(
            "apt-get", "install", "-y", "-qq", "--no-install-recommends", "nginx-light",
            external=True, silent=True, success_codes=range(256), env={"DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
    folders = ("tests/services", "tests/publishers", "tests/service")
    session.run("pytest", "-q", "-m", "services", *folders)
    session.run("python", "-m", "tests.services.kills", "--profile", "full" if "full" in session.posargs else "ci")


@nox.session
def peers(session: nox.Session) -> None:
    """Other people's clients against the simulators, each in an environment of its own; --write renews the table."""
    install_tree(session, "test")
    session.run("pytest", "-q", "-m", "peers", "tests/peers")
    session.run("python", "-m", "tests.peers", *session.posargs)


@nox.session
def odoo(session: nox.Session) -> None:
    """A real Odoo, brought up here: the addon's tests, wheel, transactions, deliveries; --profile full does more."""
    impossible = session.run("python", "-m", "tests.odoo", "possible", silent=True, success_codes=(0, 77))
    if impossible:
        session.skip(str(impossible).strip())
    install_tree(session, "test")
    session.run("python", "-m", "tests.odoo", "test")
    session.run("python", "-m", "tests.odoo.lifecycle")
    session.run("python", "-m", "tests.odoo.translations", "--check")
    session.run("python", "-m", "tests.odoo.wheel")
    session.run("python", "-m", "tests.odoo.transactions")
    session.run("python", "-m", "tests.odoo.pickings", "--profile", "full" if "full" in session.posargs else "ci")
    if "full" in session.posargs:
        session.install(*wanted_by("walk"))
        session.run("python", "-m", "tests.odoo.walk", success_codes=(0, 77))  # 77: no browser here; it says so
        for version in PYTHONS[1:]:
            session.run("python", "-m", "tests.odoo", "test", env={"SHIPKIT_ODOO_PYTHON": f"python{version}"})
        for version in sorted({*ODOO_PINNED} & {*PYTHONS}):
            pinned = {"SHIPKIT_ODOO_PYTHON": f"python{version}"}
            session.run("python", "-m", "tests.odoo", "test", "--pinned", env=pinned)


@nox.session
def pins(session: nox.Session) -> None:
    """Installing shipkit and its plugins changes no version that Odoo pins, on any Python found here."""
    session.run("python", "-m", "tests.odoo.pins", *sorted(PYTHONS, key=SUPPORTED.index))


@nox.session
def schema(session: nox.Session) -> None:
    """The exported JSON Schema says what the code says, and breaks nobody who stored a document."""
    session.install("-e", ".")
    session.run("python", "-m", "shipkit.codec.schema", "--check", "docs/schema")
    session.run("python", "-m", "shipkit.events.schema", "--check", "docs/schema")


@nox.session
def build(session: nox.Session) -> None:
    """The sdist and wheel of every distribution, each with the tree's files and no other; then the wheels at work."""
    session.install("hatchling")
    folder = BUILD / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    for project in (ROOT, *PLUGINS, ADDON):
        with session.chdir(project):
            session.run("hatchling", "build", "-d", str(folder), silent=True)
        wrong = compare_addon(folder) if project == ADDON else compare(project, folder)
        if wrong:
            session.error("\n".join(wrong))
    wheels = sorted(str(wheel) for wheel in folder.glob("shipkit*.whl"))  # the addon's works in an Odoo: nox -s odoo
    core = next(wheel for wheel in wheels if Path(wheel).name.startswith("shipkit_sdk-"))
    session.install(f"{core}[cli,simulator,soap]", *(wheel for wheel in wheels if wheel != core))
    with session.chdir(session.create_tmp()):
        session.run("shipkit", "plugins")
        session.run("shipkit", "demo")


def compare(project: Path, folder: Path) -> list[str]:
    """What the two archives of *project* hold beside the files of its tree, and what they lack."""
    data = nox.project.load_toml(project / "pyproject.toml")
    name = f"{data['project']['name'].replace('-', '_')}-{data['project']['version']}"
    include = data["tool"]["hatch"]["build"]["targets"]["wheel"].get("force-include", {})
    tree = tracked(project / "src")
    beside = {"PKG-INFO", "pyproject.toml", ".gitignore", "README.md", "LICENSE"}
    beside |= {"CHANGELOG.md"} if project == ROOT else set()
    for_wheel, for_sdist = tree | set(include.values()), {f"src/{file}" for file in tree} | beside | set(include)
    return differences(folder, name, for_wheel, for_sdist)


def compare_addon(folder: Path) -> list[str]:
    """The same for the addon, whose wheel has its files where Odoo looks for addons."""
    version = re.search(r'"version": "(.+)"', (ADDON / "__manifest__.py").read_text())
    tree = tracked(ADDON)
    apart = {"pyproject.toml", "LICENSE", "LICENSE.GPL"}
    for_wheel = {f"odoo/addons/{ADDON.name}/{file}" for file in tree - apart}
    name = f"odoo_addon_delivery_shipkit-{version.group(1) if version else ''}"
    return differences(folder, name, for_wheel, tree | {"PKG-INFO", ".gitignore"})


def differences(folder: Path, name: str, for_wheel: set[str], for_sdist: set[str]) -> list[str]:
    """Where the archives called *name* in *folder* hold something else."""
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl") as wheel:
        in_wheel = {entry for entry in wheel.namelist() if not entry.startswith(f"{name}.dist-info/")}
        meta = {Path(entry).name for entry in wheel.namelist() if entry.startswith(f"{name}.dist-info/")}
    with tarfile.open(folder / f"{name}.tar.gz") as sdist:
        in_sdist = {entry.name.partition("/")[2] for entry in sdist.getmembers() if entry.isfile()}
    found = [f"{name} wheel: {entry}" for entry in sorted(in_wheel ^ for_wheel)]
    found += [f"{name} sdist: {entry}" for entry in sorted(in_sdist ^ for_sdist)]
    found += [f"{name} wheel has no {entry}" for entry in sorted({"LICENSE", "METADATA", "RECORD"} - meta)]
    return found


def tracked(folder: Path) -> set[str]:
    """The files that belong to *folder*: those under version control, or all but caches where there is none."""
    listed = subprocess.run(["git", "ls-files", "."], cwd=folder, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return set(listed.stdout.split("\n")) - {""}
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in files}
