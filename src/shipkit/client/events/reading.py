"""One delivery from the inbox: what its plugin makes of it, by number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from ...errors import ReplyError, ShipkitError
from ...model import NoticeCode, TrackingEvent, TrackResult, evolve
from ...model.scalars import EMPTY
from ...ports.events import Letter
from ..desk import Desk
from ..pushes import read

__all__ = ["Reading", "codes_of", "opened", "shown_paths"]

# Members of a carrier's JSON are names of fields; anything longer or stranger may be somebody's data.
_PATH: Final = re.compile(r"\$(?:\.[A-Za-z_@#][\w:-]{0,40}|\[\d{0,6}\]|/[A-Za-z_][\w:-]{0,40}){0,12}", re.ASCII)
_PATHS_MAX: Final = 5


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
        """Every number that it speaks of: those asked about first, then those of pieces."""
        named = [result.number.value for result in self.results]
        pieces = [event.piece for result in self.results for event in result.events if event.piece]
        return tuple(dict.fromkeys((*named, *pieces)))


def opened(desk: Desk, letter: Letter) -> Reading:
    """What the plugin of *letter*'s account makes of it; whatever a plugin raises is an error in the reading."""
    delivery = letter.delivery
    account = desk.accounts.get(delivery.account)
    if account is None or account.carrier.code != delivery.carrier:
        return Reading(letter=letter, error="no_account", again=True)
    if letter.purged_at is not None:
        return Reading(letter=letter, error="body_purged")
    try:
        return Reading(letter=letter, results=read(account.carrier, delivery))
    except ReplyError as error:
        return Reading(letter=letter, error=error.code, detail=shown_paths(error.paths))
    except ShipkitError as error:
        return Reading(letter=letter, error=error.code or "carrier_error")


def shown_paths(paths: tuple[str, ...]) -> str:
    """*paths* as they may be shown to anybody: those that are made of names of fields and positions only."""
    return " ".join([path if _PATH.fullmatch(path) else "$…" for path in paths[:_PATHS_MAX]])


def codes_of(reading: Reading) -> tuple[str, ...]:
    """The status codes in it that no table explains, as its plugin says."""
    notices = [notice for result in reading.results for notice in result.messages]
    return tuple([one.carrier_code or "" for one in notices if one.code is NoticeCode.UNMAPPED_CODE])


def divided(result: TrackResult, followed: Mapping[str, object] = EMPTY) -> Mapping[str, TrackResult]:
    """*result* by number: events of a piece that is *followed* by itself go to it, all others stay with the whole."""
    parts: dict[str, list[TrackingEvent]] = {result.number.value: []}
    for event in result.events:
        piece = event.piece if event.piece in followed else None
        parts.setdefault(piece or result.number.value, []).append(event)
    if len(parts) == 1:
        return {result.number.value: result}
    whole = result.number
    return {
        number: evolve(result, events=tuple(events))
        if number == whole.value
        else TrackResult(
            number=evolve(whole, value=number, raw=None),
            events=tuple(events),
            complete=False,
            received_at=result.received_at,
        )
        for number, events in parts.items()
    }
