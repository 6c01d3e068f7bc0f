"""From the outbox to the destinations: what was announced is sent until each destination has confirmed it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

import attrs

from ..errors import StoreError, UnavailableError
from ..model import FrozenMap
from ..ports.events import EventStore, Outgoing, Unsent
from ..ports.observing import Observation
from ..ports.publishing import Publisher
from ..settings import Settings
from .messages import BEHIND, UNCONFIRMED, is_later

__all__ = ["HELD", "PUT_OFF", "Relay", "Relayed", "RelayedTo"]

_logger = logging.getLogger("shipkit.publishers")

HELD: Final = "held"
"""Another relay has the destination."""
PUT_OFF: Final = "put_off"
"""It was unavailable, and is left alone for a while."""

_AGAIN_FIRST_S: Final = 1.0
_AGAIN_MAX_S: Final = 300.0
_IDLE_S: Final = 0.5


class _Stop(Protocol):
    """What a ``threading.Event`` has of this."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


@attrs.frozen(kw_only=True)
class RelayedTo:
    """What one round did for one destination, in announcements."""

    destination: str
    sent: int = 0
    refused: int = 0
    """Not taken; they are tried again, later."""
    dead: int = 0
    """Refused too often: they are not tried again by themselves (`EventStore.send_again`)."""
    waiting: int = 0
    """Taken up and left as they were: behind a refused one, or not confirmed."""
    more: bool = False
    """Whether there was as much as a batch holds: the next round has something to do at once."""
    error: str = ""
    """`HELD`, `PUT_OFF`, or the code of the error that ended it."""


@attrs.frozen(kw_only=True)
class Relayed:
    """What one round did."""

    destinations: tuple[RelayedTo, ...]

    @property
    def sent(self) -> int:
        """Announcements that were taken, all destinations together."""
        return sum(one.sent for one in self.destinations)

    @property
    def more(self) -> bool:
        """Whether the next round has something to do at once."""
        return any(one.more for one in self.destinations)


@attrs.define
class _Destination:
    """How it stands with one destination."""

    publisher: Publisher
    batch: int
    failures: int = 0
    not_before: float = 0.0


