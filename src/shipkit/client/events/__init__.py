"""Parcels on their way, as a client follows them: ``client.events``. Loaded when it is first asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .desk import EventDesk
    from .tasks import AsyncEvents
    from .threads import Events

__all__ = ["AsyncEvents", "EventDesk", "Events"]

_ROOMS = {"AsyncEvents": ".tasks", "EventDesk": ".desk", "Events": ".threads"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(room, __name__), name)
        return value
