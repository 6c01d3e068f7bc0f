"""The text of what a store of events asks and writes, once for all databases (`Dialect.text` adapts it)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from ..ports.events import LetterState

LETTER: Final = (
    *("id", "state", "attempts", "owner", "lease_until", "next_at", "error", "detail", "waits_for"),
    *("ended_at", "purged_at"),
)
_LETTER: Final = ", ".join(f"i.{name}" for name in LETTER)
_OF_BODY: Final = "FROM shipkit_inbox AS i JOIN shipkit_delivery AS d ON d.id = i.id"

# Deliveries

STORED: Final = """SELECT i.account, i.delivery_id FROM json_each(:names) AS g JOIN shipkit_inbox AS i
ON i.account = json_extract(g.value, '$[0]') AND i.delivery_id = json_extract(g.value, '$[1]')"""
LAST_LETTER: Final = "SELECT coalesce(max(id), 0) FROM shipkit_inbox"
FREE: Final = """SELECT id FROM shipkit_inbox WHERE state = 'new' AND due_at <= :at
ORDER BY due_at, id LIMIT :limit {skip}"""
LEND: Final = """UPDATE shipkit_inbox SET owner = :owner, lease_until = :until, due_at = :until, next_at = NULL,
attempts = attempts + 1 WHERE id {among ids}"""
TAKEN: Final = f"""SELECT {_LETTER}, d.head, d.body {_OF_BODY} WHERE i.id {{among ids}}"""

BODIES_ENDED: Final = """SELECT id FROM shipkit_inbox
WHERE ended_at IS NOT NULL AND ended_at < :before AND purged_at IS NULL ORDER BY ended_at LIMIT 500"""
HEADS: Final = "SELECT id, head FROM shipkit_delivery WHERE id {among ids}"
PURGED: Final = """UPDATE shipkit_inbox SET purged_at = :at, ended_at = coalesce(ended_at, :at),
error = CASE WHEN state IN ('new', 'parked') THEN 'purged' ELSE error END,
state = CASE WHEN state IN ('new', 'parked') THEN 'ignored' ELSE state END, waits_for = '',
owner = '', lease_until = NULL, due_at = NULL, next_at = NULL WHERE id {among ids}"""
UNTOLD: Final = "DELETE FROM shipkit_told WHERE letter {among ids}"
TOLD_OF: Final = """SELECT DISTINCT t.letter FROM shipkit_told AS t JOIN shipkit_inbox AS i ON i.id = t.letter
WHERE t.scope {among scopes} AND i.purged_at IS NULL"""
HELD: Final = "SELECT id, owner, state, carrier, purged_at FROM shipkit_inbox WHERE id {among ids} ORDER BY id {locked}"
RELEASE: Final = """UPDATE shipkit_inbox SET state = 'new', attempts = 0, owner = '', lease_until = NULL,
next_at = NULL, due_at = :at, error = '', detail = '', waits_for = '', ended_at = NULL WHERE id {among ids}"""
UNPARK: Final = "DELETE FROM shipkit_parked WHERE letter {among ids}"
PARKED: Final = "SELECT DISTINCT letter FROM shipkit_parked WHERE carrier = :carrier AND number {among numbers}"
MEET: Final = "SELECT bucket FROM shipkit_meeting WHERE bucket {among buckets} ORDER BY bucket {locked}"
MET: Final = "UPDATE shipkit_meeting SET turn = turn + 1 WHERE bucket {among buckets}"
HEARD: Final = """WITH RECURSIVE accounts (account) AS (
  SELECT min(i.account) FROM shipkit_inbox AS i WHERE i.heard_at IS NOT NULL
  UNION ALL
  SELECT (SELECT min(i.account) FROM shipkit_inbox AS i WHERE i.account > a.account AND i.heard_at IS NOT NULL)
  FROM accounts AS a WHERE a.account IS NOT NULL)