class Relay:
    """Sends the outbox of *events* to the *publishers*, by the names of the destinations.

    Any number of relays may run; a lease gives each destination to one at a time. It keeps tidy, and is not what keeps
    the order: whoever sends begins with the oldest that is not confirmed, so of two that believe to have the lease both
    send in order, and what comes twice has the same id. Killed at any point, nothing is lost: what was taken and not
    yet noted as sent comes again.
    """

    def __init__(
        self,
        events: EventStore,
        publishers: Mapping[str, Publisher],
        settings: Settings | None = None,
        *,
        owner: str = "",
        observer: Callable[[Observation], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events, self._settings = events, settings or Settings()
        self._owner = owner or f"relay-{os.getpid()}-{secrets.token_hex(4)}"
        self._observer, self._clock = observer, clock
        self._destinations = {
            name: _Destination(publisher, self._settings.relay_batch) for name, publisher in publishers.items()
        }

    def round(self) -> Relayed:
        """Send one batch to each destination that has something waiting, and note what became of it.

        Raises:
            StoreError: the outbox cannot be read or written; what was sent and not noted comes again.
        """
        return Relayed(destinations=tuple([self._relayed(name) for name in self._destinations]))

    def run(self, stop: _Stop, *, idle_s: float = _IDLE_S) -> None:
        """Rounds until *stop* is set, a thread for each destination, so that a slow one holds up no other.

        A store that fails is tried again. Whatever else is raised ends all of them and is raised here.
        """
        broken: list[Exception] = []
        threads = [
            threading.Thread(target=self._run, args=(name, stop, idle_s, broken), name=f"shipkit-relay-{name}")
            for name in self._destinations
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if broken:
            raise broken[0]

    def close(self) -> None:
        """Give back the leases and close the publishers."""
        for name, destination in self._destinations.items():
            try:
                self._events.lease(f"relay:{name}", self._owner, 0)
            except StoreError:  # it ends by itself
                pass
            destination.publisher.close()

    def _run(self, name: str, stop: _Stop, idle_s: float, broken: list[Exception]) -> None:
        failures = 0
        while not stop.is_set() and not broken:
            try:
                more = self._relayed(name).more
                failures = 0
            except StoreError as error:
                failures += 1
                _logger.warning("relay to %s: the outbox cannot be used: %s", name, type(error).__name__)
                stop.wait(self._backoff_s(failures))
                continue
            except Exception as error:
                broken.append(error)
                return
            if not more:
                stop.wait(idle_s)

    def _relayed(self, name: str) -> RelayedTo:
        destination = self._destinations[name]
        if self._clock() < destination.not_before:
            return RelayedTo(destination=name, error=PUT_OFF)
        if not self._events.lease(f"relay:{name}", self._owner, self._settings.relay_lease_s):
            return RelayedTo(destination=name, error=HELD)
        batch = self._events.pending(name, destination.batch)
        if not batch:
            return RelayedTo(destination=name)
        began = self._clock()
        try:
            unsent = destination.publisher.publish(batch)
        except Exception as error:  # a publisher that breaks its contract stops its destination, nobody else's
            took_s = self._clock() - began
            return self._told(destination, self._put_off(name, destination, len(batch), error), took_s)
        took_s = self._clock() - began
        self._sized(destination, took_s)
        return self._told(destination, self._noted(name, destination, batch, unsent), took_s)

    def _noted(
        self, name: str, destination: _Destination, batch: Sequence[Outgoing], unsent: Sequence[Unsent]
    ) -> RelayedTo:
        errors = {one.number: one for one in unsent}
        sent = [one.announcement.number for one in batch if one.announcement.number not in errors]
        tried = {one.announcement.number: one.attempts for one in batch}
        # What was not refused is not a try of it: it stays as it is, and its parcel's next ones stay behind it.
        refused = [one for one in unsent if one.error not in (BEHIND, UNCONFIRMED)]
        verdicts = [attrs.evolve(one, dead=one.dead or self._is_dead(one, tried[one.number])) for one in refused]
        by_wait: dict[float, list[Unsent]] = defaultdict(list)
        for one in verdicts:
            by_wait[min(_AGAIN_FIRST_S * 2 ** min(tried[one.number], 20), _AGAIN_MAX_S)].append(one)
        if sent:
            self._events.settle(name, sent)
        now = self._events.now() if by_wait else None
        for wait_s, group in by_wait.items():
            again_at = now + timedelta(seconds=wait_s) if now is not None else None
            self._events.settle(name, (), group, again_at=again_at)
        lost = any(one.error == UNCONFIRMED for one in unsent)
        destination.failures = destination.failures + 1 if lost else 0
        if lost:
            destination.not_before = self._clock() + self._backoff_s(destination.failures)
        for code, count in _counted(verdicts):
            _logger.warning("%d announcements refused by %s: %s", count, name, code)
        dead = sum(one.dead for one in verdicts)
        return RelayedTo(
            destination=name, sent=len(sent), refused=len(verdicts) - dead, dead=dead,
            waiting=len(unsent) - len(verdicts), more=bool(sent) and not lost and len(batch) >= destination.batch,
            error=UNCONFIRMED if lost else verdicts[0].error if verdicts else "",
        )  # fmt: skip

    def _is_dead(self, one: Unsent, tried: int) -> bool:
        return not is_later(one.error) and tried + 1 >= self._settings.relay_attempts

    def _put_off(self, name: str, destination: _Destination, count: int, error: Exception) -> RelayedTo:
        destination.failures += 1
        wait_s = self._backoff_s(destination.failures)
        if isinstance(error, UnavailableError) and error.retry_after_s is not None:
            wait_s = min(max(wait_s, error.retry_after_s), self._settings.hold_max_s)
        destination.not_before = self._clock() + wait_s
        code = error.code if isinstance(error, UnavailableError) else type(error).__name__
        _logger.warning("relay to %s: %s, again in %.1f s", name, code, wait_s)
        return RelayedTo(destination=name, waiting=count, error=code)

    def _backoff_s(self, failures: int) -> float:
        settings = self._settings
        return min(settings.backoff_first_s * settings.backoff_factor ** min(failures - 1, 30), settings.backoff_max_s)

    def _sized(self, destination: _Destination, took_s: float) -> None:
        """A batch that takes long is made smaller: it shall be confirmed well within the lease."""
        if took_s > self._settings.relay_lease_s / 3:
            destination.batch = max(1, destination.batch // 2)
        elif took_s < self._settings.relay_lease_s / 12:
            destination.batch = min(self._settings.relay_batch, destination.batch * 2)

    def _told(self, destination: _Destination, relayed: RelayedTo, took_s: float) -> RelayedTo:
        refused = relayed.refused + relayed.dead
        lost = relayed.waiting if relayed.error and not refused else 0
        counts = [("ok", relayed.sent), ("rejected", refused), ("unavailable", lost)]
        for place, (outcome, count) in enumerate([one for one in counts if one[1]]):
            if self._observer is not None:
                words = FrozenMap({"publisher": destination.publisher.kind, "outcome": outcome})
                self._observer(
                    Observation(
                        kind="published",
                        operation=relayed.destination,
                        elapsed_s=took_s if place == 0 else None,  # of the batch, once
                        error="" if outcome == "ok" else relayed.error,
                        value=count,
                        words=words,
                    )
                )
        return relayed


def _counted(unsent: Sequence[Unsent]) -> list[tuple[str, int]]:
    counts: dict[str, int] = defaultdict(int)
    for one in unsent:
        counts[f"{one.error}{', given up' if one.dead else ''}"] += 1
    return sorted(counts.items())
