"""Finds the configuration, reads it, and names everything that is wrong with it at once."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..carrier import Carrier
from ..errors import InputError, NotSupportedError
from ..model import Problem, ProblemCode
from ..registry import Registry
from ..settings import Settings
from ..webhooks.auth import WebhookAuth
from .accounts import AccountsReader
from .destinations import DestinationChoice, destinations
from .findings import Findings
from .positions import places
from .pushes import webhooks
from .serving import ServiceChoice, service
from .stores import StoreChoice, chosen
from .tables import TableReader
from .values import Resolver, Unusable, fitted

if TYPE_CHECKING:
    from ..ports import Store

__all__ = ["Config", "data_folder", "found_file", "loaded", "overriding"]

FILE: Final = "shipkit.toml"
_PREFIX: Final = "SHIPKIT_ACCOUNTS__"
_SECTIONS: Final = ("accounts", "destinations", "service", "settings", "store", "webhooks")


@attrs.frozen(kw_only=True)
class Config:
    """What a configuration says. Accounts hold credentials: their repr hides them, and they are not pickled."""

    accounts: Mapping[str, Carrier]
    settings: Settings
    path: Path | None = None
    """The file that was read; None where there was none."""
    warnings: tuple[str, ...] = ()
    store_choice: StoreChoice = attrs.field(factory=StoreChoice)
    destinations: Mapping[str, DestinationChoice] = attrs.field(factory=dict)
    """Where announcements go, by name."""
    webhooks: Mapping[str, WebhookAuth] = attrs.field(factory=dict)
    """By account how its pushes are proved, where the host says so."""
    service: ServiceChoice = attrs.field(factory=ServiceChoice)

    @property
    def store_path(self) -> Path | None:
        """The ledger's file; None where it is no file."""
        return self.store_choice.path

    def store(self) -> Store:
        """Open the store: an SQLite file in the user's data folder unless the configuration says otherwise.

        Raises:
            StoreError: it cannot be opened.
        """
        return self.store_choice.opened()


