"""The carrier's own books: what it has booked, printed, voided, moved and would bill."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from .clock import Clock
from .journeys import JOURNEYS, OVER, Journey, Parcel, StepKind
from .records import (
    Billing,
    Booking,
    BookingState,
    Charge,
    Counts,
    InvoiceLine,
    ManifestRecord,
    NotInBooksError,
    PickupRecord,
    SimToken,
    Subscription,
)
from .tally import Tally

__all__ = ["World"]


class World:
    """Everything one simulated carrier knows. Numbers come from counters and times from the clock: runs are repeatable.

    Dialects change it while they handle a call (the server holds :attr:`lock`); from another thread, hold the lock
    or use the methods of ``Simulator``. What it gives out are values: they do not change.
    """

    def __init__(
        self, clock: Clock | None = None, *, billing: Billing = Billing.ON_PURCHASE, count_from: int = 0
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock if clock is not None else Clock()
        self.billing = billing
        #: Series of numbers begin after it: carriers that count from different places do not give out the same ones.
        self.count_from = count_from
        #: Names of the scripts that parcels get in turn, unless ``book`` names them.
        self.journeys: tuple[str, ...] = ("delivered",)
        #: Set by the fault ``find_lags`` for the booking being made: seconds until a search sees it.
        self.lag_s = 0.0
        #: Content the carrier serves under a path of its own (label links): path -> (content, media type).
        self.files: dict[str, tuple[bytes, str]] = {}
        self._empty()

    def _empty(self) -> None:
        self._bookings: dict[str, Booking] = {}
        self._by_number: dict[str, str] = {}
        self._pickups: dict[str, PickupRecord] = {}
        self._manifests: dict[str, ManifestRecord] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._own_ways: dict[str, Journey] = {}
        self._tokens: dict[str, SimToken] = {}
        self._charges: list[Charge] = []
        self._drawers: dict[str, dict[str, Any]] = {}
        self._counters: Counter[str] = Counter()
        self._tally = Tally()
        self.files.clear()

    def reset(self) -> None:
        """Forget everything but the time."""
        with self.lock:
            self._empty()

    # Numbers and drawers

    def next(self, series: str, start: int = 1) -> int:
        """The next number of a series; the same calls give the same numbers."""
        self._counters[series] += 1
        return self._counters[series] + start - 1 + self.count_from

    def drawer(self, name: str) -> dict[str, Any]:
        """A dict of the dialect's own for objects this class does not know (addresses, drafts); emptied by reset."""
        return self._drawers.setdefault(name, {})

    def publish(self, path: str, content: bytes, media_type: str) -> str:
        """Serve *content* under *path* with GET, without authentication (a label behind a link); returns *path*."""
        self.files[path] = (content, media_type)
        return path

    # Bookings

    def book(
        self,
        *,
        booking_id: str,
        numbers: Sequence[str],
        service: str = "",
        reference: str = "",
        mark: str = "",
        account: str = "",
        price: Decimal = Decimal(0),
        currency: str = "EUR",
        journeys: Sequence[str] = (),
        raw: bytes = b"",
        details: Mapping[str, Any] | None = None,
    ) -> Booking:
        """Write a purchase into the books: from now on the carrier expects the goods and bills them.

        ``booking_id`` and ``numbers`` are the dialect's, made from :meth:`next`. Raises ValueError for one in use.
        """
        taken = [number for number in numbers if number in self._by_number]
        if booking_id in self._bookings or taken or not numbers:
            raise ValueError(
                f"booking {booking_id} with numbers {list(numbers)}: already in the books, or without a number"
            )
        now = self.clock.now()
        scripts = tuple(journeys) or tuple(self._next_journey() for _ in numbers)
        if unknown := [name for name in scripts if name not in JOURNEYS]:
            raise ValueError(f"no journey is called {unknown[0]}; there are {', '.join(JOURNEYS)}")
        booking = Booking(
            id=booking_id,
            numbers=tuple(numbers),
            service=service,
            reference=reference,
            mark=mark,
            account=account,
            price=price,
            currency=currency,
            created_at=now,
            visible_at=now + timedelta(seconds=self.lag_s),
            journeys=scripts * len(numbers) if len(scripts) == 1 else scripts,
            raw=raw,
            details=dict(details or {}),
        )
        self._bookings[booking_id] = booking
        self._by_number.update(dict.fromkeys(booking.numbers, booking_id))
        self._tally.count("bookings", booking)
        return booking

    def void(self, booking_id: str, numbers: Iterable[str] = ()) -> Booking:
        """Take a booking, or only some of its packages, out of the books; voiding twice changes nothing.

        Whether a void is still allowed is the dialect's rule (see :meth:`in_custody`). Raises NotInBooksError.
        """
        booking = self.booking(booking_id)
        if not booking.live:
            return booking
        gone = set(numbers) or set(booking.numbers)
        now = self.clock.now()
        voided = {number: now for number in booking.numbers if number in gone} | dict(booking.voided_numbers)
        if len(voided) < len(booking.numbers):
            return self._put(attrs.evolve(booking, voided_numbers=voided))
        done = attrs.evolve(booking, voided_numbers=voided, state=BookingState.VOIDED, voided_at=now)
        return self._put(done, "voids")

    def issue_label(self, booking_id: str) -> Booking:
        """Count one hand-out of the booking's labels (first print or again). Raises NotInBooksError."""
        booking = self.booking(booking_id)
        return self._put(attrs.evolve(booking, labels_issued=booking.labels_issued + 1), "labels")

    def remember(self, booking_id: str, **details: Any) -> Booking:
        """Add to what the dialect remembers of a booking. Raises NotInBooksError."""
        booking = self.booking(booking_id)
        return self._put(attrs.evolve(booking, details={**booking.details, **details}))

    def booking(self, booking_id: str) -> Booking:
        """The booking of that id. Raises NotInBooksError."""
        if booking_id not in self._bookings:
            raise NotInBooksError(f"no booking {booking_id}")
        return self._bookings[booking_id]

    def by_number(self, number: str) -> Booking:
        """The booking of the package with that tracking number. Raises NotInBooksError."""
        if number not in self._by_number:
            raise NotInBooksError(f"no parcel {number}")
        return self._bookings[self._by_number[number]]

    def bookings(self) -> tuple[Booking, ...]:
        """All bookings, live and voided, oldest first."""
        return tuple(self._bookings.values())

    def find(self, *, mark: str = "", reference: str = "", account: str = "") -> tuple[Booking, ...]:
        """What a search shows: every booking, voided ones too, that fits all that is given and is visible by now."""
        if not mark and not reference:
            raise ValueError("a search needs a mark or a reference")
        now = self.clock.now()
        return tuple(
            booking
            for booking in self._bookings.values()
            if booking.visible_at <= now
            and (not mark or booking.mark == mark)
            and (not reference or booking.reference == reference)
            and (not account or booking.account == account)
        )

    # Parcels

    def parcel(self, number: str) -> Parcel:
        """The parcel with that tracking number, as of now. Raises NotInBooksError."""
        booking = self.by_number(number)
        index = booking.numbers.index(number)
        return Parcel(
            number=number,
            booking_id=booking.id,
            journey=self._own_ways.get(number) or JOURNEYS[booking.journeys[index]],
            booked_at=booking.created_at,
            voided_at=booking.voided_numbers.get(number),
            now=self.clock.now(),
        )

    def parcels(self) -> tuple[Parcel, ...]:
        """Every parcel of every booking."""
        return tuple(self.parcel(number) for number in tuple(self._by_number))

    def set_journey(self, number: str, journey: str) -> None:
        """Send a parcel another way. Raises NotInBooksError; ValueError for a script that does not exist."""
        if journey not in JOURNEYS:
            raise ValueError(f"no journey is called {journey}; there are {', '.join(JOURNEYS)}")
        booking = self.by_number(number)
        scripts = list(booking.journeys)
        scripts[booking.numbers.index(number)] = journey
        self._own_ways.pop(number, None)
        self._put(attrs.evolve(booking, journeys=tuple(scripts)))

    def hurry(self, number: str, kind: StepKind, *, lag_s: float = 0.0, unexplained: bool = False) -> datetime:
        """Let what is to come of a parcel until *kind* happen one second after the other; returns when *kind* does.

        It begins now, or *lag_s* before, but after what has happened already. Where the parcel's own way has no *kind*
        to come it takes the first of the scripts that has. Raises NotInBooksError; ValueError where none has.
        """
        parcel = self.parcel(number)
        if parcel.voided_at is not None:
            raise ValueError(f"parcel {number} was voided: nothing happens to it any more")
        happened = parcel.steps_until_now()
        begin = self.clock.now() - timedelta(seconds=lag_s)
        if happened:
            begin = max(begin, happened[-1].at + timedelta(seconds=1))
        at_h = (begin - parcel.booked_at).total_seconds() / 3600
        over = any(step.kind in OVER for step in happened)
        for journey in (parcel.journey, *(() if over else JOURNEYS.values())):
            try:
                way = journey.hurried(len(happened), kind, at_h, unexplained=unexplained)
            except ValueError:
                continue
            self._own_ways[number] = way
            steps = self.parcel(number).steps()
            return next(step.at for step in steps if step.kind is kind and step.index >= len(happened))
        raise ValueError(
            f"parcel {number} has {happened[-1].kind.value} behind it: {kind.value} does not come any more"
        )

    def in_custody(self, booking_id: str) -> bool:
        """Whether the carrier already holds a parcel of that booking: too late for most voids."""
        booking = self.booking(booking_id)
        return any(
            step.kind is StepKind.ACCEPTED
            for number in booking.numbers
            for step in self.parcel(number).steps_until_now()
        )

    # Pickups, manifests, subscriptions

    def add_pickup(
        self, *, pickup_id: str, account: str = "", reference: str = "", on: date | None = None, **details: Any
    ) -> PickupRecord:
        """Write an order to collect into the books."""
        record = PickupRecord(
            id=pickup_id, account=account, reference=reference, on=on, created_at=self.clock.now(), details=details
        )
        self._pickups[pickup_id] = record
        return record

    def pickup(self, pickup_id: str) -> PickupRecord:
        """The pickup of that id. Raises NotInBooksError."""
        if pickup_id not in self._pickups:
            raise NotInBooksError(f"no pickup {pickup_id}")
        return self._pickups[pickup_id]

    def pickups(self) -> tuple[PickupRecord, ...]:
        """All pickups, oldest first."""
        return tuple(self._pickups.values())

    def update_pickup(self, pickup_id: str, *, state: str = "", **details: Any) -> PickupRecord:
        """Change a pickup's state, or what is remembered of it. Raises NotInBooksError."""
        old = self.pickup(pickup_id)
        record = attrs.evolve(old, state=state or old.state, details={**old.details, **details})
        self._pickups[pickup_id] = record
        return record

    def add_manifest(
        self, *, manifest_id: str, booking_ids: Iterable[str], account: str = "", **details: Any
    ) -> ManifestRecord:
        """Close a day over these bookings. Raises NotInBooksError for one that is not in the books."""
        ids = tuple(self.booking(booking_id).id for booking_id in booking_ids)
        record = ManifestRecord(
            id=manifest_id, booking_ids=ids, account=account, created_at=self.clock.now(), details=details
        )
        self._manifests[manifest_id] = record
        return record

    def manifest(self, manifest_id: str) -> ManifestRecord:
        """The manifest of that id. Raises NotInBooksError."""
        if manifest_id not in self._manifests:
            raise NotInBooksError(f"no manifest {manifest_id}")
        return self._manifests[manifest_id]

    def manifests(self) -> tuple[ManifestRecord, ...]:
        """All manifests, oldest first."""
        return tuple(self._manifests.values())

    def subscribe(
        self,
        *,
        subscription_id: str,
        url: str,
        numbers: Iterable[str] = (),
        credential: str = "",
        account: str = "",
        expires_at: datetime | None = None,
        **details: Any,
    ) -> Subscription:
        """Push to *url* from now on. Only loopback addresses are ever pushed to."""
        subscription = Subscription(
            id=subscription_id,
            url=url,
            numbers=frozenset(numbers),
            credential=credential,
            account=account,
            created_at=self.clock.now(),
            expires_at=expires_at,
            details=details,
        )
        self._subscriptions[subscription_id] = subscription
        return subscription

    def unsubscribe(self, subscription_id: str) -> None:
        """Push there no more. Raises NotInBooksError."""
        if self._subscriptions.pop(subscription_id, None) is None:
            raise NotInBooksError(f"no subscription {subscription_id}")

    def subscriptions(self) -> tuple[Subscription, ...]:
        """All subscriptions, oldest first."""
        return tuple(self._subscriptions.values())

    # Tokens

    def issue_token(self, account: str, lifetime_s: float = 3600) -> SimToken:
        """A new access token for an account; older ones stay good until they expire or are revoked."""
        now = self.clock.now()
        token = SimToken(
            value=f"sim-token-{self.next('token'):06d}",
            account=account,
            issued_at=now,
            expires_at=now + timedelta(seconds=lifetime_s),
        )
        self._tokens[token.value] = token
        return token

    def token(self, value: str) -> SimToken | None:
        """The token if it is good now; None if it is unknown, expired or revoked."""
        token = self._tokens.get(value)
        good = token is not None and not token.revoked and token.expires_at > self.clock.now()
        return token if good else None

    def revoke_tokens(self, *, value: str = "", account: str = "") -> int:
        """Revoke one token, an account's, or with nothing given all; returns how many were good until now."""
        revoked = 0
        for token in tuple(self._tokens.values()):
            chosen = (not value or token.value == value) and (not account or token.account == account)
            if chosen and self.token(token.value) is not None:
                self._tokens[token.value] = attrs.evolve(token, revoked=True)
                revoked += 1
        return revoked

    # What it would bill, and what it counted

    def charge(
        self, what: str, amount: Decimal, currency: str = "EUR", *, booking_id: str = "", account: str = ""
    ) -> Charge:
        """Bill something besides bookings (a pickup, an insurance); a credit is negative."""
        charge = Charge(
            what=what,
            amount=amount,
            currency=currency,
            at=self.clock.now(),
            booking_id=booking_id,
            account=account,
        )
        self._charges.append(charge)
        return charge

    def invoice(self) -> tuple[InvoiceLine, ...]:
        """What the carrier would bill now: live bookings (by ``billing``), then the other charges."""
        lines = [_booking_line(booking) for booking in self._bookings.values() if self._billed(booking)]
        return (*lines, *(_charge_line(charge) for charge in self._charges))

    def counts(self, by: str = "mark") -> dict[str, Counts]:
        """What was seen under each ``mark`` or ``reference``; purchases without one are under the empty string."""
        return self._tally.counts(by, self._bookings.values())

    def arrived(self, mark: str, reference: str) -> Callable[[], None]:
        """Count a purchase that arrived; call what is returned once the carrier is through with it."""
        return self._tally.arrived(mark, reference)

    def _put(self, booking: Booking, counted: str = "") -> Booking:
        self._bookings[booking.id] = booking
        if counted:
            self._tally.count(counted, booking)
        return booking

    def _next_journey(self) -> str:
        return self.journeys[(self.next("journey") - 1) % len(self.journeys)]

    def _billed(self, booking: Booking) -> bool:
        return booking.live and (self.billing is Billing.ON_PURCHASE or self.in_custody(booking.id))


def _booking_line(booking: Booking) -> InvoiceLine:
    return InvoiceLine(
        what="shipment",
        amount=booking.price,
        currency=booking.currency,
        at=booking.created_at,
        booking_id=booking.id,
        reference=booking.reference,
        mark=booking.mark,
        service=booking.service,
        account=booking.account,
    )


def _charge_line(charge: Charge) -> InvoiceLine:
    return InvoiceLine(
        what=charge.what,
        amount=charge.amount,
        currency=charge.currency,
        at=charge.at,
        booking_id=charge.booking_id,
        account=charge.account,
    )
