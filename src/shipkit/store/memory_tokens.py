"""Access tokens of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..flow import Token

__all__ = ["MemoryTokens"]


class MemoryTokens:
    """Access tokens of one process: one caller fetches, the others wait and look again."""

    blocking = False

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._margins: dict[str, float] = {}
        self._claims: dict[str, tuple[str, float]] = {}

    def get(self, account: str, margin_s: float) -> Token | None:
        """The token of *account* unless it ends within *margin_s*."""
        token = self._tokens.get(account)
        if token is None or token.expires_at is None:
            return token
        # A token that lives shorter than the margin would else be fetched anew by every caller.
        margin_s = min(margin_s, self._margins.get(account, margin_s))
        return token if self._clock() + margin_s < token.expires_at.timestamp() else None

    def claim(self, account: str, owner: str, lease_s: float) -> bool:
        """True for the one caller that is to fetch a token now."""
        with self._lock:
            holder = self._claims.get(account)
            if holder is not None and holder[0] != owner and self._clock() < holder[1]:
                return False
            self._claims[account] = (owner, self._clock() + lease_s)
            return True

    def put(self, account: str, owner: str, token: Token) -> None:
        """Keep *token* and end the claim of *owner*."""
        with self._lock:
            self._tokens[account] = token
            if token.expires_at is not None:
                self._margins[account] = (token.expires_at.timestamp() - self._clock()) / 2
            self._end(account, owner)

    def release(self, account: str, owner: str) -> None:
        """End the claim of *owner* without a token."""
        with self._lock:
            self._end(account, owner)

    def drop(self, account: str, token: Token) -> bool:
        """Forget exactly *token*: forty callers with a revoked one cause a single refresh."""
        with self._lock:
            known = self._tokens.get(account) == token
            if known:
                del self._tokens[account]
            return known

    def _end(self, account: str, owner: str) -> None:
        if self._claims.get(account, ("",))[0] == owner:
            del self._claims[account]
