"""``client.events`` for asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ...events.comparing import Belief
    from ...events.kpi import Figures
    from ...flow import Run
    from ...model import (
        Actor,
        ReturnRequest,
        ReturnShipment,
        Shipment,
        ShipmentRequest,
        Timeline,
        TrackingNumber,
        TrackQuery,
        TransitEstimate,
    )
    from ...ports.events import Parcel
    from .answering import Answer
    from .desk import EventDesk
    from .ends import Processed
    from .parking import DeadLetter, OpenProblem
    from .polling import Polled
    from .receiving import Received
    from .reconciling import Reconciliation
    from .replaying import ReplayReport
    from .subscribing import Subscribed
    from .watching import Silence

__all__ = ["AsyncEvents"]

T = TypeVar("T")


class _Performs(Protocol):
    """Performs the effects of a run: the client's own loop."""

    def __call__(self, run: Run[T], /) -> Awaitable[T]: ...


class AsyncEvents:
    """The same as `Events` for asyncio: the same runs, awaited."""

    def __init__(self, desk: EventDesk, run: _Performs) -> None:
        self._desk, self._run = desk, run

    # Pushes: receiving, processing, dead letters, replay

    async def receive(
        self, account: str, headers: Mapping[str, str], body: bytes, *, query: str = "", remote: str = ""
    ) -> Received:
        """Verify the raw bytes of a push to *account* and store it: what is ``taken`` is durable when this returns.

        *query* stands behind the ``?`` of the address that it was sent to, *remote* is the address of the sender.
        Nothing is raised for what a stranger sends, and nothing of it is kept.

        Raises:
            StoreError: it could not be stored; the sender must not be told that it was.
        """
        from ...webhooks import RawPush
        from .receiving import receive

        push = RawPush(headers=headers, body=body, query=query, remote=remote)
        return await self._run(receive(self._desk, account, push))

    async def process(self, limit: int | None = None) -> Processed:
        """Take a batch of deliveries from the inbox (*limit*, ``inbox_batch``) and see each of them through.

        Call it until nothing is ``taken``, by as many workers as you like: each delivery is lent to one of them.

        Raises:
            StoreError: the store cannot be reached; what was taken is free again when its lease is over.
        """
        from .processing import process

        return await self._run(process(self._desk, limit))

    async def dead_letters(self, account: str = "", limit: int = 100, *, after: int = 0) -> tuple[DeadLetter, ...]:
        """Deliveries that could not be processed, oldest first, with the reason and without a word of theirs."""
        from .parking import dead_letters

        return await self._run(dead_letters(self._desk, account, limit, after))

    async def take_up(self, ids: Sequence[int]) -> int:
        """Put deliveries back into the inbox, whatever became of them; how many there were whose body is kept."""
        from .parking import take_up

        return await self._run(take_up(self._desk, ids))

    async def replay(
        self,
        ids: Sequence[int] = (),
        *,
        account: str = "",
        since: datetime | None = None,
        codes: Sequence[str] = (),
        apply: bool = False,
    ) -> ReplayReport:
        """Read kept deliveries again with today's tables, and report parcel by parcel what differs.

        All of them, or those *ids*, those of *account*, those received at *since* or later, those that tell of one of
        the carrier's *codes*. Nothing is written unless *apply* says so; then it is, with its announcements and
        corrections, and dead letters that can be read now are back in the inbox. Read with the tables that they were
        read with before, nothing differs.

        Raises:
            InputError: *since* has no offset from UTC.
        """
        from .replaying import replay

        return await self._run(replay(self._desk, ids, account=account, since=since, codes=codes, apply=apply))

    async def exceptions(
        self, key: str = "", *, account: str = "", actor: Actor | str | None = None
    ) -> tuple[OpenProblem, ...]:
        """Problems that nothing has resolved, the longest open first: how bad each is, and who must act by when.

        Those of the shipment *key*, else of every parcel whose journey goes on; of *account*; for *actor* to deal with.
        """
        from .parking import exceptions

        return await self._run(exceptions(self._desk, key, account, actor))

    # Parcels: following, asking carriers, reconciling

    async def follow(
        self,
        number: str | TrackingNumber | TrackQuery,
        *,
        account: str,
        key: str = "",
        since: datetime | None = None,
        service: str = "",
        promise: TransitEstimate | None = None,
        origin: str = "",
        destination: str = "",
    ) -> Parcel:
        """Follow one parcel from now on: pushes of it count, and its carrier is asked for it by plan.

        *key* is the host's, of the shipment. *since* says when it was booked (now): carriers use numbers again, and one
        that comes back months later is another parcel. Registered again, the row that is there comes back.

        Raises:
            InputError: there is no such account, or that is no number.
            ConflictError: it is followed under another key.
        """
        from .following import follow

        run = follow(
            self._desk,
            number,
            account,
            key=key,
            since=since,
            service=service,
            promise=promise,
            origin=origin,
            destination=destination,
        )
        return await self._run(run)

    async def follow_shipment(
        self,
        shipment: Shipment | ReturnShipment,
        *,
        account: str,
        key: str,
        request: ShipmentRequest | ReturnRequest | None = None,
    ) -> tuple[Parcel, ...]:
        """Follow every parcel of a booking; where there are several, the row of the shipment as a whole comes first.

        *request* tells what the booking does not: from where to where, and the day.

        Raises:
            InputError: there is no such account, or the booking has no number.
            ConflictError: one of them is followed under another key.
        """
        from .following import follow_shipment

        return await self._run(follow_shipment(self._desk, shipment, account, key, request))

    async def follow_booked(self, since: datetime | None = None) -> int:
        """Follow what this client's store has booked and nobody follows yet; how many parcels that were.

        *since* is when to begin (with the first booking): a host that calls this every few minutes gives the time of
        the last call, less an hour.
        """
        from .booked import follow_booked

        return await self._run(follow_booked(self._desk, since))

    async def unfollow(self, number: str = "", *, account: str = "", scope: str = "", key: str = "") -> int:
        """Ask no more for a parcel, or for all of a shipment (*key*): how many that were. Its pushes are still taken.

        Raises:
            InputError: nobody follows it.
        """
        from .following import unfollow

        return await self._run(unfollow(self._desk, number, account, scope=scope, key=key))

    async def timeline(self, number: str = "", *, account: str = "", scope: str = "") -> Timeline:
        """The state of one parcel that is followed, with all of its events, from the store: no carrier is asked.

        Raises:
            InputError: nobody follows it.
        """
        from .following import timeline

        return await self._run(timeline(self._desk, number, account, scope=scope))

    async def shipment(self, key: str) -> Timeline:
        """The state of what was shipped under *key* last, rolled up over its parcels.

        Raises:
            InputError: nobody follows it.
        """
        from .following import shipment

        return await self._run(shipment(self._desk, key))

    async def poll(self, limit: int | None = None) -> Polled:
        """Ask carriers for the parcels whose time has come, at most *limit* (``poll_batch``).

        Call it until nothing is ``taken``, by as many workers as you like: each parcel is lent to one of them.

        Raises:
            StoreError: the store cannot be reached; what was lent is due again when its lease is over.
        """
        from .polling import poll

        return await self._run(poll(self._desk, limit))

    async def subscribe_open(self, account: str, *, callback_url: str, secret: str | None = None) -> Subscribed:
        """Have the account's carrier push for every open parcel that it does not push for yet, or not long enough.

        Each batch is bought once under a key of its own, so that a call which is killed costs nothing.

        Raises:
            InputError: there is no such account.
            NotSupportedError: its carrier takes no subscriptions.
        """
        from .subscribing import subscribe_open

        return await self._run(subscribe_open(self._desk, account, callback_url, secret))

    async def reconcile(
        self,
        beliefs: Iterable[Belief] | None = None,
        *,
        account: str | None = None,
        since: datetime | None = None,
        apply: bool = False,
    ) -> Reconciliation:
        """Hold what is believed of parcels against what their carriers say now: a report, and repairs with *apply*.

        *beliefs* are the host's; without them the store's own states are looked at, of parcels that were registered at
        *since* or later and are not finished, of *account* or of all.

        Raises:
            InputError: a belief names an account that there is none of.
        """
        from .reconciling import reconcile

        return await self._run(reconcile(self._desk, beliefs, account=account, since=since, apply=apply))

    async def silent(self) -> tuple[Silence, ...]:
        """The accounts that ought to push and of which nothing came for ``silence_after_h``, or news was missed."""
        from .watching import silent

        return await self._run(silent(self._desk))

    # An endpoint of the host's own

    async def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: str = "",
        *,
        remote: str = "",
    ) -> Answer:
        """The whole answer to a request that a host's own HTTP server took, such as a controller of Odoo.

        A push is stored durably before it is answered 2xx. *path* is percent-decoded, *body* as it came, *query* what
        stands behind the ``?``. The paths are those of `webhook_paths`.

        Raises:
            NotSupportedError: a package that the carrier's scheme needs is not installed.
        """
        from .entrance import answered

        return await self._run(answered(self._desk, method, path, headers, body, query, remote))

    async def webhook_paths(self) -> Mapping[str, str]:
        """By account the path that its carrier pushes to: it cannot be guessed, and is told to that carrier alone.

        Raises:
            StoreError: the store cannot be reached.
        """
        from .entrance import paths

        return await self._run(paths(self._desk))

    # The figures of a business

    async def figures(self, since: datetime | None = None) -> tuple[Figures, ...]:
        """By carrier and lane: bookings, milestones, problems and punctuality of what was made at *since* or later.

        Everything that the store keeps is read for it, a page at a time.

        Raises:
            InputError: *since* has no offset from UTC.
        """
        from .figuring import figures

        return await self._run(figures(self._desk, since))
