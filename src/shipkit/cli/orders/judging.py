"""From a row to a request: everything that is wrong with it is said in one error, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ...carrier import Carrier, ChecksRequests, able
from ...codec import draft_from_dict, schema_name
from ...constraints import problems
from ...errors import InputError
from ...model import Problem, RateRequest, ReturnRequest, ShipmentRequest
from ...model.base import Value
from ..rows import Row

__all__ = ["judged", "ordered"]

V = TypeVar("V", bound=Value)


def ordered(row: Row, carrier: Carrier | None) -> ShipmentRequest | ReturnRequest:
    """The order of *row*, to be booked at *carrier*; None where the account is not known, which says less.

    Raises:
        InputError: every problem with it.
    """
    if row.way_back is None:
        return judged(row, ShipmentRequest, row.data, carrier)
    return judged(row, ReturnRequest, {**row.way_back, "shipment": row.data}, carrier)


def judged(
    row: Row, cls: type[V], data: Mapping[str, Any], carrier: Carrier | None, further: tuple[Problem, ...] = ()
) -> V:
    """*data* as a value of *cls* that the carrier can take.

    Raises:
        InputError: every problem of the row's cells, of the model and of the carrier, once each.
    """
    if row.unread:
        raise InputError(problems=row.problems)
    members = dict(data)
    if members.get("schema") not in (None, schema_name(cls)) and cls is not ReturnRequest:
        members = {name: item for name, item in members.items() if name not in ("schema", "v")}
    draft, unreadable = draft_from_dict(members, cls)
    found = [*row.problems, *further, *unreadable]
    if carrier is not None:
        settled = {problem.path for problem in found if problem.path}
        found += problems(draft, carrier.facts(), schema=carrier.options_schema(), settled=settled)
        if not unreadable:
            known = {problem.path for problem in found}
            found += [problem for problem in _own(carrier, draft) if problem.path not in known]
    if found:
        raise InputError(problems=tuple(found))
    return draft


def _own(carrier: Carrier, request: Value) -> tuple[Problem, ...]:
    """What the carrier's plugin says beyond its facts."""
    subject = request.shipment if isinstance(request, ReturnRequest) else request
    if able(carrier, ChecksRequests) and isinstance(subject, (ShipmentRequest, RateRequest)):
        return tuple(carrier.problems(subject))
    return ()
