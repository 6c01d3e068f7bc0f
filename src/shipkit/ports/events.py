"""The events' side of a store: deliveries as they came, parcels that are followed, evidence, announcements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

import attrs

from ..model import (
    Actor,
    Milestone,
    ProofOfDelivery,
    Timeline,
    TrackingEvent,
    TrackQuery,
    TransitEstimate,
    WebhookDelivery,
)
from ..model.scalars import EMPTY

__all__ = [
    "FORGOTTEN",
    "Announcement",
    "EventStore",
    "Forgiven",
    "KeepsEvents",
    "Letter",
    "LetterEnd",
    "LetterState",
    "OpenCount",
    "Outgoing",
    "Parcel",
    "ParcelWork",
    "PurgedEvents",
    "Queue",
    "Unmapped",
    "Unpublished",
    "Unsent",
    "Work",
]


FORGOTTEN: Final = "forgotten"
"""What a store puts into the extras of a record that it has blanked: so a name does not come back with a later poll."""


class LetterState(str, Enum):
    """What became of a delivery in the inbox."""

    NEW = "new"  # stored, and to be read
    DONE = "done"  # read, and its events are in the evidence
    IGNORED = "ignored"  # read, and it holds no event
    PARKED = "parked"  # read, and it names parcels that nobody has registered yet
    DEAD = "dead"  # it cannot be read, or was tried too often: a dead letter, kept for a person and a replay


@attrs.frozen(kw_only=True, eq=False)
class Letter:
    """One delivery in the inbox. ``error`` is a code, ``detail`` what may be shown of it: paths and codes, no data."""

    id: int
    """Rises in the order of arrival."""
    delivery: WebhookDelivery
    """Its body is empty where it was not asked for, or is purged."""
    state: LetterState = LetterState.NEW
    attempts: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    next_at: datetime | None = None
    """Not to be taken before; None: at once."""
    error: str = ""
    detail: str = ""
    waits_for: tuple[str, ...] = ()
    """Of a parked one: the numbers that nobody has registered yet."""
    ended_at: datetime | None = None
    purged_at: datetime | None = None
    """Since when its body is gone."""


@attrs.frozen(kw_only=True, eq=False)
class LetterEnd:
    """How the reading of one delivery ended. ``NEW`` puts it back: it is taken again after ``next_at``."""

    id: int
    owner: str
    """Who took it; where that is somebody else by now, the row is left as it is."""
    state: LetterState
    error: str = ""
    detail: str = ""
    next_at: datetime | None = None
    waits_for: tuple[str, ...] = ()
    """Of a parked one: the canonical numbers at its carrier that nobody has registered. Where one of them is registered
    by now the delivery is new again at once."""
    scopes: tuple[str, ...] = ()
    """The parcels that it told of: when one of them is forgotten, so is its body."""


@attrs.frozen(kw_only=True, eq=False)
class Parcel:
    """One parcel that is followed, or a shipment of several: whose it is, what is known, when it is asked for next.

    Its evidence stands beside it (`EventStore.evidence`); ``timeline`` is the projection of it without the events.
    """

    scope: str
    """``carrier:number:day``, the day being that of ``since``: numbers are used again. Of a shipment of several parcels
    ``shipment:key``."""
    carrier: str
    account: str
    number: str = ""
    """Canonical; empty for a shipment."""
    key: str = ""
    """The host's, of the shipment."""
    shipment: str = ""
    """The scope of the shipment of several that it belongs to."""
    since: datetime
    """When it was booked, or first known."""
    query: TrackQuery | None = None
    """How the carrier is asked for it."""
    service: str = ""
    promise: TransitEstimate | None = None
    """What the carrier promised when it was booked."""
    origin: str = ""
    destination: str = ""
    """Countries, for the figures by lane."""

    version: int = 0
    """Rises with every write; a write is made on the version that was read, or not at all."""
    timeline: Timeline | None = None
    digest: str = ""
    """Of the whole projection, events included: the same digest is the same state."""
    transit: TransitEstimate | None = None
    """The estimate that was computed last, of those told beside the events; events carry theirs themselves."""
    proof: ProofOfDelivery | None = None
    """The fullest proof that was told beside the events."""
    announced: Mapping[str, int] = EMPTY
    """What was ever announced: by milestone its highest ordinal, under ``opened|reason`` that of a problem, under
    ``anomaly|kind|event_id`` 1."""
    sequence: int = 0
    """The number of the last announcement of this scope."""
    absent: Mapping[str, int] = EMPTY
    """By event the full answers in a row that lacked it."""

    pushed_at: datetime | None = None
    polled_at: datetime | None = None
    next_poll_at: datetime | None = None
    """None: it is not asked for any more."""
    polls: int = 0
    """Since the last change of the state."""
    failures: int = 0
    """Answers in a row that failed."""
    not_found: int = 0
    """Answers in a row that did not know the number."""
    missed: int = 0
    """Times that asking found news of which a carrier that pushes had not told."""
    subscribed_until: datetime | None = None
    """Until when the carrier pushes for this number, as far as it was subscribed; None: never asked for. The beginning
    of 1970: refused."""
    finished_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    """Both by the store's clock."""
    purged_at: datetime | None = None
    """Since when its evidence is gone, by retention: its state is final, and nothing is concluded from what comes."""


