"""One order as several bookings, and several bookings as one answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any, TypeVar

import attrs

from .. import model as m
from ..carrier import ChecksRequests
from ..constraints.pieces import parted
from ..ledger import Intent, fingerprint
from ..ledger.intent import unpacked
from ..ledger.pieces import Several
from ..policy import Stack
from ..ports import Entry
from .accounts import Account
from .desk import Desk

__all__ = ["in_pieces", "joined", "joined_back", "problems_of_parts"]

V = TypeVar("V")

_OF_A_PACKAGE = re.compile("/packages/([0-9]+)")

_DONE = (m.CancelOutcome.VOIDED, m.CancelOutcome.REQUESTED, m.CancelOutcome.ALREADY_VOIDED, m.CancelOutcome.NOT_FOUND)


def in_pieces(
    desk: Desk, account: Account, request: m.ShipmentRequest | None, intent: Intent[Any], stack: Stack
) -> Intent[Any]:
    """*intent*, which may have pieces; as it is where one booking is enough for *request*."""
    if request is not None and len(parted(request, account.facts)) == 1:
        return intent
    from .intents import stored

    key = desk.own_key(intent.key) or intent.key
    several: Several[Any] = Several(
        parts=lambda asked: parted(asked, account.facts),
        fingerprint=lambda part: fingerprint(intent.operation, account.alias, part),
        piece=lambda row: stored(desk, account, row, stack),
        joined=lambda values, parent: joined(values, key, parent.generation),
        joined_back=lambda rows: joined_back([_kept(row) for row in rows]),
    )
    return attrs.evolve(intent, several=several)


def problems_of_parts(
    carrier: ChecksRequests, request: m.ShipmentRequest, facts: m.CarrierFacts
) -> Iterator[m.Problem]:
    """What a plugin finds wrong with each booking that *request* becomes, at its place in the whole, said once."""
    seen: set[tuple[str, object]] = set()
    position = 0
    for part in parted(request, facts):
        for problem in carrier.problems(part):
            path = _placed(problem.path, position)
            if (path, problem.code) not in seen:
                seen.add((path, problem.code))
                yield problem if path == problem.path else m.evolve(problem, path=path)
        position += len(part.packages)


def _placed(path: str, position: int) -> str:
    found = _OF_A_PACKAGE.match(path)
    return f"/packages/{int(found[1]) + position}{path[found.end() :]}" if found is not None else path


def _kept(row: Entry) -> tuple[m.Shipment | None, m.CancellationResult | None]:
    booked = unpacked(row.result, m.Shipment) if row.result is not None else None
    return booked, unpacked(row.void_result, m.CancellationResult) if row.void_result is not None else None


def joined(pieces: Sequence[m.Shipment], key: str, generation: int) -> m.Shipment:
    """The bookings of *pieces*, in the order of their packages, as one under the host's *key*.

    The carrier's number of each booking stands with its packages; that of the whole is the first one's.
    """
    first = pieces[0]
    pending = any(piece.state is m.BookingState.LABEL_PENDING for piece in pieces)
    return m.evolve(
        first,
        state=m.BookingState.LABEL_PENDING if pending else first.state,
        packages=tuple(_packages(pieces)),
        tracking_numbers=tuple(number for piece in pieces for number in piece.tracking_numbers),
        documents=tuple(document for piece in pieces for document in _documents(piece)),
        total=_sum(piece.total for piece in pieces),
        charges=_charges(pieces),
        basis=_agreed(piece.basis for piece in pieces),
        billable_weight=_weight([piece.billable_weight for piece in pieces]),
        transit=_agreed(piece.transit for piece in pieces),
        carrier_refs=tuple(number for piece in pieces for number in piece.carrier_refs),
        created_at=max(piece.created_at for piece in pieces),
        messages=tuple(dict.fromkeys(message for piece in pieces for message in piece.messages)),
        key=key,
        generation=generation,
    )


def _packages(pieces: Sequence[m.Shipment]) -> Iterator[m.BookedPackage]:
    rows = [(piece, package) for piece in pieces for package in piece.packages]
    for position, (piece, package) in enumerate(rows):
        own = package.carrier_package_id or piece.shipment_id
        yield m.evolve(package, position=position, carrier_package_id=own)


def _documents(piece: m.Shipment) -> Iterator[m.Document]:
    """Papers of one booking; "all packages" means those of that booking now."""
    refs = tuple(package.ref for package in piece.packages)
    for document in piece.documents:
        yield document if document.package_refs else m.evolve(document, package_refs=refs)


def _sum(amounts: Iterable[m.Money | None]) -> m.Money | None:
    """The sum; None where an amount is not known, or is in another currency: nothing here knows a rate of exchange."""
    known = list(amounts)
    if any(amount is None for amount in known) or len({amount.currency for amount in known if amount}) != 1:
        return None
    return reduce(add, (amount for amount in known if amount is not None))


def _charges(pieces: Sequence[m.Shipment]) -> tuple[m.Charge, ...]:
    """The parts of the sum, each with its package; none where a booking came without, for they must add up."""
    if _sum(piece.total for piece in pieces) is None or not all(piece.charges for piece in pieces):
        return ()
    return tuple(charge for piece in pieces for charge in _of_package(piece))


def _of_package(piece: m.Shipment) -> Iterator[m.Charge]:
    only = piece.packages[0].ref if len(piece.packages) == 1 else None
    for charge in piece.charges:
        yield charge if charge.package_ref or only is None else m.evolve(charge, package_ref=only)


def _weight(weights: Sequence[m.Weight | None]) -> m.Weight | None:
    known = [weight for weight in weights if weight is not None]
    if len(known) != len(weights) or len({weight.unit for weight in known}) != 1:
        return None
    return m.Weight(sum(weight.value for weight in known), known[0].unit)


def _agreed(values: Iterable[V]) -> V | None:
    """What all say; None where they differ."""
    first, *others = values
    return first if all(other == first for other in others) else None


def joined_back(
    pieces: Sequence[tuple[m.Shipment | None, m.CancellationResult | None]],
) -> m.CancellationResult:
    """What became of cancelling all *pieces*, each with what was booked (if anything) and the carrier's answer."""
    answers = [result for _, result in pieces if result is not None]
    if not answers:
        return m.CancellationResult(outcome=m.CancelOutcome.VOIDED)  # nothing had been booked
    refunds = {answer.refund for answer in answers}
    return m.CancellationResult(
        outcome=_outcome([answer.outcome for answer in answers]),
        packages=tuple(outcome for booked, result in pieces for outcome in _outcomes(booked, result)),
        refund=refunds.pop() if len(refunds) == 1 else m.RefundState.PENDING if None not in refunds else None,
        amount=_sum(answer.amount for answer in answers),
        messages=tuple(dict.fromkeys(message for answer in answers for message in answer.messages)),
    )


def _outcome(outcomes: Sequence[m.CancelOutcome]) -> m.CancelOutcome:
    if len(set(outcomes)) == 1:
        return outcomes[0]
    if not all(outcome in _DONE for outcome in outcomes):
        return m.CancelOutcome.PARTLY
    waits = m.CancelOutcome.REQUESTED in outcomes
    return m.CancelOutcome.REQUESTED if waits else m.CancelOutcome.VOIDED


def _outcomes(booked: m.Shipment | None, result: m.CancellationResult | None) -> Iterator[m.PackageOutcome]:
    if result is None or booked is None:
        return
    if result.packages:
        yield from result.packages
        return
    for package in booked.packages:
        yield m.PackageOutcome(package_ref=package.ref, tracking_number=package.tracking_number, outcome=result.outcome)
