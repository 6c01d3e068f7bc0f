"""What the rules know of the call that they serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from ..flow import Emit
from ..ports import Observation, TokenStore
from ..settings import Settings

if TYPE_CHECKING:
    from .guard import Breaker, Gate

__all__ = ["AccountState", "Context"]


@attrs.define(kw_only=True, eq=False)
class AccountState:
    """What is shared by all calls of one account: breakers and gates by operation, made on first use.

    A gate is None where the carrier states no limit.
    """

    account: str
    carrier: str
    breakers: dict[str, Breaker] = attrs.field(factory=dict)
    gates: dict[str, Gate | None] = attrs.field(factory=dict)


@attrs.define(kw_only=True, eq=False)
class Context:
    """One call of the host: whose, until when, under which settings.

    ``until`` is in the runner's seconds. ``not_after`` is the end of the send window of a claimed purchase, and
    ``purchase_left`` says that it left and that nothing proved so far that nothing came of it. ``request_id`` draws a
    number that is unique per request; ``hosts`` are the only ones that a request may go to. ``bulk`` is work of a list,
    which yields to single calls.
    """

    state: AccountState
    operation: str
    until: float
    deadline_s: float
    settings: Settings
    tokens: TokenStore
    request_id: Callable[[], str]
    hosts: frozenset[str]
    bulk: bool = False
    not_after: float | None = None
    purchase_left: bool = False

    def emit(self, kind: str, **more: object) -> Emit:
        """An observation of this call."""
        return Emit(
            event=Observation(
                kind=kind,
                account=self.state.account,
                carrier=self.state.carrier,
                operation=self.operation,
                **more,  # type: ignore[arg-type]
            )
        )
