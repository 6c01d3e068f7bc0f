"""The tables of a store: numbered migrations, forward only, for each kind of database."""

from __future__ import annotations

from typing import Final

from . import event_tables

__all__ = ["POSTGRES", "SQLITE"]

_FIRST: Final = """
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
    CREATE TABLE shipkit_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)
"""

# Rows of the first release tell neither when they were first sent nor how long they are watched: created_at is the
# earliest that the former can be, and late bookings are looked for as long as by default.
_WHOLE_LEDGER: Final = """
    ALTER TABLE shipkit_ledger ADD COLUMN first_sent_at REAL;
    ALTER TABLE shipkit_ledger ADD COLUMN watch_until REAL;
    ALTER TABLE shipkit_ledger ADD COLUMN next_at REAL;
    ALTER TABLE shipkit_ledger ADD COLUMN parent_key TEXT;
    ALTER TABLE shipkit_ledger ADD COLUMN parent_generation INTEGER;
    ALTER TABLE shipkit_ledger ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE shipkit_ledger ADD COLUMN purged_at REAL;
    UPDATE shipkit_ledger SET first_sent_at = created_at, watch_until = settle_at + 86400;
    UPDATE shipkit_ledger SET next_at = CASE
      WHEN phase = 'in_flight' THEN lease_until
      WHEN phase IN ('in_doubt', 'voiding') OR (phase = 'succeeded' AND complete = 0) THEN updated_at
      WHEN (attempt > 1 OR phase IN ('absent', 'needs_person', 'voided', 'closed'))
        AND watch_until > CAST(strftime('%s', 'now') AS REAL) THEN settle_at END;
    DROP INDEX shipkit_ledger_open;
    CREATE INDEX shipkit_ledger_due ON shipkit_ledger (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX shipkit_ledger_pieces ON shipkit_ledger (parent_key, parent_generation) WHERE parent_key IS NOT NULL;
    CREATE TABLE shipkit_document (
      key TEXT NOT NULL, generation INTEGER NOT NULL, stray TEXT NOT NULL DEFAULT '', position INTEGER NOT NULL,
      content BLOB NOT NULL, PRIMARY KEY (key, generation, stray, position));
    INSERT INTO shipkit_document (key, generation, position, content)
      SELECT key, generation, position, content FROM shipkit_blob;
    DROP TABLE shipkit_blob;
    CREATE INDEX shipkit_stray_open ON shipkit_stray (created_at) WHERE phase = 'open';
    CREATE TABLE shipkit_step (
      key TEXT NOT NULL, number INTEGER NOT NULL, generation INTEGER NOT NULL, event TEXT NOT NULL,
      phase_before TEXT NOT NULL, phase_after TEXT NOT NULL, attempt INTEGER NOT NULL, send INTEGER NOT NULL,
      booking TEXT NOT NULL, detail TEXT NOT NULL, at REAL NOT NULL, digest TEXT NOT NULL,
      PRIMARY KEY (key, number)) WITHOUT ROWID;
    CREATE TABLE shipkit_token (
      account TEXT PRIMARY KEY, token TEXT NOT NULL DEFAULT '', margin_s REAL,
      owner TEXT NOT NULL DEFAULT '', lease_until REAL);
    CREATE TABLE shipkit_limit (name TEXT PRIMARY KEY, free_at REAL, held_until REAL)
"""

SQLITE: Final = (_FIRST, _WHOLE_LEDGER, event_tables.SQLITE)

# Keys are compared byte by byte, whatever the database's own rules of sorting are.
_POSTGRES_FIRST: Final = """
    CREATE TABLE shipkit_ledger (
      key TEXT COLLATE "C" NOT NULL, generation INTEGER NOT NULL,
      operation TEXT NOT NULL, account TEXT NOT NULL, carrier TEXT NOT NULL,
      phase TEXT NOT NULL, void_wanted BOOLEAN NOT NULL,
      fingerprint TEXT NOT NULL, base TEXT NOT NULL,
      attempt INTEGER NOT NULL, send INTEGER NOT NULL, sole BOOLEAN NOT NULL,
      owner TEXT NOT NULL, lease_until TIMESTAMPTZ, settle_at TIMESTAMPTZ, first_sent_at TIMESTAMPTZ,
      watch_until TIMESTAMPTZ, next_at TIMESTAMPTZ,
      request BYTEA NOT NULL, booking TEXT NOT NULL DEFAULT '', result BYTEA NOT NULL DEFAULT '',
      complete BOOLEAN NOT NULL DEFAULT false, void_result BYTEA NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
      parent_key TEXT COLLATE "C", parent_generation INTEGER,
      note TEXT NOT NULL DEFAULT '', purged_at TIMESTAMPTZ,
      created_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL,
      PRIMARY KEY (key, generation));
    CREATE UNIQUE INDEX shipkit_ledger_one_live ON shipkit_ledger (key) WHERE phase NOT IN ('voided', 'closed');
    CREATE UNIQUE INDEX shipkit_ledger_base ON shipkit_ledger (account, base);
    CREATE INDEX shipkit_ledger_due ON shipkit_ledger (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX shipkit_ledger_pieces ON shipkit_ledger (parent_key, parent_generation) WHERE parent_key IS NOT NULL;
    CREATE TABLE shipkit_document (
      key TEXT COLLATE "C" NOT NULL, generation INTEGER NOT NULL, stray TEXT NOT NULL DEFAULT '',
      position INTEGER NOT NULL, content BYTEA NOT NULL, PRIMARY KEY (key, generation, stray, position));
    CREATE TABLE shipkit_stray (
      key TEXT COLLATE "C" NOT NULL, generation INTEGER NOT NULL, booking TEXT NOT NULL, attempt INTEGER NOT NULL,
      result BYTEA NOT NULL, phase TEXT NOT NULL DEFAULT 'open', created_at TIMESTAMPTZ NOT NULL,
      PRIMARY KEY (key, generation, booking));
    CREATE INDEX shipkit_stray_open ON shipkit_stray (created_at) WHERE phase = 'open';
    CREATE TABLE shipkit_step (
      key TEXT COLLATE "C" NOT NULL, number INTEGER NOT NULL, generation INTEGER NOT NULL, event TEXT NOT NULL,
      phase_before TEXT NOT NULL, phase_after TEXT NOT NULL, attempt INTEGER NOT NULL, send INTEGER NOT NULL,
      booking TEXT NOT NULL, detail TEXT NOT NULL, at TIMESTAMPTZ NOT NULL, digest TEXT NOT NULL,
      PRIMARY KEY (key, number));
    CREATE UNLOGGED TABLE shipkit_limit (
      name TEXT PRIMARY KEY, free_at TIMESTAMPTZ, held_until TIMESTAMPTZ);
    CREATE TABLE shipkit_token (
      account TEXT PRIMARY KEY, token TEXT NOT NULL DEFAULT '', margin_s DOUBLE PRECISION,
      owner TEXT NOT NULL DEFAULT '', lease_until TIMESTAMPTZ)
"""

POSTGRES: Final = (_POSTGRES_FIRST, event_tables.POSTGRES)
