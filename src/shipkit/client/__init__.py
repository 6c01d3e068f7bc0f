"""The clients: the one place that sends, sleeps and locks. `Client` is for threads, `AsyncClient` for asyncio."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .keysets import KeySets
    from .sync import Client
    from .tasks import AsyncClient

__all__ = ["AsyncClient", "Client", "KeySets"]

_ROOMS = {"AsyncClient": ".tasks", "Client": ".sync", "KeySets": ".keysets"}

if not TYPE_CHECKING:  # else every misspelt name would be an object

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(room, __name__), name)
        globals()[name] = value
        return value
