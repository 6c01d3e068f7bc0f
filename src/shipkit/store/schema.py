"""The SQL of the ledger: numbered migrations, forward only, and one statement per event of the state table."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ABSENT",
    "BOOK",
    "BOOKED",
    "CLAIM",
    "CLOSE",
    "DOUBT",
    "FILL",
    "KEEP",
    "MIGRATIONS",
    "NEEDS_PERSON",
    "NOT_SENT",
    "OPEN",
    "PHASE",
    "READ",
    "REFUSE",
    "STRAY",
    "TAKE_OVER",
    "VOIDED",
    "WANT_VOID",
]

MIGRATIONS: Final = (
    """
    CREATE TABLE shipkit_ledger (
      key TEXT NOT NULL, generation INTEGER NOT NULL,
      operation TEXT NOT NULL, account TEXT NOT NULL, carrier TEXT NOT NULL,
      phase TEXT NOT NULL, void_wanted INTEGER NOT NULL DEFAULT 0,
      fingerprint TEXT NOT NULL, base TEXT NOT NULL,
      attempt INTEGER NOT NULL, send INTEGER NOT NULL, sole INTEGER NOT NULL,
      owner TEXT NOT NULL, lease_until REAL, settle_at REAL,
      request BLOB NOT NULL, booking TEXT NOT NULL DEFAULT '', result BLOB NOT NULL DEFAULT x'',
      complete INTEGER NOT NULL DEFAULT 0, void_result BLOB NOT NULL DEFAULT x'', error TEXT NOT NULL DEFAULT '',
      created_at REAL NOT NULL, updated_at REAL NOT NULL,
      PRIMARY KEY (key, generation));
    CREATE UNIQUE INDEX shipkit_ledger_one_live ON shipkit_ledger (key) WHERE phase NOT IN ('voided', 'closed');
    CREATE UNIQUE INDEX shipkit_ledger_base ON shipkit_ledger (account, base);
    CREATE INDEX shipkit_ledger_open ON shipkit_ledger (updated_at)
      WHERE phase IN ('in_flight', 'in_doubt', 'voiding') OR (phase = 'succeeded' AND complete = 0);
    CREATE TABLE shipkit_blob (
      key TEXT NOT NULL, generation INTEGER NOT NULL, position INTEGER NOT NULL, content BLOB NOT NULL,
      PRIMARY KEY (key, generation, position));
    CREATE TABLE shipkit_stray (
      key TEXT NOT NULL, generation INTEGER NOT NULL, booking TEXT NOT NULL,
      attempt INTEGER NOT NULL, result BLOB NOT NULL, phase TEXT NOT NULL DEFAULT 'open', created_at REAL NOT NULL,
      PRIMARY KEY (key, generation, booking));
    CREATE TABLE shipkit_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
)

READ: Final = "SELECT * FROM shipkit_ledger WHERE key = :key ORDER BY generation DESC LIMIT 1"

# One statement takes the key, for exactly the attempt whose mark the request bears. An attempt beyond the first needs
# the row of the one before: a row that was lost is not silently begun anew.
CLAIM: Final = """
INSERT INTO shipkit_ledger AS l (key, generation, operation, account, carrier, phase, fingerprint, base, attempt, send,
  sole, owner, lease_until, settle_at, request, created_at, updated_at)
SELECT :key, :generation, :operation, :account, :carrier, 'in_flight', :fingerprint, :base, 1, 1,
  1, :owner, :now + :lease_s, :now + :settle_s, :request, :now, :now
WHERE :attempt = 1 OR EXISTS (SELECT 1 FROM shipkit_ledger WHERE key = :key AND generation = :generation)
ON CONFLICT (key, generation) DO UPDATE SET
  attempt = l.attempt + (l.phase <> 'new'), phase = 'in_flight', send = 1, sole = 1, operation = excluded.operation,
  account = excluded.account, carrier = excluded.carrier, fingerprint = excluded.fingerprint, base = excluded.base,
  owner = excluded.owner, lease_until = excluded.lease_until, settle_at = excluded.settle_at,
  request = excluded.request, error = '', updated_at = excluded.updated_at
WHERE l.phase IN ('new', 'absent', 'rejected') AND l.void_wanted = 0
  AND l.attempt + (l.phase <> 'new') = :attempt
  AND (l.phase IN ('new', 'rejected') OR (l.fingerprint = excluded.fingerprint AND :attempt <= :attempts_max))
"""

