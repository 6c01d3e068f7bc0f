"""Acme Parcel, an invented carrier, as a simulated one: two pages of dialect that tests of the core talk to.

Token with client credentials, JSON, refusals in 422 and in 200 with an ``error``, bookings searchable by mark, pushes
with the credential in a header.
"""

from __future__ import annotations

import hmac
import json
from decimal import Decimal

from shipkit.simulator import Booking, Call, Dialect, Push, Reply, Step, Subscription, labels, route

RATE = Decimal("4.90")


class AcmeDialect(Dialect):
    """Acme's REST interface, version 2."""

    code = "acme"

    @route("POST", "/v2/token", operation="token")
    def token(self, call: Call) -> Reply:
        form = call.form()
        if not form.get("client_id") or form.get("client_secret") == "wrong":
            return self.unauthorised(call)
        token = self.world.issue_token(form["client_id"], 3600)
        return Reply.json({"access_token": token.value, "expires_in": 3600})

    @route("POST", "/v2/rates", operation="rates")
    def rates(self, call: Call) -> Reply:
        if not self._account(call):
            return self.unauthorised(call)
        pieces = call.json().get("pieces", [])
        price = {"amount": RATE * max(1, len(pieces)), "currency": "EUR"}
        return Reply.json({"rates": [{"product": "HOME", "price": price}]})

    @route("POST", "/v2/shipments", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        if not self._account(call):
            return self.unauthorised(call)
        data = call.json()
        pieces = data.get("pieces", [])
        if not pieces or data.get("ref") == "refuse":
            return Reply.json({"error": {"code": "A17", "text": "postcode not served"}}, 422)
        numbers = [f"AC{self.world.next('number'):09d}" for _ in pieces]
        booking = self.world.book(
            booking_id=f"acme-{self.world.next('booking')}",
            numbers=numbers,
            service=data.get("product", "HOME"),
            reference=data.get("ref", ""),
            mark=data.get("mark", ""),
            account=self._account(call),
            price=RATE * len(pieces),
            raw=call.body,
        )
        return Reply.json(self._shown(booking))

    @route("GET", "/v2/shipments/by-mark/{mark}", operation="find_shipments")
    def find(self, call: Call) -> Reply:
        found = self.world.find(mark=call.params["mark"])
        if not found:
            return self.failure(404, call)
        return Reply.json({"bookings": [self._shown(booking) for booking in found]})

    @route("DELETE", "/v2/shipments/{id}", operation="cancel_shipment")
    def cancel(self, call: Call) -> Reply:
        if self.world.in_custody(call.params["id"]):
            return Reply.json({"error": {"code": "A31", "text": "already under way"}}, 422)
        return Reply.json({"state": self.world.void(call.params["id"]).state})

    @route("GET", "/v2/track/{number}", operation="track")
    def track(self, call: Call) -> Reply:
        steps = self.world.parcel(call.params["number"]).steps_until_now()
        return Reply.json({"events": [{"code": step.kind.value, "at": step.at} for step in steps]})

    @route("POST", "/v2/hooks", operation="subscribe")
    def hook(self, call: Call) -> Reply:
        data = call.json()
        hook = self.world.subscribe(
            subscription_id=f"hook-{self.world.next('hook')}",
            url=data["url"],
            numbers=data.get("numbers", ()),
            credential=data.get("credential", ""),
        )
        return Reply.json({"id": hook.id}, 201)

    def mark_of(self, call: Call) -> str:
        return str(call.json().get("mark", ""))

    def reference_of(self, call: Call) -> str:
        return str(call.json().get("ref", ""))

    def failure(self, status: int, call: Call) -> Reply:
        return Reply.json({"error": {"code": f"A{status}", "text": "failed"}}, status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        return Reply.json({"error": {"code": "A500" if committed else "A17", "text": "failed"}})

    def pushes(self, step: Step, subscription: Subscription) -> Push:
        body = json.dumps({"number": step.number, "code": step.kind.value, "at": step.at.isoformat()}).encode()
        signature = hmac.new(subscription.credential.encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "X-Acme-Signature": signature}
        return Push(url=subscription.url, headers=headers, body=body, proof="X-Acme-Signature")

    def _account(self, call: Call) -> str:
        token = self.world.token(call.bearer())
        return token.account if token is not None else ""

    def _shown(self, booking: Booking) -> dict[str, object]:
        self.world.issue_label(booking.id)
        pieces = [
            {"awb": number, "label": labels.render("PDF", _fields(booking, number, index))}
            for index, number in enumerate(booking.numbers)
        ]
        return {"id": booking.id, "mark": booking.mark, "ref": booking.reference, "pieces": pieces}


def _fields(booking: Booking, number: str, index: int) -> labels.LabelFields:
    return labels.LabelFields(
        carrier="ACME",
        service=booking.service,
        number=number,
        reference=booking.reference,
        mark=booking.mark,
        ship_from=("Sender Ltd", "1 Depot Road", "10115 Berlin", "DE"),
        ship_to=("Jo Receiver", "2 Home Street", "75001 Paris", "FR"),
        package=f"{index + 1}/{len(booking.numbers)}",
    )
