"""A configured account as the client keeps it: the carrier, its facts, its hosts, and what its calls share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlsplit

import attrs

from ..carrier import Carrier
from ..errors import InputError
from ..model import CarrierFacts, Operation, Problem, ProblemCode
from ..policy import AccountState, Gate

__all__ = ["Account", "accounts_of"]


@attrs.frozen(kw_only=True, eq=False)
class Account:
    """One carrier under the host's own alias."""

    alias: str
    carrier: Carrier
    state: AccountState

    @cached_property
    def facts(self) -> CarrierFacts:
        """What the carrier takes and offers."""
        return self.carrier.facts()

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The only hosts that a request of this account may go to."""
        facts, environment = self.facts, self.carrier.environment
        named = facts.hosts.get(environment, frozenset()) | facts.document_hosts.get(environment, frozenset())
        own = urlsplit(self.carrier.base_url).hostname if self.carrier.base_url else None
        return named | {own} if own else named

    def gate(self, operation: str) -> None:
        """Make the operation's rate limit from the facts, once."""
        gates = self.state.gates
        if operation not in gates:
            facts = self.facts.operations.get(Operation(operation))
            limit = facts.rate_limit if facts is not None else None
            made = None if limit is None else Gate(limit.calls, limit.per_s, threading.Lock())
            gates.setdefault(operation, made)


def accounts_of(carriers: Mapping[str, Carrier]) -> dict[str, Account]:
    """The accounts by alias.

    Raises:
        InputError: an alias is empty, or what stands under it is no carrier.
    """
    problems = [
        Problem(path=f"/accounts/{alias}", code=ProblemCode.MALFORMED, text="not a configured carrier under an alias")
        for alias, carrier in carriers.items()
        if not alias or not isinstance(carrier, Carrier)
    ]
    if problems:
        raise InputError(problems=tuple(problems))
    return {
        alias: Account(alias=alias, carrier=carrier, state=AccountState(account=alias, carrier=carrier.code))
        for alias, carrier in carriers.items()
    }
