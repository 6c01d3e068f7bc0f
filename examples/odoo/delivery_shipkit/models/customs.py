"""What goes with the goods: options, references, and the declaration where a customs border lies between."""

from __future__ import annotations

import re
from decimal import Decimal

import attrs
from odoo import fields, models
from odoo.exceptions import UserError

from shipkit.constraints import lane_kind
from shipkit.model import (
    CashOnDelivery,
    Certification,
    CommodityLine,
    CustomsDeclaration,
    CustomsPurpose,
    Incoterm,
    InvoiceRef,
    LaneKind,
    Money,
    Notify,
    NotifyChannel,
    Option,
    OptionCode,
    Payer,
    Reference,
    ReferenceType,
    Weight,
)

from .. import compat
from .carrier import FLAGS

_DESCRIPTION_MAX = 50  # what the shortest field for the goods holds, of the carriers that want them in words


@attrs.frozen
class Goods:
    """So much of one product that leaves, and what one of it is worth without tax."""

    product: object
    quantity: Decimal
    price: float
    currency: object


class Partner(models.Model):
    """A partner across a customs border."""

    _inherit = "res.partner"

    shipkit_eori = fields.Char("EORI", help="The number by which the customs of the European Union know a company.")


class DeliveryCarrier(models.Model):
    """A shipping method that says what it sends."""

    _inherit = "delivery.carrier"

    def _shipkit_ends(self, source):
        """Where the goods of a transfer or an order leave, and who gets them, as partners."""
        if source._name == "sale.order":
            return source.warehouse_id.partner_id or source.company_id.partner_id, source.partner_shipping_id
        warehouse = source.picking_type_id.warehouse_id.partner_id or source.company_id.partner_id
        partner = source.partner_id
        # Core delivers to the point as if it were the customer's address; whose parcel it is, its parent says.
        if partner.is_pickup_location and partner.parent_id:
            partner = partner.parent_id
        return (partner, warehouse) if source.is_return_picking else (warehouse, partner)

    def _shipkit_order(self, source):
        """The order behind *source*, maybe none."""
        return source if source._name == "sale.order" else source.sale_id

    def _shipkit_service(self, source) -> str | None:
        """The service to book: the method's, else the one that was quoted; None is the cheapest."""
        self.ensure_one()
        order = self._shipkit_order(source)
        quoted = order.shipkit_service_code if order and order.carrier_id == self else None
        return self.shipkit_service_code or quoted or None

    def _shipkit_references(self, source) -> tuple[Reference, ...]:
        """Numbers that people search by, besides the transfer's own: the order's and the customer's."""
        order = self._shipkit_order(source)
        numbers = ((ReferenceType.ORDER, order.name), (ReferenceType.PURCHASE_ORDER, order.client_order_ref))
        return tuple(Reference(type=kind, value=value[:70]) for kind, value in numbers if value)

    def _shipkit_instructions(self, source) -> str | None:
        """For the driver."""
        return self._shipkit_order(source).shipkit_instructions or None

    def _shipkit_description(self, source) -> str | None:
        """The goods in plain words: names of products, as many as carriers have room for."""
        said = ""
        for name in dict.fromkeys(goods.product.name for goods in self._shipkit_goods(source)):
            longer = f"{said}, {name}" if said else name
            if len(longer) > _DESCRIPTION_MAX:
                return said or name[:_DESCRIPTION_MAX]
            said = longer
        return said or None

    # Options

    def _shipkit_options(self, source, packages) -> tuple[Option, ...]:
        """The canonical options of *source*, insurance and cash on delivery among them."""
        self.ensure_one()
        found = [Option(code=code) for code, name in FLAGS.items() if self[name]]
        if self.shipkit_signature:
            found.append(Option(code=OptionCode.SIGNATURE, value=self.shipkit_signature))
        partner = self._shipkit_ends(source)[1]
        reached = {"email": partner.email, "sms": partner.phone}
        wanted = (self.shipkit_notify or "").split(",")
        if channels := frozenset(NotifyChannel(name) for name in wanted if reached.get(name)):
            found.append(Option(code=OptionCode.NOTIFY, value=Notify(channels=channels)))
        if insured := self._shipkit_insured(source):
            found.append(Option(code=OptionCode.INSURANCE, value=insured))
        if cash := self._shipkit_cash(source):
            found.append(Option(code=OptionCode.COD, value=CashOnDelivery(amount=cash)))
        return tuple(found)

    def _shipkit_insured(self, source) -> Money | None:
        """The method's percentage of what the goods are worth."""
        if not self.shipping_insurance or not self.supports_shipping_insurance:
            return None
        goods = self._shipkit_goods(source)
        worth = sum(float(each.quantity) * each.price for each in goods)
        if not goods or not worth:
            return None
        currency = goods[0].currency
        return compat.money_of(worth * self.shipping_insurance / 100, currency)

    def _shipkit_cash(self, source) -> Money | None:
        """What the carrier collects: the whole order, where its customer chose cash on delivery.

        Raises:
            UserError: the goods leave in several transfers; which of them collects how much, nobody said.
        """
        order = self._shipkit_order(source).sudo()
        paying = order.transaction_ids.filtered(
            lambda each: each.provider_id.custom_mode == "cash_on_delivery" and each.state == "pending"
        )
        if not self.allow_cash_on_delivery or not paying:
            return None
        if source._name == "stock.picking":
            others = order.picking_ids.filtered(
                lambda each: each.state != "cancel" and each.picking_type_id.code == "outgoing" and each != source
            )
            if source.is_return_picking:
                return None
            if others:
                raise UserError(
                    self.env._(
                        "%s is paid on delivery and leaves in several transfers: the carrier cannot be told how much "
                        "to collect. Send it as one, or by a method without cash on delivery.",
                        order.name,
                    )
                )
        return compat.money_of(order.amount_total, order.currency_id)

    # Goods

    def _shipkit_goods(self, source) -> list[Goods]:
        """What leaves, line by line, all in one currency: the order's, else the company's."""
        currency = self._shipkit_order(source).currency_id or source.company_id.currency_id
        if source._name == "sale.order":
            return [
                Goods(_named(line.product_id, source), compat.exact(quantity), _price(line), currency)
                for line in source.order_line
                if line.product_id.type == "consu" and not line.is_delivery and not line.display_type
                if (quantity := line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id))
            ]
        lines = source.move_line_ids.filtered(lambda line: line.product_id.type == "consu")
        return list(self._shipkit_moved(source, lines).values())

    def _shipkit_moved(self, source, lines) -> dict[tuple[int, int], Goods]:
        """What *lines* of a transfer move, by product and line of the order."""
        currency = self._shipkit_order(source).currency_id or source.company_id.currency_id
        found: dict[tuple[int, int], Goods] = {}
        for line in lines:
            quantity = compat.exact(line.quantity_product_uom)
            sold = line.move_id.sale_line_id
            if not quantity:
                continue
            known = found.get((line.product_id.id, sold.id))
            if known is not None:
                found[line.product_id.id, sold.id] = attrs.evolve(known, quantity=known.quantity + quantity)
                continue
            price = _price(sold) if sold.product_id == line.product_id else 0.0
            # Gifts, and parts of a set that is sold as one, have no price of their own.
            price = price or _in(currency, line.product_id.standard_price, source)
            found[line.product_id.id, sold.id] = Goods(_named(line.product_id, source), quantity, price, currency)
        return found

    def _shipkit_packed(self, picking, packages, contents):
        """*packages*, each with what it holds of what customs is told of: some carriers declare each by itself."""
        lines = picking.move_line_ids.filtered(lambda line: line.product_id.type == "consu")
        numbers = {name: number for number, name in enumerate(self._shipkit_moved(picking, lines), 1)}
        packed = []
        for package, content in zip(packages, contents, strict=True):
            held = self._shipkit_moved(picking, content.lines)
            goods = tuple(self._shipkit_line(numbers[name], each) for name, each in held.items())
            worth = sum(each.quantity * each.unit_value.amount for each in goods)
            value = compat.money_of(float(worth), next(iter(held.values())).currency) if held else None
            packed.append(attrs.evolve(package, contents=goods, declared_value=value))
        return tuple(packed)

    # Customs

    def _shipkit_customs(self, picking, packages) -> CustomsDeclaration | None:
        """What customs must know, where the lane crosses its border.

        Raises:
            UserError: a product lacks what customs wants to know; each is named.
        """
        self.ensure_one()
        ship_from, ship_to = self._shipkit_ends(picking)
        origin, destination = ship_from.country_id.code, ship_to.country_id.code
        if not origin or not destination or lane_kind(origin, destination) is not LaneKind.INTERNATIONAL:
            return None
        goods = self._shipkit_goods(picking)
        self._shipkit_known(goods)
        order = picking.sale_id
        incoterm = self._shipkit_incoterm(picking)
        purpose = CustomsPurpose.SALE if order else CustomsPurpose.OTHER
        return CustomsDeclaration(
            purpose=CustomsPurpose.RETURN if picking.is_return_picking else purpose,
            lines=tuple(self._shipkit_line(number, each) for number, each in enumerate(goods, 1)),
            incoterm=incoterm,
            incoterm_place=order.incoterm_location or None,
            duties_payer=Payer.SENDER if incoterm is Incoterm.DDP else Payer.RECIPIENT,
            # The order's number, which is there from the first try on; an invoice may be posted between two of them.
            invoice=InvoiceRef(
                number=order.name or picking.name, issued_on=(order.date_order or picking.create_date).date()
            ),
            certify=Certification(signer=picking.company_id.name),
        )

    def _shipkit_known(self, goods: list[Goods]) -> None:
        _ = self.env._
        missing = []
        for each in goods:
            product = each.product
            lacks = [
                words
                for has, words in (
                    (6 <= len(_digits(product.hs_code)) <= 10, _("the HS code (6 to 10 digits)")),
                    (product.country_of_origin, _("the country of origin")),
                    (each.price, _("a price")),
                    (product.weight, _("the weight")),
                )
                if not has
            ]
            if lacks:
                missing.append(f"- {product.display_name}: {', '.join(lacks)}")
        if missing:
            raise UserError(_("Customs wants to know more of these products:\n%s", "\n".join(dict.fromkeys(missing))))

    def _shipkit_line(self, number: int, goods: Goods) -> CommodityLine:
        product = goods.product
        weight = compat.weight_of(self.env, product.weight)
        return CommodityLine(
            line=number,
            sku=product.default_code or None,
            description=product.name,
            quantity=goods.quantity,
            unit_value=Money(compat.exact(round(goods.price, 4)), goods.currency.name),
            net_weight=Weight(weight.value * goods.quantity, weight.unit),
            hs_code=_digits(product.hs_code),
            origin_country=product.country_of_origin.code,
        )

    def _shipkit_incoterm(self, picking) -> Incoterm | None:
        """The order's, else the company's.

        Raises:
            UserError: it is none of Incoterms 2020.
        """
        code = picking.sale_id.incoterm.code or picking.company_id.incoterm_id.code
        if not code:
            return None
        if code not in set(Incoterm):
            raise UserError(
                self.env._(
                    "%s is not among Incoterms 2020: customs wants one of %s.", code, ", ".join(map(str, Incoterm))
                )
            )
        return Incoterm(code)


def _named(product, source):
    """*product* in the language of the company: whoever tries again may speak another, and asks for the same."""
    return product.with_context(lang=source.company_id.partner_id.lang or "en_US")


def _digits(code) -> str:
    return re.sub("[^0-9]", "", code or "")


def _price(line) -> float:
    """What one of the product, in the product's own unit, is sold for without tax."""
    return line.product_uom_id._compute_price(line.price_reduce_taxexcl, line.product_id.uom_id)


def _in(currency, amount: float, source) -> float:
    """*amount* of the company's money in *currency*, of the day the transfer was made: the same on every try."""
    company = source.company_id
    if currency == company.currency_id:
        return amount
    return company.currency_id._convert(amount, currency, company, compat.day_of(source), round=False)