@attrs.frozen(kw_only=True, eq=False)
class Announcement:
    """One thing that is told to the world once: a CloudEvent, as it is published."""

    key: str
    """What makes it once-only in this store; the CloudEvent's ``id`` is made of it."""
    scope: str
    """The ordering key: announcements of one scope reach a destination in the order of ``sequence``."""
    sequence: int
    type: str
    body: bytes
    """The structured JSON form, UTF-8."""
    number: int = 0
    """The store's own, rising; given on writing."""
    at: datetime | None = None
    """When it was written."""


@attrs.frozen(kw_only=True, eq=False)
class Outgoing:
    """One announcement on its way to one destination."""

    destination: str
    announcement: Announcement
    attempts: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Unsent:
    """An announcement that a destination did not take; ``dead`` where it is not to be tried again by itself."""

    number: int
    error: str
    """A code, free of data."""
    dead: bool = False


@attrs.frozen(kw_only=True, eq=False)
class Unpublished:
    """One announcement that a destination has not taken, without its body: how often it was tried, and what is next."""

    number: int
    """The announcement's own: `EventStore.send_again` takes it."""
    scope: str
    sequence: int
    type: str
    at: datetime
    """When it was announced."""
    attempts: int = 0
    error: str = ""
    """The code that the last try ended with; empty where there was none."""
    next_at: datetime | None = None
    """Not to be tried before; None: at once, or, of a dead one, not by itself."""
    dead: bool = False


@attrs.frozen(kw_only=True, eq=False)
class ParcelWork:
    """What one parcel becomes: the next state of the row, records that are new or fuller, what is announced."""

    before: Parcel
    """As it was read."""
    after: Parcel
    events: tuple[TrackingEvent, ...] = ()
    announcements: tuple[Announcement, ...] = ()


@attrs.frozen(kw_only=True, eq=False)
class Work:
    """What is written at once or not at all: deliveries end, evidence grows, and what follows is put in the outbox."""

    letters: tuple[LetterEnd, ...] = ()
    parcels: tuple[ParcelWork, ...] = ()
    """Each scope once."""
    destinations: tuple[str, ...] = ()
    """Each announcement gets one outbox row for each of them."""


@attrs.frozen(kw_only=True)
class Unmapped:
    """A status code that no table explains, and how often it came."""

    carrier: str
    code_type: str
    code: str
    subcode: str
    events: int
    first_at: datetime
    last_at: datetime


@attrs.frozen(kw_only=True)
class OpenCount:
    """How many parcels on their way stand alike: at one milestone, with problems that wait for the same people."""

    account: str
    carrier: str
    milestone: Milestone
    actors: tuple[Actor, ...]
    """Who must act, once for each open problem of such a parcel, sorted."""
    parcels: int


