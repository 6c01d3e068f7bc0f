"""What a command works with: the configuration, its store, a client over both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import attrs

from ...client import Client
from ...config import Config, loaded
from ...errors import InputError
from ...ledger.booking import unpacked
from ...model import CarrierFacts, Problem, ProblemCode, Shipment
from ...ports import Entry, Store

__all__ = ["Session", "no_account", "opened", "refuse_unknown"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Session:
    """One run of a command."""

    config: Config
    store: Store
    client: Client
    account: str
    """What rows without an account of their own are for; empty where none was named."""

    def account_of(self, named: str) -> str:
        """The account of a row: its own, else the command's, else the only one there is."""
        only = list(self.config.accounts) if len(self.config.accounts) == 1 else []
        return named or self.account or (only[0] if only else "")

    def facts(self, account: str) -> CarrierFacts:
        """What the carrier of *account* takes."""
        return self.config.accounts[account].facts()

    def entry(self, key: str) -> Entry | None:
        """The newest row of the ledger under *key*."""
        namespace = self.config.settings.namespace
        return self.store.ledger.read(f"{namespace}/{key}" if namespace else key)

    def shipment(self, key: str) -> Shipment | None:
        """What was booked under *key*; None where nothing was, or what was is no shipment."""
        from ...model import ReturnShipment

        entry = self.entry(key)
        if entry is None or entry.result is None:
            return None
        if entry.operation == "create_return":
            return unpacked(entry.result, ReturnShipment).shipment
        return unpacked(entry.result, Shipment) if entry.operation == "create_shipment" else None


def no_account(config: Config, named: str) -> Problem:
    """Says which accounts there are."""
    known = ", ".join(config.accounts) or "none is configured"
    text = f"there is no such account; there are: {known}" if named else f"say which, with --account: {known}"
    return Problem(path="/account", code=ProblemCode.UNKNOWN_VALUE if named else ProblemCode.MISSING, text=text)


def refuse_unknown(config: Config, accounts: Iterable[str]) -> None:
    """Raise for every one of *accounts* that is not configured.

    Raises:
        InputError: with the accounts that there are.
    """
    unknown = tuple(no_account(config, account) for account in accounts if account not in config.accounts)
    if unknown:
        raise InputError(problems=unknown)


@contextmanager
def opened(path: Path | None, account: str | None = None) -> Iterator[Session]:
    """The configuration in *path* (or where it usually is), opened for one command.

    Raises:
        InputError: the configuration is wrong.
        StoreError: the store cannot be opened.
    """
    config = loaded(path)
    store = config.store()
    try:
        with Client(config.accounts, store=store, settings=config.settings) as client:
            yield Session(config=config, store=store, client=client, account=account or "")
    finally:
        store.close()
