"""What each command does with one row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import count
from typing import Any

import attrs

from ...carrier import Carrier
from ...client.lists import Order, Shipped
from ...errors import InputError, LabelPendingError, ShipkitError, StoreError
from ...model import (
    CancellationResult,
    Document,
    DocumentQuery,
    Outcome,
    PickupRequest,
    Problem,
    ProblemCode,
    RateAnswer,
    RateQuote,
    RateRequest,
    ReturnShipment,
    Shipment,
    ShipmentRequest,
    Timeline,
    TrackingNumber,
    TrackQuery,
)
from ...model.base import Value
from ..rows import Row, Target
from .judging import judged, ordered
from .papers import Papers
from .results import Result, status_of
from .session import Session, no_account

__all__ = ["COLUMNS", "TARGETS", "Job", "cancel", "documents", "guarded", "pickup", "rates", "ship", "track"]

Job = Callable[[Row], Result]

_PASSING = (ShipmentRequest,)
TARGETS: Mapping[str, Target] = {
    "rates": Target(root=RateRequest, passing=_PASSING),
    "ship": Target(root=ShipmentRequest, returns=True),
    "track": Target(root=TrackQuery, passing=_PASSING),
    "cancel": Target(root=ShipmentRequest, passing=(ShipmentRequest, PickupRequest)),
    "pickup": Target(root=PickupRequest),
    "documents": Target(root=DocumentQuery, passing=_PASSING),
}
"""What the rows of each command's file are."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rates": ("line", "key", "account", "status", "service", "name", "total", "arrives"),
    "ship": ("line", "key", "account", "status", "service", "numbers", "total", "files"),
    "track": ("line", "key", "account", "status", "number", "milestone", "since", "place", "reason"),
    "cancel": ("line", "key", "account", "status", "outcome", "refund"),
    "pickup": ("line", "key", "account", "status", "confirmation", "day", "from", "to"),
    "documents": ("line", "key", "account", "status", "files"),
}
"""The columns that are shown."""


def guarded(session: Session, job: Callable[[Session, Row, str], Result]) -> Job:
    """*job* as something that always ends in a result."""

    def work(row: Row) -> Result:
        account = session.account_of(row.account)
        try:
            return job(session, row, account)
        except ShipkitError as error:
            return _failed(row, account, error)
        except OSError as error:
            return _unwritten(row, account, error)

    return work


def _carrier(session: Session, account: str) -> Carrier | None:
    return session.config.accounts.get(account)


def _account_problems(session: Session, account: str) -> tuple[Problem, ...]:
    return () if account in session.config.accounts else (no_account(session.config, account),)


def _key_problems(row: Row) -> tuple[Problem, ...]:
    if row.key or row.unread:
        return ()
    text = "a key is needed: the column key, or the order's reference"
    return (Problem(path="/key", code=ProblemCode.MISSING, text=text),)


def _with(row: Row, problems: Iterable[Problem]) -> Row:
    return attrs.evolve(row, problems=(*row.problems, *problems))


def rates(session: Session, row: Row, accounts: tuple[str, ...]) -> Result:
    """Prices of one order, cheapest first; an account that fails is a line of its own."""
    asked = (row.account,) if row.account else accounts or tuple(session.config.accounts)
    unknown = [problem for account in asked for problem in _account_problems(session, account)]
    if not asked:
        unknown.append(no_account(session.config, ""))
    only = _carrier(session, asked[0]) if len(asked) == 1 else None
    request = judged(row, RateRequest, row.data, only, tuple(unknown))
    answer = session.client.rates(request, accounts=asked)
    cells = [*map(_quote_cells, answer.quotes), *_error_cells(answer)]
    failed = next(iter(answer.errors.values()), None) if not answer.quotes else None
    status = status_of(failed) if failed is not None else "priced"
    return Result(
        row=row,
        account=asked[0] if len(asked) == 1 else "",
        status=status,
        cells=tuple(cells),
        value=answer,
        error=failed,
    )


def _quote_cells(quote: RateQuote) -> dict[str, str]:
    return {
        "account": quote.account or "",
        "service": quote.service,
        "name": quote.service_name or "",
        "total": str(quote.total),
        "arrives": _arrival(quote),
    }


def _error_cells(answer: RateAnswer) -> Iterable[dict[str, str]]:
    return ({"account": account, "status": status_of(error)} for account, error in answer.errors.items())


def _arrival(quote: RateQuote) -> str:
    transit = quote.transit
    if transit is None:
        return ""
    window = transit.window
    time = (window.latest or window.earliest) if window is not None else None
    if time is not None:
        return str(time.local)[:10]
    days = transit.business_days
    return "" if days is None else f"{days.least}-{days.most} days" if days.least != days.most else f"{days.most} days"


