"""The tables of parcels on their way: a migration for each kind of database.

A queue is a partial index over what waits in it, so what has ended costs nothing. An outbox row is there for as long as
its announcement is not taken; of what is gone by retention only the mark of its key stays (``shipkit_announced``).
"""

from __future__ import annotations

from typing import Final

__all__ = ["BUCKETS", "POSTGRES", "SQLITE"]

BUCKETS: Final = 64
"""Whoever registers a number and whoever parks a delivery for it meet at one of so many rows."""

# Both kinds of database read it.
_INDEXES: Final = """
    CREATE UNIQUE INDEX shipkit_inbox_once ON shipkit_inbox (account, delivery_id);
    CREATE INDEX shipkit_inbox_due ON shipkit_inbox (state, due_at, id, received_at) WHERE state = 'new';
    CREATE INDEX shipkit_inbox_parked ON shipkit_inbox (state, id, received_at) WHERE state = 'parked';
    CREATE INDEX shipkit_inbox_dead ON shipkit_inbox (state, id, received_at, purged_at) WHERE state = 'dead';
    CREATE INDEX shipkit_inbox_heard ON shipkit_inbox (account, heard_at) WHERE heard_at IS NOT NULL;
    CREATE INDEX shipkit_inbox_ended ON shipkit_inbox (ended_at) WHERE ended_at IS NOT NULL AND purged_at IS NULL;
    CREATE INDEX shipkit_parked_letter ON shipkit_parked (letter);
    CREATE INDEX shipkit_told_letter ON shipkit_told (letter);
    CREATE INDEX shipkit_ledger_succeeded ON shipkit_ledger (updated_at, key) WHERE phase = 'succeeded';
    CREATE INDEX shipkit_parcel_number ON shipkit_parcel (carrier, number, since, scope) WHERE number <> '';
    CREATE INDEX shipkit_parcel_key ON shipkit_parcel (key) WHERE key <> '';
    CREATE INDEX shipkit_parcel_due ON shipkit_parcel (next_poll_at, scope) WHERE next_poll_at IS NOT NULL;
    CREATE INDEX shipkit_parcel_account ON shipkit_parcel (account, next_poll_at, scope)
      WHERE next_poll_at IS NOT NULL;
    CREATE INDEX shipkit_parcel_open ON shipkit_parcel (scope) WHERE finished_at IS NULL;
    CREATE INDEX shipkit_parcel_counted ON shipkit_parcel (account, carrier, milestone, actors, finished_at, number)
      WHERE finished_at IS NULL AND number <> '';
    CREATE INDEX shipkit_parcel_finished ON shipkit_parcel (finished_at)
      WHERE finished_at IS NOT NULL AND purged_at IS NULL;
    CREATE INDEX shipkit_event_unmapped ON shipkit_event (carrier, code_type, code, subcode, observed_at)
      WHERE code IS NOT NULL;
    CREATE UNIQUE INDEX shipkit_announcement_mark ON shipkit_announcement (mark);
    CREATE INDEX shipkit_announcement_scope ON shipkit_announcement (scope, number);
    CREATE INDEX shipkit_announcement_at ON shipkit_announcement (announced_at, number);
    CREATE INDEX shipkit_outbox_ready ON shipkit_outbox (destination, number) WHERE next_at IS NULL AND NOT dead;
    CREATE INDEX shipkit_outbox_later ON shipkit_outbox (destination, next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX shipkit_outbox_held ON shipkit_outbox (destination, scope, number) WHERE next_at IS NOT NULL;
    CREATE INDEX shipkit_outbox_dead ON shipkit_outbox (destination, number) WHERE dead
"""

SQLITE: Final = f"""
    CREATE TABLE shipkit_inbox (
      id INTEGER PRIMARY KEY, account TEXT NOT NULL, delivery_id TEXT NOT NULL, carrier TEXT NOT NULL,
      state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '',
      due_at REAL, lease_until REAL, next_at REAL,
      error TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '', waits_for TEXT NOT NULL DEFAULT '',
      received_at REAL NOT NULL, heard_at REAL, ended_at REAL, purged_at REAL);
    CREATE TABLE shipkit_delivery (id INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL);
    CREATE TABLE shipkit_parked (
      carrier TEXT NOT NULL, number TEXT NOT NULL, letter INTEGER NOT NULL,
      PRIMARY KEY (carrier, number, letter)) WITHOUT ROWID;
    CREATE TABLE shipkit_told (scope TEXT NOT NULL, letter INTEGER NOT NULL, PRIMARY KEY (scope, letter)) WITHOUT ROWID;
    CREATE TABLE shipkit_parcel (
      scope TEXT NOT NULL PRIMARY KEY, carrier TEXT NOT NULL, account TEXT NOT NULL,
      number TEXT NOT NULL, key TEXT NOT NULL, since REAL NOT NULL, version INTEGER NOT NULL,
      next_poll_at REAL, finished_at REAL, created_at REAL NOT NULL, updated_at REAL NOT NULL, purged_at REAL,
      milestone TEXT NOT NULL, actors TEXT NOT NULL, state BLOB NOT NULL);
    CREATE TABLE shipkit_event (
      scope TEXT NOT NULL, event_id TEXT NOT NULL, observed_at REAL NOT NULL, record BLOB NOT NULL,
      carrier TEXT, code_type TEXT, code TEXT, subcode TEXT, PRIMARY KEY (scope, event_id));
    CREATE TABLE shipkit_announcement (
      number INTEGER PRIMARY KEY AUTOINCREMENT, mark TEXT NOT NULL, key TEXT NOT NULL, scope TEXT NOT NULL,
      sequence INTEGER NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL, announced_at REAL NOT NULL);
    CREATE TABLE shipkit_announced (mark TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE shipkit_outbox (
      number INTEGER NOT NULL, destination TEXT NOT NULL, scope TEXT NOT NULL, announced_at REAL NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, dead INTEGER NOT NULL DEFAULT 0,
      error TEXT NOT NULL DEFAULT '', PRIMARY KEY (number, destination)) WITHOUT ROWID;
    CREATE TABLE shipkit_lease (name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, lease_until REAL NOT NULL);
    {_INDEXES}
"""

