"""Tells those who watch: one log line per observation, and every ``shipkit_observe`` hook of the host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..ports import Observation

__all__ = ["Observer", "observed"]

Observer = Callable[[Observation], None]

# A library says nothing on its own: without this, Python's last resort prints our errors on the host's stderr.
logging.getLogger("shipkit").addHandler(logging.NullHandler())
_log = logging.getLogger("shipkit.client")
_LEVELS = {
    "booked": logging.INFO,
    "retry": logging.WARNING,
    "breaker": logging.WARNING,
    "unmapped_code": logging.WARNING,
    "strays": logging.ERROR,
    "in_doubt": logging.ERROR,
}


def observed(event: Observation, observers: Sequence[Observer]) -> None:
    """Log *event* and pass it on; an observer that raises is logged, it never costs a label."""
    level = _LEVELS.get(event.kind, logging.DEBUG)
    if _log.isEnabledFor(level):
        parts = (event.account, event.operation, event.request, event.status, event.error, event.detail)
        _log.log(level, "%s %s", event.kind, " ".join(str(part) for part in parts if part not in ("", None)))
    for observer in observers:
        try:
            observer(event)
        except Exception:
            _log.exception("an observer failed on %s", event.kind)
