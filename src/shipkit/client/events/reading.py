"""One delivery from the inbox: what its plugin makes of it, by number."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import attrs

from ...errors import ReplyError, ShipkitError
from ...model import NoticeCode, TrackResult, TrustLevel
from ...ports.events import Letter
from ..desk import Desk
from ..pushes import read

__all__ = ["Reading", "codes_of", "nobodys", "numbers_of", "opened", "shown_paths"]

# Members of a carrier's JSON are names of fields; anything longer or stranger may be somebody's data.
_PATH: Final = re.compile(r"\$(?:\.[A-Za-z_@#][\w:-]{0,40}|\[\d{0,6}\]|/[A-Za-z_][\w:-]{0,40}){0,12}", re.ASCII)
_PATHS_MAX: Final = 5
_NUMBER_MAX: Final = 200
"""Characters: several times what any carrier prints."""
_UNPROVED_MAX: Final = 1000
"""Numbers in one push of nobody in particular."""


@attrs.frozen(kw_only=True, eq=False)
class Reading:
    """What one delivery says. ``error`` is a code, ``detail`` the paths that did not fit: neither holds data."""

    letter: Letter
    results: tuple[TrackResult, ...] = ()
    error: str = ""
    detail: str = ""
    again: bool = False
    """Whether the error may pass: the account is not configured here, say."""

    @property
    def carrier(self) -> str:
        """Whose numbers these are."""
        return self.letter.delivery.carrier

    def numbers(self) -> tuple[str, ...]:
        """Every number that it speaks of."""
        return tuple(dict.fromkeys(number for result in self.results for number in numbers_of(result)))


def numbers_of(result: TrackResult) -> tuple[str, ...]:
    """The number that *result* is about, those of pieces that its events name, and those that belong to it."""
    pieces = [event.piece for event in result.events if event.piece]
    return tuple(dict.fromkeys((result.number.value, *pieces, *(one.value for one in result.related))))


def nobodys(result: TrackResult, followed: Collection[str]) -> tuple[str, ...]:
    """The numbers under which somebody would have to be *followed* for what `shipkit.events.advancing.divided` drops.

    Where the number that *result* is about is not followed, following it would do as well.
    """
    number = result.number.value
    if number in followed:
        is_piece = any(event.piece == number for event in result.events)
        others = [event.piece for event in result.events if event.piece and event.piece not in followed]
        return tuple(dict.fromkeys(others)) if is_piece else ()
    named = numbers_of(result)
    lost = [event for event in result.events if event.piece not in followed]
    if not any(name in followed for name in named):
        return named
    missing = [event.piece for event in lost if event.piece]
    return tuple(dict.fromkeys((number, *missing))) if missing else ()


def opened(desk: Desk, letter: Letter) -> Reading:
    """What the plugin of *letter*'s account makes of it; whatever a plugin raises is an error in the reading."""
    delivery = letter.delivery
    account = desk.accounts.get(delivery.account)
    if account is None or account.carrier.code != delivery.carrier:
        return Reading(letter=letter, error="no_account", again=True)
    if letter.purged_at is not None:
        return Reading(letter=letter, error="body_purged")
    try:
        return _bounded(Reading(letter=letter, results=read(account.carrier, delivery)))
    except ReplyError as error:
        return Reading(letter=letter, error=error.code, detail=shown_paths(error.paths))
    except ShipkitError as error:
        return Reading(letter=letter, error=error.code or "carrier_error")


def _bounded(reading: Reading) -> Reading:
    """*reading*, or an error where it names what no carrier has: nobody fills the store's indexes with rubbish."""
    numbers = reading.numbers()
    if any(len(number) > _NUMBER_MAX for number in numbers):
        return Reading(letter=reading.letter, error="number_too_long")
    if len(numbers) > _UNPROVED_MAX and reading.letter.delivery.trust is TrustLevel.UNAUTHENTICATED:
        return Reading(letter=reading.letter, error="too_many_numbers")
    return reading


def shown_paths(paths: tuple[str, ...]) -> str:
    """*paths* as they may be shown to anybody: those that are made of names of fields and positions only."""
    return " ".join([path if _PATH.fullmatch(path) else "$…" for path in paths[:_PATHS_MAX]])


def codes_of(reading: Reading) -> tuple[str, ...]:
    """The status codes in it that no table explains, as its plugin says."""
    notices = [notice for result in reading.results for notice in result.messages]
    return tuple([one.carrier_code or "" for one in notices if one.code is NoticeCode.UNMAPPED_CODE])