def loaded(
    path: str | Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Config:
    """The configuration in *path*, else in the file that SHIPKIT_CONFIG names, else in ``./shipkit.toml``, else in the
    user's configuration folder; without any of them, what environment variables say.

    ``SHIPKIT_ACCOUNTS__ACME_EU__CLIENT_ID`` sets ``client_id`` of the account ``acme-eu``.

    Raises:
        InputError: it cannot be read, or says what nobody understands: every problem with its line and column.
    """
    environ = os.environ if environ is None else environ
    file = found_file(path, environ)
    findings = Findings(file)
    data = _read(file, findings) if file is not None else {}
    folder = file.absolute().parent if file is not None else Path.cwd()
    for name in data:
        if name not in _SECTIONS:
            findings.unknown((name,), _SECTIONS)
    resolver = Resolver(environ, folder, findings)
    reader = AccountsReader(registry or Registry(), resolver, findings)
    tables = _table(data, "accounts", findings)
    overrides = _overrides(tables, environ, findings)
    accounts = reader.accounts(tables, overrides)
    settings = _settings(_table(data, "settings", findings), findings, reader)
    usual = data_folder(environ) / "shipkit.db"
    store_choice, literal = chosen(_table(data, "store", findings), findings, resolver, folder, usual)
    pushed = TableReader(resolver, findings)
    where = destinations(data, pushed)
    proofs = webhooks(data, dict.fromkeys([*tables, *overrides]), pushed)
    serving = service(data, pushed)
    literal = literal or reader.literal_secret or pushed.literal_secret
    if file is not None and literal and _world_readable(file):
        findings.warnings.append(f"{file} holds a secret and everybody on this machine can read it: chmod 600 {file}")
    findings.refuse()
    return Config(
        accounts=accounts,
        settings=settings,
        path=file,
        warnings=tuple(findings.warnings),
        store_choice=store_choice,
        destinations=where,
        webhooks=proofs,
        service=serving,
    )


def found_file(path: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file that counts, None where there is none.

    Raises:
        InputError: one was named and is not there.
    """
    named, by = (path, "") if path is not None else (environ.get("SHIPKIT_CONFIG") or None, "SHIPKIT_CONFIG: ")
    if named is not None:
        file = Path(named).expanduser()
        if not file.is_file():
            text = f"{by}there is no file {file}"
            raise InputError(problems=(Problem(path="", code=ProblemCode.MISSING, text=text),))
        return file
    candidates = (Path(FILE), _user_folder(environ, "XDG_CONFIG_HOME", ".config") / FILE)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's programs keep their data."""
    return _user_folder(environ, "XDG_DATA_HOME", ".local/share")


def _user_folder(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    """After the XDG Base Directory Specification 0.8: a relative path in the variable is ignored."""
    named = environ.get(variable, "")
    if named and Path(named).is_absolute():
        return Path(named) / "shipkit"
    if sys.platform == "win32" and environ.get("APPDATA"):
        return Path(environ["APPDATA"]) / "shipkit"
    try:
        return Path(environ.get("HOME") or Path.home()) / usual / "shipkit"
    except RuntimeError:  # nobody's home
        return Path(".shipkit")


def _read(file: Path, findings: Findings) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise NotSupportedError("TOML is read by tomli on Python 3.10: install shipkit-sdk[cli]") from None
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        findings.add((), ProblemCode.MISSING, f"the file cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = file.read_bytes().count(b"\n", 0, error.start) + 1
        findings.add((), ProblemCode.MALFORMED, f"line {line}: is not UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        findings.add((), ProblemCode.MALFORMED, _no_values(str(error)))
    else:
        findings.places = places(text.replace("\r\n", "\n"))
        return data
    findings.refuse()
    return {}


_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def _no_values(sentence: str) -> str:
    """What a TOML parser complains of, without the pieces of the text that it quotes: they may be of a secret."""
    return "is not TOML: " + _QUOTED.sub("…", sentence)


def _table(data: Mapping[str, Any], name: str, findings: Findings) -> Mapping[str, Any]:
    table = data.get(name, {})
    if isinstance(table, dict):
        return table
    findings.add((name,), ProblemCode.MALFORMED, f"must be a table: [{name}]")
    return {}


def overriding(alias: str, environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By field, the environment variable that sets it for the account *alias*, and its text."""
    prefix = f"{_PREFIX}{_spelled(alias)}__"
    return {
        variable.removeprefix(prefix).lower(): (variable, environ[variable])
        for variable in sorted(environ)
        if variable.startswith(prefix)
    }


def _spelled(alias: str) -> str:
    """*alias* as the name of an environment variable has it."""
    return re.sub(r"[^A-Z0-9]+", "_", alias.upper())


def _overrides(
    tables: Mapping[str, Any], environ: Mapping[str, str], findings: Findings
) -> dict[str, dict[str, tuple[str, str]]]:
    """By alias and field, the environment variable that sets it and its text."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    aliases: dict[str, list[str]] = {}
    for alias in tables:
        aliases.setdefault(_spelled(alias), []).append(alias)
    for variable in sorted(name for name in environ if name.startswith(_PREFIX)):
        name, _, field = variable.removeprefix(_PREFIX).rpartition("__")
        meant = aliases.get(name) or ([name.lower()] if name and f"{_PREFIX}{name}__CARRIER" in environ else [])
        if len(meant) != 1 or not field:
            known = ", ".join(f"{_PREFIX}{alias}__…" for alias in aliases) or "none"
            reason = f"it may mean {' or '.join(meant)}" if meant else f"names no account; there are: {known}"
            findings.add(("accounts",), ProblemCode.UNKNOWN_VALUE, reason, source=variable)
        else:
            found.setdefault(meant[0], {})[field.lower()] = (variable, environ[variable])
    return found


def _settings(table: Mapping[str, Any], findings: Findings, reader: AccountsReader) -> Settings:
    fields = {field.name: field for field in attrs.fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        where = ("settings", name)
        if name not in fields:
            findings.unknown(where, fields)
            continue
        if fields[name].metadata.get("secret"):
            value, literal = reader.resolver.resolved(value, where)
            reader.literal_secret |= literal and "@" in str(value)
            if value is None:
                continue  # that has been said
        try:
            values[name] = _setting(fields[name], value)
        except Unusable as unfit:
            findings.add(where, ProblemCode.MALFORMED, str(unfit))
        except InputError as error:
            findings.add(where, ProblemCode.MALFORMED, error.problems[0].text)
    return Settings(**{name: value for name, value in values.items() if not findings.problems})


def _setting(field: attrs.Attribute[Any], given: Any) -> Any:
    value = fitted(given, field.type)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and value <= 0 and value != field.default:
        raise Unusable("must be greater than 0")
    alone: dict[str, Any] = {field.name: value}
    Settings(**alone)
    return value


def _world_readable(file: Path) -> bool:
    return os.name == "posix" and bool(file.stat().st_mode & stat.S_IROTH)
