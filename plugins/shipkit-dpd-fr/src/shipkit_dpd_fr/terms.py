"""What a request comes to in DPD France's terms: the product, the label type, texts in its fields; nothing is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from shipkit.constraints.unplaced import other_payers, other_roles, unplaced
from shipkit.errors import InputError
from shipkit.model import NotifyChannel, OptionCode, Problem, ProblemCode, ReturnLabelKind

from .codes import (
    CLASSIC,
    FURTHER_REFERENCES,
    INFO_MAX,
    INSURANCE_MAX,
    LABEL_TEXT_MAX,
    LABELS,
    LINE_MAX,
    LINES_MAX,
    PREDICT,
    RELAIS,
    SERVICES,
)

# WSDL: what a booking has no field for.
NOT_OFFERED: Final = {
    "account_holder": "the account says whose it is",
    "drop_off_point": "the interface takes no point of hand-over",
    "quote_id": "the interface has no quotes",
}
NOT_OFFERED_BACK: Final = {
    "service_point": "any relay point takes the parcel in",
    "return_label": "a way back has none of its own",
    "references": "a return has room for the order's number only",
    "packages/*/references": "a return has room for the order's number only",
}
NOT_OFFERED_FOR_SEVERAL: Final = {"packages/*/label_text": "only a single package bears text of the host's"}

if TYPE_CHECKING:
    from shipkit.model import Address, Contact, LabelSpec, Money, Package, Party, ReturnRequest, ShipmentRequest

__all__ = [
    "delivery_notes",
    "insured",
    "label_text",
    "label_type",
    "lines",
    "names",
    "option",
    "problems_of",
    "product",
    "references",
    "refused",
    "return_problems",
    "single_line",
]


def refused(path: str, code: ProblemCode, text: str, limit: str | None = None) -> InputError:
    """One problem as an error."""
    return InputError(problems=(Problem(path=path, code=code, text=text, limit=limit),))


def option(request: ShipmentRequest, code: OptionCode) -> Any:
    """The value of an option of the whole shipment; True for one that has none, None where it is not asked for."""
    for asked in request.options:
        if asked.code is code and not asked.package_refs:
            return True if asked.value is None else asked.value
    return None


def product(request: ShipmentRequest) -> str:
    """The service that the request comes to: the interface has no field for it."""
    if request.service_point is not None:
        return RELAIS
    if request.service == PREDICT or option(request, OptionCode.PREDICT):
        return PREDICT
    return CLASSIC


def insured(request: ShipmentRequest, package: Package) -> Money | None:
    """Up to what amount *package* is insured beyond the carrier's terms."""
    for asked in request.options:
        if asked.code is OptionCode.INSURANCE and (package.ref in asked.package_refs or not asked.package_refs):
            value: Any = asked.value
            return value  # type: ignore[no-any-return]  # options.csv: insurance is money
    return None


def label_type(spec: LabelSpec | None) -> str:
    """The interface's name of the label that is asked for; without a word, the carrier's first."""
    for wire, offered in LABELS.items():
        if spec is None or (
            spec.format in (None, offered.format)
            and spec.dpi in (None, offered.dpi)
            and (spec.size is None or spec.size.format in (offered.page, None))
        ):
            return wire
    raise refused("/label", ProblemCode.NOT_OFFERED, f"DPD France has no such label, only {', '.join(LABELS)}")


def names(contact: Contact, at: str, *, consumer: bool) -> tuple[str, str | None]:
    """Name on the first line, and the second name; products for consumers want the person first (SDK, AddressDTO)."""
    person, company = contact.name or "", contact.company or ""
    first, second = (person, company) if consumer else (company, person)
    if not first or not second:
        return first or second, None
    if len(second) > INFO_MAX:
        path = f"{at}/contact/{'company' if consumer else 'name'}"
        raise refused(path, ProblemCode.TOO_LONG, f"beside another name at most {INFO_MAX} characters", str(INFO_MAX))
    return first, second


