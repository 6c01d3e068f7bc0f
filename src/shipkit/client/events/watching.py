"""Whether carriers still push: an endpoint that nobody calls any more looks like a quiet day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import attrs

from ...carrier import ReadsWebhooks, able
from ...flow import Run, call
from ..accounts import Account
from .desk import EventDesk

__all__ = ["Silence", "silent"]

_PAGE: Final = 1000
_SHARE: Final = 0.2
_LEAST: Final = 3


@attrs.frozen(kw_only=True)
class Silence:
    """An account whose pushes do not come, or not all of them."""

    account: str
    carrier: str
    heard_at: datetime | None
    """When the last authentic push came in; None: never."""
    silent: bool
    """Nothing came for ``silence_after_h``, though parcels were open all that time."""
    open_parcels: int
    missed_parcels: int
    """Open parcels with news that was learnt by asking only."""


@attrs.define(eq=False)
class _Count:
    parcels: int = 0
    missed: int = 0
    oldest_at: datetime | None = None


def silent(desk: EventDesk) -> Run[tuple[Silence, ...]]:
    """The accounts that push, have open parcels, and were silent for ``silence_after_h``, or miss a part of the pushes.

    A part is a fifth of the open parcels, and three at least. An account pushes where its carrier's plugin reads pushes
    and a secret, or another way of proving them, is configured, or where a push has ever come.
    """
    now = yield from call(desk.store.now)
    heard = yield from call(desk.store.heard)
    counts = yield from _counts(desk)
    found = []
    for alias, count in sorted(counts.items()):
        account = desk.desk.accounts.get(alias)
        if account is None or not (alias in heard or _pushes(desk, account)):
            continue
        heard_at = heard.get(alias)
        marks = [at for at in (heard_at, count.oldest_at) if at is not None]
        quiet = bool(marks) and now - max(marks) >= timedelta(hours=desk.settings.silence_after_h)
        if quiet or count.missed >= max(_LEAST, _SHARE * count.parcels):
            found.append(
                Silence(
                    account=alias,
                    carrier=account.carrier.code,
                    heard_at=heard_at,
                    silent=quiet,
                    open_parcels=count.parcels,
                    missed_parcels=count.missed,
                )
            )
    return tuple(found)


def _pushes(desk: EventDesk, account: Account) -> bool:
    if account.alias in desk.desk.webhooks:
        return True
    return able(account.carrier, ReadsWebhooks) and bool(account.carrier.webhook_secrets)


def _counts(desk: EventDesk) -> Run[dict[str, _Count]]:
    counts: dict[str, _Count] = {}
    scope = ""
    while rows := (yield from call(desk.store.walk, after=scope, limit=_PAGE, open_only=True)):
        for row in rows:
            if not row.number:
                continue
            count = counts.setdefault(row.account, _Count())
            count.parcels += 1
            count.missed += row.missed > 0
            began_at = row.created_at or row.since
            count.oldest_at = min(began_at, count.oldest_at or began_at)
        scope = rows[-1].scope
    return counts
