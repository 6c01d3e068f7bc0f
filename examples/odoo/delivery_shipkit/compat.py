"""Odoo's records as shipkit's values: the one file that touches what changes between majors. This is 19's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from odoo.exceptions import UserError

from shipkit import Address, Contact, Dimensions, Length, LengthUnit, Money, Package, Party, Weight, WeightUnit
from shipkit.model import AddressKind, TaxId, TaxIdType

__all__ = [
    "Content",
    "contents_of",
    "length_of",
    "money_of",
    "packages_of_order",
    "packages_of_picking",
    "party_of",
    "weight_of",
]

_DECIMALS = Decimal("0.000001")  # the most that shipkit's measures take
_COUNTRY_OF_VAT = {"EL": "GR", "XI": "GB"}


def exact(value: float) -> Decimal:
    """The number that was meant: floats carry binary noise in digits that nobody typed."""
    return Decimal(repr(value)).quantize(_DECIMALS).normalize() + Decimal(0)


def weight_of(env: Any, value: float) -> Weight:
    """*value* in the unit that the database is set to, kg or lb."""
    unit = env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
    return Weight(exact(value), WeightUnit.LB if unit == env.ref("uom.product_uom_lb") else WeightUnit.KG)


def length_of(env: Any, value: float) -> Length:
    """*value* in the unit that the database is set to, mm or in."""
    unit = env["product.template"]._get_length_uom_id_from_ir_config_parameter()
    return Length(exact(value), LengthUnit.IN if unit == env.ref("uom.product_uom_inch") else LengthUnit.MM)


def money_of(amount: float, currency: Any) -> Money:
    """*amount* as Odoo rounds it in *currency*."""
    return Money(Decimal(repr(currency.round(amount))), currency.name)


def party_of(partner: Any, *, what: str) -> Party:
    """Who stands at one end. *what* it is, such as "the delivery address", is for the person who reads what is missing.

    Raises:
        UserError: something is missing that no carrier can do without.
    """
    _ = partner.env._
    lines = [line.strip() for line in (partner.street, partner.street2) if line and line.strip()]
    place = bool(partner.city and partner.city.strip())
    missing = [
        word
        for word, there in (
            (_("a street"), lines),
            (_("a city"), place),
            (_("a country"), partner.country_id),
            (_("a name"), partner.name or partner.parent_id.name),
        )
        if not there
    ]
    if not partner or missing:
        named = f"{what} ({partner.display_name})" if partner else what
        raise UserError(_("%(what)s has no %(missing)s.", what=named, missing=_(", no ").join(missing)))
    address = Address(
        lines=tuple(lines),
        city=partner.city.strip(),
        postal_code=partner.zip or None,
        region=partner.state_id.code or None,
        country=partner.country_id.code,
        kind=AddressKind.BUSINESS if partner.commercial_partner_id.is_company else AddressKind.UNKNOWN,
    )
    return Party(address=address, contact=_contact_of(partner), tax_ids=tuple(_tax_ids_of(partner)))


def _contact_of(partner: Any) -> Contact:
    company = partner.name if partner.is_company else (partner.parent_name or partner.company_name)
    return Contact(
        name=None if partner.is_company else (partner.name or None),
        company=company or None,
        phone=partner.phone or partner.parent_id.phone or None,
        email=partner.email or partner.parent_id.email or None,
        language=partner.lang.replace("_", "-") if partner.lang else None,
    )


def _tax_ids_of(partner: Any) -> Iterator[TaxId]:
    number = (partner.vat or "").replace(" ", "").upper()
    if len(number) > 2 and number[:2].isalpha():
        yield TaxId(type=TaxIdType.VAT, value=number, issuer=_COUNTRY_OF_VAT.get(number[:2], number[:2]))


class Content:
    """What one parcel holds: its package in Odoo (none for loose goods), its type, and the lines that are in it."""

    def __init__(self, package: Any, kind: Any, lines: Any, weight: float) -> None:
        self.package, self.kind, self.lines, self.weight = package, kind, lines, weight


def contents_of(picking: Any, default: Any) -> list[Content]:
    """The parcels of a delivery. What gets a label is the outermost package; loose goods are a parcel of their own.

    *default* is the type of package that loose goods travel in.
    """
    goods = picking.move_line_ids.filtered(lambda line: line.product_id.type == "consu")
    found = []
    outermost = goods.result_package_id.outermost_package_id
    weights = outermost.sudo()._get_weight(picking.id)
    for package in outermost.sorted("id"):
        lines = goods.filtered(lambda line, it=package: line.result_package_id.outermost_package_id == it)
        weight = package.shipping_weight or weights[package]
        found.append(Content(package, package.package_type_id or default, lines, weight))
    loose = goods.filtered(lambda line: not line.result_package_id)
    if loose:
        weight = sum(line.quantity_product_uom * line.product_id.weight for line in loose)
        found.append(Content(picking.env["stock.package"], default, loose, weight + default.base_weight))
    return found


def packages_of_picking(picking: Any, contents: list[Content]) -> tuple[Package, ...]:
    """The parcels of a delivery as the carrier gets them, named "1", "2" and so on: a rollback burns Odoo's own names.

    Raises:
        UserError: there is nothing to ship, or something weighs nothing.
    """
    env = picking.env
    if not contents:
        raise UserError(env._("%s has no goods that could be shipped.", picking.display_name))
    return tuple(
        _package(env, str(number), content.weight, content.kind, content.package.name or env._("the loose goods"))
        for number, content in enumerate(contents, 1)
    )


def packages_of_order(order: Any, carrier: Any) -> tuple[Package, ...]:
    """The parcels that core makes up for a quotation; good for prices, never for customs.

    Raises:
        UserError: the goods weigh nothing.
    """
    default = carrier._shipkit_package_type()
    packages = carrier._get_packages_from_order(order, default)
    return tuple(
        _package(order.env, str(number), package.weight, default, order.env._("the order"))
        for number, package in enumerate(packages, 1)
    )


def _package(env: Any, ref: str, weight: float, kind: Any, name: str) -> Package:
    if exact(weight) <= 0:
        raise UserError(env._("%s weighs nothing: give its goods, or the package, a weight.", name))
    sides = (kind.packaging_length, kind.width, kind.height)
    dimensions = None
    if all(side > 0 for side in sides):
        length, width, height = (length_of(env, side) for side in sides)
        dimensions = Dimensions(length=length, width=width, height=height)
    return Package(
        ref=ref,
        weight=weight_of(env, weight),
        dimensions=dimensions,
        packaging_code=kind.shipper_package_code or None if kind.package_carrier_type == "shipkit" else None,
    )


def day_of(picking: Any) -> date:
    """The day that rates of exchange are taken of: the order's, which a second try does not change."""
    moment = picking.sale_id.date_order or picking.scheduled_date or picking.create_date
    day: date = moment.date()
    return day
