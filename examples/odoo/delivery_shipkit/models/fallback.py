"""Other shipping methods for a transfer whose own one surely bought nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import attrs
from odoo import models
from odoo.exceptions import UserError

from shipkit import Route, ShipmentRequest
from shipkit.errors import (
    ConflictError,
    DeadlineError,
    InDoubtError,
    InProgressError,
    LabelPendingError,
    ShipkitError,
    StoreError,
)
from shipkit.ports import Phase

from ..bridge import client_of, words_of

_DEADLINE_S = 60.0
"""For all methods of one transfer together; below Odoo's ``limit_time_real``."""
_OPEN = (ConflictError, DeadlineError, InDoubtError, InProgressError, StoreError)
_NOTHING = (Phase.NEW, Phase.REJECTED, Phase.ABSENT, Phase.VOIDED, Phase.CLOSED)


class DeliveryCarrier(models.Model):
    """A shipping method that knows others."""

    _inherit = "delivery.carrier"

    def _shipkit_book(self, picking, request):
        """Book on the first method that takes it: this one, or those that it names, in the order of the list.

        Each method asks for its own service, options and papers; methods that ask for the same but for the service are
        tried in one call. The next is tried only where surely nothing was bought on those before, never in doubt. What
        stands under the key already is found on whichever method it was booked.
        """
        if not self.shipkit_fallback_ids:
            return super()._shipkit_book(picking, request)
        key, until = picking._shipkit_key(), time.monotonic() + _DEADLINE_S
        client = client_of(self.env)
        failed: list[tuple[DeliveryCarrier, str]] = []
        first: ShipkitError | None = None
        for asked, ways in self._shipkit_ways(picking, request, client.ledger.standing(key=key), failed):
            left_s = until - time.monotonic()
            if first is not None and left_s < 1:
                break
            try:
                routed = client.create_shipment_by(asked, routes=tuple(ways), key=key, deadline_s=max(left_s, 1.0))
            except LabelPendingError as pending:
                taken = next((way for route, way in ways.items() if route.account == pending.account), None)
                self._shipkit_taken(picking, taken, failed)
                raise
            except ShipkitError as error:
                told = client.ledger.standing(key=key)
                done = told is not None and (told.void_wanted or told.phase not in _NOTHING)
                if done or isinstance(error, _OPEN):
                    raise
                first = first or error
                failed += [(way, words_of(self.env, why)) for way, why in self._shipkit_whys(ways, error)]
                continue
            failed += [(ways[route], words_of(self.env, why)) for route, why in routed.errors.items()]
            self._shipkit_taken(picking, ways.get(routed.route), failed)
            return routed.shipment
        if first is not None:
            raise first
        raise UserError("\n".join(f"{way.name}: {words}" for way, words in failed))

    def _shipkit_ways(
        self, picking, request: ShipmentRequest, told, failed: list
    ) -> Iterator[tuple[ShipmentRequest, dict[Route, DeliveryCarrier]]]:
        """The requests to be tried, each with the ways that it can go; only one of them where a booking stands.

        A method that cannot send this transfer at all, such as one that lacks a customs code, is left out.
        """
        open_at = told.account if told is not None and told.phase not in _NOTHING else None
        asked: ShipmentRequest | None = None
        ways: dict[Route, DeliveryCarrier] = {}
        for method in self | self.shipkit_fallback_ids:
            alias = method._shipkit_alias()
            if open_at is not None and alias != open_at and open_at in self._shipkit_aliases():
                continue
            try:
                own = request if method == self else method._shipkit_own_request(picking)
            except (UserError, ShipkitError) as error:
                words = words_of(self.env, error) if isinstance(error, ShipkitError) else str(error)
                failed.append((method, words))
                continue
            if own.service is None:
                failed.append((method, self.env._("none of its services could be priced")))
                continue
            plain = attrs.evolve(own, service=None)
            if asked is not None and plain != asked:
                yield asked, ways
                ways = {}
            asked = plain
            ways.setdefault(Route(alias, own.service), method)
        if asked is not None:
            yield asked, ways

    def _shipkit_own_request(self, picking) -> ShipmentRequest:
        """What this method asks for *picking*.

        Raises:
            UserError: it cannot send this transfer; nothing was sent.
        """
        self._shipkit_check(picking.company_id)
        return self._shipkit_request(picking)

    def _shipkit_cheapest(self, picking, request: ShipmentRequest) -> str | None:
        """None where no price can be had now and another method may be tried."""
        try:
            return super()._shipkit_cheapest(picking, request)
        except (ShipkitError, UserError):
            if not self.shipkit_fallback_ids:
                raise
            return None

    def _shipkit_aliases(self) -> set[str]:
        return {method._shipkit_alias() for method in self | self.shipkit_fallback_ids}

    def _shipkit_whys(self, ways, error: ShipkitError):
        """*error* and those beside it, by the method that each is of."""
        for why in (error, *error.others):
            yield next((way for route, way in ways.items() if route.account == why.account), self), why

    def _shipkit_taken(self, picking, way, failed) -> None:
        """The transfer goes by *way*; why not by those before it is told."""
        if way is None or way == picking.carrier_id:
            return
        was = picking.carrier_id
        picking.carrier_id = way
        why = "; ".join(f"{method.name}: {words}" for method, words in failed)
        words = self.env._("It goes by %(way)s instead of %(was)s. %(why)s", way=way.name, was=was.name, why=why)
        picking.message_post(body=words, author_id=self.env.ref("base.partner_root").id)
