"""What the doctor looks at, each thing with its state: ok, warning, failed, or a note."""

from __future__ import annotations

import base64
import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any, Final

import attrs

from ..config import Config, loaded
from ..errors import InputError, ShipkitError
from ..ports import Phase
from ..registry import BrokenPlugin, Registry
from ..settings import Settings

__all__ = ["FAILED", "NOTE", "OK", "WARNING", "Finding", "altered", "examined", "strangers"]

OK, NOTE, WARNING, FAILED = "ok", "note", "warning", "failed"
OURS: Final = "shipkit-sdk"
_OPEN: Final = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)
_OLDEST: Final = (3, 10)
_PARTS: Final = ("attrs", "cattrs", "pluggy", "httpx", "zeep", "lxml", "cyclopts", "rich", "psycopg")
_PACKAGE: Final = Path(__file__).resolve().parent.parent


@attrs.frozen(kw_only=True)
class Finding:
    """One thing looked at."""

    what: str
    state: str
    text: str
    data: Mapping[str, Any] = attrs.field(factory=dict)


def examined(config: Path | None) -> list[Finding]:
    """Everything that the doctor looks at, in order; the configuration is that in *config*, or where it usually is."""
    findings = [_python(), _versions(), *_plugins(), *_neighbours()]
    try:
        read = loaded(config)
    except ShipkitError as error:
        findings.append(_unreadable(error))
        return [*findings, *_constants(Settings())]
    return [*findings, *_configuration(read), _store(read), *_constants(read.settings)]


def _python() -> Finding:
    name = f"{platform.python_implementation()} {platform.python_version()}"
    text = f"{name} at {sys.executable}, on {platform.system()} {platform.machine()}"
    if sys.version_info < _OLDEST or platform.python_implementation() != "CPython":
        return Finding(what="python", state=FAILED, text=f"{text}: CPython 3.10 or newer is needed")
    if platform.system() != "Linux":
        return Finding(what="python", state=NOTE, text=f"{text}: not tested there")
    return Finding(what="python", state=OK, text=text)


def _versions() -> Finding:
    found = {name: _version(name) for name in (OURS, *_PARTS)}
    text = ", ".join(f"{name} {number or 'not installed'}" for name, number in found.items())
    return Finding(what="versions", state=OK if found[OURS] else FAILED, text=text, data={"versions": found})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _plugins() -> Iterator[Finding]:
    found = Registry().plugins()
    if not found:
        yield Finding(what="plugins", state=WARNING, text="no carrier is installed")
    for plugin in found:
        named = f"{plugin.distribution} {plugin.version}"
        if isinstance(plugin, BrokenPlugin):
            yield Finding(what=f"plugin {plugin.name}", state=FAILED, text=f"{named}: {plugin.error}")
        else:
            yield Finding(what=f"plugin {plugin.name}", state=OK, text=named)


def _neighbours() -> Iterator[Finding]:
    """The distribution called like our import package is somebody else's, and installs into the same folder."""
    problems = [*strangers(distributions()), *altered(distributions()), *_shadows()]
    for text in problems:
        yield Finding(what="package folder", state=FAILED, text=text)
    if not problems:
        text = f"{_PACKAGE}: no other distribution's files in it"
        yield Finding(what="package folder", state=OK, text=text)


def strangers(installed: Iterable[Distribution], folder: Path = _PACKAGE) -> Iterator[str]:
    """Distributions beside ours that own files in our package folder, or a package of our name elsewhere."""
    for each in installed:
        name = _normal(each.metadata["Name"] or "")
        if name == OURS:
            continue
        inside, elsewhere = 0, 0
        for file in each.files or ():
            if not file.parts or file.parts[0] != "shipkit":
                continue
            ours = folder in Path(str(each.locate_file(file))).resolve().parents
            inside += ours
            elsewhere += not ours
        if inside or elsewhere:
            where = f"{inside} files in {folder}" if inside else "a package shipkit of its own"
            yield f"{name} {each.version} has {where}: uninstall it, then install {OURS} again"


def altered(installed: Iterable[Distribution], folder: Path = _PACKAGE) -> Iterator[str]:
    """Files of ours that are not as they were installed: another distribution may have been here and gone."""
    for each in installed:
        if _normal(each.metadata["Name"] or "") != OURS:
            continue
        changed = []
        for file in each.files or ():
            path = Path(str(each.locate_file(file))).resolve()
            if file.hash is None or folder not in path.parents:
                continue
            if not path.is_file() or _hash(path, file.hash.mode) != file.hash.value:
                changed.append(str(file))
        if changed:
            named = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
            yield f"{len(changed)} files are not as {OURS} {each.version} installed them ({named}): install it again"


def _hash(path: Path, mode: str) -> str:
    digest = hashlib.new(mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _shadows() -> Iterator[str]:
    for entry in dict.fromkeys(sys.path):
        other = Path(entry or ".").resolve() / "shipkit"
        if other != _PACKAGE and (other / "__init__.py").is_file():
            yield f"{other} is another package of the same name on the import path"


def _unreadable(error: ShipkitError) -> Finding:
    problems = error.problems if isinstance(error, InputError) else ()
    text = "\n".join(f"{problem.path} {problem.text}".strip() for problem in problems) or str(error)
    return Finding(what="configuration", state=FAILED, text=text)


def _configuration(config: Config) -> Iterator[Finding]:
    accounts = {alias: {"carrier": c.code, "environment": str(c.environment)} for alias, c in config.accounts.items()}
    told = ", ".join(f"{alias} ({each['carrier']}, {each['environment']})" for alias, each in accounts.items())
    data = {"path": str(config.path) if config.path is not None else None, "accounts": accounts}
    where = str(config.path) if config.path is not None else "no file found"
    state = OK if accounts else NOTE
    yield Finding(what="configuration", state=state, text=f"{where}; accounts: {told or 'none'}", data=data)
    for warning in config.warnings:
        yield Finding(what="configuration", state=WARNING, text=warning)


def _store(config: Config) -> Finding:
    choice = config.store_choice
    if choice.kind == "memory":
        return Finding(what="store", state=WARNING, text="in memory: keys hold as long as the process, and no longer")
    if choice.path is not None and not choice.path.exists():
        return Finding(what="store", state=NOTE, text=f"{choice.path} will be made when it is first used")
    try:
        store = config.store()
        try:
            waiting = len(store.ledger.entries(phases=_OPEN, limit=1000))
        finally:
            store.close()
    except ShipkitError as error:
        return Finding(what="store", state=FAILED, text=str(error))
    text = f"{choice.told}, {waiting} keys open" + ("; shipkit ledger recover looks at them" if waiting else "")
    return Finding(what="store", state=OK if not waiting else NOTE, text=text, data={"open": waiting})


def _constants(settings: Settings) -> Iterator[Finding]:
    usual = Settings()
    secrets = {field.name for field in attrs.fields(Settings) if field.metadata.get("secret")}
    values = {name: "***" if name in secrets and value else value for name, value in attrs.asdict(settings).items()}
    told = [
        f"{name} = {value}{'' if value == getattr(usual, name) else '   (not the default)'}"
        for name, value in values.items()
    ]
    yield Finding(what="settings", state=OK, text="\n".join(told), data={"settings": values})
    text = "a deadline is total, but for name resolution: the operating system gives no way to cut it short"
    yield Finding(what="deadlines", state=NOTE, text=text)
