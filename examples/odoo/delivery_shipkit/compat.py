"""Odoo's records as shipkit's values: the one file that touches what changes between majors. This one is of 19."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs
from odoo.exceptions import UserError
from odoo.tools import float_compare

from shipkit.model import (
    Address,
    AddressKind,
    CarrierFacts,
    Contact,
    Dimensions,
    Length,
    LengthUnit,
    Money,
    Package,
    Party,
    TaxId,
    TaxIdType,
    Weight,
    WeightUnit,
)

__all__ = [
    "Content",
    "contents_of",
    "day_of",
    "exact",
    "length_of",
    "money_of",
    "packages_of_order",
    "packages_of_picking",
    "party_of",
    "reference_of",
    "weight_of",
]

_FINEST = Decimal("0.000001")  # the most decimals that shipkit's measures take
_REGISTERS = {"EL": "GR", "XI": "GB"}
"""Prefixes of European numbers that are no country's code."""
_INCHES = 12
_REFERENCE_MAX = 30


def exact(value: float) -> Decimal:
    """The number that was meant: floats carry binary noise in digits that nobody typed; NaN for what no measure has."""
    try:
        number = Decimal(repr(value)).quantize(_FINEST).normalize() + 0
    except InvalidOperation:  # larger than any
        return Decimal("nan")
    return number


def weight_of(env: Any, value: float | Decimal) -> Weight:
    """*value* in the unit that the database is set to, kg or lb."""
    number = value if isinstance(value, Decimal) else exact(value)
    unit = env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
    return Weight(number, WeightUnit.LB if unit == env.ref("uom.product_uom_lb") else WeightUnit.KG)


def length_of(env: Any, value: float) -> Length:
    """*value* in millimetres, or in inches where the database is set to feet: nobody measures a box in feet."""
    return Length(exact(value), LengthUnit.IN if in_feet(env) else LengthUnit.MM)


def in_feet(env: Any) -> bool:
    """Whether the database measures in feet, and not in millimetres."""
    unit = env["product.template"]._get_length_uom_id_from_ir_config_parameter()
    return bool(unit == env.ref("uom.product_uom_foot"))


def money_of(amount: float, currency: Any) -> Money:
    """*amount* as Odoo rounds it in *currency*."""
    return Money(Decimal(f"{currency.round(amount):.{currency.decimal_places}f}"), currency.name)


def day_of(picking: Any) -> date:
    """The day that rates of exchange are taken of: the order's, which a second try does not change."""
    day: date = (picking.sale_id.date_order or picking.create_date).date()
    return day


def reference_of(picking: Any, facts: CarrierFacts) -> str:
    """The transfer's own number, of which the end tells it from others; a dash for what the carrier does not print."""
    patterns = [rule.pattern for rule in facts.field_rules if rule.path == "/reference" and rule.pattern]

    def printed(letter: str) -> bool:
        return " " <= letter <= "~" and all(re.fullmatch(pattern, letter) for pattern in patterns)

    text = "".join(letter if printed(letter) else "-" for letter in picking.name)
    return text[-min(facts.reference_max, _REFERENCE_MAX) :]


# Parties


def party_of(partner: Any, *, what: str) -> Party:
    """Who stands at one end. *what* it is, such as "the delivery address", is for the person who reads what is missing.

    Raises:
        UserError: it lacks something that no carrier can do without; the record and what it lacks are named.
    """
    if not partner:
        raise UserError(_sentence(partner.env._("%s is missing.", what)))
    if missing := list(_missing(partner)):
        named = f"{what} ({partner.display_name})"
        raise UserError(_sentence(partner.env._("%(what)s lacks %(missing)s.", what=named, missing=", ".join(missing))))
    return Party(address=_address_of(partner), contact=_contact_of(partner), tax_ids=tuple(_tax_ids_of(partner)))