SELECT a.account, (SELECT max(i.heard_at) FROM shipkit_inbox AS i
  WHERE i.account = a.account AND i.heard_at IS NOT NULL)
FROM accounts AS a WHERE a.account IS NOT NULL"""

# Parcels

_PARCEL: Final = """p.scope, p.carrier, p.account, p.number, p.key, p.since, p.version, p.next_poll_at, p.finished_at,
p.created_at, p.updated_at, p.purged_at, p.state"""
PARCELS: Final = f"SELECT {_PARCEL} FROM shipkit_parcel AS p WHERE p.scope {{among scopes}}"
OF_KEY: Final = f"SELECT {_PARCEL} FROM shipkit_parcel AS p WHERE p.key = :key AND p.key <> '' ORDER BY p.scope"
_NEWEST: Final = """(SELECT p.scope FROM shipkit_parcel AS p
  WHERE p.carrier = {carrier} AND p.number = {number} AND p.number <> '' ORDER BY p.since DESC, p.scope DESC LIMIT 1)"""
FIND_SQLITE: Final = f"""SELECT {
    _NEWEST.format(carrier="json_extract(g.value, '$[0]')", number="json_extract(g.value, '$[1]')")
} FROM json_each(:names) AS g ORDER BY g.key"""
FIND_POSTGRES: Final = f"""SELECT {_NEWEST.format(carrier="g.carrier", number="g.number")}
FROM unnest(CAST(:carriers AS text[]), CAST(:numbers AS text[])) WITH ORDINALITY AS g(carrier, number, place)
ORDER BY g.place"""
REGISTERED: Final = "SELECT scope FROM shipkit_parcel WHERE scope {among scopes}"
KNOWN_NUMBERS: Final = """SELECT DISTINCT number FROM shipkit_parcel
WHERE carrier = :carrier AND number {among numbers} AND number <> ''"""
VERSIONS: Final = """SELECT scope, version, purged_at FROM shipkit_parcel WHERE scope {among scopes}
ORDER BY scope {locked}"""
EVIDENCE: Final = "SELECT scope, event_id, record FROM shipkit_event WHERE scope {among scopes}"
PUT_OFF: Final = "UPDATE shipkit_parcel SET next_poll_at = :until WHERE scope {among scopes}"
_DUE: Final = f"""SELECT {_PARCEL} FROM shipkit_parcel AS p
WHERE p.next_poll_at IS NOT NULL AND p.next_poll_at <= :at"""
DUE: Final = f"{_DUE} ORDER BY p.next_poll_at, p.scope LIMIT :limit {{skip}}"
DUE_OF: Final = f"{_DUE} AND p.account = :account ORDER BY p.next_poll_at, p.scope LIMIT :limit {{skip}}"
OPEN_COUNTS: Final = """SELECT account, carrier, milestone, actors, count(*) FROM shipkit_parcel
WHERE finished_at IS NULL AND number <> '' GROUP BY account, carrier, milestone, actors"""
UNMAPPED: Final = """SELECT carrier, code_type, code, subcode, count(*), min(observed_at), max(observed_at)
FROM shipkit_event WHERE code IS NOT NULL{since} GROUP BY carrier, code_type, code, subcode"""

FINISHED: Final = """SELECT scope FROM shipkit_parcel
WHERE finished_at IS NOT NULL AND finished_at < :before AND purged_at IS NULL ORDER BY finished_at LIMIT 500"""
FINISHED_STILL: Final = f"""SELECT {_PARCEL} FROM shipkit_parcel AS p
WHERE p.scope {{among scopes}} AND p.finished_at IS NOT NULL AND p.finished_at < :before AND p.purged_at IS NULL
ORDER BY p.scope {{locked}}"""
HOLD_KEY: Final = (
    f"SELECT {_PARCEL} FROM shipkit_parcel AS p WHERE p.key = :key AND p.key <> '' ORDER BY p.scope {{locked}}"
)
NO_EVIDENCE: Final = "DELETE FROM shipkit_event WHERE scope {among scopes}"
BLANK_EVENT: Final = "UPDATE shipkit_event SET record = :record WHERE scope = :scope AND event_id = :event_id"
BLANK_CODES: Final = """UPDATE shipkit_event SET code = :code, subcode = ''
WHERE scope {among scopes} AND code_type = 'text' AND code IS NOT NULL"""
EVIDENCE_GONE: Final = "UPDATE shipkit_parcel SET purged_at = :at WHERE scope {among scopes}"

# Announcements

_ANNOUNCEMENT: Final = "a.number, a.key, a.scope, a.sequence, a.type, a.body, a.announced_at"
ANNOUNCED: Final = f"""SELECT {_ANNOUNCEMENT} FROM shipkit_announcement AS a
WHERE a.number > :after ORDER BY a.number LIMIT :limit"""
ANNOUNCED_OF: Final = f"""SELECT {_ANNOUNCEMENT} FROM shipkit_announcement AS a
WHERE a.scope = :scope AND a.number > :after ORDER BY a.number LIMIT :limit"""
MARKED: Final = """SELECT mark FROM shipkit_announcement WHERE mark {among marks}
UNION ALL SELECT mark FROM shipkit_announced WHERE mark {among marks}"""
LAST_NUMBER_SQLITE: Final = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'shipkit_announcement'"
LEASE: Final = """INSERT INTO shipkit_lease (name, owner, lease_until) VALUES (:name, :owner, :until)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
WHERE shipkit_lease.owner = excluded.owner OR shipkit_lease.lease_until <= :at"""
HOLDER: Final = "SELECT owner FROM shipkit_lease WHERE name = :name"
LATER: Final = """SELECT 1 FROM shipkit_outbox
WHERE destination = :destination AND next_at IS NOT NULL AND next_at <= {now} LIMIT 1"""
WAKE: Final = """UPDATE shipkit_outbox SET next_at = NULL
WHERE destination = :destination AND next_at IS NOT NULL AND next_at <= :at"""
PENDING: Final = f"""SELECT o.attempts, {_ANNOUNCEMENT}
FROM shipkit_outbox AS o JOIN shipkit_announcement AS a ON a.number = o.number
WHERE o.destination = :destination AND o.next_at IS NULL AND NOT o.dead AND NOT EXISTS (
  SELECT 1 FROM shipkit_outbox AS e WHERE e.destination = o.destination AND e.scope = o.scope
  AND e.number < o.number AND e.next_at IS NOT NULL)