POSTGRES: Final = f"""
    CREATE TABLE shipkit_inbox (
      id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
      account TEXT COLLATE "C" NOT NULL, delivery_id TEXT COLLATE "C" NOT NULL, carrier TEXT COLLATE "C" NOT NULL,
      state TEXT COLLATE "C" NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, owner TEXT COLLATE "C" NOT NULL DEFAULT '',
      due_at TIMESTAMPTZ, lease_until TIMESTAMPTZ, next_at TIMESTAMPTZ,
      error TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '', waits_for TEXT NOT NULL DEFAULT '',
      received_at TIMESTAMPTZ NOT NULL, heard_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, purged_at TIMESTAMPTZ);
    CREATE TABLE shipkit_delivery (id BIGINT PRIMARY KEY, head BYTEA NOT NULL, body BYTEA NOT NULL);
    CREATE TABLE shipkit_parked (
      carrier TEXT COLLATE "C" NOT NULL, number TEXT COLLATE "C" NOT NULL, letter BIGINT NOT NULL,
      PRIMARY KEY (carrier, number, letter));
    CREATE TABLE shipkit_told (scope TEXT COLLATE "C" NOT NULL, letter BIGINT NOT NULL, PRIMARY KEY (scope, letter));
    CREATE TABLE shipkit_parcel (
      scope TEXT COLLATE "C" NOT NULL PRIMARY KEY, carrier TEXT COLLATE "C" NOT NULL, account TEXT COLLATE "C" NOT NULL,
      number TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, since TIMESTAMPTZ NOT NULL,
      version BIGINT NOT NULL, next_poll_at TIMESTAMPTZ, finished_at TIMESTAMPTZ,
      created_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL, purged_at TIMESTAMPTZ,
      milestone TEXT COLLATE "C" NOT NULL, actors TEXT COLLATE "C" NOT NULL, state BYTEA NOT NULL);
    CREATE TABLE shipkit_event (
      scope TEXT COLLATE "C" NOT NULL, event_id TEXT COLLATE "C" NOT NULL, observed_at TIMESTAMPTZ NOT NULL,
      record BYTEA NOT NULL, carrier TEXT COLLATE "C", code_type TEXT COLLATE "C", code TEXT COLLATE "C",
      subcode TEXT COLLATE "C", PRIMARY KEY (scope, event_id));
    CREATE TABLE shipkit_announcement (
      number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, mark TEXT COLLATE "C" NOT NULL, key TEXT NOT NULL,
      scope TEXT COLLATE "C" NOT NULL, sequence BIGINT NOT NULL, type TEXT NOT NULL, body BYTEA NOT NULL,
      announced_at TIMESTAMPTZ NOT NULL);
    CREATE TABLE shipkit_announced (mark TEXT COLLATE "C" NOT NULL PRIMARY KEY);
    CREATE TABLE shipkit_outbox (
      number BIGINT NOT NULL, destination TEXT COLLATE "C" NOT NULL, scope TEXT COLLATE "C" NOT NULL,
      announced_at TIMESTAMPTZ NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at TIMESTAMPTZ,
      dead BOOLEAN NOT NULL DEFAULT false, error TEXT NOT NULL DEFAULT '', PRIMARY KEY (number, destination));
    CREATE TABLE shipkit_lease (
      name TEXT COLLATE "C" NOT NULL PRIMARY KEY, owner TEXT COLLATE "C" NOT NULL, lease_until TIMESTAMPTZ NOT NULL);
    CREATE TABLE shipkit_meeting (bucket INTEGER NOT NULL PRIMARY KEY, turn BIGINT NOT NULL);
    INSERT INTO shipkit_meeting (bucket, turn) SELECT bucket, 0 FROM generate_series(0, {BUCKETS - 1}) AS bucket;
    {_INDEXES}
"""