def _missing(partner: Any) -> Iterator[str]:
    _, country = partner.env._, partner.country_id
    if not (partner.name or partner.commercial_company_name):
        yield _("a name")
    if not any(map(_text, (partner.street, partner.street2))):
        yield _("a street")
    if country.zip_required and not _text(partner.zip):
        yield _("a postal code")
    if not _text(partner.city):
        yield _("a city")
    if country.state_required and not partner.state_id:
        yield _("a state")
    if not country:
        yield _("a country")


def _address_of(partner: Any) -> Address:
    country = partner.country_id.code
    return Address(
        lines=tuple(filter(None, map(_text, (partner.street, partner.street2)))),
        postal_code=_text(partner.zip),
        city=_text(partner.city),
        region=(partner.state_id.code or "").removeprefix(f"{country}-") or None,
        country=country,
        kind=AddressKind.BUSINESS if partner.commercial_partner_id.is_company else AddressKind.UNKNOWN,
    )


def _contact_of(partner: Any) -> Contact:
    whole = partner.commercial_partner_id
    lang = (partner.lang or "").partition("@")[0].replace("_", "-")
    return Contact(
        name=None if partner.is_company else _text(partner.name),
        company=_text(partner.name if partner.is_company else partner.commercial_company_name),
        phone=_text(partner.phone) or _text(whole.phone),
        email=_text(partner.email) or _text(whole.email),
        language=lang or None,
    )


def _tax_ids_of(partner: Any) -> Iterator[TaxId]:
    whole = partner.commercial_partner_id
    for kind, number in ((TaxIdType.VAT, whole.vat), (TaxIdType.EORI, whole.shipkit_eori)):
        bare = "".join(filter(str.isalnum, number or "")).upper()
        if len(bare) > 1:  # Odoo writes "/" for "has none"
            country = whole.country_id.code or partner.country_id.code
            yield TaxId(type=kind, value=bare, issuer=_issuer_of(partner.env, bare, country))


def _issuer_of(env: Any, number: str, country: str) -> str:
    """Whose register *number* is of: in Europe it begins with that, elsewhere it may begin with anybody's initials."""
    issuer = _REGISTERS.get(number[:2], number[:2])
    group = env.ref("base.europe", raise_if_not_found=False)
    europe = {*(group.sudo().country_ids.mapped("code") if group else ()), "GB"}
    return issuer if issuer in europe and (country in europe or number[2:].isdigit()) else country


def _text(value: Any) -> str | None:
    """Odoo's False and blanks as None."""
    return (value or "").strip() or None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


# Packages


@attrs.frozen
class Content:
    """What one parcel holds: its package in Odoo (none for loose goods), its type, its lines, and what it weighs."""

    package: Any
    kind: Any
    lines: Any
    weight: Decimal

    def name(self) -> str:
        """As people know it."""
        return self.package.name or self.lines.env._("the loose goods")


def contents_of(picking: Any, default: Any) -> list[Content]:
    """The parcels of a delivery: what gets a label is the outermost package, and all loose goods are one parcel more.

    *default* is the type of package that loose goods travel in. The order is that of the packages' making, which is the
    same on every try.
    """
    goods = picking.move_line_ids.filtered(lambda line: line.product_id.type == "consu" and line.quantity)
    tree = _Tree(picking, goods)
    found = [Content(*tree.outermost(package)) for package in tree.tops.sorted("id")]
    if loose := goods.filtered(lambda line: not line.result_package_id):
        weight = _goods_weight(loose)
        if found or not _typed(picking, weight):
            weight += exact(default.base_weight)
        else:
            weight = exact(picking.shipping_weight)
        found.append(Content(goods.result_package_id.browse(), default, loose, weight))
    return found