def ship(
    session: Session, rows: Sequence[Row], papers: Papers, at_once: int, stopped: Callable[[], bool]
) -> Iterator[tuple[int, Result]]:
    """Book the orders under their keys and write their labels, as they come: each with its place in the file.

    A key that was booked before gives the same shipment again.
    """
    begun: dict[int, tuple[int, Row, str]] = {}
    refused: deque[tuple[int, Result]] = deque()
    numbers = count()

    def orders() -> Iterator[Order]:
        for place, row in enumerate(rows):
            if stopped():
                raise KeyboardInterrupt  # what is under way ends, and nothing more begins
            account = session.account_of(row.account)
            checked = _with(row, [*_account_problems(session, account), *_key_problems(row)])
            try:
                request = ordered(checked, _carrier(session, account))
            except ShipkitError as error:
                refused.append((place, _failed(row, account, error)))
                continue
            begun[next(numbers)] = (place, row, account)
            yield Order(row.key, request, account)

    with suppress(KeyboardInterrupt):
        for outcome in session.client.create_shipments(orders(), at_once=at_once):
            while refused:
                yield refused.popleft()
            place, row, account = begun.pop(outcome.index)
            yield place, _shipped(row, account, outcome, papers)
    yield from refused


def _shipped(row: Row, account: str, outcome: Shipped, papers: Papers) -> Result:
    error = outcome.error
    if isinstance(error, LabelPendingError):
        cells = _shipment_cells(error.shipment) if error.shipment is not None else {}
        return _failed(row, account, error, cells, error.shipment)
    if error is not None or outcome.value is None:
        return _failed(row, account, error or StoreError("nothing was told of it"))
    try:
        return _booked(row, account, outcome.shipment, outcome.value, papers)
    except OSError as failure:
        return _unwritten(row, account, failure)


def _failed(
    row: Row, account: str, error: ShipkitError, cells: Mapping[str, str] | None = None, value: Value | None = None
) -> Result:
    told = () if cells is None else (cells,)
    return Result(row=row, account=account, status=status_of(error), cells=told, value=value, error=error)


def _unwritten(row: Row, account: str, error: OSError) -> Result:
    failed = StoreError(f"a file cannot be written: {error.strerror}; the papers are kept in the ledger")
    return Result(row=row, account=account, status="not written", error=failed)


def _booked(
    row: Row, account: str, shipment: Shipment | None, value: Shipment | ReturnShipment, papers: Papers
) -> Result:
    documents = (*(shipment.documents if shipment is not None else ()), *getattr(value, "documents", ()))
    kept = tuple(dict.fromkeys(documents))
    files = papers.write(row.reference, row.key, kept)
    cells = _shipment_cells(shipment) if shipment is not None else {}
    cells["files"] = " ".join(str(path) for path in files)
    return Result(row=row, account=account, status="booked", cells=(cells,), value=_without_content(value), files=files)


def _shipment_cells(shipment: Shipment) -> dict[str, str]:
    return {
        "service": shipment.service,
        "numbers": " ".join(number.value for number in shipment.tracking_numbers),
        "total": str(shipment.total) if shipment.total is not None else "",
    }


def _without_content(value: Any) -> Any:
    """The papers' bytes lie in files, and need not stand in the JSON too."""
    if isinstance(value, ReturnShipment):
        inner = _without_content(value.shipment) if value.shipment is not None else None
        return attrs.evolve(value, shipment=inner, documents=_bare(value.documents))
    return attrs.evolve(value, documents=_bare(value.documents))


def _bare(documents: Iterable[Document]) -> tuple[Document, ...]:
    return tuple(attrs.evolve(document, content=None, url=None) for document in documents)


def track(session: Session, row: Row, account: str) -> Result:
    """Where the parcels of one row are: of its number, else of what was booked under its key."""
    if "number" in row.data:
        queries: tuple[TrackQuery, ...] = (_query(session, row, account),)
    else:
        shipment = session.shipment(row.key) if row.key else None
        account = _booked_at(session, row, shipment, account)
        queries = _queries(session, row, shipment, account)
    outcomes = session.client.track(queries, account=account)
    return _tracked(row, account, queries, outcomes)


def _booked_at(session: Session, row: Row, shipment: Shipment | None, account: str) -> str:
    """The account that is named, else the one at which the shipment was booked."""
    return row.account or session.account or (shipment.account if shipment is not None else "") or account


def _query(session: Session, row: Row, account: str) -> TrackQuery:
    problems = _account_problems(session, account)
    code = session.facts(account).code if not problems else ""
    number = row.data["number"]
    if isinstance(number, str):
        number = {"value": number}
    if isinstance(number, dict):
        number = {"carrier": code, **number}
    return judged(row, TrackQuery, {**row.data, "number": number}, _carrier(session, account), problems)


