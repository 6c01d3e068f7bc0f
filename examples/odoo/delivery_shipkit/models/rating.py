"""Prices: asked of the carrier for an order, within seconds, and never a reason for the shop to stop."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import date, datetime
from hashlib import sha256
from weakref import WeakKeyDictionary

import attrs
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from shipkit import Client
from shipkit.codec import canonical
from shipkit.errors import DeadlineError, NotSupportedError, OutcomeUnknownError, ShipkitError
from shipkit.model import NoticeLevel, RateAnswer, RateQuote, RateRequest

from .. import compat
from ..bridge import client_of, words_of

_SHOP_S = 4.0
_OFFICE_S = 10.0
_KEPT_S = 60.0
_KEPT = 256


class Kept:
    """Answers of a moment ago: a shop asks for the same price on each page. Bounded, and safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By client: each database has its own, and a new one when an account was changed.
        self._of: WeakKeyDictionary[Client, OrderedDict[str, tuple[float, RateAnswer]]] = WeakKeyDictionary()

    def get(self, client: Client, mark: str) -> RateAnswer | None:
        """The answer to what *mark* stands for, if it is young enough."""
        with self._lock:
            kept_at, answer = self._of.get(client, {}).get(mark, (0.0, None))
        return answer if answer is not None and time.monotonic() - kept_at < _KEPT_S else None

    def put(self, client: Client, mark: str, answer: RateAnswer) -> None:
        """Keep *answer*; the oldest one goes where there are too many."""
        with self._lock:
            answers = self._of.setdefault(client, OrderedDict())
            answers[mark] = (time.monotonic(), answer)
            answers.move_to_end(mark)
            while len(answers) > _KEPT:
                answers.popitem(last=False)


KEPT = Kept()


@attrs.frozen
class Offer:
    """A quote and what it is in the order's currency."""

    quote: RateQuote
    price: float

    @property
    def arrives_on(self) -> date | None:
        """The last day that the carrier names."""
        window = self.quote.transit.window if self.quote.transit is not None else None
        when = (window.latest or window.earliest) if window is not None else None
        if when is None:
            return None
        return when.local.date() if isinstance(when.local, datetime) else when.local


