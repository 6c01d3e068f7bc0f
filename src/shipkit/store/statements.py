"""The text of everything that a durable store asks and writes, once for all databases (`Dialect.text` adapts it)."""

from __future__ import annotations

from functools import cache
from typing import Final

from .rows import BODIES, HEAD, STEP, STRAY

__all__ = [
    "BACKLOG",
    "DOCUMENTS",
    "DROP_DOCUMENTS",
    "DROP_STRAY",
    "DUE",
    "END_STRAY",
    "ENTRIES",
    "HEAD_OF",
    "HISTORY",
    "HOLD",
    "KEEP_DOCUMENT",
    "KEEP_STRAY",
    "LOOK_AGAIN",
    "LOST",
    "META",
    "NEWEST_HEAD",
    "NOW",
    "OPEN_STRAYS",
    "PIECES",
    "PUT_LAST",
    "READ",
    "SET_META",
    "STEP_IN",
    "STRAYS",
    "STRAY_PHASE",
    "TOUCH",
    "entries",
    "insert",
    "update",
]

_HEAD: Final = ", ".join(f"l.{name}" for name in HEAD)
_WHOLE: Final = ", ".join(f"l.{name}" for name in (*HEAD, *BODIES))
_STRAY: Final = ", ".join(STRAY)
_IS: Final = "key = :key AND generation = :generation"
_NEWEST: Final = """NOT EXISTS (SELECT 1 FROM shipkit_ledger AS n
  WHERE n.key = l.key AND n.generation > l.generation)"""
_WITHIN: Final = "l.key >= :prefix AND l.key < :beyond"

NOW: Final = "SELECT {now}"

