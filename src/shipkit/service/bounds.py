"""How much at once, how often and how long: what keeps one sender, or all of them, from taking the service down."""

from __future__ import annotations

import math

import attrs

from ..errors import InputError
from ..model import Problem, ProblemCode

__all__ = ["Bounds", "Lane"]


@attrs.frozen(kw_only=True)
class Bounds:
    """The limits of one endpoint process. What is over them is answered 429 or 503, with ``Retry-After``."""

    body_s: float = 10.0
    """From the headers to the last byte of the body; a slower sender gets 408."""
    commit_s: float = 20.0
    """Until the store has it; after that the sender is told to come again."""
    headers_max: int = 100
    headers_max_bytes: int = 32_768
    at_once: int = 64
    """Pushes to one account under way."""
    bytes_at_once: int = 64_000_000
    """Of bodies that are read or wait for the store, of all accounts together."""
    per_s: float = 1000.0
    """Pushes to one account in a second, in the long run; twice as many may come in a burst."""
    strangers_per_s: float = 50.0
    """Requests in a second that are on no account's path, of everybody together."""
    connections: int = 1000
    """Open at once; more are closed with 503. Of the server that `shipkit serve` runs."""
    head_s: float = 10.0
    """Until the headers of a request are in, on that server."""

    def __attrs_post_init__(self) -> None:
        wrong = [name for name, value in attrs.asdict(self).items() if not value > 0]
        if wrong:
            text = "must be greater than 0"
            raise InputError(
                problems=tuple(Problem(path=f"/{name}", code=ProblemCode.NOT_POSITIVE, text=text) for name in wrong)
            )


class Lane:
    """How many requests of one kind are under way, and a bucket of those that may still come."""

    __slots__ = ("_at", "_burst", "_left", "_per_s", "open")

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s, self._burst = per_s, max(1.0, 2 * per_s)
        self._left, self._at = self._burst, now
        self.open = 0

    def wait_s(self, now: float) -> int:
        """Take one from the bucket: 0, or the whole seconds after which there is one again."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0
        return max(1, math.ceil((1 - self._left) / self._per_s))