@attrs.frozen(kw_only=True)
class Queue:
    """How much waits in one place: ``inbox``, ``dead_letters``, ``parked``, ``outbox`` or ``outbox_dead``.

    Those of the inbox are always told of, and a dead letter counts for as long as it can be read again; those of the
    outbox for destinations where something waits or is dead.
    """

    name: str
    depth: int
    oldest_at: datetime | None
    destination: str = ""
    """Of the outbox."""


@attrs.frozen(kw_only=True)
class PurgedEvents:
    """What a purge took away: bodies of deliveries, evidence of parcels that have ended, published announcements."""

    bodies: int
    parcels: int
    announcements: int


@attrs.frozen(kw_only=True)
class Forgiven:
    """What an erasure blanked: records of events, and bodies of deliveries that told of them."""

    events: int
    bodies: int


class EventStore(Protocol):
    """What a client keeps of parcels on their way. Times are the store's own; a write is durable when it returns.

    But for what is lost without harm, with the machine only: who holds what (`take`, `due`, `lease`), and what a
    destination took (`settle`), which is sent once more then.

    Raises `shipkit.errors.StoreError` when the database cannot be reached, and then nothing was written.
    """

    @property
    def blocking(self) -> bool: ...

    def now(self) -> datetime:
        """The store's clock."""
        ...

    def secret(self) -> str:
        """A text drawn when the store was made, never shown: addresses that cannot be guessed are made of it."""
        ...

    # Deliveries

    def put(self, deliveries: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        """Store deliveries, all in one commit; False for one whose account and ``delivery_id`` are stored already.

        Of two in one call the second is such a one. Each lies there until it is taken, in the order in which they come.
        """
        ...

    def take(self, owner: str, lease_s: float, limit: int) -> tuple[Letter, ...]:
        """Lend new deliveries that are due and that nobody else holds, those that are due longest first.

        One is due since it was stored, since its ``next_at``, or since the lease on it ended, which need not be noticed
        by whoever had it: what that one commits for it later is left out. Each try is counted.
        """
        ...

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
        """Deliveries by id, rising: those in *states* (all), of *account* (all), or just *ids*."""
        ...

    def take_up(self, ids: Sequence[int]) -> int:
        """Make deliveries new again, whatever became of them; how many there were whose body is still kept.

        One whose body is gone stays as it is, and one that somebody holds is taken from him.
        """
        ...

    # Parcels

    def follow(self, parcels: Sequence[Parcel]) -> tuple[bool, ...]:
        """Register parcels in one commit; False for a scope that is there already, which stays as it is.

        Deliveries that were parked for one of them become new in the same commit, if their bodies are still kept. What
        is given as version and times of the row is left out: it begins at version 0.
        """
        ...

    def find(self, numbers: Sequence[tuple[str, str]]) -> tuple[Parcel | None, ...]:
        """For each pair of carrier and canonical number its parcel; of several the one with the latest ``since``."""
        ...

    def parcels(self, scopes: Sequence[str]) -> tuple[Parcel | None, ...]:
        """The parcels by scope."""
        ...

    def of_key(self, key: str) -> tuple[Parcel, ...]:
        """The host's shipment: its parcels by scope, and the row of the whole where there are several."""
        ...

    def walk(
        self, *, after: str = "", limit: int = 1000, since: datetime | None = None, open_only: bool = False
    ) -> tuple[Parcel, ...]:
        """Parcels by scope, rising, those of shipments too; created at *since* or later, and not finished."""
        ...

    def evidence(self, scopes: Sequence[str]) -> Mapping[str, tuple[TrackingEvent, ...]]:
        """What is known of each parcel, by scope, in no order."""
        ...

    def commit(self, work: Work) -> bool:
        """Write all of *work*, or nothing: False where a parcel is no longer of the version that was read.

        The row's version becomes one more than that. Records of events replace those of the same ``event_id``. An
        announcement whose key is known already is left out, with its outbox rows; those of one scope get numbers that
        rise in the order of the commits. A delivery that another owner has by now, or that has ended, is left as it is
        and does not stop the rest.
        """
        ...

    def due(self, lease_s: float, limit: int, accounts: Sequence[str] = ()) -> tuple[Parcel, ...]:
        """Parcels that are to be asked for now, oldest first, each put off by *lease_s* for everybody else.

        That does not count as a change: their versions stay.
        """
        ...

    # Announcements

    def announcements(self, after: int = 0, limit: int = 100, *, scope: str = "") -> tuple[Announcement, ...]:
        """What was announced, by number, rising. Numbers may appear out of order for a moment: see `settled_number`."""
        ...

    def settled_number(self) -> int:
        """The number up to which all that can be there is there: at or below it no announcement appears any more.

        A reader that is to miss none asks for this first, then reads, and goes on from what it read up to it.
        """
        ...

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease that one at a time has, such as a relay's; 0 seconds gives it back."""
        ...

    def pending(self, destination: str, limit: int) -> tuple[Outgoing, ...]:
        """What is to be sent there next, by number, rising: due, and nothing of the same scope waits before it.

        Something that failed and is to go again later holds back what follows it in its scope; something dead does not.
        """
        ...

    def settle(
        self, destination: str, sent: Sequence[int], unsent: Sequence[Unsent] = (), *, again_at: datetime | None = None
    ) -> None:
        """Note what a destination took and what it did not; those go again at *again_at* (now), unless dead.

        What was taken once waits no more, whatever is said of it afterwards.
        """
        ...

    def send_again(self, destination: str, numbers: Sequence[int] = (), *, dead: bool = False) -> int:
        """Make announcements due for *destination* once more: those *numbers*, or all *dead* ones; how many.

        Whether it took them before or never had them does not matter; what is purged is left out.
        """
        ...

    def outbox(
        self, destination: str, *, dead: bool | None = None, after: int = 0, limit: int = 100
    ) -> tuple[Unpublished, ...]:
        """What *destination* has not taken, by number, rising: all of it, only *dead* ones, or only what waits.

        What waits behind a failed one of its scope is told of too.
        """
        ...

    # What is seen from outside

    def unmapped(self, since: datetime | None = None) -> tuple[Unmapped, ...]:
        """Codes that no table explains, most frequent first; of events observed at *since* or later.

        Those too of which a type alone says something: `TrackingEvent.unmapped`, or the reason ``unmapped``.
        """
        ...

    def queues(self) -> tuple[Queue, ...]:
        """What waits where."""
        ...

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Parcels that have not finished, by account, carrier, milestone and who must act; shipments are not counted.

        It is cheap enough to be asked every few seconds: no parcel is read.
        """
        ...

    def heard(self) -> Mapping[str, datetime]:
        """By account when the last push came in that was stored, and whose signature is not wrong."""
        ...

    # Retention

    def purge_events(
        self, bodies_before: datetime, evidence_before: datetime, announcements_before: datetime
    ) -> PurgedEvents:
        """Take away bodies of deliveries that ended, evidence of parcels that finished, announcements that all took.

        Only what ended, finished or was announced before goes. Bodies go with their headers, those of dead and parked
        deliveries too, and what was parked ends as ignored, ``purged``; of parcels the personal part of the row goes
        with the evidence, the milestones stay. What comes again is still known: ids of deliveries, scopes of parcels
        and keys of announcements stay for ever.
        """
        ...

    def forget_parcels(self, keys: Sequence[str]) -> Forgiven:
        """Blank what is personal in the evidence and rows of these shipments, and the bodies that told of them.

        Texts, signers, postal codes and points go. Events keep their identities, milestones and digests are as before,
        so what comes again is told from what is new; versions rise, so that nobody writes back what he read before.
        Only a carrier who tells of such an event once more can bring a name back. How the carrier is asked goes for
        parcels that have finished.
        """
        ...


class KeepsEvents(Protocol):
    """A store that also keeps events: those of `shipkit.store` do."""

    @property
    def events(self) -> EventStore: ...
