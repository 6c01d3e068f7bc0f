"""Prices of a moment ago, for an account that does not answer now; they say so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime
from hashlib import sha256

from .. import model as m
from ..codec import canonical
from ..errors import (
    DeadlineError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    ShipkitError,
    UnavailableError,
)

__all__ = ["LastGood", "mark_of_rates"]

_MOST = 256  # answers kept, of all accounts together
_PASSING = (UnavailableError, DeadlineError, NotSentError, OutcomeUnknownError, RateLimitedError)


def mark_of_rates(request: m.RateRequest, today: date) -> str:
    """What was asked: the same request of another day is another one."""
    on = today.isoformat() if request.ship_on is None else ""
    return sha256(on.encode() + canonical(request)).hexdigest()


class LastGood:
    """The last answer of each account to each request, the newest ones only, for this process."""

    def __init__(self, keep_s: float, most: int = _MOST) -> None:
        self._keep_s, self._most = keep_s, most
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, str], tuple[float, datetime, tuple[m.RateQuote, ...]]] = OrderedDict()

    def put(self, account: str, mark: str, quotes: tuple[m.RateQuote, ...], at: float, moment: datetime) -> None:
        """The account answered, at *at* of the runner's seconds, which was *moment*."""
        with self._lock:
            self._answers[account, mark] = (at, moment, quotes)
            self._answers.move_to_end((account, mark))
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)

    def instead_of(
        self, account: str, mark: str, error: ShipkitError, at: float, moment: datetime
    ) -> tuple[m.RateQuote, ...]:
        """What stands in where *error* may pass: the last answer, if it is not too old; it says of when it is."""
        if not isinstance(error, _PASSING):
            return ()
        with self._lock:
            found = self._answers.get((account, mark))
            if found is None:
                return ()
            answered_at, as_of, quotes = found
            if at - answered_at > self._keep_s:
                del self._answers[account, mark]
                return ()
        return tuple(
            [
                m.evolve(quote, as_of=as_of)
                for quote in quotes
                if quote.valid_until is None or quote.valid_until > moment
            ]
        )
