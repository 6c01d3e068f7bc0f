"""The rules of sending, each a wrapper around a `Send`, composed in one place.

Inside out: transmit with its deadline and the carrier's ``check``; what the answer proves; limit and breaker; retry;
tokens. The ledger stands outside of these, in `shipkit.ledger`. All are generators over effects: no clock, no socket.
"""

from __future__ import annotations

import attrs

from ..carrier import Carrier
from ..flow import Run, Send
from .context import AccountState, Context
from .exchange import exchanging
from .guard import Breaker, Gate, guarded
from .retry import retrying
from .tokens import authorized, ready

__all__ = ["AccountState", "Breaker", "Context", "Gate", "Stack", "stack"]


@attrs.frozen(eq=False)
class Stack:
    """Every rule of sending around one carrier, for one call of the host."""

    send: Send
    carrier: Carrier
    context: Context
    _unsigned: Send

    def ready(self) -> Run[None]:
        """Have a token at hand before a purchase is claimed: its send window is no time to log in."""
        return ready(self._unsigned, self.carrier, self.context)


def stack(carrier: Carrier, context: Context) -> Stack:
    """The rules in their order; see the text above."""
    unsigned = retrying(guarded(exchanging(carrier, context), context), context)
    return Stack(authorized(unsigned, carrier, context), carrier, context, unsigned)
