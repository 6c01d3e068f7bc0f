"""Where a client keeps what must outlive a call: the ledger, and access tokens.

`SqliteStore` is the embedded default; `MemoryStore` is the same table in memory, for tests and for hosts that keep
nothing. A host may bring its own by implementing the protocols of `shipkit.ports`.
"""

from .memory import MemoryStore, MemoryTokens
from .sqlite import SqliteStore

__all__ = ["MemoryStore", "MemoryTokens", "SqliteStore"]
