"""Parcels on their way, in memory: what ends with the process, for tests and for hosts that keep nothing."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from ..model import SignatureResult, TrackingEvent, WebhookDelivery
from ..ports.events import (
    Announcement,
    Forgiven,
    Letter,
    LetterEnd,
    LetterState,
    OpenCount,
    Outgoing,
    Parcel,
    PurgedEvents,
    Queue,
    Unmapped,
    Unpublished,
    Unsent,
    Work,
)
from .dialect import moment
from .event_values import forgotten_event, forgotten_parcel, is_unmapped, listed_code, standing_of

__all__ = ["MemoryEvents"]

_QUEUED = {LetterState.NEW: "inbox", LetterState.DEAD: "dead_letters", LetterState.PARKED: "parked"}


@attrs.define(eq=False)
class _Out:
    """One outbox row."""

    number: int
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""
    dead: bool = False


class MemoryEvents:
    """The methods of `shipkit.ports.events.EventStore` over dictionaries, one lock around each."""

    blocking = False

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._secret = secrets.token_hex(32)
        self._letters: dict[int, Letter] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._due: dict[int, datetime] = {}
        self._about: dict[str, set[int]] = {}
        self._parcels: dict[str, Parcel] = {}
        self._evidence: dict[str, dict[str, TrackingEvent]] = {}
        self._told: dict[int, Announcement] = {}
        self._keys: set[str] = set()
        self._out: dict[str, dict[int, _Out]] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}

    def now(self) -> datetime:
        """This machine's clock."""
        return moment(self._clock())

    def secret(self) -> str:
        """A text drawn when the store was made."""
        return self._secret

    # Deliveries

    def put(self, deliveries: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        """Store deliveries; False for one that is stored already."""
        with self._lock:
            return tuple([self._put(delivery) for delivery in deliveries])

    def _put(self, delivery: WebhookDelivery) -> bool:
        name = delivery.account, delivery.delivery_id
        if name in self._ids:
            return False
        number = self._ids[name] = len(self._ids) + 1
        self._letters[number] = Letter(id=number, delivery=delivery)
        self._due[number] = self.now()
        return True

    def take(self, owner: str, lease_s: float, limit: int) -> tuple[Letter, ...]:
        """Lend the new deliveries that are due longest."""
        with self._lock:
            at = self.now()
            free = sorted((due, number) for number, due in self._due.items() if due <= at)[:limit]
            until = at + timedelta(seconds=lease_s)
            taken = [
                attrs.evolve(one, owner=owner, lease_until=until, attempts=one.attempts + 1, next_at=None)
                for one in (self._letters[number] for _, number in free)
            ]
            self._letters.update((one.id, one) for one in taken)
            self._due.update((one.id, until) for one in taken)
            return tuple(taken)

    def letters(
        self,
        states: Sequence[LetterState] = (),
        *,
        account: str = "",
        ids: Sequence[int] = (),
        after: int = 0,
        limit: int = 100,
        bodies: bool = False,
    ) -> tuple[Letter, ...]:
        """Deliveries by id, rising."""
        with self._lock:
            found = [
                one
                for one in self._letters.values()
                if one.id > after
                and (not states or one.state in states)
                and (not account or one.delivery.account == account)
                and (not ids or one.id in ids)
            ][:limit]
        return tuple(found) if bodies else tuple([_bare(one) for one in found])

    def take_up(self, ids: Sequence[int]) -> int:
        """Make deliveries new again."""
        with self._lock:
            found = [self._letters[one] for one in dict.fromkeys(ids) if one in self._letters]
            return sum([self._release(one) for one in found])

    def _release(self, letter: Letter) -> bool:
        if letter.purged_at is not None:
            return False
        self._letters[letter.id] = attrs.evolve(
            letter, state=LetterState.NEW, attempts=0, owner="", lease_until=None, next_at=None, error="", detail="",
            waits_for=(), ended_at=None,
        )  # fmt: skip
        self._due[letter.id] = self.now()
        return True

    # Parcels

    def follow(self, parcels: Sequence[Parcel]) -> tuple[bool, ...]:
        """Register parcels, and release what was parked for them."""
        with self._lock:
            return tuple([self._follow(parcel) for parcel in parcels])

    def _follow(self, parcel: Parcel) -> bool:
        if parcel.scope in self._parcels:
            return False
        at = self.now()
        self._parcels[parcel.scope] = attrs.evolve(parcel, version=0, created_at=at, updated_at=at, purged_at=None)
        for letter in list(self._letters.values()):
            parked = letter.state is LetterState.PARKED and letter.delivery.carrier == parcel.carrier
            if parked and parcel.number in letter.waits_for:
                self._release(letter)
        return True

    def find(self, numbers: Sequence[tuple[str, str]]) -> tuple[Parcel | None, ...]:
        """The parcel of each carrier and number that was registered last."""
        with self._lock:
            newest: dict[tuple[str, str], Parcel] = {}
            for parcel in self._parcels.values():
                name = parcel.carrier, parcel.number
                known = newest.get(name)
                if parcel.number and (known is None or (known.since, known.scope) < (parcel.since, parcel.scope)):
                    newest[name] = parcel
            return tuple([newest.get((carrier, number)) for carrier, number in numbers])

    def parcels(self, scopes: Sequence[str]) -> tuple[Parcel | None, ...]:
        """The parcels by scope."""
        with self._lock:
            return tuple([self._parcels.get(scope) for scope in scopes])

    def of_key(self, key: str) -> tuple[Parcel, ...]:
        """The host's shipment."""
        with self._lock:
            found = [parcel for parcel in self._parcels.values() if key and parcel.key == key]
        return tuple(sorted(found, key=lambda parcel: parcel.scope))

    def walk(
        self, *, after: str = "", limit: int = 1000, since: datetime | None = None, open_only: bool = False
    ) -> tuple[Parcel, ...]:
        """Parcels by scope, rising."""
        with self._lock:
            found = [
                parcel
                for scope, parcel in sorted(self._parcels.items())
                if scope > after
                and (since is None or (parcel.created_at is not None and parcel.created_at >= since))
                and not (open_only and parcel.finished_at is not None)
            ]
        return tuple(found[:limit])

    def evidence(self, scopes: Sequence[str]) -> Mapping[str, tuple[TrackingEvent, ...]]:
        """What is known of each parcel."""
        with self._lock:
            return {scope: tuple(self._evidence.get(scope, {}).values()) for scope in scopes}

    def commit(self, work: Work) -> bool:
        """Write all of *work*, or nothing."""
        with self._lock:
            for one in work.parcels:
                known = self._parcels.get(one.before.scope)
                if known is None or known.version != one.before.version:
                    return False
            at = self.now()
            for one in work.parcels:
                known = self._parcels[one.after.scope]
                self._parcels[one.after.scope] = attrs.evolve(
                    one.after, version=known.version + 1, created_at=known.created_at, updated_at=at,
                    purged_at=known.purged_at,
                )  # fmt: skip
                self._evidence.setdefault(one.after.scope, {}).update((event.event_id, event) for event in one.events)
                for announcement in one.announcements:
                    self._announce(announcement, at, work.destinations)
            for end in work.letters:
                letter = self._letters.get(end.id)
                if letter is not None and letter.owner == end.owner and letter.state is LetterState.NEW:
                    self._end(letter, end, at)
            return True

    def _end(self, letter: Letter, end: LetterEnd, at: datetime) -> None:
        for scope in end.scopes:
            self._about.setdefault(scope, set()).add(letter.id)
        if end.state is LetterState.PARKED and self._any_known(letter.delivery.carrier, end.waits_for):
            self._release(letter)
            return
        again = end.state is LetterState.NEW
        self._letters[end.id] = attrs.evolve(
            letter, state=end.state, owner="", lease_until=None, next_at=end.next_at if again else None,
            error=end.error, detail=end.detail, waits_for=end.waits_for if end.state is LetterState.PARKED else (),
            ended_at=None if again else at,
        )  # fmt: skip
        if again:
            self._due[end.id] = end.next_at or at
        else:
            self._due.pop(end.id, None)

    def _any_known(self, carrier: str, numbers: Sequence[str]) -> bool:
        return any(parcel.carrier == carrier and parcel.number in numbers for parcel in self._parcels.values())

    def _announce(self, announcement: Announcement, at: datetime, destinations: Iterable[str]) -> None:
        if announcement.key in self._keys:
            return
        self._keys.add(announcement.key)
        number = len(self._keys)
        self._told[number] = attrs.evolve(announcement, number=number, at=at)
        for destination in destinations:
            self._out.setdefault(destination, {})[number] = _Out(number)

    def due(self, lease_s: float, limit: int, accounts: Sequence[str] = ()) -> tuple[Parcel, ...]:
        """Parcels that are to be asked for now, put off for everybody else."""
        with self._lock:
            at = self.now()
            waiting = [
                (parcel.next_poll_at, parcel.scope, parcel)
                for parcel in self._parcels.values()
                if parcel.next_poll_at is not None
                and parcel.next_poll_at <= at
                and (not accounts or parcel.account in accounts)
            ]
            found = [parcel for _, _, parcel in sorted(waiting)[:limit]]
            until = at + timedelta(seconds=lease_s)
            self._parcels.update((parcel.scope, attrs.evolve(parcel, next_poll_at=until)) for parcel in found)
            return tuple([self._parcels[parcel.scope] for parcel in found])

    # Announcements

    def announcements(self, after: int = 0, limit: int = 100, *, scope: str = "") -> tuple[Announcement, ...]:
        """What was announced, by number, rising."""
        with self._lock:
            found = (one for number, one in self._told.items() if number > after and scope in ("", one.scope))
            return tuple([one for one, _ in zip(found, range(limit), strict=False)])

    def settled_number(self) -> int:
        """The last number: nothing appears below it."""
        return len(self._keys)

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease; 0 seconds gives it back."""
        with self._lock:
            at = self.now()
            holder, until = self._leases.get(name, ("", at))
            if holder not in ("", owner) and at < until:
                return False
            self._leases[name] = (owner if seconds > 0 else "", at + timedelta(seconds=seconds))
            return True

    def pending(self, destination: str, limit: int) -> tuple[Outgoing, ...]:
        """What is to be sent there next."""
        with self._lock:
            at = self.now()
            held: set[str] = set()
            found: list[Outgoing] = []
            for row in self._out.get(destination, {}).values():
                if row.dead or len(found) == limit:
                    continue
                told = self._told[row.number]
                if told.scope in held or (row.next_at is not None and row.next_at > at):
                    held.add(told.scope)
                else:
                    found.append(Outgoing(destination=destination, announcement=told, attempts=row.attempts))
            return tuple(found)

    def settle(
        self, destination: str, sent: Sequence[int], unsent: Sequence[Unsent] = (), *, again_at: datetime | None = None
    ) -> None:
        """Note what a destination took and what it did not."""
        with self._lock:
            rows = self._out.get(destination, {})
            for number in sent:
                rows.pop(number, None)
            for one in unsent:
                if one.number in rows:
                    row = rows[one.number]
                    row.attempts, row.error, row.dead = row.attempts + 1, one.error, one.dead
                    row.next_at = None if one.dead else again_at

    def send_again(self, destination: str, numbers: Sequence[int] = (), *, dead: bool = False) -> int:
        """Make announcements due for *destination* once more."""
        with self._lock:
            rows = self._out.setdefault(destination, {})
            chosen = [number for number, row in rows.items() if row.dead] if dead else list(dict.fromkeys(numbers))
            known = [number for number in chosen if number in self._told]
            rows.update((number, _Out(number)) for number in known)
            self._out[destination] = dict(sorted(rows.items()))
            return len(known)

    def outbox(
        self, destination: str, *, dead: bool | None = None, after: int = 0, limit: int = 100
    ) -> tuple[Unpublished, ...]:
        """What a destination has not taken, by number, rising."""
        with self._lock:
            at = self.now()
            rows = [
                row
                for number, row in self._out.get(destination, {}).items()
                if number > after and dead in (None, row.dead)
            ]
            return tuple([self._unpublished(row, at) for row in rows[:limit]])

    def _unpublished(self, row: _Out, at: datetime) -> Unpublished:
        told = self._told[row.number]
        return Unpublished(
            number=row.number, scope=told.scope, sequence=told.sequence, type=told.type, at=told.at or at,
            attempts=row.attempts, error=row.error, dead=row.dead,
            next_at=row.next_at if row.next_at is not None and row.next_at > at else None,
        )  # fmt: skip

    # What is seen from outside

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Parcels on their way by where they are and who must act."""
        with self._lock:
            counts = Counter(
                (parcel.account, parcel.carrier, *standing_of(parcel))
                for parcel in self._parcels.values()
                if parcel.number and parcel.finished_at is None
            )
        rows = [
            OpenCount(account=account, carrier=carrier, milestone=milestone, actors=actors, parcels=parcels)
            for (account, carrier, milestone, actors), parcels in counts.items()
        ]
        return tuple(sorted(rows, key=lambda row: (row.account, row.carrier, row.milestone.value, row.actors)))

    def unmapped(self, since: datetime | None = None) -> tuple[Unmapped, ...]:
        """Codes that no table explains, most frequent first."""
        found: dict[tuple[str, str, str, str], list[datetime]] = {}
        with self._lock:
            for scope, records in self._evidence.items():
                for event in records.values():
                    if is_unmapped(event) and (since is None or event.observed_at >= since):
                        name = (self._parcels[scope].carrier, *listed_code(event))
                        found.setdefault(name, []).append(event.observed_at)
        rows = [
            Unmapped(
                carrier=carrier, code_type=code_type, code=code, subcode=subcode,
                events=len(times), first_at=min(times), last_at=max(times),
            )
            for (carrier, code_type, code, subcode), times in found.items()
        ]  # fmt: skip
        return tuple(sorted(rows, key=lambda row: (-row.events, row.carrier, row.code_type, row.code, row.subcode)))

    def queues(self) -> tuple[Queue, ...]:
        """What waits where."""
        with self._lock:
            times: dict[tuple[str, str], list[datetime]] = {(name, ""): [] for name in _QUEUED.values()}
            for letter in self._letters.values():
                if letter.state in _QUEUED and letter.purged_at is None:
                    times[_QUEUED[letter.state], ""].append(letter.delivery.received_at)
            for destination, rows in self._out.items():
                for dead, name in ((False, "outbox"), (True, "outbox_dead")):
                    waiting = [self._told[row.number].at for row in rows.values() if row.dead is dead]
                    if waiting:
                        times[name, destination] = [at for at in waiting if at is not None]
        return tuple(
            Queue(name=name, depth=len(since), oldest_at=min(since, default=None), destination=destination)
            for (name, destination), since in sorted(times.items())
        )

    def heard(self) -> Mapping[str, datetime]:
        """By account when the last authentic push came in."""
        with self._lock:
            heard: dict[str, datetime] = {}
            for letter in self._letters.values():
                at = letter.delivery.received_at
                if letter.delivery.signature is not SignatureResult.INVALID:
                    heard[letter.delivery.account] = max(at, heard.get(letter.delivery.account, at))
            return heard

    # Retention

    def purge_events(
        self, bodies_before: datetime, evidence_before: datetime, announcements_before: datetime
    ) -> PurgedEvents:
        """Take away what is older; ids and scopes stay."""
        with self._lock:
            ended = [
                one.id
                for one in self._letters.values()
                if one.ended_at is not None and one.ended_at < bodies_before and one.purged_at is None
            ]
            bodies = self._blank(ended)
            finished = [
                one
                for one in self._parcels.values()
                if one.finished_at is not None and one.finished_at < evidence_before and one.purged_at is None
            ]
            for parcel in finished:
                self._evidence.pop(parcel.scope, None)
                self._parcels[parcel.scope] = attrs.evolve(
                    forgotten_parcel(parcel), version=parcel.version + 1, purged_at=self.now()
                )
            waiting = {number for rows in self._out.values() for number in rows}
            taken = [
                number
                for number, one in self._told.items()
                if number not in waiting and one.at is not None and one.at < announcements_before
            ]
            for number in taken:
                del self._told[number]
            return PurgedEvents(bodies=bodies, parcels=len(finished), announcements=len(taken))

    def forget_parcels(self, keys: Sequence[str]) -> Forgiven:
        """Blank what is personal in the evidence of these shipments."""
        events, about = 0, set[int]()
        with self._lock:
            for parcel in [one for one in self._parcels.values() if one.key and one.key in keys]:
                self._parcels[parcel.scope] = attrs.evolve(forgotten_parcel(parcel), version=parcel.version + 1)
                records = self._evidence.get(parcel.scope, {})
                events += len(records)
                records.update((name, forgotten_event(name, event)) for name, event in records.items())
                about |= self._about.get(parcel.scope, set())
            bodies = self._blank(number for number in about if self._letters[number].purged_at is None)
        return Forgiven(events=events, bodies=bodies)

    def _blank(self, numbers: Iterable[int]) -> int:
        at, chosen = self.now(), list(numbers)
        for number in chosen:
            letter = self._letters[number]
            delivery = attrs.evolve(letter.delivery, body=b"", headers={})
            self._letters[number] = attrs.evolve(letter, delivery=delivery, purged_at=at)
            if letter.state in (LetterState.NEW, LetterState.PARKED):  # there is nothing left to be read
                self._letters[number] = attrs.evolve(
                    self._letters[number], state=LetterState.IGNORED, owner="", lease_until=None, next_at=None,
                    error="purged", waits_for=(), ended_at=letter.ended_at or at,
                )  # fmt: skip
                self._due.pop(number, None)
        return len(chosen)


def _bare(letter: Letter) -> Letter:
    return attrs.evolve(letter, delivery=attrs.evolve(letter.delivery, body=b""))
