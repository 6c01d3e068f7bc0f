"""From a row to a request: everything that is wrong with it is said in one error, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

import attrs

from ...carrier import Carrier, ChecksRequests, able
from ...codec import draft_from_dict, schema_name
from ...constraints import problems
from ...errors import InputError
from ...model import Problem, RateRequest, ReturnRequest, ShipmentRequest, Weight, WeightUnit
from ...model.base import Value
from ..rows import Row

__all__ = ["judged", "ordered"]

V = TypeVar("V", bound=Value)

_SOME_WEIGHT: Final = Weight(1, WeightUnit.KG)


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
        said = _own(carrier, draft) if not unreadable else _own_of_draft(carrier, draft)
        known = {problem.path for problem in found}
        found += [problem for problem in said if not _is_settled(problem.path, known)]
    if found:
        raise InputError(problems=tuple(found))
    return draft


def _is_settled(path: str, known: set[str]) -> bool:
    """Whether *path*, or what it lies in, has been complained of already."""
    return any(path == one or path.startswith(f"{one}/") for one in known)


def _own_of_draft(carrier: Carrier, draft: Value) -> tuple[Problem, ...]:
    """What the plugin says of a request that lacks what could not be read, as far as it gets with it."""
    said: list[Problem] = []
    with suppress(Exception):  # a plugin expects a whole request: what it looks at may not be there
        said.extend(_own(carrier, _mended(draft)))
    return tuple(said)


def _mended(draft: Any) -> Any:
    """*draft* with some weight for each package whose own could not be read, which is what is missing most."""
    inner = draft.shipment if isinstance(draft, ReturnRequest) else draft
    packages = tuple(
        package if _is_whole(package.weight) else attrs.evolve(package, weight=_SOME_WEIGHT)
        for package in inner.packages
    )
    mended = attrs.evolve(inner, packages=packages)
    return attrs.evolve(draft, shipment=mended) if inner is not draft else mended


def _is_whole(weight: Any) -> bool:
    return weight is not None and None not in (weight.unit, weight.value) and bool(weight.value >= 0)


def _own(carrier: Carrier, request: Value) -> Iterator[Problem]:
    """What the carrier's plugin says beyond its facts."""
    subject = request.shipment if isinstance(request, ReturnRequest) else request
    if able(carrier, ChecksRequests) and isinstance(subject, (ShipmentRequest, RateRequest)):
        yield from carrier.problems(subject)
