"""What holds for the project as a whole: its names, its imports, its rules."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import attrs
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shipkit", "shipkit_ups", "shipkit_easypost", "shipkit_dpd_fr", "shipkit_mondialrelay")
SOURCES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
TEXTS = (".py", ".md", ".toml", ".txt", ".sh", ".cfg", ".yml", ".yaml", ".json", ".csv")


def texts() -> Iterator[Path]:
    """Every text of the project that somebody may read, generated and cached ones apart."""
    folders = ("src", "plugins", "docs", "tests", "examples", "changelog.d", ".ci")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in [*found, *(path for path in ROOT.iterdir() if path.is_file())]:
        hidden = {"__pycache__", "_build", "_generated", "build"} & set(path.parts)
        if not hidden and (path.suffix in TEXTS or path.parent.name == ".ci"):
            yield path


def modules(package: str) -> list[str]:
    """The dotted names of *package* and everything in it; ``__main__`` runs when it is imported."""
    top = importlib.import_module(package)
    inside = [found.name for found in pkgutil.walk_packages(top.__path__, f"{package}.")]
    return [package, *(name for name in inside if not name.endswith("__main__"))]


# Names ---------------------------------------------------------------------------------------------------------------


def test_nothing_says_to_install_the_distribution_that_belongs_to_somebody_else() -> None:
    wrong = re.compile(r"pip install\s+(?:-\S+\s+)*[\"']?shipkit(?![-_\w{])")
    told = [f"{path.relative_to(ROOT)}: {line}" for path in texts() for line in wrong.findall(path.read_text("utf-8"))]

    assert wrong.search("pip install " + "shipkit") and wrong.search("pip install -U '" + "shipkit[cli]'")
    assert not told


def test_the_core_names_no_carrier() -> None:
    # An acronym stands alone; within a word (groups, look_ups, clean-ups) it is no carrier. ups_1z names a bar code.
    names = "ups(?![ _]1z)|easy[ _]?post|dpd|mondial[ _]?relay|fedex|usps|dhl|gls|chronopost|colissimo|laposte"
    carriers = rf"(?:(?<![a-z_-])|shipkit[_-]|__)({names})(?![a-z])"
    # The shapes of tracking numbers are public facts about couriers, told apart by nothing but the courier's name.
    core = [path for path in sorted((ROOT / "src" / "shipkit").rglob("*")) if path.suffix in (".py", ".toml", ".md")]
    named = []
    for path in (path for path in core if path.parent.name != "numbers"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(carriers, line, re.IGNORECASE):
                named.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert core
    assert not named


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_thing_says_what_it_is(package: str) -> None:
    silent = []
    for name in modules(package):
        module = importlib.import_module(name)
        if not inspect.getdoc(module):
            silent.append(name)
        if "._" not in name and ".wire" not in name:
            silent += [f"{name}.{thing}" for thing in undocumented(module)]

    assert not silent


def undocumented(module: ModuleType) -> Iterator[str]:
    """Classes and functions of *module*'s ``__all__``, made there, that have no docstring of their own."""
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)) or thing.__module__ != module.__name__:
            continue
        if inspect.isclass(thing) and attrs.has(thing) and thing.__repr__ is object.__repr__:
            continue  # the carrier's own words (`wire`): what they mean stands in the carrier's manual
        own = thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__
        if not own:
            yield name


# Lazy rooms ----------------------------------------------------------------------------------------------------------


def literal(node: ast.expr | None) -> list[str]:
    value = ast.literal_eval(node) if node is not None else ()
    return list(value)


def dotted(path: Path) -> str:
    """The package whose ``__init__`` *path* is."""
    return ".".join(path.parent.relative_to(next(p for p in path.parents if p.name == "src")).parts)


def name_lists(path: Path) -> tuple[list[str], list[str], list[str]] | None:
    """The three lists of one lazy ``__init__``: what the checkers see, what is public, where it lies."""
    tree = ast.parse(path.read_text("utf-8"))
    here = dotted(path) + "."
    seen, public, rooms = [], [], None
    for node in tree.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for line in ast.walk(node):
                if (
                    isinstance(line, ast.ImportFrom)
                    and line.module
                    and (line.level or str(line.module).startswith(here))
                ):
                    room = str(line.module).removeprefix(here)
                    seen += [f"{room}:{alias.asname or alias.name}" for alias in line.names]
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if "__all__" in names:
            public = literal(node.value)
        if "_ROOMS" in names:
            rooms = [f"{room.removeprefix('.')}:{name}" for name, room in ast.literal_eval(node.value).items()]
    return None if rooms is None else (seen, public, rooms)


LAZY = [path for path in SOURCES if path.name == "__init__.py" and "_ROOMS" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.parent.name)
def test_the_three_lists_of_a_lazy_room_agree(path: Path) -> None:
    lists = name_lists(path)
    assert lists is not None, "_ROOMS is a literal map of name to room"
    seen, public, rooms = lists
    lazy = {entry.partition(":")[2] for entry in rooms}

    assert sorted(seen) == sorted(rooms)
    assert len(set(public)) == len(public)
    assert lazy <= set(public)


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.parent.name)
def test_every_lazy_name_is_there_and_a_misspelt_one_is_not(path: Path) -> None:
    module = importlib.import_module(dotted(path))

    assert all(getattr(module, name) is not None for name in module.__all__)
    assert not hasattr(module, "NoSuchName")


