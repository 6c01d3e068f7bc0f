"""Tells those who watch: one log line per observation, and every ``shipkit_observe`` hook of the host.

An observer with a method ``shipkit_observe_began`` is also told when a call, an exchange or a look begins, in the
thread or task that does it; what ends has the same ``id``. For whom nobody watches nothing is built.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ..policy import Watch
from ..ports import Observation

__all__ = ["Observer", "Watchers"]

Observer = Callable[[Observation], None]

# A library says nothing on its own: without this, Python's last resort prints our errors on the host's stderr.
logging.getLogger("shipkit").addHandler(logging.NullHandler())
_log = logging.getLogger("shipkit.client")
_LEVELS = {
    "booked": logging.INFO,
    "retry": logging.WARNING,
    "breaker": logging.WARNING,
    "slowed": logging.WARNING,
    "unmapped_code": logging.WARNING,
    "strays": logging.ERROR,
    "in_doubt": logging.ERROR,
}


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
        return Watch.ENDS if self.ends or _log.isEnabledFor(logging.INFO) else Watch.NOBODY

    def tell(self, event: Observation, *, began: bool = False) -> None:
        """Log *event* and pass it on; an observer that raises is logged, it never costs a label."""
        if not began:
            _logged(event)
        for observer in self.beginnings if began else self.ends:
            try:
                observer(event)
            except Exception:
                _log.exception("an observer failed on %s", event.kind)


def _logged(event: Observation) -> None:
    level = _LEVELS.get(event.kind, logging.DEBUG)
    if _log.isEnabledFor(level):
        parts = (event.account, event.operation, event.request, event.status, event.error, event.detail)
        _log.log(level, "%s %s", event.kind, " ".join(str(part) for part in parts if part not in ("", None)))