_ROW: Final = "key = :key AND generation = :generation"
_SEND: Final = f"{_ROW} AND attempt = :attempt AND send = :send"

TAKE_OVER: Final = f"""UPDATE shipkit_ledger SET phase = 'in_doubt', updated_at = :now
WHERE {_SEND} AND phase = 'in_flight' AND lease_until <= :now"""

DOUBT: Final = f"""UPDATE shipkit_ledger SET phase = 'in_doubt', error = :error, updated_at = :now
WHERE {_SEND} AND phase = 'in_flight' AND owner = :owner"""

NOT_SENT: Final = f"""UPDATE shipkit_ledger SET updated_at = :now,
  phase = CASE WHEN send > 1 THEN 'in_doubt' WHEN void_wanted THEN 'voided' ELSE 'new' END
WHERE {_SEND} AND phase = 'in_flight' AND owner = :owner"""

REFUSE: Final = f"""UPDATE shipkit_ledger SET error = :error, updated_at = :now,
  phase = CASE WHEN NOT sole THEN 'in_doubt' WHEN void_wanted THEN 'voided' ELSE 'rejected' END
WHERE {_SEND} AND phase IN ('in_flight', 'in_doubt')"""

ABSENT: Final = f"""UPDATE shipkit_ledger SET updated_at = :now,
  phase = CASE WHEN void_wanted THEN 'voided' WHEN attempt >= :attempts_max THEN 'needs_person' ELSE 'absent' END
WHERE {_SEND} AND phase = 'in_doubt' AND settle_at <= :asked_at"""

NEEDS_PERSON: Final = f"""UPDATE shipkit_ledger SET phase = 'needs_person', error = :error, updated_at = :now
WHERE {_SEND} AND phase = 'in_doubt'"""

# A booking is recorded whoever brings it and however late. The first wins the row. Another answer about the same one
# fills in what is missing; a complete one stays as it is, for its label may be in somebody's hand.
BOOK: Final = f"""UPDATE shipkit_ledger SET updated_at = :now, booking = :booking, error = '', result = :result,
  phase = CASE WHEN void_wanted THEN 'voiding' ELSE 'succeeded' END, complete = :complete
WHERE {_ROW} AND phase NOT IN ('voided', 'closed') AND (booking = '' OR booking = :booking) AND NOT complete"""

BOOKED: Final = f"""UPDATE shipkit_ledger SET updated_at = :now
WHERE {_ROW} AND phase NOT IN ('voided', 'closed') AND booking = :booking AND complete"""

STRAY: Final = """INSERT OR IGNORE INTO shipkit_stray (key, generation, booking, attempt, result, created_at)
VALUES (:key, :generation, :booking, :attempt, :result, :now)"""

FILL: Final = f"""UPDATE shipkit_ledger SET result = :result, complete = :complete, updated_at = :now
WHERE {_ROW} AND booking = :booking AND NOT complete"""

PHASE: Final = f"SELECT phase FROM shipkit_ledger WHERE {_ROW}"

WANT_VOID: Final = f"""UPDATE shipkit_ledger SET void_wanted = 1, updated_at = :now,
  phase = CASE WHEN phase = 'succeeded' THEN 'voiding' WHEN phase IN ('new', 'absent', 'rejected') THEN 'voided'
    ELSE phase END
WHERE {_ROW}"""

VOIDED: Final = f"""UPDATE shipkit_ledger SET phase = 'voided', void_result = :result, updated_at = :now
WHERE {_ROW} AND phase = 'voiding' AND (:asked_at IS NULL OR settle_at IS NULL OR settle_at <= :asked_at)"""

KEEP: Final = f"""UPDATE shipkit_ledger SET phase = 'succeeded', void_wanted = 0, error = :error, updated_at = :now
WHERE {_ROW} AND phase = 'voiding'"""

CLOSE: Final = f"""UPDATE shipkit_ledger SET phase = 'closed', updated_at = :now
WHERE {_ROW} AND phase IN ('needs_person', 'new', 'absent', 'rejected')"""

OPEN: Final = """SELECT * FROM shipkit_ledger
WHERE phase IN ('in_flight', 'in_doubt', 'voiding') OR (phase = 'succeeded' AND complete = 0)
ORDER BY updated_at LIMIT :limit"""
