"""What goes to carriers and comes back, for administrators: in ``ir.logging``, for methods with *debug logging* on."""

from __future__ import annotations

from collections.abc import Collection

from odoo import sql_db

from shipkit.ports import Observation

_KINDS = frozenset({"request", "call", "retry", "breaker", "in_doubt"})
_ROW = """
    INSERT INTO ir_logging (create_date, name, type, dbname, level, message, path, func, line)
    VALUES (now() at time zone 'utc', 'delivery.carrier', 'server', %s, 'DEBUG', %s, 'shipkit', %s, '1')
"""


class Trail:
    """Writes the observations of some accounts' exchanges as ``log_xml`` of a shipping method does.

    They have neither credentials nor anybody's data. The row stands whatever becomes of the business transaction; it is
    written by a statement, for a method that was made in it is not there for any other cursor.
    """

    def __init__(self, database: str, accounts: Collection[str]) -> None:
        self._database = database
        self._accounts = frozenset(accounts)

    def __call__(self, seen: Observation) -> None:
        if seen.account not in self._accounts or seen.kind not in _KINDS:
            return
        elapsed = f"{seen.elapsed_s:.3f} s" if seen.elapsed_s is not None else ""
        parts = (seen.kind, seen.account, seen.operation, seen.request, seen.status, seen.error, seen.detail, elapsed)
        with sql_db.db_connect(self._database).cursor() as cursor:
            told = " ".join(str(part) for part in parts if part not in ("", None))
            cursor.execute(_ROW, (self._database, told, seen.operation or seen.kind))