def lines(address: Address, at: str) -> Sequence[str]:
    """Up to four lines: street, and the shorter ``name2`` to ``name4``."""
    given = address.lines
    widths = (LINE_MAX, *[INFO_MAX] * (LINES_MAX - 1))
    if len(given) > LINES_MAX or any(len(line) > width for line, width in zip(given, widths, strict=False)):
        text = f"at most {LINES_MAX} lines of {INFO_MAX} characters, {LINE_MAX} in the first"
        raise refused(f"{at}/address/lines", ProblemCode.TOO_LONG, text, str(INFO_MAX))
    return given


def single_line(address: Address, at: str) -> str:
    """The one line of a place that has a street and no more; the client has put all lines into it."""
    text = " ".join(address.lines)
    if len(text) > LINE_MAX:
        said = f"a place of that kind has one line of at most {LINE_MAX} characters"
        raise refused(f"{at}/address/lines", ProblemCode.TOO_LONG, said, str(LINE_MAX))
    return text


def delivery_notes(party: Party, instructions: str | None, at: str) -> Sequence[str]:
    """What the driver reads, in at most two notes: where the door is, and the host's words."""
    from shipkit.constraints.wrapping import rewrapped

    access = party.address.access if party.address is not None else None
    where = ", ".join(part for part in (access.building, access.floor) if part) if access is not None else ""
    notes = [text for text in (where, instructions or "") if text]
    fitting = rewrapped(notes, INFO_MAX, 2)
    if fitting is None:
        said = f"building, floor and instructions have two lines of {INFO_MAX} characters together"
        path = "/instructions" if instructions else f"{at}/address/access"
        raise refused(path, ProblemCode.TOO_LONG, said, str(INFO_MAX))
    return fitting


def label_text(package: Package, at: str) -> str | None:
    """The host's own lines on the label."""
    text = "\n".join(package.label_text)
    if len(text) > LABEL_TEXT_MAX:
        said = f"the label has room for {LABEL_TEXT_MAX} characters"
        raise refused(f"{at}/label_text", ProblemCode.TOO_LONG, said, str(LABEL_TEXT_MAX))
    return text or None


def references(request: ShipmentRequest, package: Package) -> dict[str, str]:
    """The host's numbers: the order's, then those of the package and of the shipment, two in all."""
    further = [reference.value for reference in (*package.references, *request.references)]
    if len(further) > FURTHER_REFERENCES:
        text = f"a parcel has room for {FURTHER_REFERENCES} references beside the order's"
        raise refused("/references", ProblemCode.TOO_MANY, text, str(FURTHER_REFERENCES))
    return {f"reference{index + 2}": value for index, value in enumerate([request.reference, *further])}


def problems_of(request: ShipmentRequest) -> Iterator[Problem]:
    """What the facts cannot express."""
    yield from _service_problems(request)
    yield from _notice_problems(request)
    yield from _insurance_problems(request)
    yield from _text_problems(request)
    if request.return_label is not None and request.return_label.kind is not ReturnLabelKind.PRINTED:
        yield _problem("/return_label/kind", ProblemCode.NOT_OFFERED, "only a printed return label comes with a parcel")
    if request.return_label is not None and len(request.packages) > 1:
        yield _problem("/return_label", ProblemCode.NOT_TOGETHER, "comes with a single package only")
    yield from unplaced(request, NOT_OFFERED)
    if len(request.packages) > 1:
        yield from unplaced(request, NOT_OFFERED_FOR_SEVERAL)
    yield from other_roles(request, (), "the interface has sender and recipient and no further parties")
    yield from other_payers(request, "DPD France bills the account")


def return_problems(request: ReturnRequest) -> Iterator[Problem]:
    """What holds for the way back alone (WSDL, ReverseShipmentRequest: one reference, no place to go to but one)."""
    order = request.shipment
    if request.kind is not ReturnLabelKind.PRINTED:
        text = "the label of a return is printed by who sends it"
        yield _problem("/kind", ProblemCode.NOT_OFFERED, text, "printed")
    if len(order.packages) > 1:
        yield _problem("/shipment/packages", ProblemCode.TOO_MANY, "a return has one package", "1")
    for problem in unplaced(order, NOT_OFFERED_BACK):
        yield attrs.evolve(problem, path=f"/shipment{problem.path}")


