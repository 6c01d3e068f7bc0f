"""What a host wants under one key, and what its row says about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ..codec import join
from ..errors import ConflictError, InDoubtError, InputError, ShipkitError, StoreError
from ..flow import Flow, Run
from ..model import CancellationResult, RecoveryFacts, RecoveryMode
from ..model.base import Value
from ..ports import Entry, Kept, Phase
from ..settings import Settings

if TYPE_CHECKING:
    from .pieces import Several

__all__ = ["Intent", "MovedError", "cancelling", "doubt_of", "settle_s", "told", "unpacked", "used_up"]

T = TypeVar("T", bound=Value)

_CODE = re.compile(r"[\w.:*/-]{1,64}", re.ASCII)


class MovedError(ShipkitError):
    """Another worker moved the row between the look and the claim."""


@attrs.frozen(kw_only=True)
class Intent(Generic[T]):
    """What a host wants under one key, and how the carrier is asked for it.

    ``request`` gives it as the carrier's flow gets it, and refuses what cannot be sent: a row that only has to be
    returned again, or looked up by its own request (of the class ``asked``), never calls it. ``start`` begins the flow
    for a mark; ``find`` looks every booking under a mark up, where the carrier can be asked; ``undo`` takes one back.
    ``pieces`` is how many packages an answer must have. ``complete`` fetches documents that are still at the carrier;
    ``in_hand`` says whether that is needed.
    """

    key: str
    operation: str
    account: str
    carrier: str
    fingerprint: str
    request: Callable[[], Any]
    asked: type[Value]
    shape: type[T]
    start: Callable[[Any, str], Flow[T]]
    find: Callable[[Any, str], Flow[tuple[T, ...]]] | None = None
    undo: Callable[[T], Flow[CancellationResult]] | None = None
    booking_of: Callable[[T], str]
    numbers_of: Callable[[T], frozenset[str]] = lambda _: frozenset()
    live: Callable[[T], bool] = lambda _: True
    made_at: Callable[[T], datetime | None] = lambda _: None
    pieces_of: Callable[[T], int] | None = None
    pieces: Callable[[Any], int] = lambda _: 0
    complete: Callable[[Any, T], Run[T]]
    in_hand: Callable[[T], bool] = lambda _: True
    stamped: Callable[[Any, T, int], T]
    recovery: RecoveryFacts
    routed: bool = False
    """Whether it is one of several ways: after a settled absence too another one may be taken."""
    after: int | None = None
    """The generation that another way of the same call stood in: when that is undone or closed now, it is over."""
    parent: tuple[str, int] | None = None
    """Of a piece, key and generation of the whole: without that, when a store lost it, no piece is bought."""
    several: Several[T] | None = None
    """How it becomes several bookings, where the carrier does not take it as one."""

    def of_row(self, entry: Entry) -> Any:
        """The request of *entry*, as it was first sent.

        Raises:
            StoreError: it cannot be read any more.
        """
        return unpacked(entry.request, self.asked)

    def whole(self, asked: Any, value: T) -> bool:
        """Whether *value* has as many packages as *asked* named."""
        return self.pieces_of is None or self.pieces_of(value) == self.pieces(asked)


def settle_s(settings: Settings, recovery: RecoveryFacts) -> float:
    """From a claim on: after it everything that was sent under it is booked and visible, or never will be."""
    return settings.send_window_s + max(settings.settle_s, recovery.settle_s)


def unpacked(stored: Value | Kept | None, shape: type[T]) -> T:
    """A stored value as a value, whichever way the store keeps it.

    Raises:
        StoreError: it cannot be read any more.
    """
    if isinstance(stored, Kept):
        try:
            return join(stored.text, stored.blobs, shape)
        except InputError as error:
            raise StoreError(f"the stored {shape.__name__} cannot be read: {error.message}") from error
    if not isinstance(stored, shape):
        raise StoreError(f"the row holds no {shape.__name__}")
    return stored


def doubt_of(entry: Entry, mode: RecoveryMode = RecoveryMode.FIND) -> InDoubtError:
    """The doubt that *entry* is in, and when asking again can end it."""
    person = entry.phase is Phase.NEEDS_PERSON
    what = "only a person can tell" if person else "it is looked up before anything is repeated"
    # A carrier that recognises the identity may get it once more at once; a further time, and any other carrier, waits.
    repeats = mode in (RecoveryMode.NATIVE_KEY, RecoveryMode.UNIQUE_REFERENCE)
    at_once = repeats and entry.send == 1 and not entry.void_wanted
    return InDoubtError(
        f"{entry.operation} under {entry.key} was sent and not answered readably: {what} ({entry.error})",
        key=entry.key,
        generation=entry.generation,
        since=entry.updated_at,
        retry_at=None if person else entry.updated_at if at_once else entry.settle_at,
        needs_person=person,
    )


def cancelling(entry: Entry) -> ConflictError:
    """Nobody gets a label under a key that is being cancelled."""
    return ConflictError(f"{entry.key} is being cancelled", key=entry.key, generation=entry.generation, cancelling=True)


def used_up(entry: Entry) -> ConflictError:
    """What was booked is known, but not kept any more; a key that was used is used for good."""
    text = (
        f"{entry.key} is used up: booking {entry.booking} was made under it, and what was kept of it has been removed"
    )
    return ConflictError(text, key=entry.key, generation=entry.generation)


def told(error: BaseException) -> str:
    """*error* as a row keeps it: codes only, for a carrier's sentence may name a person, and rows are kept for long."""
    if isinstance(error, ShipkitError):
        # Some carriers have a sentence where others have a code.
        theirs = error.carrier_code if _CODE.fullmatch(error.carrier_code) else ""
        return f"{error.code} {theirs}".strip()
    return type(error).__name__
