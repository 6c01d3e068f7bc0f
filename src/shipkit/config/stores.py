"""Which store a configuration asks for, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..errors import StoreError
from ..model import ProblemCode
from .findings import Findings
from .values import Resolver

if TYPE_CHECKING:
    from ..ports import Store

__all__ = ["StoreChoice", "chosen"]

# What may stand beside ``kind``.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {"sqlite": ("path",), "postgres": ("url", "schema"), "memory": ()}


@attrs.frozen(kw_only=True)
class StoreChoice:
    """A file, a PostgreSQL server (its address may hold a password, so it is not shown), or nothing that lasts."""

    kind: str = "memory"
    path: Path | None = None
    url: str = attrs.field(default="", repr=False)
    schema: str = ""

    @property
    def told(self) -> str:
        """Where it is, in words that hold no secret."""
        if self.kind == "postgres":
            return "PostgreSQL" + (f", schema {self.schema}" if self.schema else "")
        return str(self.path) if self.path is not None else "memory"

    def opened(self) -> Store:
        """The store.

        Raises:
            StoreError: it cannot be opened.
            NotSupportedError: the package that it needs is not installed.
        """
        from ..store import MemoryStore, PostgresStore, SqliteStore

        if self.kind == "postgres":
            return PostgresStore(self.url, schema=self.schema)
        if self.path is None:
            return MemoryStore()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the folder {self.path.parent} cannot be made: {error.strerror}") from error
        return SqliteStore(self.path)


def chosen(
    table: Mapping[str, Any], findings: Findings, resolver: Resolver, folder: Path, usual: Path
) -> tuple[StoreChoice, bool]:
    """What the table ``[store]`` asks for, and whether a secret stands in it literally."""
    kind = table.get("kind", "sqlite")
    if not isinstance(kind, str) or kind not in _KEYS:
        findings.add(("store", "kind"), ProblemCode.UNKNOWN_VALUE, f"must be one of {', '.join(_KEYS)}")
        kind = ""
    values, literal = _texts(table, kind, findings, resolver)
    if kind == "postgres" and not values.get("url") and "url" not in table:
        findings.add(("store", "url"), ProblemCode.MISSING, 'a store in PostgreSQL needs its url, or {env = "NAME"}')
    path = values.get("path")
    if kind == "sqlite":
        return StoreChoice(kind=kind, path=folder / Path(path).expanduser() if path else usual), False
    url = values.get("url", "")
    return StoreChoice(kind=kind or "memory", url=url, schema=values.get("schema", "")), literal


def _texts(table: Mapping[str, Any], kind: str, findings: Findings, resolver: Resolver) -> tuple[dict[str, str], bool]:
    known = {"kind", *(name for names in _KEYS.values() for name in names)}
    values, literal = {}, False
    for name, given in table.items():
        if name == "kind":
            continue
        if name not in known:
            findings.unknown(("store", name), known)
            continue
        value, as_it_stands = resolver.resolved(given, ("store", name))
        if kind and name not in _KEYS[kind]:
            text = f"a store in memory has no {name}" if kind == "memory" else f"a store of kind {kind} has no {name}"
            findings.add(("store", name), ProblemCode.NOT_TOGETHER, text)
        elif isinstance(value, str) and value:
            values[name] = value
            literal = literal or (name == "url" and as_it_stands and "@" in value)
        elif value is not None:
            findings.add(("store", name), ProblemCode.MALFORMED, "must be text, in quotes")
    return values, literal
