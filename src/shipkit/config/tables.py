"""One table of a configuration, read into values of the types that are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..model import ProblemCode
from .findings import Findings
from .values import Resolver, Unusable, fitted

__all__ = ["Key", "TableReader"]


@attrs.frozen
class Key:
    """One key of a table: the type of its value, whether it must be there, whether its text is a secret."""

    type: str = "str"
    """As a field would be annotated, or ``table`` for one of texts."""
    required: bool = False
    secret: bool = False


@attrs.define
class TableReader:
    """Reads tables whose keys are known; notes whether a secret stands literally in the file."""

    resolver: Resolver
    findings: Findings
    literal_secret: bool = False

    def values(
        self, table: Mapping[str, Any], keys: Mapping[str, Key], where: tuple[str, ...], *, ignore: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """What fits, by name; what does not is among the findings."""
        found: dict[str, Any] = {}
        for name, given in table.items():
            at = (*where, name)
            if name in ignore:
                continue
            if name not in keys:
                self.findings.unknown(at, [*ignore, *keys])
                continue
            value = self._value(given, keys[name], at)
            if value is not None:
                found[name] = value
        for name, key in keys.items():
            if key.required and name not in table:
                self.findings.add((*where, name), ProblemCode.MISSING, f"{name} must be given")
        return found

    def named(self, data: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
        """The tables ``[name.X]`` by X."""
        found: dict[str, Mapping[str, Any]] = {}
        tables = data.get(name, {})
        if not isinstance(tables, dict):
            self.findings.add((name,), ProblemCode.MALFORMED, f"must be tables: [{name}.NAME]")
            return {}
        for each, table in tables.items():
            if isinstance(table, dict):
                found[each] = table
            else:
                self.findings.add((name, each), ProblemCode.MALFORMED, f"must be a table: [{name}.NAME]")
        return found

    def _value(self, given: Any, key: Key, at: tuple[str, ...]) -> Any:
        if key.type == "table":
            if not isinstance(given, dict):
                self.findings.add(at, ProblemCode.MALFORMED, "must be a table")
                return None
            pairs = {name: self.resolver.resolved(value, (*at, name)) for name, value in given.items()}
            self._note(key, any(literal for _, literal in pairs.values()))
            return {name: value for name, (value, _) in pairs.items() if value is not None}
        value, literal = self.resolver.resolved(given, at)
        if value is None or (isinstance(value, list) and None in value):
            return None  # that has been said
        self._note(key, literal and _tells(value))
        try:
            return fitted(value, key.type)
        except Unusable as unfit:
            self.findings.add(at, ProblemCode.MALFORMED, str(unfit))
            return None

    def _note(self, key: Key, literal: bool) -> None:
        self.literal_secret |= key.secret and literal


def _tells(value: Any) -> bool:
    """Whether a value that stands in the file gives something away: an address does only with a password in it."""
    texts = value if isinstance(value, list) else [value]
    return any("@" in text or "://" not in text for text in texts if isinstance(text, str) and text)
