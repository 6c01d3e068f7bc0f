"""A configured account as the client keeps it: the carrier, its facts, its hosts, and what its calls share."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from functools import cache, cached_property
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from ..carrier import Carrier
from ..errors import InputError
from ..model import CarrierFacts, Operation, Problem, ProblemCode
from ..policy import AccountState, Lanes, Limit, Usage
from ..settings import Settings

if TYPE_CHECKING:
    from ..ports import Store

__all__ = ["Account", "accounts_of", "checked_s"]


@attrs.frozen(kw_only=True, eq=False)
class Account:
    """One carrier under the host's own alias."""

    alias: str
    carrier: Carrier
    state: AccountState
    settings: Settings

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

    def usage(self, operation: str) -> Usage:
        """What all calls of *operation* share; its limit and its usual time are read from the facts once."""
        return self.state.usages.get(operation) or self._first_usage(operation)

    def _first_usage(self, operation: str) -> Usage:
        facts = self.facts.operations.get(Operation(operation))
        usage = Usage()
        if facts is not None:
            usage.timeout_s = facts.timeout_s or 0
            if (stated := facts.rate_limit) is not None:
                usage.limit = Limit.of(stated.calls, stated.per_s, self.settings.limit_margin_s)
        return self.state.usages.setdefault(operation, usage)

    def deadline_s(self, operation: str, asked_s: float | None) -> float:
        """What the caller asked for, else what is usual, and longer where the carrier is known to take longer."""
        usage = self.usage(operation)
        return checked_s(asked_s) if asked_s is not None else max(self.settings.deadline_s, usage.timeout_s)


def checked_s(deadline_s: Any) -> float:
    """*deadline_s* as it was given.

    Raises:
        InputError: it is no length of time; an endless call would hold a key for ever.
    """
    if isinstance(deadline_s, (int, float)) and 0 <= deadline_s < inf:  # no comparison holds for NaN
        return float(deadline_s)
    text = "is a number of seconds from 0 on, and not endless"
    raise InputError(problems=(Problem(path="/deadline_s", code=ProblemCode.OUT_OF_RANGE, text=text),))


def accounts_of(carriers: Mapping[str, Carrier], store: Store, settings: Settings) -> dict[str, Account]:
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
        alias: Account(alias=alias, carrier=carrier, state=_state(alias, carrier, store, settings), settings=settings)
        for alias, carrier in carriers.items()
    }


def _state(alias: str, carrier: Carrier, store: Store, settings: Settings) -> AccountState:
    state = AccountState(account=alias, carrier=carrier.code, environment=carrier.environment.value)
    if store.tokens.blocking:
        state.name = _shared_name(alias, carrier, settings)
    _renew(state, settings)
    if store.tokens.blocking:
        _with_copy(state)
    _minding_forks()[state] = settings
    return state


def _renew(state: AccountState, settings: Settings) -> None:
    state.lock = threading.Lock()
    state.lanes = Lanes(settings.account_concurrency, settings.bulk_share, state.lock)


def _with_copy(state: AccountState) -> None:
    from ..store.memory_tokens import MemoryTokens

    state.near = MemoryTokens()


def _shared_name(alias: str, carrier: Carrier, settings: Settings) -> str:
    """What tokens and limits lie under in a store that others use: hosts, or this one with other credentials.

    A token must not outlive the credentials that it was given for, nor serve the account of the same alias elsewhere.
    """
    from hashlib import blake2b

    fields = {field.name: getattr(carrier, field.name) for field in attrs.fields(type(carrier))}
    # Four bytes tell configurations apart and say too little for anybody who would guess a secret from them.
    digest = blake2b(f"{type(carrier).__qualname__} {fields!r}".encode(), digest_size=4).hexdigest()
    return "/".join(part for part in (settings.namespace, f"{alias}-{digest}") if part)


@cache
def _minding_forks() -> weakref.WeakKeyDictionary[AccountState, Settings]:
    """The accounts of this process: a child has none of its parent's requests in flight, and none of its threads."""
    states: weakref.WeakKeyDictionary[AccountState, Settings] = weakref.WeakKeyDictionary()

    def child() -> None:
        for state, settings in list(states.items()):
            _renew(state, settings)
            state.usages.clear()
            if state.near is not None:
                _with_copy(state)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=child)
    return states
