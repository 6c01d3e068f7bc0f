"""What EasyPost demands of a request beyond its facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shipkit.constraints.unplaced import other_roles, unplaced
from shipkit.model import (
    CashOnDelivery,
    CodMethod,
    CustomsDeclaration,
    Money,
    OptionCode,
    PackagingKind,
    PartyRole,
    Problem,
    ProblemCode,
    RateRequest,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    ShipmentRequest,
)

from .. import codes

__all__ = ["problems", "return_problems"]

_CARRIERS_OWN: Final = frozenset({PackagingKind.BOX, PackagingKind.LETTER, PackagingKind.PAK})
_PRINTED_MAX: Final = 2

_NOT_OFFERED: Final = {
    "account_holder": "EasyPost knows the account holder from the key",
    "service_point": "EasyPost delivers to addresses, not to points",
    "drop_off_point": "EasyPost has no hand-over at a chosen point",
    "return_label": "EasyPost makes a return as a shipment of its own: create_return",
    "packages/*/label_text": "EasyPost prints references and no other text of the host's",
}


def problems(request: RateRequest | ShipmentRequest) -> Iterator[Problem]:
    """Everything that would be refused, or that EasyPost has no field for."""
    yield from _options(request)
    yield from _packages(request)
    yield from unplaced(request, _NOT_OFFERED)
    yield from other_roles(request, (PartyRole.BUYER,), "of the further parties EasyPost takes the buyer only")
    if request.customs is not None:
        yield from _customs(request.customs)
    if isinstance(request, ShipmentRequest):
        yield from _shipment(request)


def return_problems(request: ReturnRequest) -> Iterator[Problem]:
    """What holds for the way back alone."""
    if request.kind is not ReturnLabelKind.PRINTED:
        yield _problem("/kind", ProblemCode.NOT_OFFERED, "EasyPost makes return labels to be printed", "printed")
    if request.valid_days is not None:
        yield _problem("/valid_days", ProblemCode.NOT_OFFERED, "how long a label is valid, the carrier decides")


def _options(request: RateRequest | ShipmentRequest) -> Iterator[Problem]:
    for index, option in enumerate(request.options):
        at, value = f"/options/{index}/value", option.value
        if option.code is OptionCode.INSURANCE and isinstance(value, Money) and value.currency != "USD":
            yield _problem(f"{at}/currency", ProblemCode.NOT_OFFERED, "EasyPost insures in US dollars only", "USD")
        if option.code is OptionCode.HOLD_AT_LOCATION and value is not None:
            yield _problem(at, ProblemCode.NOT_OFFERED, "EasyPost holds a parcel at the carrier's own facility only")
        if option.code is OptionCode.COD and isinstance(value, CashOnDelivery):
            if value.method is CodMethod.CARD:
                yield _problem(f"{at}/method", ProblemCode.NOT_OFFERED, "EasyPost collects cash or a cheque")
            if value.remit_to is not None:
                text = "EasyPost sends the money to the account holder"
                yield _problem(f"{at}/remit_to", ProblemCode.NOT_OFFERED, text)


def _packages(request: RateRequest | ShipmentRequest) -> Iterator[Problem]:
    for index, package in enumerate(request.packages):
        if package.packaging in _CARRIERS_OWN and not package.packaging_code:
            text = f"which carrier's {package.packaging}: give its predefined package, such as FlatRateEnvelope"
            yield _problem(f"/packages/{index}/packaging_code", ProblemCode.MISSING, text)


def _customs(customs: CustomsDeclaration) -> Iterator[Problem]:
    if customs.non_delivery not in codes.NON_DELIVERY:
        yield _problem("/customs/non_delivery", ProblemCode.NOT_OFFERED, "EasyPost offers return and abandon")
    if customs.incoterm is not None and customs.incoterm.value not in codes.INCOTERMS:
        text = f"EasyPost takes {', '.join(sorted(codes.INCOTERMS))}"
        yield _problem("/customs/incoterm", ProblemCode.NOT_OFFERED, text)
    for index, line in enumerate(customs.lines):
        at = f"/customs/lines/{index}"
        if line.origin_country is None:
            yield _problem(f"{at}/origin_country", ProblemCode.LANE_REQUIRES, "the country of origin is required")
        if line.net_weight is None and line.gross_weight is None:
            yield _problem(f"{at}/net_weight", ProblemCode.LANE_REQUIRES, "the weight of the goods is required")
        if line.unit_value.amount <= 0:
            yield _problem(f"{at}/unit_value/amount", ProblemCode.NOT_POSITIVE, "must be greater than 0", "> 0")


def _shipment(request: ShipmentRequest) -> Iterator[Problem]:
    if request.quote_id is not None and not _is_quote(request.quote_id):
        yield _problem("/quote_id", ProblemCode.MALFORMED, "a quote of EasyPost is written shp_…/rate_…")
    if request.service is not None and "/" not in request.service:
        text = "a service of EasyPost is written carrier/service, such as usps/GroundAdvantage"
        yield _problem("/service", ProblemCode.MALFORMED, text)
    numbers = [*request.references, *(number for package in request.packages for number in package.references)]
    if sum(number.type is not ReferenceType.INVOICE for number in numbers) > _PRINTED_MAX:
        text = f"beside the reference, {_PRINTED_MAX} further numbers and an invoice number are printed"
        yield _problem("/references", ProblemCode.TOO_MANY, text, str(_PRINTED_MAX))


def _is_quote(text: str) -> bool:
    shipment, _, rate = text.partition("/")
    return shipment.startswith("shp_") and rate.startswith("rate_") and "/" not in rate


def _problem(path: str, code: ProblemCode, text: str, limit: str | None = None) -> Problem:
    return Problem(path=path, code=code, text=text, limit=limit)