META: Final = "SELECT value FROM shipkit_meta WHERE name = :name"
SET_META: Final = """INSERT INTO shipkit_meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""

# What an event begins with: the time, the end of the key's trail, and the row (or nothing, on one line all the same).
_BEGIN: Final = """SELECT {now},
  (SELECT s.number || ' ' || s.digest FROM shipkit_step AS s WHERE s.key = :key ORDER BY s.number DESC LIMIT 1)"""
_ROW: Final = "FROM (SELECT 1 AS one) AS o LEFT JOIN shipkit_ledger AS l ON l.key = :key"
NEWEST_HEAD: Final = f"""{_BEGIN}, (SELECT m.value FROM shipkit_meta AS m WHERE m.name = 'restored'), {_HEAD}
{_ROW} ORDER BY l.generation DESC LIMIT 1"""
HEAD_OF: Final = f"{_BEGIN}, NULL, {_HEAD} {_ROW} AND l.generation = :generation"

READ: Final = f"SELECT {_WHOLE} FROM shipkit_ledger AS l WHERE l.key = :key ORDER BY l.generation DESC LIMIT 1"
PIECES: Final = f"""SELECT {_WHOLE} FROM shipkit_ledger AS l
WHERE l.parent_key = :parent_key AND l.parent_generation = :parent_generation AND {_NEWEST}
ORDER BY length(l.key), l.key"""
DOCUMENTS: Final = f"SELECT content FROM shipkit_document WHERE {_IS} AND stray = :stray ORDER BY position"

STEP_IN: Final = f"""INSERT INTO shipkit_step ({", ".join(STEP)}) VALUES ({", ".join(f":{name}" for name in STEP)})"""
KEEP_DOCUMENT: Final = """INSERT INTO shipkit_document (key, generation, stray, position, content)
VALUES (:key, :generation, :stray, :position, :content)"""
DROP_DOCUMENTS: Final = f"DELETE FROM shipkit_document WHERE {_IS} AND stray = :stray"

# The pieces of a parent are claimed one after the other: whoever writes its row has it until the end.
TOUCH: Final = f"UPDATE shipkit_ledger SET updated_at = updated_at WHERE {_IS}"

_IS_STRAY: Final = f"{_IS} AND booking = :booking"
STRAY_PHASE: Final = f"SELECT phase FROM shipkit_stray WHERE {_IS_STRAY}"
KEEP_STRAY: Final = """INSERT INTO shipkit_stray (key, generation, booking, attempt, result, phase, created_at)
VALUES (:key, :generation, :booking, :attempt, :result, :phase, :created_at)"""
DROP_STRAY: Final = f"DELETE FROM shipkit_stray WHERE {_IS_STRAY}"
STRAYS: Final = f"SELECT {_STRAY} FROM shipkit_stray WHERE key = :key ORDER BY created_at, generation, booking"
OPEN_STRAYS: Final = f"""SELECT {_STRAY} FROM shipkit_stray AS l WHERE l.phase = 'open' AND {_WITHIN}
ORDER BY l.created_at, l.key, l.generation, l.booking LIMIT :limit"""
END_STRAY: Final = f"UPDATE shipkit_stray SET phase = :phase WHERE {_IS_STRAY} AND phase = 'open'"
# Open ones are looked at in this order, so that those which always fail hold up no other.
PUT_LAST: Final = f"UPDATE shipkit_stray SET created_at = :at WHERE {_IS_STRAY} AND phase = 'open'"

# Who runs beside takes other rows, for these are locked until they are held.
DUE: Final = f"""SELECT {_WHOLE} FROM shipkit_ledger AS l
WHERE l.next_at <= {{now}} AND {_WITHIN} ORDER BY l.next_at, l.key, l.generation LIMIT :limit {{skip}}"""
HOLD: Final = f"UPDATE shipkit_ledger SET next_at = :next_at WHERE {_IS}"
LOOK_AGAIN: Final = f"""{HOLD} AND phase = :phase AND attempt = :attempt AND send = :send
  AND void_wanted = :void_wanted AND complete = :complete"""

# Whatever waits for a recovery run is due at some time.
BACKLOG: Final = f"""SELECT l.phase, count(*), min(l.updated_at), {{now}} FROM shipkit_ledger AS l
WHERE l.next_at IS NOT NULL AND (l.phase = 'in_doubt' OR (l.phase = 'succeeded' AND NOT l.complete)) AND {_WITHIN}
GROUP BY l.phase"""
ENTRIES: Final = f"""SELECT {_WHOLE} FROM shipkit_ledger AS l WHERE l.key > :after AND {_WITHIN} AND {_NEWEST}"""
# The phase stands here as text and not as a parameter: so an index of such rows only is seen to fit.
SUCCEEDED: Final = f"""SELECT {_WHOLE} FROM shipkit_ledger AS l
WHERE l.phase = 'succeeded' AND (l.updated_at, l.key) > (:since, :after) AND {_WITHIN} AND {_NEWEST}
ORDER BY l.updated_at, l.key LIMIT :limit"""
HISTORY: Final = f"SELECT {', '.join(STEP)} FROM shipkit_step WHERE key = :key ORDER BY number"
LOST: Final = f"""SELECT l.key, l.generation FROM shipkit_ledger AS l
WHERE l.phase IN ('new', 'in_flight', 'in_doubt', 'absent', 'rejected') AND {_NEWEST} ORDER BY l.key"""


@cache
def entries(phases: int) -> str:
    """The page of keys in one of as many *phases*, given as ``:phase_a``, ``:phase_b`` and so on; in any where 0."""
    names = ", ".join(f":{name_of(index)}" for index in range(phases))
    among = f" AND l.phase IN ({names})" if phases else ""
    return f"{ENTRIES}{among} ORDER BY l.key LIMIT :limit"


def name_of(index: int) -> str:
    """The parameter of the phase at *index*."""
    return f"phase_{chr(ord('a') + index)}"


@cache
def insert(columns: tuple[str, ...]) -> str:
    """A new row, of which *columns* are not at their default."""
    return f"INSERT INTO shipkit_ledger ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"


@cache
def update(columns: tuple[str, ...]) -> str:
    """The change of *columns* of one row."""
    return f"UPDATE shipkit_ledger SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE {_IS}"
