"""Where to look for a purchase whose answer was lost; ``facts.py`` says what EasyPost offers for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Final

from shipkit.errors import InputError, ReplyError
from shipkit.model import Problem, ProblemCode, ShipmentRequest

from .common import iso_instant
from .shipments import ShipmentRow, ShipmentsPage

__all__ = ["first_page", "is_purchase_of", "looked_up", "next_page"]

# npm utils.d.ts: a page has at most 100 records; one bound given alone moves the other to a month away.
_PAGE_SIZE: Final = "100"
# A draft is bought within the call that made it.
_NEARBY: Final = timedelta(days=1)
# Where no draft tells the day: made within a month of the day of shipping that the request has.
_BEFORE: Final = timedelta(days=31)
_AFTER: Final = timedelta(days=31)


def looked_up(request: ShipmentRequest) -> str:
    """What stands for the shipment in ``GET /shipments/{…}``: the quote's own shipment, else the mark.

    Raises:
        InputError: the request has neither.
    """
    name = request.quote_id.partition("/")[0] if request.quote_id else request.mark
    if not name:
        problem = Problem(path="/mark", code=ProblemCode.MISSING, text="a booking is looked for by its mark")
        raise InputError(problems=(problem,))
    return name


def is_purchase_of(request: ShipmentRequest, row: ShipmentRow) -> bool:
    """Whether *row* is a purchase under the request's mark, or that of its quote to its recipient."""
    if not row.bought:
        return False
    return _same_place(request, row) if request.quote_id else row.reference == request.mark


def _same_place(request: ShipmentRequest, row: ShipmentRow) -> bool:
    # A quote has no mark. Buying it twice is impossible, but another order may have bought it: the place tells. Only
    # the first characters of the code count, since EasyPost adds the +4 to it.
    address, found = request.ship_to.address, row.to_address
    if row.is_return:
        found = row.from_address
    if address is None or found is None:
        return True
    ours, theirs = (
        "".join(sign for sign in code.upper() if sign.isalnum())
        for code in (address.postal_code or "", found.zip or "")
    )
    return found.country == address.country and (theirs.startswith(ours) or ours.startswith(theirs))


def first_page(request: ShipmentRequest, draft: ShipmentRow | None) -> dict[str, str] | None:
    """The newest page of the days in which the purchase must lie; None for a quote, which is one shipment."""
    if request.quote_id:
        return None
    params = {"page_size": _PAGE_SIZE}
    if draft is not None and draft.created_at:
        made = iso_instant(draft.created_at)
        return params | _between(made - _NEARBY, made + _NEARBY)
    if request.ship_on is not None:
        return params | _between(_midnight(request.ship_on) - _BEFORE, _midnight(request.ship_on) + _AFTER)
    return params


def next_page(params: Mapping[str, str], page: ShipmentsPage) -> dict[str, str] | None:
    """The page before *page*; None where there is none.

    Raises:
        ReplyError: there is said to be more, and nothing to go on from: what is missing may be the one looked for.
    """
    if not page.has_more:
        return None
    last = page.shipments[-1].id if page.shipments else ""
    if not last or last == params.get("before_id"):
        raise ReplyError("more is said to follow, and nothing leads there @ $.has_more", paths=("$.has_more",))
    return {**params, "before_id": last}


def _between(first: datetime, last: datetime) -> dict[str, str]:
    return {"start_datetime": f"{first:%Y-%m-%dT%H:%M:%SZ}", "end_datetime": f"{last:%Y-%m-%dT%H:%M:%SZ}"}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
