"""The rules of sending, each a wrapper around a `Send`, composed in one place.

Inside out: transmit with its deadline and the carrier's ``check``; what the answer proves; breaker, place and limit;
retry; tokens. The ledger stands outside of these, in `shipkit.ledger`. All are generators over effects: no clock, no
socket.
"""

from __future__ import annotations

import attrs

from ..carrier import Authenticates, Carrier, Refreshes, able
from ..flow import Run, Send
from .breaker import Breaker
from .context import AccountState, Context, Usage, Watch, next_number
from .exchange import exchanging
from .guard import guarded
from .lanes import Lanes
from .limits import Limit, Pace, expected
from .retry import retrying
from .tokens import Login, authorized
from .watching import looked, watched

__all__ = [
    "AccountState",
    "Breaker",
    "Context",
    "Lanes",
    "Limit",
    "Pace",
    "Stack",
    "Usage",
    "Watch",
    "looked",
    "next_number",
    "stack",
]


@attrs.frozen(eq=False)
class Stack:
    """Every rule of sending around one carrier, for one call of the host."""

    send: Send
    carrier: Carrier
    context: Context
    _login: Login | None

    def ready(self) -> Run[None]:
        """Have a token at hand, and a place soon, before a purchase is claimed: its send window is no time to wait."""
        if self._login is not None:
            yield from self._login.token()
        usage = self.context.state.usage(self.context.operation)
        if usage.limit is not None or usage.pace is not None:
            yield from expected(usage, self.context)


def stack(carrier: Carrier, context: Context) -> Stack:
    """The rules in their order; see the text above."""
    once = guarded(watched(exchanging(carrier, context), context), context)
    send = retrying(once, context)
    login = _login(send, once, carrier, context)
    return Stack(authorized(send, carrier, context, login), carrier, context, login)


def _login(send: Send, once: Send, carrier: Carrier, context: Context) -> Login | None:
    refreshes = _refreshing(carrier)
    return Login(send, once, carrier, refreshes, context) if able(carrier, Authenticates) else None


def _refreshing(carrier: Carrier) -> Refreshes | None:
    return carrier if able(carrier, Refreshes) else None
