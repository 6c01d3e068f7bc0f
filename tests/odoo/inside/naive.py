"""What core's interface suggests, and what providers do: ask the carrier inside the business transaction.

The same carrier, the same requests, and the one check that core itself has ("a tracking ref is already there"); but no
ledger: every call is a new purchase.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
from odoo.addons.delivery_shipkit.bridge import client_of
from odoo.addons.stock_delivery.models.stock_picking import StockPicking
from odoo.exceptions import UserError

from shipkit import Client
from shipkit.errors import CarrierError, InDoubtError, NotSentError


@contextmanager
def instead_of(registry: Any) -> Iterator[None]:
    """Shipping methods of ours book and cancel in this way."""
    methods = registry["delivery.carrier"]
    with (
        patch.object(methods, "shipkit_send_shipping", _send),
        patch.object(methods, "shipkit_cancel_shipment", _cancel),
        patch.object(registry["stock.picking"], "cancel_shipment", StockPicking.cancel_shipment),
    ):
        yield


def _send(self: Any, pickings: Any) -> list[dict[str, Any]]:
    """A refusal is a `UserError`, as in every provider; what the transport raises goes through, as in most."""
    alias = self._shipkit_alias()
    sent = []
    with Client({alias: client_of(self.env).accounts[alias]}) as client:
        for picking in pickings:
            request = self._shipkit_request(picking)
            try:
                shipment = client.create_shipment(request, account=alias, key=uuid.uuid4().hex)
            except CarrierError as error:
                raise UserError(str(error)) from error
            except (InDoubtError, NotSentError) as error:  # what a bare HTTP client raises there
                raise httpx.ConnectError(str(error)) from error
            number = shipment.tracking_numbers[0].value
            files = [(f"LabelShipping-naive-{number}.gif", shipment.documents[0].content)]
            picking.message_post(body=number, attachments=files)
            sent.append({"exact_price": 0.0, "tracking_number": number})
    return sent


def _cancel(self: Any, pickings: Any) -> None:
    """Every number that the transfers hold, as providers do: that it is void already is passed over."""
    carrier = client_of(self.env).accounts[self._shipkit_alias()]
    with httpx.Client(base_url=carrier.base_url, trust_env=False) as http:
        form = {"grant_type": "client_credentials"}
        answer = http.post("/security/v1/oauth/token", data=form, auth=(carrier.client_id, carrier.client_secret))
        token = answer.json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "transId": "1", "transactionSrc": "naive"}
        for picking in pickings:
            number = picking.carrier_tracking_ref or "none"
            http.delete(f"/api/shipments/v2409/void/cancel/{number}", headers=headers)