def test_the_core_is_lazy() -> None:
    assert ROOT / "src/shipkit/__init__.py" in LAZY
    assert ROOT / "src/shipkit/model/__init__.py" in LAZY


# Importing -----------------------------------------------------------------------------------------------------------

# Runs in a process of its own: what an import changes shows only where nothing was imported before.
CHANGES = """
import json, logging, os, signal, socket, ssl, sys, threading, warnings, locale, decimal

def state():
    context = ssl.create_default_context()
    return {
        "tls": [context.verify_mode.name, context.check_hostname, ssl._create_default_https_context.__name__],
        "environment": dict(os.environ),
        "loggers": {name: [log.level, log.propagate, [type(h).__name__ for h in log.handlers]]
                    for name, log in logging.root.manager.loggerDict.items() if isinstance(log, logging.Logger)},
        "root logger": [logging.root.level, [repr(h) for h in logging.root.handlers]],
        "warnings": [repr(entry) for entry in warnings.filters],
        "path": list(sys.path), "meta path": [repr(finder) for finder in sys.meta_path],
        "hooks": [sys.excepthook.__name__, threading.excepthook.__name__, repr(sys.gettrace())],
        "threads": threading.active_count(), "directory": os.getcwd(), "umask": [os.umask(0o22), os.umask(0o22)][1],
        "signals": [repr(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)],
        "time-out": socket.getdefaulttimeout(), "locale": locale.setlocale(locale.LC_ALL),
        "decimal": repr(decimal.getcontext()), "recursion": sys.getrecursionlimit(),
    }

before = state()
loaded = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
after = state()
# Loggers of our own are what an import may add, with a handler that drops everything.
after["loggers"] = {name: kept for name, kept in after["loggers"].items()
                    if name in before["loggers"] or kept[2] not in ([], ["NullHandler"]) or kept[0]}
before["loggers"] = {name: kept for name, kept in before["loggers"].items() if name in after["loggers"]}
print(json.dumps({"changed": {key: [before[key], after[key]] for key in before if before[key] != after[key]},
                  "loaded": sorted({name.partition(".")[0] for name in set(sys.modules) - loaded})}))
"""


def imported(*names: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CHANGES, *names], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("package", PACKAGES)
def test_an_import_changes_nothing_in_the_process(package: str) -> None:
    assert imported(package)["changed"] == {}


def test_using_the_core_changes_nothing_in_the_process_either() -> None:
    # OpenTelemetry's older releases bring a finder of importlib's backport along, for who asks for them; httpx, which
    # the transports are made of, a backport with a hook for exceptions on Python 3.10.
    apart = (
        "shipkit.testing", "shipkit.cli", "shipkit.client", "shipkit.simulator", "shipkit.telemetry.otel",
        "shipkit.publishers.http", "shipkit.service",
    )  # fmt: skip
    names = [name for name in modules("shipkit") if not name.startswith(apart) and "._" not in name]

    assert imported(*names)["changed"] == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_an_import_loads_no_transport_and_no_xml(package: str) -> None:
    loaded = imported(package)["loaded"]

    assert isinstance(loaded, list) and package in loaded
    assert not {"httpx", "httpcore", "zeep", "lxml", "requests", "asyncio", "pytest", "hypothesis"} & set(loaded)


# Rules ---------------------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_forty_lines() -> None:
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - (body[0].lineno if body else node.lineno) + 1
                if lines > 40:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")

    assert not long


def test_no_room_is_longer_than_eight_hundred_lines() -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}

    assert not [f"{path.relative_to(ROOT)}: {lines}" for path, lines in sizes.items() if lines > 800]


@pytest.mark.slow
def test_imports_point_down_the_house() -> None:
    pytest.importorskip("importlinter")
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_versions_of_the_distributions_have_no_upper_bound() -> None:
    for project in [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]:
        text = project.read_text("utf-8")
        pins = re.findall(r'"(shipkit[-\w]*(?:\[\w+\])?[<>=!~][^"]*)"', text)
        assert not [pin for pin in pins if re.search(r"[<~]|==", pin)], project


@pytest.mark.parametrize("plugin", sorted(ROOT.glob("plugins/*/pyproject.toml")), ids=lambda path: path.parent.name)
def test_a_plugin_is_a_distribution_of_its_own(plugin: Path) -> None:
    text = plugin.read_text("utf-8")
    package = plugin.parent.name.replace("-", "_")

    assert f'name = "{plugin.parent.name}"' in text
    assert re.search(rf'\[project\.entry-points\.shipkit\]\n\w+ = "{package}"', text)
    for needed in ("README.md", "LICENSE", f"src/{package}/py.typed"):
        assert (plugin.parent / needed).is_file(), needed
    assert (plugin.parent / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