ORDER BY o.number LIMIT :limit"""
SENT: Final = "DELETE FROM shipkit_outbox WHERE destination = :destination AND number {among numbers}"
UNSENT: Final = """UPDATE shipkit_outbox SET attempts = attempts + 1, error = :error, dead = :dead, next_at = :next_at
WHERE destination = :destination AND number {among numbers}"""
KNOWN: Final = "SELECT count(*) FROM shipkit_announcement WHERE number {among numbers}"
ONCE_MORE: Final = """INSERT INTO shipkit_outbox (number, destination, scope, announced_at)
SELECT a.number, :destination, a.scope, a.announced_at FROM shipkit_announcement AS a WHERE a.number {among numbers}
ON CONFLICT (number, destination) DO UPDATE SET attempts = 0, next_at = NULL, dead = excluded.dead, error = ''"""
DEAD: Final = "SELECT count(*) FROM shipkit_outbox WHERE destination = :destination AND dead"
REVIVE: Final = """UPDATE shipkit_outbox SET attempts = 0, next_at = NULL, dead = :dead, error = ''
WHERE destination = :destination AND dead"""

# Each kind has an index of its own; what is tried later lies there by its time, and all of it is sorted.
_LEFT: Final = "SELECT * FROM (SELECT * FROM shipkit_outbox WHERE destination = :destination AND number > :after"
_READY: Final = f"{_LEFT} AND next_at IS NULL AND NOT dead ORDER BY number LIMIT :limit) AS r"
_LATER: Final = f"{_LEFT} AND next_at IS NOT NULL ORDER BY number LIMIT :limit) AS l"
_DEAD: Final = f"{_LEFT} AND dead ORDER BY number LIMIT :limit) AS d"
_UNPUBLISHED: Final = """SELECT o.number, a.scope, a.sequence, a.type, a.announced_at, o.attempts, o.error,
  CASE WHEN o.next_at > {now} THEN o.next_at END, o.dead FROM ("""
_BY_NUMBER: Final = ") AS o JOIN shipkit_announcement AS a ON a.number = o.number ORDER BY o.number LIMIT :limit"
OUT_ALL: Final = f"{_UNPUBLISHED}{_READY} UNION ALL {_LATER} UNION ALL {_DEAD}{_BY_NUMBER}"
OUT_DEAD: Final = f"{_UNPUBLISHED}{_DEAD}{_BY_NUMBER}"
OUT_WAITING: Final = f"{_UNPUBLISHED}{_READY} UNION ALL {_LATER}{_BY_NUMBER}"

OLD_NEWS: Final = """SELECT a.number, a.mark, a.announced_at,
  EXISTS (SELECT 1 FROM shipkit_outbox AS o WHERE o.number = a.number) FROM shipkit_announcement AS a
WHERE a.announced_at < :before AND (a.announced_at, a.number) > (:after_at, :after)
ORDER BY a.announced_at, a.number LIMIT 500"""
DROP: Final = "DELETE FROM shipkit_announcement WHERE number {among numbers}"

QUEUES: Final = """SELECT 'inbox', '', count(*), min(received_at) FROM shipkit_inbox WHERE state = 'new'
UNION ALL SELECT 'dead_letters', '', count(*), min(received_at) FROM shipkit_inbox
  WHERE state = 'dead' AND purged_at IS NULL
UNION ALL SELECT 'parked', '', count(*), min(received_at) FROM shipkit_inbox WHERE state = 'parked'
UNION ALL SELECT CASE WHEN dead THEN 'outbox_dead' ELSE 'outbox' END, destination, count(*), min(announced_at)
  FROM shipkit_outbox GROUP BY destination, dead"""


@cache
def letters(states: tuple[LetterState, ...], *, account: bool, ids: bool, bodies: bool) -> str:
    """A page of the inbox. States stand in the text itself: a partial index serves no parameter."""
    one = f"= '{states[0].value}'" if len(states) == 1 else f"IN ({', '.join(repr(each.value) for each in states)})"
    chosen = [f"i.state {one}"] if states else []
    chosen += ["i.account = :account"] if account else []
    chosen += ["i.id {among ids}"] if ids else []
    also = "".join(f" AND {each}" for each in chosen)
    body = "d.body" if bodies else "NULL"
    return f"SELECT {_LETTER}, d.head, {body} {_OF_BODY} WHERE i.id > :after{also} ORDER BY i.id LIMIT :limit"


@cache
def walk(*, since: bool, open_only: bool) -> str:
    """A page of parcels by scope."""
    also = (" AND p.created_at >= :since" if since else "") + (" AND p.finished_at IS NULL" if open_only else "")
    return f"SELECT {_PARCEL} FROM shipkit_parcel AS p WHERE p.scope > :after{also} ORDER BY p.scope LIMIT :limit"


def pages_of(states: Iterable[LetterState]) -> tuple[tuple[LetterState, ...], ...]:
    """The states that a page is asked for in one go: each queue has an index of its own, the rest is nearly all."""
    chosen = tuple(sorted(set(states), key=lambda state: state.value))
    return tuple([(state,) for state in chosen]) if chosen and _QUEUED.issuperset(chosen) else (chosen,)


_QUEUED: Final = frozenset({LetterState.NEW, LetterState.PARKED, LetterState.DEAD})
