"""The configurations that are searched, and how far: what may happen, what the carrier keeps, what is not promised."""

from __future__ import annotations

import attrs

from shipkit.model import RecoveryMode
from tests.ledger_model.world import Left, Setup

__all__ = ["BOUNDS", "SETUPS", "WHOLE", "Bound"]

_UNIQUE, _NATIVE, _NONE = RecoveryMode.UNIQUE_REFERENCE, RecoveryMode.NATIVE_KEY, RecoveryMode.NONE

# Where the carrier may book, and show, arbitrarily late, nothing but its own help keeps a second booking away.
_LATE = frozenset({"P0", "P4"})
_LATE_UNSWEPT = _LATE | {"P1", "P2"}

_TWO = Left(create=2, crash=1, lose=1)
_CANCELLED = Left(create=2, cancel=1, crash=1, lose=1)
_SWEPT = Left(create=2, recover=1, crash=1, lose=1)
_FAILOVER = Left(create=2, crash=1, failover=1)
_ANYTHING = Left(create=4, cancel=2, recover=2, crash=2, lose=3, refuse=1, breaks=1)

SETUPS: tuple[Setup, ...] = (
    Setup(name="find, 2 attempts, no sweep", left=_TWO, sweep=False),
    Setup(name="find, 3 attempts", left=Left(create=2, recover=1, crash=1, lose=2), attempts=3),
    Setup(name="find, 3 workers", left=Left(create=3, crash=1, lose=1), alive=3, sweep=False),
    Setup(name="find, longer W, N, V", left=_SWEPT, window=1, exchange=2, delay=2, hidden=1, settle=4),
    Setup(name="find, refusals and 5xx", left=Left(create=2, recover=1, lose=1, refuse=1, breaks=1)),
    Setup(name="find, repeats of what was not sent", left=_TWO, retries=1, window=1),
    Setup(name="unique reference", left=_SWEPT, mode=_UNIQUE, hidden=1, settle=3),
    Setup(name="unique reference, refusals", left=Left(create=2, lose=2, refuse=1), mode=_UNIQUE, sweep=False),
    Setup(name="native key", left=_SWEPT, mode=_NATIVE),
    Setup(name="native key, refusals", left=Left(create=2, lose=2, refuse=1), mode=_NATIVE, sweep=False),
    Setup(name="native key with a life", left=_TWO, mode=_NATIVE, key_ttl=4),
    Setup(name="native key, 3 workers", left=Left(create=3, crash=1, lose=1), mode=_NATIVE, alive=3, sweep=False),
    Setup(name="none", left=_SWEPT, mode=_NONE),
    Setup(name="none, no bounds", left=_TWO, mode=_NONE, delay=None, hidden=None, sweep=False),
    Setup(name="cancel and ship anew, find", left=_CANCELLED),
    Setup(name="cancel and ship anew, find, no sweep", left=_CANCELLED, sweep=False, hidden=1, settle=3),
    Setup(name="cancel and ship anew, native key", left=_CANCELLED, mode=_NATIVE),
    Setup(name="cancel and ship anew, unique reference", left=_CANCELLED, mode=_UNIQUE),
    Setup(name="cancel, none", left=_CANCELLED, mode=_NONE),
    Setup(name="cancel, refused", left=Left(create=2, cancel=1, lose=1, refuse=1), sweep=False),
    Setup(name="no bounds, find", left=_TWO, delay=None, hidden=None, fails=_LATE),
    Setup(name="no bounds, find, no sweep", left=_TWO, delay=None, hidden=None, sweep=False, fails=_LATE_UNSWEPT),
    Setup(name="no bounds, native key", left=_TWO, mode=_NATIVE, delay=None, hidden=None),
    Setup(name="no bounds, unique reference", left=_TWO, mode=_UNIQUE, delay=None, hidden=None),
    Setup(name="failover, look first, find", left=_FAILOVER),
    Setup(name="failover, look first, native key", left=_FAILOVER, mode=_NATIVE, sends=5),
    Setup(name="failover, look first, unique reference", left=_FAILOVER, mode=_UNIQUE),
    # What was handed out and lost by the store, nobody can find again.
    Setup(name="failover, look first, none", left=_FAILOVER, mode=_NONE, fails=frozenset({"P5"})),
    Setup(name="two pieces, find", left=Left(create=2, recover=1, crash=1, lose=1), pieces=2),
    Setup(name="two pieces, refused, no sweep", left=Left(create=2, lose=1, refuse=1), pieces=2, sweep=False),
    Setup(name="two pieces, cancelled", left=Left(create=2, cancel=1, crash=1, lose=1), pieces=2),
    Setup(name="two pieces, native key", left=_TWO, mode=_NATIVE, pieces=2, sweep=False),
    Setup(name="two pieces, failover", left=Left(create=2, failover=1), pieces=2),
    Setup(name="anything, find", left=_ANYTHING, alive=3, attempts=3, hidden=1, settle=3, window=1),
    Setup(name="anything, unique reference", left=_ANYTHING, alive=3, mode=_UNIQUE, hidden=1, settle=3),
    Setup(name="anything, native key", left=_ANYTHING, alive=3, mode=_NATIVE, hidden=1, settle=3),
    Setup(name="anything, none", left=_ANYTHING, alive=3, mode=_NONE, hidden=1, settle=3),
    Setup(name="anything, two pieces", left=_ANYTHING, alive=3, pieces=2, hidden=1, settle=3),
)

#: Small enough to be searched to the end, in every order, by the profile that can afford it.
WHOLE: dict[str, tuple[Setup, ...]] = {
    "quick": (),
    "ci": (
        Setup(name="one call, one cancellation, every order", left=Left(create=1, cancel=1, crash=1), sweep=False),
        Setup(name="one call, one sweep, every order", left=Left(create=1, recover=1, crash=1, lose=1)),
    ),
    "full": (
        Setup(name="find, two calls, every order", left=Left(create=2), sweep=False),
        Setup(name="native key, two calls, every order", left=Left(create=2), mode=_NATIVE, sweep=False),
        Setup(name="none, two calls, every order", left=_TWO, mode=_NONE, sweep=False),
        Setup(name="two pieces, one cancellation, every order", left=Left(create=1, cancel=1), pieces=2, sweep=False),
    ),
}


@attrs.frozen
class Bound:
    """How far a search goes: preemptions, states, random walks; None: to the end."""

    preemptions: int | None
    states: int
    walks: int


BOUNDS = {"quick": Bound(1, 400, 10), "ci": Bound(1, 1_000, 25), "full": Bound(3, 40_000, 2_000)}
