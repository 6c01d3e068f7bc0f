"""A push that proves nothing says only that there may be news: the carrier is asked, once for each parcel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ...errors import DeadlineError, InputError, ShipkitError
from ...flow import Done, Run, now
from ...model import TrackingNumber, TrackQuery, TrackResult
from ...ports.events import Parcel
from ..accounts import Account
from ..desk import together
from ..tracking import Asking, nothing_more_now, outcomes, tracks
from .desk import EventDesk

__all__ = ["account_of", "as_it_is", "ask", "can_ask", "query_of"]


def account_of(desk: EventDesk, parcel: Parcel) -> Account | None:
    """The account that *parcel* is followed with; None where it is not configured here."""
    account = desk.desk.accounts.get(parcel.account)
    return account if account is not None and account.carrier.code == parcel.carrier else None


def can_ask(desk: EventDesk, parcel: Parcel) -> bool:
    """Whether its carrier's interface answers for a number at all."""
    account = account_of(desk, parcel)
    return account is None or tracks(account)


def query_of(desk: EventDesk, parcel: Parcel) -> TrackQuery:
    """How the carrier is asked for *parcel*."""
    if parcel.query is not None:
        return parcel.query
    number = TrackingNumber(value=parcel.number, carrier=parcel.carrier)
    return TrackQuery(number=number, language=desk.settings.language)


def ask(desk: EventDesk, parcels: Iterable[Parcel]) -> Run[dict[str, TrackResult | ShipkitError]]:
    """By scope what the carriers answer now, or why they do not.

    All within half a lease, so that what is learnt is written before anybody else takes the same deliveries.
    """
    by_account: dict[str, list[Parcel]] = {}
    answers: dict[str, TrackResult | ShipkitError] = {}
    for parcel in parcels:
        if account_of(desk, parcel) is None:
            answers[parcel.scope] = InputError("the account that this parcel is followed with is not configured here")
        else:
            by_account.setdefault(parcel.account, []).append(parcel)
    if not by_account:
        return answers
    seconds = min(desk.settings.deadline_s, desk.settings.inbox_lease_s / 2)
    until = (yield from now()) + seconds
    runs = tuple(_asked(desk, account, group, seconds, until) for account, group in by_account.items())
    for group, done in zip(by_account.values(), (yield from together(runs)), strict=True):
        if done.error is not None:
            answers.update((parcel.scope, done.error) for parcel in group)
        else:
            answers.update(done.value)
    return answers


def _asked(
    desk: EventDesk, alias: str, parcels: Sequence[Parcel], seconds: float, until: float
) -> Run[dict[str, TrackResult | ShipkitError]]:
    account = desk.desk.account(alias)
    asking = Asking(
        desk=desk.desk,
        account=account,
        read=as_it_is,
        deadline_s=seconds,
        until=until,
        bulk=len(parcels) > 1,
        stops=nothing_more_now,
    )
    done = yield from outcomes(asking, [query_of(desk, parcel) for parcel in parcels])
    answer = partial(_answer, asking)
    return {parcel.scope: answer(one) for parcel, one in zip(parcels, done, strict=True)}


def as_it_is(result: TrackResult) -> TrackResult:
    """*result*, of which everything is wanted."""
    return result


def _answer(asking: Asking[TrackResult], done: Done | None) -> TrackResult | ShipkitError:
    if done is None:
        return asking.stopped or DeadlineError("the time for this batch was over before this number was asked for")
    if done.error is not None:
        return done.error
    result: TrackResult = done.value
    return result
