"""How much at once, how often and how long: what keeps one sender, or all of them, from taking the service down."""

from __future__ import annotations

import math

from ..config import Bounds

__all__ = ["Bounds", "Lane"]


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
