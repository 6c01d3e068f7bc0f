"""Carriers out of the tables of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import attrs

from ..carrier import Carrier
from ..errors import InputError, PluginError
from ..model import ProblemCode
from ..registry import Registry
from .findings import Findings
from .values import Resolver, Unusable, fitted

__all__ = ["AccountsReader"]

_KIND = "carrier"


@attrs.define
class AccountsReader:
    """Builds the carriers of all accounts; what is wrong with one does not hide what is wrong with the next.

    ``overrides`` has, by alias and field, the name of an environment variable and its text. With ``texts`` the tables'
    values are texts as well, as a form has them.
    """

    registry: Registry
    resolver: Resolver
    findings: Findings
    literal_secret: bool = False
    texts: bool = False

    def accounts(
        self, tables: Mapping[str, Any], overrides: Mapping[str, Mapping[str, tuple[str, str]]]
    ) -> dict[str, Carrier]:
        """The carriers by alias, without those that cannot be built."""
        found = {}
        for alias in dict.fromkeys([*tables, *overrides]):
            where = ("accounts", alias)
            table = tables.get(alias, {})
            if not isinstance(table, dict):
                self.findings.add(where, ProblemCode.MALFORMED, "must be a table: [accounts.NAME]")
                continue
            carrier = self._account(where, table, overrides.get(alias, {}))
            if carrier is not None:
                found[alias] = carrier
        return found

    def _account(
        self, where: tuple[str, str], table: Mapping[str, Any], overrides: Mapping[str, tuple[str, str]]
    ) -> Carrier | None:
        cls = self._class(where, table, overrides)
        if cls is None:
            return None
        before = len(self.findings.problems)
        values = self._values(where, cls, table, overrides)
        for field in attrs.fields(cls):
            if field.init and field.default is attrs.NOTHING and field.name not in {*table, *overrides}:
                self.findings.add((*where, field.name), ProblemCode.MISSING, f"{field.name} must be given")
        return self._built(where, cls, values) if len(self.findings.problems) == before else None

    def _class(
        self, where: tuple[str, str], table: Mapping[str, Any], overrides: Mapping[str, tuple[str, str]]
    ) -> type[Carrier] | None:
        source, code = overrides.get(_KIND, ("", table.get(_KIND)))
        at = (*where, _KIND)
        if not isinstance(code, str) or not code:
            known = ", ".join(self.registry.names()) or "none: no plugin is installed"
            self.findings.add(at, ProblemCode.MISSING, f"carrier must be given; there are: {known}", source=source)
            if _KIND not in table:
                for name in get_close_matches(_KIND, table, n=1):
                    self.findings.unknown((*where, name), [_KIND])
            return None
        try:
            return self.registry.carrier(code)
        except PluginError as error:
            self.findings.add(at, ProblemCode.UNKNOWN_VALUE, error.message, source=source)
            return None

    def _values(
        self,
        where: tuple[str, str],
        cls: type[Carrier],
        table: Mapping[str, Any],
        overrides: Mapping[str, tuple[str, str]],
    ) -> dict[str, Any]:
        fields = {field.name: field for field in attrs.fields(cls) if field.init}
        values = {}
        for name in dict.fromkeys([*table, *overrides]):
            at, (source, text) = (*where, name), overrides.get(name, ("", ""))
            if name == _KIND:
                continue
            if name not in fields:
                self.findings.unknown(at, [_KIND, *fields], source=source)
                continue
            field = fields[name]
            value, literal = (text, False) if source else self.resolver.resolved(table[name], at)
            self.literal_secret |= literal and bool(field.metadata.get("secret")) and bool(value)
            if value is None:
                continue  # that has been said
            try:
                values[name] = fitted(value, field.type, text=self.texts or bool(source))
            except Unusable as unfit:
                self.findings.add(at, ProblemCode.MALFORMED, str(unfit), source=source)
        return values

    def _built(self, where: tuple[str, str], cls: type[Carrier], values: dict[str, Any]) -> Carrier | None:
        try:
            return cls(**values)
        except InputError as error:
            for problem in error.problems:
                self.findings.add((*where, *problem.path.split("/")[1:]), problem.code, problem.text)
        except (TypeError, ValueError, ArithmeticError):  # their texts may quote a secret
            self.findings.add(where, ProblemCode.MALFORMED, f"{cls.__name__} does not take these values")
        return None
