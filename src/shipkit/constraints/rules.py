"""Rules between the fields of one value, by the name of its class (so that no room is loaded for a rule)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from shipkit.model.messages import ProblemCode

from .countries import CITYLESS, POSTAL_CODE_REQUIRED

if TYPE_CHECKING:
    from .found import Found

__all__ = ["RULES", "Draft"]

Draft: TypeAlias = Any
"""A value of the model in which any required field may still be None: the checkers cannot know it."""

# domain/options.csv: the options that may be given for single packages.
_PER_PACKAGE: Final = frozenset({"signature", "insurance", "cod"})
_WITH_ISSUER: Final = frozenset({"vat", "eori", "national_id"})
_MAY_BE_NEGATIVE: Final = frozenset({"discount", "refund", "adjustment", "unexplained"})


def _shipment(found: Found, request: Draft, at: str) -> None:
    _journey(found, request, at)
    if not request.service and not request.quote_id:
        found.missing(f"{at}/service", "a service, or the quote to buy, is required")


def _journey(found: Found, request: Draft, at: str) -> None:
    _end(found, request.ship_from, f"{at}/ship_from")
    _end(found, request.ship_to, f"{at}/ship_to", lines=request.service_point is None)
    if request.return_to is not None:
        _end(found, request.return_to, f"{at}/return_to", contact=False)
    if request.options:
        _options(found, request, at)
    if request.customs is not None:
        _sums(found, request, at)


def _end(found: Found, party: Draft, at: str, *, contact: bool = True, lines: bool = True) -> None:
    if party is None:
        return  # said already
    if contact and party.contact is None:
        found.missing(f"{at}/contact")
    address = party.address
    if address is None:
        found.missing(f"{at}/address")
        return
    if lines and address.lines is not None and not address.lines:
        found.add(f"{at}/address/lines", ProblemCode.TOO_FEW, "must have at least 1", "1")
    if not address.postal_code and address.country in POSTAL_CODE_REQUIRED:
        found.missing(f"{at}/address/postal_code", f"a postal code is required in {address.country}")
    if not address.city and address.country not in CITYLESS:
        found.missing(f"{at}/address/city", "a city is required in this country")


def _options(found: Found, request: Draft, at: str) -> None:
    refs = {package.ref for package in request.packages or () if package is not None}
    seen: set[tuple[str, str | None]] = set()
    for index, option in enumerate(request.options):
        if option is None:
            continue
        for number, ref in enumerate(option.package_refs):
            if ref not in refs:
                path = f"{at}/options/{index}/package_refs/{number}"
                found.add(path, ProblemCode.INCONSISTENT, "is the ref of no package")
        if option.code is None:
            continue
        for ref in option.package_refs or (None,):
            key, whole = (option.code, ref), (option.code, None)
            if key in seen or whole in seen or (ref is None and any(code == option.code for code, _ in seen)):
                text = f"{option.code} is given more than once for a package"
                found.add(f"{at}/options/{index}/code", ProblemCode.DUPLICATE, text)
            seen.add(key)


def _sums(found: Found, request: Draft, at: str) -> None:
    """Where every package states its contents, they are the goods that customs is told of."""
    customs, packages = request.customs, request.packages or ()
    if not customs.lines or not packages or not all(package is not None and package.contents for package in packages):
        return
    packed = [line for package in packages for line in package.contents]
    for what, total in (("quantity", _quantity), ("value", _value)):
        ours, theirs = total(customs.lines), total(packed)
        if ours is not None and theirs is not None and ours != theirs:
            text = f"the {what} declared is not the {what} of the packages' contents"
            found.add(f"{at}/customs/lines", ProblemCode.INCONSISTENT, text)


def _quantity(lines: Draft) -> object:
    quantities: list[Any] = [line.quantity if line is not None else None for line in lines]
    return None if None in quantities else sum(quantities)


def _value(lines: Draft) -> object:
    values: dict[str, Any] = {}
    for line in lines:
        if line is None or line.unit_value is None or line.unit_value.amount is None or line.quantity is None:
            return None
        money = line.unit_value
        values[money.currency] = values.get(money.currency, 0) + money.amount * line.quantity
    return values


def _pickup(found: Found, request: Draft, at: str) -> None:
    _end(found, request.pickup_from, f"{at}/pickup_from")
    if request.weight is not None and request.weight.value is not None and not request.weight.value:
        found.add(f"{at}/weight/value", ProblemCode.NOT_POSITIVE, "must be greater than 0", "> 0")


def _window(found: Found, window: Draft, at: str) -> None:
    if window.ready is not None and window.close is not None and window.close <= window.ready:
        found.add(f"{at}/close", ProblemCode.INCONSISTENT, "must be after ready")


def _package(found: Found, package: Draft, at: str) -> None:
    weight, declared = package.weight, package.declared_value
    if weight is not None and weight.value is not None and not weight.value and package.packaging != "letter":
        text = "must be greater than 0: only a letter may weigh nothing"
        found.add(f"{at}/weight/value", ProblemCode.NOT_POSITIVE, text, "> 0")
    if declared is not None and declared.amount is not None and declared.amount < 0:
        found.add(f"{at}/declared_value/amount", ProblemCode.NOT_POSITIVE, "must be 0 or more", ">= 0")
    if package.sscc is not None:
        _check_digit(found, package.sscc, f"{at}/sscc")


def _dimensions(found: Found, size: Draft, at: str) -> None:
    if size.diameter is not None:
        for side in ("width", "height"):
            if getattr(size, side) is not None:
                found.add(f"{at}/{side}", ProblemCode.NOT_TOGETHER, "a tube has a length and a diameter only")
        return
    for side in ("width", "height"):
        if getattr(size, side) is None:
            found.missing(f"{at}/{side}", f"{side} is required unless a diameter is given")


def _contact(found: Found, contact: Draft, at: str) -> None:
    if not contact.name and not contact.company:
        found.missing(f"{at}/name", "a name or a company is required")


def _tax_id(found: Found, tax_id: Draft, at: str) -> None:
    if tax_id.issuer is None and tax_id.type in _WITH_ISSUER:
        found.missing(f"{at}/issuer", f"the country that issued it is required for {tax_id.type}")


def _payment(found: Found, payment: Draft, at: str) -> None:
    if payment.account is None and payment.payer in ("recipient", "third_party"):
        found.missing(f"{at}/account", f"the account is required when the {payment.payer} pays")


def _option(found: Found, option: Draft, at: str) -> None:
    if option.code is None:
        return
    from shipkit.model.shipments import OPTION_TYPES

    wanted = OPTION_TYPES[option.code]
    # Held at a location without a point: at the carrier's own facility (domain/options.csv).
    if wanted and option.value is None and option.code != "hold_at_location":
        found.missing(f"{at}/value", f"{option.code} needs a {wanted}")
    elif wanted == "Money" and option.value is not None and _not_positive(option.value):
        found.add(f"{at}/value/amount", ProblemCode.NOT_POSITIVE, "must be greater than 0", "> 0")
    if option.package_refs and option.code not in _PER_PACKAGE:
        found.add(f"{at}/package_refs", ProblemCode.NOT_OFFERED, f"{option.code} is for the whole shipment")


def _not_positive(money: Draft) -> bool:
    return money is not None and money.amount is not None and money.amount <= 0


def _cash(found: Found, cash: Draft, at: str) -> None:
    if _not_positive(cash.amount):
        found.add(f"{at}/amount/amount", ProblemCode.NOT_POSITIVE, "must be greater than 0", "> 0")


def _page(found: Found, size: Draft, at: str) -> None:
    if size.format == "custom":
        for side in ("width", "height"):
            if getattr(size, side) is None:
                found.missing(f"{at}/{side}", f"{side} is required for a custom size")


def _label(found: Found, label: Draft, at: str) -> None:
    if label.orientation not in (None, 0, 90, 180, 270):
        found.add(f"{at}/orientation", ProblemCode.OUT_OF_RANGE, "must be 0, 90, 180 or 270", "0, 90, 180, 270")


def _return_spec(found: Found, spec: Draft, at: str) -> None:
    if spec.return_to is not None:
        _end(found, spec.return_to, f"{at}/return_to", contact=False)


def _temperature(found: Found, span: Draft, at: str) -> None:
    if span.min_c is None and span.max_c is None:
        found.missing(f"{at}/min_c", "one of min_c and max_c is required")
    elif span.min_c is not None and span.max_c is not None and span.max_c < span.min_c:
        found.add(f"{at}/max_c", ProblemCode.INCONSISTENT, "must not be below min_c")


def _commodity(found: Found, line: Draft, at: str) -> None:
    if line.unit_value is not None and line.unit_value.amount is not None and line.unit_value.amount < 0:
        found.add(f"{at}/unit_value/amount", ProblemCode.NOT_POSITIVE, "must be 0 or more", ">= 0")
    if line.gtin is not None:
        _check_digit(found, line.gtin, f"{at}/gtin")
    net, gross = line.net_weight, line.gross_weight
    if net is not None and gross is not None and None not in (net.value, net.unit, gross.value, gross.unit):
        from .sizes import grams

        if grams(gross) < grams(net):
            found.add(f"{at}/gross_weight", ProblemCode.INCONSISTENT, "must not be below net_weight")


def _customs(found: Found, customs: Draft, at: str) -> None:
    if customs.duties_account is None and customs.duties_payer == "third_party":
        found.missing(f"{at}/duties_account", "the account is required when a third party pays the duties")


def _charge(found: Found, charge: Draft, at: str) -> None:
    amount = charge.amount.amount if charge.amount is not None else None
    if amount is not None and amount < 0 and charge.type not in _MAY_BE_NEGATIVE:
        found.add(f"{at}/amount/amount", ProblemCode.NOT_POSITIVE, f"a charge of type {charge.type} is not negative")


def _dangerous(found: Found, good: Draft, at: str) -> None:
    if good.emergency_contact is None and good.level == "full":
        found.missing(f"{at}/emergency_contact", "an emergency contact is required for fully regulated goods")


def _lithium(found: Found, battery: Draft, at: str) -> None:
    if battery.chemistry == "metal" and battery.lithium_grams is None:
        found.missing(f"{at}/lithium_grams", "the grams of lithium are required for lithium metal")
    elif battery.chemistry in ("ion", "sodium_ion") and battery.watt_hours is None:
        found.missing(f"{at}/watt_hours", "the watt hours are required for lithium and sodium ion")


def _days(found: Found, days: Draft, at: str) -> None:
    if days.first is not None and days.last is not None and days.last < days.first:
        found.add(f"{at}/last", ProblemCode.INCONSISTENT, "must not be before first")


def _points(found: Found, query: Draft, at: str) -> None:
    if query.near is None and not query.id:
        found.missing(f"{at}/near", "near or id is required")


def _insurance(found: Found, request: Draft, at: str) -> None:
    if _not_positive(request.amount):
        found.add(f"{at}/amount/amount", ProblemCode.NOT_POSITIVE, "must be greater than 0", "> 0")


def _check_digit(found: Found, number: str, at: str) -> None:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    if not (number.isascii() and number.isdigit()):
        return  # its pattern is said to be wrong
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    if total % 10:
        found.add(at, ProblemCode.CHECK_DIGIT, "has a wrong check digit")


RULES: Final[dict[str, Callable[[Found, Any, str], None]]] = {
    "CashOnDelivery": _cash,
    "Charge": _charge,
    "CommodityLine": _commodity,
    "Contact": _contact,
    "CustomsDeclaration": _customs,
    "DangerousGood": _dangerous,
    "DateRange": _days,
    "Dimensions": _dimensions,
    "InsuranceRequest": _insurance,
    "LabelSpec": _label,
    "LithiumBattery": _lithium,
    "Option": _option,
    "Package": _package,
    "PageSize": _page,
    "Payment": _payment,
    "PickupRequest": _pickup,
    "PickupWindow": _window,
    "RateRequest": _journey,
    "ReturnSpec": _return_spec,
    "ServicePointQuery": _points,
    "ShipmentRequest": _shipment,
    "TaxId": _tax_id,
    "TemperatureRange": _temperature,
}
