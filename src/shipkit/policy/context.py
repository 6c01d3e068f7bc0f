"""What the rules know of the call that they serve, and of the account that it goes to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING

import attrs

from ..flow import Emit
from ..ports import LimitStore, Observation, TokenStore
from ..settings import Settings
from .lanes import Lanes

if TYPE_CHECKING:
    from ..errors import AuthenticationError
    from .breaker import Breaker
    from .limits import Limit, Pace

__all__ = ["AccountState", "Context", "Usage", "Watch", "next_number"]

_LOUD = frozenset({"in_doubt", "retry", "breaker", "slowed", "unmapped_code", "strays"})
_NOTHING = Emit(event=None)
_numbers = count(1)


class Watch(IntEnum):
    """Who is told of a call: nobody beyond warnings, observers and a log, or also those who want to know beginnings."""

    NOBODY = 0
    ENDS = 1
    BEGINNINGS = 2


@attrs.define(kw_only=True, eq=False)
class Usage:
    """One operation of one account, as all calls of this process know it.

    ``limit`` is what the carrier states; ``pace`` is what its 429s taught; either may be missing, and so may the
    ``breaker``, until the first failure. ``timeout_s`` is how long the carrier is known to take. ``recent`` has the
    beginnings of the last calls.
    """

    limit: Limit | None = None
    pace: Pace | None = None
    breaker: Breaker | None = None
    timeout_s: float = 0
    recent: deque[float] = attrs.field(factory=lambda: deque(maxlen=64))


@attrs.define(kw_only=True, eq=False)
class AccountState:
    """What is shared by all calls of one account in this process.

    ``name`` is what its tokens and limits are kept under. ``near`` holds a copy of the access token where the store
    that is shared is a database. ``refused`` is when the carrier last refused the credentials, and how. ``lock`` keeps
    threads apart.
    """

    account: str
    carrier: str
    environment: str = ""
    name: str = attrs.field(default=attrs.Factory(lambda self: self.account, takes_self=True))
    near: TokenStore | None = None
    lock: AbstractContextManager[object] = attrs.field(factory=nullcontext)
    lanes: Lanes = attrs.field(factory=Lanes)
    usages: dict[str, Usage] = attrs.field(factory=dict)
    refused: tuple[float, AuthenticationError] | None = None

    def usage(self, operation: str) -> Usage:
        """The one of *operation*, made on first use."""
        return self.usages.get(operation) or self.usages.setdefault(operation, Usage())


@attrs.define(kw_only=True, eq=False)
class Context:
    """One call of the host: whose, until when, under which settings.

    ``started_at`` and ``until`` are in the runner's seconds. ``not_after`` is the end of the send window of a claimed
    purchase, and ``purchase_left`` says that it left and that nothing proved so far that nothing came of it.
    ``request_id`` draws a number that is unique per request; ``hosts`` are the only ones that a request may go to.
    ``bulk`` is work of a list, which yields to single calls. ``watch`` says who is told of the call, and ``number``
    which it is, where anybody is.
    """

    state: AccountState
    operation: str
    started_at: float = 0.0
    until: float
    deadline_s: float
    settings: Settings
    tokens: TokenStore
    limits: LimitStore
    request_id: Callable[[], str]
    hosts: frozenset[str]
    bulk: bool = False
    watch: Watch = Watch.ENDS
    number: int = 0
    not_after: float | None = None
    purchase_left: bool = False

    def ends_at(self, replayable: bool) -> float:
        """Until when a request may wait: a purchase no longer than its send window."""
        return self.until if replayable or self.not_after is None else min(self.until, self.not_after)

    def emit(self, kind: str, **more: object) -> Emit:
        """An observation of this call; nothing is built where nobody looks."""
        if not self.watch and kind not in _LOUD:
            return _NOTHING
        return Emit(event=self._observation(kind, more))

    def began(self, kind: str, **more: object) -> Emit:
        """Something began, and ends with an observation of the same ``id``."""
        return Emit(event=self._observation(kind, more), began=True) if self.watch is Watch.BEGINNINGS else _NOTHING

    def _observation(self, kind: str, more: dict[str, object]) -> Observation:
        state = self.state
        return Observation(
            kind=kind,
            call=self.number,
            account=state.account,
            carrier=state.carrier,
            environment=state.environment,
            operation=self.operation,
            **more,  # type: ignore[arg-type]
        )


def next_number() -> int:
    """A number that nothing else of this process has."""
    return next(_numbers)
