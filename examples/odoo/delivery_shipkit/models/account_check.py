"""Asking a carrier something harmless, to see that the account works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from odoo import fields, models

from shipkit import Address, Contact, Package, Party, RateRequest, Weight, WeightUnit
from shipkit.errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    NotSupportedError,
    RejectedError,
    ShipkitError,
)
from shipkit.model import AddressCheck, ServicePointQuery

from ..bridge import client_of, words_of


class Account(models.Model):
    """An account that can be checked."""

    _inherit = "shipkit.account"

    def action_check(self) -> dict[str, Any]:
        """Ask the carrier for a price, for places or for an address; nothing is bought."""
        self.ensure_one()
        self.check_access("write")
        works, words = self._checked()
        self.write({"checked_at": fields.Datetime.now(), "check_result": words})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": words,
                "type": "success" if works else "danger",
                "sticky": not works,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _checked(self) -> tuple[bool, str]:
        if not self.active:
            return False, self.env._("The account is archived.")
        if self.problem:
            return False, self.problem
        client = client_of(self.env)
        said = ""
        for question in self._questions(client):
            try:
                question()
            except (RejectedError, NotFoundError) as error:
                said = words_of(self.env, error)
            except (InputError, NotSupportedError):
                continue
            except AuthenticationError as error:
                return False, words_of(self.env, error)
            except ShipkitError as error:
                return False, words_of(self.env, error)
            else:
                return True, self.env._("The carrier answers, and takes the credentials.")
        if said:
            return True, self.env._("The carrier takes the credentials. Of the trial it said: %s", said)
        return True, self.env._("The account is complete. This carrier can be asked nothing without a booking.")

    def _questions(self, client: Any) -> Iterator[Callable[[], Any]]:
        """What can be asked, cheapest first; each raises what is wrong."""
        address, party = self._own_address()
        package = Package(ref="1", weight=Weight("1", WeightUnit.KG))

        def rates() -> None:
            request = RateRequest(ship_from=party, ship_to=party, packages=(package,))
            answer = client.rates(request, accounts=[self.code])
            for error in answer.errors.values():
                raise error

        yield rates
        yield lambda: client.service_points(ServicePointQuery(near=address, country=address.country), account=self.code)
        yield lambda: client.check_address(AddressCheck(address=address), account=self.code)

    def _own_address(self) -> tuple[Address, Party]:
        """The company's, or where it has none, a post office that every carrier knows."""
        partner = (self.company_id or self.env.company).partner_id
        try:
            address = Address(
                lines=(partner.street or "",),
                city=partner.city or "",
                region=partner.state_id.code or None,
                postal_code=partner.zip or "",
                country=partner.country_id.code or "",
            )
        except (InputError, TypeError, ValueError):
            address = Address(lines=("421 8th Ave",), city="New York", region="NY", postal_code="10001", country="US")
        return address, Party(address=address, contact=Contact(name=partner.name or "Sender", phone="+1 212 555 0101"))
