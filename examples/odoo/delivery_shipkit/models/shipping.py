"""Booking: the provider's side of stock_delivery."""

from __future__ import annotations

import re

import attrs
from odoo import models
from odoo.exceptions import UserError

from shipkit import Shipment, ShipmentRequest
from shipkit.errors import ConflictError, InputError, LabelPendingError, RejectedError
from shipkit.ports import Phase

from .. import compat
from ..bridge import client_of, in_odoos_words, words_of

DEADLINE_S = 30.0


class DeliveryCarrier(models.Model):
    """A shipping method that books."""

    _inherit = "delivery.carrier"

    def shipkit_send_shipping(self, pickings):
        """Book each of *pickings* once under its key; asked again, the same labels come back and are attached once."""
        return [self._shipkit_send(picking) for picking in pickings]

    def _shipkit_send(self, picking):
        picking.check_access("write")  # before the carrier is asked, and not when its answer is written down
        contents = compat.contents_of(picking, self._shipkit_package_type())
        # What the recovery found is attached as if it were sent now.
        booked = self.env.context.get("shipkit_adopted") or self._shipkit_booked(picking, contents)
        shipment = picking._shipkit_attach(booked, contents)
        return {"exact_price": shipment._price_for(picking), "tracking_number": shipment._tracking_ref()}

    def _shipkit_booked(self, picking, contents) -> Shipment:
        self._shipkit_check(picking.company_id)
        with in_odoos_words(self.env):
            try:
                return self._shipkit_book(picking, self._shipkit_request(picking, contents))
            except LabelPendingError as pending:
                if pending.shipment is None:
                    raise
                return pending.shipment
            except ConflictError as error:
                raise UserError(picking._shipkit_conflict_words(error)) from error
            except (InputError, RejectedError) as error:
                ends, goods = self._shipkit_ends(picking), self._shipkit_goods(picking)
                raise UserError(_by_name(words_of(self.env, error), contents, ends, goods)) from error

    def _shipkit_book(self, picking, request: ShipmentRequest) -> Shipment:
        """The booking of *picking*: made now, or the one that was made before."""
        return client_of(self.env).create_shipment(
            request, account=self._shipkit_alias(), key=picking._shipkit_key(), deadline_s=DEADLINE_S
        )

    def _shipkit_request(self, picking, contents=None) -> ShipmentRequest:
        """What is asked of the carrier, the same on every try.

        Raises:
            UserError: something is missing; nothing was sent.
        """
        if contents is None:
            contents = compat.contents_of(picking, self._shipkit_package_type())
        packages = compat.packages_of_picking(picking, contents)
        ship_from, ship_to = self._shipkit_ends(picking)
        customs = self._shipkit_customs(picking, packages)
        if customs is not None:
            packages = self._shipkit_packed(picking, packages, contents)
        request = ShipmentRequest(
            ship_from=compat.party_of(ship_from, what=self.env._("the warehouse's address")),
            ship_to=compat.party_of(ship_to, what=self.env._("the delivery address")),
            packages=packages,
            service=self._shipkit_service(picking),
            reference=compat.reference_of(picking, self._shipkit_facts()),
            references=self._shipkit_references(picking),
            options=self._shipkit_options(picking, packages),
            customs=customs,
            service_point=self._shipkit_service_point(picking),
            label=self._shipkit_label(),
            description=self._shipkit_description(picking) if customs else None,
            instructions=self._shipkit_instructions(picking),
            carrier_options=self._shipkit_carrier_options(),
        )
        return request if request.service else attrs.evolve(request, service=self._shipkit_cheapest(picking, request))

    def _shipkit_cheapest(self, picking, request: ShipmentRequest) -> str:
        """The service that is booked under the key, else the cheapest that the carrier offers now.

        Raises:
            UserError: it offers none.
        """
        client, key = client_of(self.env), picking._shipkit_key()
        told = client.ledger.standing(key=key)
        if told is not None and told.phase not in (Phase.VOIDED, Phase.CLOSED, Phase.REJECTED, Phase.ABSENT):
            booked = client.ledger.finish(key=key)
            if booked is not None:
                return booked.service
        answer = client.rates(request, accounts=[self._shipkit_alias()])
        for error in answer.errors.values():
            raise error
        if not answer.quotes:
            raise UserError(self.env._("The carrier offers no service for %s.", picking.display_name))
        return answer.quotes[0].service

    def _shipkit_package_type(self):
        """What goods travel in that nobody packed."""
        return self.shipkit_packaging_id


def _by_name(words: str, contents, ends, goods) -> str:
    """*words* with packages, goods and addresses as people know them, where the problems name places in the request."""

    def named(found: re.Match[str]) -> str:
        position = int(found[1])
        return f"{contents[position].name()}: " if position < len(contents) else found[0]

    def of_goods(found: re.Match[str]) -> str:
        position = int(found[1])
        what = found[2].strip("/").replace("_", " ").replace("/", " ")
        return f"{goods[position].product.display_name}, {what}: " if position < len(goods) else found[0]

    words = re.sub(r"/packages/([0-9]+)[/a-z_0-9]*: ", named, words)
    words = re.sub(r"/customs/lines/([0-9]+)([/a-z_]*)[/0-9]*: ", of_goods, words)
    for path, partner in zip(("/ship_from/", "/ship_to/"), ends, strict=True):
        words = re.sub(
            f"{path}([a-z_/]*)[/0-9]*: ",
            lambda found, it=partner: f"{it.display_name}, {found[1].strip('/').replace('/', ' ')}: ",
            words,
        )
    # What is left is of the whole: its name, as people say it.
    return re.sub(r"(?m)^- /([a-z_]+)[/a-z_0-9]*: ", lambda found: f"- {found[1].replace('_', ' ')}: ", words)
