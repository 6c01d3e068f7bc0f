"""What a host asks for and a carrier has no place for: said, rather than left out in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from shipkit.model import Payer, Problem, ProblemCode

if TYPE_CHECKING:
    from shipkit.model import PartyRole, RateRequest, ShipmentRequest

__all__ = ["other_payers", "other_roles", "unplaced"]

_OF_PACKAGES = "packages/*/"


def unplaced(request: RateRequest | ShipmentRequest, texts: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for each field that is given, by its path such as ``return_to`` or ``packages/*/label_text``.

    *texts* says why, of each field that the carrier has no place for.
    """
    for path, text in texts.items():
        name = path.removeprefix(_OF_PACKAGES)
        holders = [("", request)] if name == path else [(f"/packages/{i}", p) for i, p in enumerate(request.packages)]
        for at, holder in holders:
            if getattr(holder, name, None) not in (None, ()):
                yield Problem(path=f"{at}/{name}", code=ProblemCode.NOT_OFFERED, text=text)


def other_roles(request: RateRequest | ShipmentRequest, taken: Collection[PartyRole], text: str) -> Iterator[Problem]:
    """A problem for each further party in a role that the carrier does not take."""
    known = ", ".join(taken) or None
    for index, party in enumerate(request.parties):
        if party.role not in taken:
            yield Problem(path=f"/parties/{index}/role", code=ProblemCode.NOT_OFFERED, text=text, limit=known)


def other_payers(request: RateRequest | ShipmentRequest, text: str) -> Iterator[Problem]:
    """A problem where somebody else than the sender is to pay, for carriers that bill the account."""
    payment = request.payment
    if payment is not None and payment.payer is not Payer.SENDER:
        yield Problem(path="/payment/payer", code=ProblemCode.NOT_OFFERED, text=text, limit=Payer.SENDER)
