"""Everything that a client keeps: a store, its tokens and limits, and what becomes of rows that have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from ..flow import Token
from .ledger import LedgerStore

__all__ = ["Archive", "Forgotten", "LimitStore", "Purged", "Store", "TokenStore"]


class TokenStore(Protocol):
    """Keeps access tokens between calls, and between workers if the host shares it. Times are the store's own."""

    @property
    def blocking(self) -> bool: ...

    def get(self, account: str, margin_s: float) -> Token | None:
        """The token of *account* unless it ends within *margin_s*."""
        ...

    def claim(self, account: str, owner: str, lease_s: float) -> bool:
        """True for the one caller that is to fetch a token now; its claim ends with *lease_s* at the latest."""
        ...

    def put(self, account: str, owner: str, token: Token) -> None:
        """Keep *token* and end the claim of *owner*."""
        ...

    def release(self, account: str, owner: str) -> None:
        """End the claim of *owner* without a token."""
        ...

    def drop(self, account: str, token: Token) -> bool:
        """Forget exactly *token*; a newer one stays. True for the one caller whose call forgot it."""
        ...


class LimitStore(Protocol):
    """Places within a rate limit, handed out strictly in order (GCRA) to all workers that share it.

    Times are the store's own. What it keeps may be lost with the machine: a limit is no promise to anybody's money.
    """

    @property
    def blocking(self) -> bool: ...

    def reserve(self, name: str, step_s: float, slack_s: float, within_s: float) -> float:
        """Seconds until the next place under *name*; it is taken if that is *within_s*.

        One place every *step_s* seconds in the long run; *slack_s* is how far a burst may run ahead of that.
        """
        ...

    def hold(self, name: str, for_s: float) -> None:
        """The carrier said wait: no place under *name* comes before *for_s* seconds are over."""
        ...


@attrs.frozen(kw_only=True)
class Purged:
    """What a purge took away: the bodies of so many rows, the documents of so many."""

    bodies: int
    documents: int


@attrs.frozen(kw_only=True)
class Forgotten:
    """What an erasure blanked, and the keys that it left alone, because they are still open."""

    rows: int
    open: tuple[str, ...] = ()


class Archive(Protocol):
    """What a durable store does with rows that have ended: nothing waits for them, and no late booking is looked for.

    Keys, generations, fingerprints, phases, booking numbers and the audit trail stay in every case: a key that is gone
    would be bought for again. A row without its bodies says so (``Entry.purged_at``).
    """

    def purge(self, bodies_before: datetime, documents_before: datetime) -> Purged:
        """Take requests and answers away from rows at rest since *bodies_before*, and later their documents' bytes."""
        ...

    def forget(self, keys: Sequence[str]) -> Forgotten:
        """Blank what is personal under *keys* and their pieces, and take their documents away."""
        ...

    def export(self, prefix: str = "") -> Iterator[str]:
        """Everything under keys that begin with *prefix*, a line of JSON for each row, further booking and event."""
        ...


class Store(Protocol):
    """What a client keeps durably."""

    @property
    def blocking(self) -> bool: ...

    @property
    def ledger(self) -> LedgerStore: ...

    @property
    def tokens(self) -> TokenStore: ...

    @property
    def limits(self) -> LimitStore: ...

    def close(self) -> None: ...
