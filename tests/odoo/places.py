"""Where the stand keeps what it made, under names that say what it was made from, and who may make it now."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "ADDONS",
    "CACHE",
    "PLUGINS",
    "ROOT",
    "UNAVAILABLE",
    "Unavailable",
    "changing",
    "clean_environment",
    "digest",
    "files_of",
    "last_lines",
    "locked",
    "run",
    "say",
]

ROOT = Path(__file__).resolve().parents[2]
ADDONS = ROOT / "examples" / "odoo"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
UNAVAILABLE = 77
"""The exit code for "this machine cannot", as automake has it for a skipped test."""

_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("SHIPKIT_ODOO_CACHE") or _HOME / "shipkit" / "odoo").absolute()


class Unavailable(Exception):
    """This machine cannot run the stand, whatever the project does; the message says what it lacks."""


def say(text: str) -> None:
    """One line about what takes its time."""
    print(f"odoo: {text}", file=sys.stderr, flush=True)


def digest(*parts: object) -> str:
    """A short name for what *parts* say."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def files_of(folder: Path, *, without: Iterable[str] = ()) -> str:
    """A digest of the files under *folder*, names and contents, those under a folder named in *without* apart."""
    apart = {"__pycache__", *without}
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not apart & set(inside.parts):
            found.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time, on this machine; a process that dies lets go."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a") as file:  # descriptors of Python's are not handed down to children
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def changing(folder: Path) -> Iterator[Path]:
    """An empty folder that becomes *folder* when the block ends well, so that what stands there is complete."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    yield new
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what belongs to this process's Python."""
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP", "ODOO_RC"}
    own |= {name for name in os.environ if name.startswith("PG")}
    return {name: text for name, text in os.environ.items() if name not in own} | dict(more or {})


def run(*command: str | Path, **options: Any) -> str:
    """What *command* printed; where it failed, an error that holds its last lines."""
    options = {"timeout": 900, "env": clean_environment(), **options}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(words[:6])} ... failed ({done.returncode}):\n{last_lines(done.stdout + done.stderr)}"
        )
    return done.stdout


def last_lines(text: str, count: int = 25) -> str:
    """The end of *text*, where the reason usually stands."""
    return "\n".join(text.strip().splitlines()[-count:])