def _queries(session: Session, row: Row, shipment: Shipment | None, account: str) -> tuple[TrackQuery, ...]:
    problems = [*row.problems, *_account_problems(session, account)]
    if shipment is None:
        text = "a number is needed, or the key of something that was booked here"
        problems.append(Problem(path="/number", code=ProblemCode.MISSING, text=text))
    if problems or shipment is None:
        raise InputError(problems=tuple(problems))
    return tuple(TrackQuery(number=number) for number in shipment.tracking_numbers)


def _tracked(
    row: Row, account: str, queries: tuple[TrackQuery, ...], outcomes: tuple[Outcome[Timeline], ...]
) -> Result:
    cells = [_timeline_cells(query.number, one) for query, one in zip(queries, outcomes, strict=True)]
    failed = next((one.error for one in outcomes if one.error is not None), None)
    timelines = [one.value for one in outcomes if one.value is not None]
    value: Value | None = timelines[0] if len(timelines) == 1 else None
    if len(timelines) > 1:
        from ...events import roll_up

        value = roll_up(timelines, scope=row.key or timelines[0].scope)
    status = status_of(failed) if failed is not None else "tracked"
    return Result(row=row, account=account, status=status, cells=tuple(cells), value=value, error=failed)


def _timeline_cells(number: TrackingNumber, outcome: Outcome[Timeline]) -> dict[str, str]:
    timeline = outcome.value
    if timeline is None:
        return {"number": number.value, "status": status_of(outcome.error) if outcome.error is not None else ""}
    last = timeline.events[-1] if timeline.events else None
    place = last.place if last is not None else None
    return {
        "number": number.value,
        "milestone": str(timeline.milestone),
        "since": str(timeline.entries[-1].at.local)[:16] if timeline.entries else "",
        "place": (place.city or place.name or place.country or "") if place is not None else "",
        "reason": str(timeline.reason or ""),
    }


def cancel(session: Session, row: Row, account: str) -> Result:
    """Undo what was booked under the row's key."""
    problems = [*row.problems, *_key_problems(row)]
    entry = session.entry(row.key) if row.key else None
    named = row.account or session.account
    if entry is not None and named and entry.account != named:
        text = f"what was booked under this key was booked at {entry.account}"
        problems.append(Problem(path="/account", code=ProblemCode.INCONSISTENT, text=text))
    if problems:
        raise InputError(problems=tuple(problems))
    result = session.client.cancel_shipment(key=row.key)
    return Result(
        row=row,
        account=entry.account if entry is not None else account,
        status=str(result.outcome).replace("_", " "),
        cells=(_cancel_cells(result),),
        value=result,
    )


def _cancel_cells(result: CancellationResult) -> dict[str, str]:
    amount = f" {result.amount}" if result.amount is not None and result.amount.amount != Decimal(0) else ""
    return {"outcome": str(result.outcome), "refund": f"{result.refund or ''}{amount}"}


def pickup(session: Session, row: Row, account: str) -> Result:
    """Ask for one collection under the row's key."""
    problems = (*_account_problems(session, account), *_key_problems(row))
    request = judged(row, PickupRequest, row.data, _carrier(session, account), problems)
    booked = session.client.book_pickup(request, account=account, key=row.key)
    window = booked.window
    cells = {
        "confirmation": booked.confirmation,
        "day": str(window.day),
        "from": str(window.ready)[:5],
        "to": str(window.close)[:5],
    }
    return Result(row=row, account=account, status="booked", cells=(cells,), value=booked)


def documents(session: Session, row: Row, account: str, papers: Papers) -> Result:
    """Papers once more: from the carrier for a shipment that is named, else what the ledger keeps under the key."""
    asked = {name: item for name, item in row.data.items() if name in ("shipment_id", "tracking_numbers", "label")}
    shipment = session.shipment(row.key) if row.key else None
    account = _booked_at(session, row, shipment, account)
    if shipment is not None and not asked:
        found: tuple[Document, ...] = shipment.documents
    else:
        if row.key and shipment is None and not asked:
            text = "nothing was booked here under this key: give shipment_id or tracking_numbers"
            raise InputError(problems=(Problem(path="/key", code=ProblemCode.UNKNOWN_VALUE, text=text),))
        problems = _account_problems(session, account)
        data = {**_known(shipment), **row.data}
        query = judged(row, DocumentQuery, data, _carrier(session, account), problems)
        found = session.client.documents(query, account=account)
    reference = shipment.reference if shipment is not None else row.reference
    files = papers.write(reference, row.key or str(row.data.get("shipment_id", "")), found)
    cells = {"files": " ".join(str(path) for path in files)}
    return Result(row=row, account=account, status="written", cells=(cells,), files=files)


def _known(shipment: Shipment | None) -> dict[str, Any]:
    if shipment is None:
        return {}
    from ...codec import to_dict

    data = to_dict(shipment)
    return {"shipment_id": data["shipment_id"], "tracking_numbers": data["tracking_numbers"]}