class DeliveryCarrier(models.Model):
    """A shipping method with prices."""

    _inherit = "delivery.carrier"

    def shipkit_rate_shipment(self, order):
        """What core asks for; it never raises for what a carrier or a customer did."""
        self.ensure_one()
        try:
            self._shipkit_check(order.company_id)
            if self.shipkit_pricing == "rules":
                return self.base_on_rule_rate_shipment(order)
            if self.shipkit_pricing == "fixed" or not self._shipkit_can("rates"):
                return self.fixed_rate_shipment(order)
            if not self._match_address(order.partner_shipping_id):
                raise UserError(self.env._("This method does not go to this address."))
            offer = self._shipkit_offer(order)
        except (ShipkitError, UserError) as error:
            words = str(error) if isinstance(error, UserError) else self._shipkit_rate_words(error)
            return {"success": False, "price": 0.0, "error_message": words, "warning_message": False}
        return {
            "success": True,
            "price": offer.price,
            "error_message": False,
            "warning_message": self._shipkit_notes(offer) or False,
            "shipkit_service": offer.quote.service,
            "shipkit_arrives_on": offer.arrives_on,
        }

    def _shipkit_offer(self, order) -> Offer:
        """The method's service, or the cheapest one.

        Raises:
            UserError: there is none, or its currency has no rate.
        """
        answer = self._shipkit_answer(order)
        wanted = self.env.context.get("shipkit_service") or self.shipkit_service_code
        offers = [
            Offer(quote, self._shipkit_price(quote, order))
            for quote in answer.quotes
            if wanted in (False, quote.service)
        ]
        if offers:
            return min(offers, key=lambda offer: (offer.price, offer.arrives_on or date.max, offer.quote.service))
        for error in answer.errors.values():
            raise error
        others = ", ".join(sorted({quote.service_name or quote.service for quote in answer.quotes}))
        if others:
            raise UserError(self.env._("The carrier does not offer this service here; it offers: %s.", others))
        raise UserError(self.env._("The carrier offers nothing for this shipment."))

    def _shipkit_quoted(self, order) -> Offer | None:
        """What was quoted a moment ago; where the method leaves the service open and it is forgotten, what is now."""
        self.ensure_one()
        # The wizard's weight was written to the order by now.
        method = self.with_context(order_weight=order.shipping_weight)
        try:
            if self.shipkit_service_code and method._shipkit_kept(order) is None:
                return None
            return method._shipkit_offer(order)
        except (ShipkitError, UserError):
            return None

    def _shipkit_kept(self, order) -> RateAnswer | None:
        asked = self._shipkit_rate_request(order)
        return KEPT.get(client_of(self.env), self._shipkit_mark(asked))

    def _shipkit_mark(self, asked: RateRequest) -> str:
        today = fields.Date.context_today(self)
        return sha256(f"{self._shipkit_alias()} {today}".encode() + canonical(asked)).hexdigest()

    def _shipkit_answer(self, order) -> RateAnswer:
        """What the carrier says now, or said a moment ago."""
        asked = self._shipkit_rate_request(order)
        client, alias = client_of(self.env), self._shipkit_alias()
        mark = self._shipkit_mark(asked)
        answer = KEPT.get(client, mark)
        if answer is None:
            answer = client.rates(asked, accounts=[alias], deadline_s=self._shipkit_patience())
            if not answer.errors:
                KEPT.put(client, mark, answer)
        return answer

    def _shipkit_rate_request(self, order) -> RateRequest:
        sender, receiver = self._shipkit_ends(order)
        packages = compat.packages_of_order(order, self)
        return RateRequest(
            ship_from=compat.party_of(sender, what=self.env._("the warehouse's address")),
            ship_to=compat.party_of(receiver, what=self.env._("the delivery address")),
            packages=packages,
            services=(self.shipkit_service_code,) if self.shipkit_service_code else (),
            options=self._shipkit_options(order, packages),
            service_point=self._shipkit_service_point(order),
            carrier_options=self._shipkit_carrier_options(),
        )

    def _shipkit_patience(self) -> float:
        """How long may pass: a customer of the shop waits less than somebody in the office."""
        return _SHOP_S if request and getattr(request, "is_frontend", False) else _OFFICE_S

    def _shipkit_price(self, quote: RateQuote, order) -> float:
        """The total in the currency of *order*, which is what core takes the price of a provider for.

        Raises:
            UserError: Odoo does not know the currency, or has no rate for it and would take one for the other.
        """
        total, company, to = quote.total, order.company_id, order.currency_id
        if total.currency == to.name:
            return float(total.amount)
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", total.currency)])
        for each in (currency, to):
            if each != company.currency_id and not self._shipkit_has_rate(each, company):
                name = each.name or total.currency
                raise UserError(
                    self.env._(
                        "The carrier's price is in %(theirs)s, and there is no rate for %(name)s.",
                        theirs=total.currency,
                        name=name,
                    )
                )
        return currency._convert(float(total.amount), to, company, order.date_order or fields.Date.today())

    def _shipkit_has_rate(self, currency, company) -> bool:
        domain = [("currency_id", "in", currency.ids), ("company_id", "in", (False, company.root_id.id))]
        return bool(self.env["res.currency.rate"].sudo().search_count(domain, limit=1))

    def _shipkit_notes(self, offer: Offer) -> str:
        """The service, when it arrives, and what the carrier wants to be known."""
        _, quote = self.env._, offer.quote
        service = quote.service_name or dict(self._shipkit_services()).get(f"{self.shipkit_plugin}:{quote.service}")
        notes = [service or quote.service]
        days = quote.transit.business_days if quote.transit is not None else None
        if offer.arrives_on:
            notes.append(_("expected on %s", format_date(self.env, offer.arrives_on)))
        elif days is not None:
            notes.append(_("%s working days", days.most if days.least == days.most else f"{days.least}-{days.most}"))
        notes += [said.text for said in quote.messages if said.level is NoticeLevel.WARNING and said.text]
        if quote.as_of is not None:
            notes.append(_("the carrier does not answer now; this is its price of a moment ago"))
        return "; ".join(notes)

    def _shipkit_rate_words(self, error: ShipkitError) -> str:
        match error:
            case DeadlineError() | OutcomeUnknownError():
                return self.env._("The carrier did not answer in time. Try again later.")
            case NotSupportedError():
                return self.env._("The carrier cannot price this: %s", error.message)
        return words_of(self.env, error)
