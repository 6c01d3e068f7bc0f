"""What a PostgreSQL driver's exceptions mean for a store."""

from __future__ import annotations

from typing import Final

from ..errors import ShipkitError, StoreError
from .dialect import Clashed

__all__ = ["read_error"]

# unique_violation, serialization_failure, deadlock_detected: somebody else was at the same rows, nothing was written.
# duplicate_table, duplicate_column, duplicate_object: somebody else made the tables, which an older snapshot hides.
_CLASHES: Final = frozenset({"23505", "40001", "40P01", "42P07", "42701", "42710"})
# query_canceled, lock_not_available: ours is the only reason to cancel.
_TOO_LONG: Final = frozenset({"57014", "55P03"})


def read_error(error: Exception, name: str) -> Exception:
    """What to raise for *error*: a clash, or that the store called *name* failed."""
    if isinstance(error, (ShipkitError, Clashed)):
        return error
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)  # psycopg 3, psycopg2
    if state in _CLASHES:
        return Clashed(state)
    if state in _TOO_LONG:
        return StoreError(f"{name} was busy for too long")
    # A driver's sentence may hold the row it is about, and the row names people.
    told = getattr(getattr(error, "diag", None), "message_primary", None)
    return StoreError(f"{name} failed: {told or type(error).__name__}")