class _Tree:
    """The packages of a transfer, each in its container as the transfer leaves them."""

    def __init__(self, picking: Any, goods: Any) -> None:
        # A transfer that is done has only its history: containers are opened and packed anew.
        history = picking.package_history_ids if picking.state == "done" else None
        self._within = {row.package_id: row.parent_dest_id for row in history} if history is not None else None
        self._lines = goods.grouped("result_package_id")
        self._inside: dict[Any, Any] = {}
        self.tops = goods.result_package_id.browse()
        for package in goods.result_package_id:
            inner = package
            while outer := self._container(inner):
                self._inside[outer] = self._inside.get(outer, package.browse()) | inner
                inner = outer
            self.tops |= inner

    def _container(self, package: Any) -> Any:
        if self._within is None:
            return package.package_dest_id
        return self._within.get(package, package.browse())

    def outermost(self, package: Any) -> tuple[Any, Any, Any, Decimal]:
        """The parts of the content of *package*."""
        lines = package.env["stock.move.line"].union(*self._all_lines(package))
        return package, package.package_type_id, lines, self._weight(package)

    def _all_lines(self, package: Any) -> Iterator[Any]:
        if package in self._lines:
            yield self._lines[package]
        for inner in self._inside.get(package, ()):
            yield from self._all_lines(inner)

    def _weight(self, package: Any) -> Decimal:
        """As it was weighed; else its own weight and that of all it holds."""
        if package.shipping_weight:
            return exact(package.shipping_weight)
        weight = exact(package.package_type_id.base_weight)
        weight += _goods_weight(self._lines[package]) if package in self._lines else 0
        return weight + sum(self._weight(inner) for inner in self._inside.get(package, ()))


def _goods_weight(lines: Any) -> Decimal:
    return sum((exact(line.quantity_product_uom) * exact(line.product_id.weight) for line in lines), Decimal(0))


def _typed(picking: Any, weight: Decimal) -> bool:
    """Whether somebody entered the weight of the whole transfer, which else is that of its goods."""
    digits = picking.env["decimal.precision"].precision_get("Stock Weight")
    entered = picking.shipping_weight
    return bool(entered) and float_compare(entered, float(weight), precision_digits=digits) != 0


def packages_of_picking(picking: Any, contents: list[Content]) -> tuple[Package, ...]:
    """The parcels of a delivery as the carrier gets them, named "1", "2" and so on: a rollback burns Odoo's own names.

    Raises:
        UserError: there is nothing to ship, or something weighs nothing.
    """
    env = picking.env
    if not contents:
        raise UserError(env._("%s has no goods that a carrier could take.", picking.display_name))
    return tuple(
        _package(env, str(number), content.weight, content.kind, content.name(), content.package)
        for number, content in enumerate(contents, 1)
    )


def packages_of_order(order: Any, carrier: Any) -> tuple[Package, ...]:
    """The parcels that core makes up for a quotation; good for prices, never for customs.

    Raises:
        UserError: the goods weigh nothing.
    """
    kind = carrier._shipkit_package_type()
    made_up = carrier._get_packages_from_order(order, kind)
    return tuple(
        _package(order.env, str(number), exact(package.weight), kind, order.name)
        for number, package in enumerate(made_up, 1)
    )


def _package(env: Any, ref: str, weight: Decimal, kind: Any, name: str, package: Any = None) -> Package:
    if not weight.is_finite():
        raise UserError(env._("The weight of %s is no weight.", name))
    if weight <= 0:
        raise UserError(env._("The weight of %s is 0: give its goods, or the package, a weight.", name))
    ours = kind.package_carrier_type == "shipkit"
    return Package(
        ref=ref,
        weight=weight_of(env, weight.quantize(_FINEST).normalize() + 0),
        dimensions=_dimensions_of(env, kind, ours),
        packaging_code=(kind.shipper_package_code or None) if ours else None,
        sscc=package.name if package and package.valid_sscc else None,
    )


def _dimensions_of(env: Any, kind: Any, ours: bool) -> Dimensions | None:
    """The sides of a type of package; other types than ours are shown, and so meant, in feet where Odoo has them."""
    times = _INCHES if in_feet(env) and not ours else 1
    sides = [side * times for side in (kind.packaging_length, kind.width, kind.height)]
    if not all(side > 0 for side in sides):
        return None
    length, width, height = (length_of(env, side) for side in sides)
    return Dimensions(length=length, width=width, height=height)