def _service_problems(request: ShipmentRequest) -> Iterator[Problem]:
    comes_to = product(request)
    if request.service == RELAIS and request.service_point is None:
        yield _problem("/service_point", ProblemCode.MISSING, f"{SERVICES[RELAIS]} goes to a chosen point")
    elif request.service in SERVICES and request.service != comes_to:
        text = f"with these options and this destination it is {SERVICES[comes_to]}"
        yield _problem("/service", ProblemCode.INCONSISTENT, text, comes_to)
    if request.service_point is not None and len(request.packages) > 1:
        yield _problem("/packages", ProblemCode.TOO_MANY, "a relay point takes one package per booking", "1")


def _notice_problems(request: ShipmentRequest) -> Iterator[Problem]:
    predict, notify = option(request, OptionCode.PREDICT), option(request, OptionCode.NOTIFY)
    contact = request.ship_to.contact
    if predict and notify:
        yield _problem("/options", ProblemCode.NOT_TOGETHER, "predict stands in place of notify")
    if predict and request.service_point is not None:
        yield _problem("/options", ProblemCode.NOT_TOGETHER, "predict is for deliveries to the door")
    if product(request) == PREDICT and contact is not None and not (contact.email or contact.phone):
        yield _problem("/ship_to/contact", ProblemCode.MISSING, "predict needs an e-mail address or a phone number")
    if notify and len(notify.channels) > 1:
        yield _problem("/options", ProblemCode.TOO_MANY, "notify goes by e-mail or by text message, not by both", "1")
    if notify and notify.events:
        yield _problem("/options", ProblemCode.NOT_OFFERED, "what the recipient is told of cannot be chosen")
    for channel, field in ((NotifyChannel.EMAIL, "email"), (NotifyChannel.SMS, "phone")):
        if notify and channel in notify.channels and contact is not None and not getattr(contact, field):
            yield _problem(f"/ship_to/contact/{field}", ProblemCode.MISSING, f"notify by {channel} needs it")


def _insurance_problems(request: ShipmentRequest) -> Iterator[Problem]:
    for index, asked in enumerate(request.options):
        amount: Any = asked.value
        if asked.code is not OptionCode.INSURANCE or amount is None:
            continue
        if not asked.package_refs and len(request.packages) > 1:
            text = "insurance is per package: say which with package_refs"
            yield _problem(f"/options/{index}/package_refs", ProblemCode.MISSING, text)
        if amount.currency != "EUR":
            text = "DPD France insures in euros"
            yield _problem(f"/options/{index}/value/currency", ProblemCode.NOT_OFFERED, text, "EUR")
        elif amount.amount > INSURANCE_MAX:
            text = f"at most {INSURANCE_MAX} EUR a package"
            yield _problem(f"/options/{index}/value/amount", ProblemCode.OUT_OF_RANGE, text, f"{INSURANCE_MAX} EUR")


def _text_problems(request: ShipmentRequest) -> Iterator[Problem]:
    """What is said of two fields together."""
    consumer = product(request) != CLASSIC
    checks: list[Callable[[], object]] = [partial(references, request, package) for package in request.packages]
    for party, at, notes in (
        (request.ship_from, "/ship_from", None),
        (request.ship_to, "/ship_to", request.instructions),
    ):
        checks.append(partial(delivery_notes, party, notes, at))
        if party.contact is not None:
            checks.append(partial(names, party.contact, at, consumer=consumer and at == "/ship_to"))
    for index, package in enumerate(request.packages):
        checks.append(partial(label_text, package, f"/packages/{index}"))
    for check in checks:
        try:
            check()
        except InputError as error:
            yield from error.problems


def _problem(path: str, code: ProblemCode, text: str, limit: str | None = None) -> Problem:
    return Problem(path=path, code=code, text=text, limit=limit)
