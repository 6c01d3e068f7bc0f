"""Parcels on their way, as a client follows them: ``client.events``. Loaded when it is first asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .desk import EventDesk
    from .ends import Processed
    from .parking import DeadLetter, OpenProblem
    from .receiving import Received
    from .replaying import Replayed, ReplayReport
    from .tasks import AsyncEvents
    from .threads import Events

__all__ = [
    "AsyncEvents",
    "DeadLetter",
    "EventDesk",
    "Events",
    "OpenProblem",
    "Processed",
    "Received",
    "ReplayReport",
    "Replayed",
]

_ROOMS = {
    "AsyncEvents": ".tasks",
    "DeadLetter": ".parking",
    "EventDesk": ".desk",
    "Events": ".threads",
    "OpenProblem": ".parking",
    "Processed": ".ends",
    "Received": ".receiving",
    "ReplayReport": ".replaying",
    "Replayed": ".replaying",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(room, __name__), name)
        return value
