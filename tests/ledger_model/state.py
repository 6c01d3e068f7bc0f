"""One configuration, and everything there is at one moment of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import attrs

from shipkit.model import RecoveryMode
from shipkit.settings import Settings
from tests.ledger_model.carrier import START, Books
from tests.ledger_model.driving import Node

__all__ = ["Action", "Broken", "Left", "Setup", "State", "Worker", "after", "moment"]


class Left(NamedTuple):
    """What may still happen, by how often."""

    create: int = 0
    cancel: int = 0
    recover: int = 0
    crash: int = 0
    lose: int = 0
    refuse: int = 0
    breaks: int = 0
    failover: int = 0


@attrs.frozen(kw_only=True)
class Setup:
    """One configuration: how the carrier is, what may go wrong how often, and what is assumed.

    Times are whole ticks: ``window`` is W, ``exchange`` D, ``settle`` S; ``delay`` is N and ``hidden`` V, None where
    the carrier keeps no such bound. ``fails`` are the properties that this configuration does not promise. ``alive``
    is how many calls of the host run at once, ``pieces`` how many bookings one order is.
    """

    name: str
    left: Left
    mode: RecoveryMode = RecoveryMode.FIND
    retries: int = 0
    pieces: int = 1
    alive: int = 2
    attempts: int = 2
    sends: int = 3
    window: int = 0
    exchange: int = 1
    settle: int = 2
    delay: int | None = 1
    hidden: int | None = 0
    key_ttl: int | None = None
    sweep: bool = True
    watch: int = 1000
    fails: frozenset[str] = frozenset()

    def settings(self) -> Settings:
        """The client's settings of this configuration."""
        return Settings(
            deadline_s=1e9,
            attempts=1 + self.retries,
            backoff_first_s=0,
            breaker_failures=10**9,
            send_window_s=self.window,
            exchange_max_s=self.exchange,
            settle_s=self.settle,
            ledger_attempts=self.attempts,
            ledger_sends=self.sends,
            watch_s=self.watch if self.sweep else 0,
            recover_hold_s=0,
        )


class Worker(NamedTuple):
    """A call of the host under way: where it stands, whether it waits for the carrier, which bookings it was told."""

    node: Node
    waits: bool = False
    told: tuple[str, ...] = ()


class State(NamedTuple):
    """Everything there is at one moment."""

    store: Any
    stored: Any
    books: Books
    at: int
    crew: tuple[Worker, ...]
    left: Left
    handed: tuple[tuple[int, str], ...] = ()
    started: int = 0
    before: Any = None

    def key(self) -> int:
        """What tells two states apart."""
        crew = tuple([(worker.node.id, worker.told) for worker in self.crew])
        before = self.before[1:] if self.left.failover else None
        return hash((self.stored, self.books, self.at, crew, self.left, self.handed, before))


class Broken(Exception):
    """A property does not hold."""

    def __init__(self, which: str, text: str) -> None:
        super().__init__(f"{which}: {text}")
        self.which = which


Action = tuple[str, int]


def after(time: datetime | None, at: int) -> bool:
    """Whether *time* lies after the tick *at*."""
    return time is not None and time > moment(at)


def moment(at: int) -> datetime:
    """A tick as the store's time."""
    return START + timedelta(seconds=at)
