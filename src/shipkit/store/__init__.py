"""Where a client keeps what must outlive a call: the ledger, and access tokens.

`SqliteStore` is the embedded default, `PostgresStore` serves workers on several machines, `HostStore` lives in the
host's own database; `MemoryStore` is the same table in memory, for tests and for hosts that keep nothing. A host may
bring its own by implementing the protocols of `shipkit.ports`.
"""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from .host import HostStore
    from .memory import MemoryStore
    from .memory_limits import MemoryLimits
    from .memory_tokens import MemoryTokens
    from .postgres import PostgresStore
    from .sqlite import SqliteStore

__all__ = ["HostStore", "MemoryLimits", "MemoryStore", "MemoryTokens", "PostgresStore", "SqliteStore"]

_ROOMS = {
    "HostStore": ".host",
    "MemoryLimits": ".memory_limits",
    "MemoryStore": ".memory",
    "MemoryTokens": ".memory_tokens",
    "PostgresStore": ".postgres",
    "SqliteStore": ".sqlite",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(room, __name__), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
