"""What is wrong with a request, before anything is sent: all problems at once, each with its JSON pointer and its rule.

`problems` holds a request against the rules of the model and against the facts of a carrier. `wrapped` is the request
as it goes to that carrier: lines that are too long go on in further lines, and nothing is ever cut. `notices` says what
the carrier will print shorter than it takes. All three are pure, and fast where nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .countries import lane_kind
from .fields import Fields
from .found import Found
from .offers import Offer
from .schema import check_options
from .shapes import check

if TYPE_CHECKING:
    from shipkit.model import CarrierFacts, Message, Problem

__all__ = ["lane_kind", "notices", "problems", "wrapped"]

R = TypeVar("R")

_KEPT_FACTS: Final = 64  # carriers whose facts stay prepared; a process rarely talks to more


class _Prepared:
    """What is made of a carrier's facts once."""

    __slots__ = ("facts", "fields", "offer")

    def __init__(self, facts: CarrierFacts) -> None:
        self.facts = facts  # keeps the identity that it is found by
        self.offer = Offer(facts)
        self.fields = Fields(facts)


_PREPARED: dict[int, _Prepared] = {}


def _prepared(facts: CarrierFacts) -> _Prepared:
    found = _PREPARED.get(id(facts))
    if found is None:
        if len(_PREPARED) >= _KEPT_FACTS:
            _PREPARED.clear()
        found = _PREPARED[id(facts)] = _Prepared(facts)
    return found


def problems(
    request: Any,
    facts: CarrierFacts,
    *,
    schema: Mapping[str, Any] | None = None,
    settled: Iterable[str] = (),
) -> tuple[Problem, ...]:
    """Everything that is wrong with *request* for the carrier of *facts*; empty when it can be sent.

    *request* may be a draft that lacks required values: each is named once. *schema* is the carrier's own JSON Schema
    for its part of ``carrier_options``. Paths in *settled* have been complained of already; nothing more is said of
    them, nor of what lies below.
    """
    found = Found(frozenset(settled))
    check(found, request)
    prepared = _prepared(facts)
    subject, at = _subject(request)
    kind = subject.__class__.__name__
    if kind == "ShipmentRequest":
        prepared.offer.check_shipment(found, subject, at)
    elif kind == "RateRequest":
        prepared.offer.check_rates(found, subject, at)
    prepared.fields.check(found, subject, at)
    if getattr(subject, "carrier_options", None):
        check_options(found, subject.carrier_options, facts.code, schema, f"{at}/carrier_options")
    return tuple(found.problems)


def notices(request: Any, facts: CarrierFacts) -> tuple[Message, ...]:
    """What the carrier will print shorter than it takes: a warning each, with its path in the `wrapped` request."""
    subject, at = _subject(request)
    fields = _prepared(facts).fields
    return tuple(fields.notices(fields.adapted(subject), at))


def wrapped(request: R, facts: CarrierFacts) -> R:
    """*request* as it goes to the carrier of *facts*; the same object where nothing has to be put otherwise.

    Lines that are longer than the carrier's go on in further lines; an address that it cannot print gives way to the
    same address in another of its scripts. What fits in no way stays as it is: `problems` has named it.
    """
    import attrs

    fields = _prepared(facts).fields
    subject, at = _subject(request)
    new = fields.adapted(subject)
    if not at or new is subject:
        return cast("R", new if not at else request)
    return cast("R", attrs.evolve(cast("Any", request), shipment=new))


def _subject(request: Any) -> tuple[Any, str]:
    """What a carrier's facts speak of, and its place: the booking inside a request for a return."""
    if request.__class__.__name__ == "ReturnRequest" and request.shipment is not None:
        return request.shipment, "/shipment"
    return request, ""
