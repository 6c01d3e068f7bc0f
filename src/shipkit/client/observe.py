"""Tells those who watch: one log line per observation, and every ``shipkit_observe`` hook of the host.

An observer with a method ``shipkit_observe_began`` is also told when a call, an exchange or a look begins, in the
thread or task that does it; what ends has the same ``id``. For whom nobody watches nothing is built.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..policy import Watch
from ..ports import Observation

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["Observer", "Watchers"]

Observer = Callable[[Observation], None]

# As `logging` has them; it is loaded when there is something to log, and a first request does not wait for it.
_DEBUG: Final = 10
_INFO: Final = 20
_WARNING: Final = 30
_ERROR: Final = 40
_LEVELS: Final = {
    "booked": _INFO,
    "retry": _WARNING,
    "breaker": _WARNING,
    "slowed": _WARNING,
    "unmapped_code": _WARNING,
    "strays": _ERROR,
    "in_doubt": _ERROR,
}


@cache
def _log() -> Logger:
    from logging import NullHandler, getLogger

    # A library says nothing on its own: without this, Python's last resort prints our errors on the host's stderr.
    getLogger("shipkit").addHandler(NullHandler())
    return getLogger("shipkit.client")


@attrs.frozen
class Watchers:
    """Everybody who is told, by what they want to know."""

    ends: tuple[Observer, ...]
    beginnings: tuple[Observer, ...]

    @classmethod
    def of(cls, observers: Sequence[Any]) -> Watchers:
        """A host may bring functions, or modules and objects that implement the hook ``shipkit_observe``."""
        return cls(
            tuple(getattr(each, "shipkit_observe", each) for each in observers),
            tuple(each.shipkit_observe_began for each in observers if hasattr(each, "shipkit_observe_began")),
        )

    def watch(self) -> Watch:
        """Who would be told of a call that begins now."""
        if self.beginnings:
            return Watch.BEGINNINGS
        # Where nobody has loaded it nobody has set a level, and what is loud is told of all the same.
        heard = self.ends or ("logging" in sys.modules and _log().isEnabledFor(_INFO))
        return Watch.ENDS if heard else Watch.NOBODY

    def tell(self, event: Observation, *, began: bool = False) -> None:
        """Log *event* and pass it on; an observer that raises is logged, it never costs a label."""
        if not began:
            _logged(event)
        for observer in self.beginnings if began else self.ends:
            try:
                observer(event)
            except Exception:
                _log().exception("an observer failed on %s", event.kind)


def _logged(event: Observation) -> None:
    level, log = _LEVELS.get(event.kind, _DEBUG), _log()
    if log.isEnabledFor(level):
        parts = (event.account, event.operation, event.request, event.status, event.error, event.detail)
        log.log(level, "%s %s", event.kind, " ".join(str(part) for part in parts if part not in ("", None)))
