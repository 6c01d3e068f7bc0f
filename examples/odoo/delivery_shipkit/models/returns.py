"""Ways back: a label that the customer puts on, booked once for each transfer."""

from __future__ import annotations

from decimal import Decimal

import attrs
from odoo import fields, models
from odoo.exceptions import UserError

from shipkit.errors import LabelPendingError
from shipkit.model import (
    CustomsPurpose,
    Direction,
    DocumentFormat,
    DocumentKind,
    LabelSpec,
    NumberRole,
    Package,
    ReturnLabelKind,
    ReturnRequest,
    ReturnShipment,
    ShipmentRequest,
    TrackingNumber,
)

from .. import compat
from ..bridge import client_of, in_odoos_words

_FOR_PEOPLE = (DocumentFormat.PDF, DocumentFormat.PNG, DocumentFormat.GIF, DocumentFormat.JPG)
"""Customers print at home: what a label printer of the warehouse wants is of no use to them."""
_LABELS = (DocumentKind.RETURN_LABEL, DocumentKind.LABEL)
# Some carriers demand a description of a return. It is part of what is booked, so it follows nobody's language.
_GOODS = "Returned goods"


class DeliveryCarrier(models.Model):
    """A shipping method with ways back."""

    _inherit = "delivery.carrier"

    def send_shipping(self, pickings):
        """Book, and where the method says so, the way back too; a delivery stands whatever becomes of its way back."""
        result = super().send_shipping(pickings)
        if self.delivery_type == "shipkit" and self.return_label_on_delivery:
            for picking in pickings:
                try:
                    # The method that it left by, which may be one that stood in.
                    picking._shipkit_out().carrier_id.get_return_label(picking, origin_date=fields.Date.today())
                except UserError as refusal:
                    picking.message_post(body=self.env._("There is no return label: %s", refusal))
        return result

    def cancel_shipment(self, pickings):
        """Cancel what goes out, and what comes back: a return, or the label of one that went with a delivery."""
        if self.delivery_type != "shipkit":
            return super().cancel_shipment(pickings)
        back = pickings.filtered(lambda picking: picking._shipkit_comes_back())
        result = super().cancel_shipment(pickings - back) if pickings - back else None
        back._shipkit_ways_back().action_void_return()
        for shipment in (pickings - back)._shipkit_ways_back():
            try:
                shipment.action_void_return()
            except UserError as refusal:
                shipment.picking_id.message_post(body=self.env._("The return label stays: %s", refusal))
        return result

    def shipkit_get_return_label(self, pickings, tracking_number=None, origin_date=None):
        """The label of the way back of each of *pickings*: booked once, and attached once."""
        self.ensure_one()
        pickings.check_access("write")
        for picking in pickings:
            known = picking._shipkit_ways_back()
            if known and "label_pending" not in known.mapped("state"):
                continue
            self._shipkit_check(picking.company_id)
            weight = self._shipkit_return_weight(picking)
            request = self._shipkit_return_request(picking, weight, tracking_number)
            with in_odoos_words(self.env):
                try:
                    back = client_of(self.env).create_return(
                        request, account=self._shipkit_alias(), key=picking._shipkit_return_key()
                    )
                except LabelPendingError as pending:
                    # It is booked, which has to be known here; the same button fetches the label.
                    if pending.shipment is None:
                        raise
                    back = ReturnShipment(kind=request.kind, shipment=pending.shipment)
            picking._shipkit_keep_return(self, back, weight)

    def _shipkit_return_request(self, picking, weight: Decimal, number: str | None = None) -> ReturnRequest:
        """From the customer to the warehouse, as one package: how the goods come back, nobody knows yet."""
        delivery = picking._shipkit_delivery()
        ends = self._shipkit_ends(picking)
        customer, home = ends if picking.is_return_picking else reversed(ends)
        packages = (Package(ref="1", weight=compat.weight_of(self.env, weight), description=_GOODS),)
        customs = self._shipkit_customs(picking, packages)
        return ReturnRequest(
            shipment=ShipmentRequest(
                ship_from=compat.party_of(customer, what=self.env._("the customer's address")),
                ship_to=compat.party_of(home, what=self.env._("the warehouse's address")),
                packages=packages,
                service=self._shipkit_return_service(delivery),
                reference=compat.reference_of(picking, self._shipkit_facts()),
                customs=attrs.evolve(customs, purpose=CustomsPurpose.RETURN) if customs else None,
                label=self._shipkit_return_label(),
                carrier_options=self._shipkit_carrier_options(),
            ),
            kind=ReturnLabelKind.PRINTED,
            outbound=self._shipkit_outbound(delivery, number),
            authorization=picking.name if picking != delivery else None,
        )

    def _shipkit_return_weight(self, picking) -> Decimal:
        weight = compat.exact(picking._get_estimated_weight())
        if not weight:
            raise UserError(self.env._("The goods of %s have no weight: the carrier wants one.", picking.name))
        return weight + compat.exact(self.shipkit_packaging_id.base_weight)

    def _shipkit_return_service(self, delivery) -> str | None:
        """The carrier's own service for ways back where it has one, else that of the way out."""
        services = self._shipkit_facts().services
        back = [each.code for each in services if each.traits and each.traits.direction is Direction.RETURN]
        return next(iter(back), None) or self.shipkit_service_code or delivery._shipkit_out().service or None

    def _shipkit_return_label(self) -> LabelSpec | None:
        offered = {form.format for form in self._shipkit_facts().label_formats if form.kind in _LABELS}
        wanted = next((form for form in _FOR_PEOPLE if form in offered), None)
        return LabelSpec(format=wanted) if wanted else None

    def _shipkit_outbound(self, delivery, number: str | None) -> TrackingNumber | None:
        """The number of the way out, where that was this carrier's too."""
        out = delivery._shipkit_out()
        if out and out.plugin != self.shipkit_plugin:
            return None
        number = number or next(iter(out._numbers()), None) if out else number
        return TrackingNumber(value=number, carrier=self.shipkit_plugin, role=NumberRole.PIECE) if number else None
