"""Pushes over HTTP, and everything that is done with them, as one process or several.

`Endpoint` is an ASGI callable of the standard library alone; `shipkit serve` puts it on uvicorn (``[service]``), beside
the workers that read, publish and ask.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bounds import Bounds
    from .endpoint import Endpoint
    from .openapi import document
    from .serving import Service, serve

__all__ = ["Bounds", "Endpoint", "Service", "document", "serve"]

_ROOMS = {
    "Bounds": ".bounds",
    "Endpoint": ".endpoint",
    "Service": ".serving",
    "document": ".openapi",
    "serve": ".serving",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(room, __name__), name)
        return value
