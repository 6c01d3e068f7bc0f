"""One carrier for a host that keeps accounts in a place of its own, such as a table of its database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..carrier import Carrier
from ..registry import Registry
from .accounts import AccountsReader
from .findings import Findings
from .loading import overriding
from .values import Resolver

__all__ = ["account_carrier", "overriding_variables"]


def account_carrier(
    carrier: str,
    values: Mapping[str, str],
    *,
    alias: str,
    environ: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Carrier:
    """The account *alias* at the carrier of code *carrier*, out of texts and of what environment variables say instead.

    ``SHIPKIT_ACCOUNTS__ACME_EU__CLIENT_SECRET`` sets ``client_secret`` of the account ``acme-eu``, so that the host
    need not keep it. An empty text is none.

    Raises:
        InputError: it cannot be made: no such plugin, or each field that does not fit, by its path and never its value.
    """
    environ = os.environ if environ is None else environ
    findings = Findings(None)
    reader = AccountsReader(registry or Registry(), Resolver(environ, Path.cwd(), findings), findings, texts=True)
    table = {"carrier": carrier, **{name: text for name, text in values.items() if text}}
    # Which carrier it is stands with the host's own records of it.
    set_there = {name: each for name, each in overriding(alias, environ).items() if name != "carrier"}
    found = reader.accounts({alias: table}, {alias: set_there})
    findings.refuse()
    return found[alias]


def overriding_variables(alias: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """By field, the environment variables that are set for the account *alias*: their names, never what they say."""
    environ = os.environ if environ is None else environ
    return {name: variable for name, (variable, _) in overriding(alias, environ).items()}
