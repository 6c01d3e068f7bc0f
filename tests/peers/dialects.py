"""Three more carriers on loopback, each just what one foreign client calls, so that its purchases can be counted.

What they are asked and how they answer is read off the clients: bapp-connectors 0.45.0 (Sameday), shippo 3.9.0 and
shipengine 2.1.1. Errors are worded as those clients expect them; where a client looks at nothing but the status, a body
of the vendor's documented form is sent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shipkit.simulator import Booking, Call, Dialect, Reply, route

__all__ = ["DIALECTS", "SamedayDialect", "ShipEngineDialect", "ShippoDialect"]

_PDF = b"%PDF-1.4\n%simulated label\n%%EOF\n"


class _Small(Dialect):
    """Books whatever it is asked to, under a number of its own."""

    def _booked(self, call: Call, prefix: str) -> Booking:
        number = f"{prefix}{self.world.next('number', start=1_000_000)}"
        booking = self.world.book(booking_id=number, numbers=[number], price=Decimal("5.00"), raw=call.body)
        return self.world.issue_label(booking.id)


class SamedayDialect(_Small):
    """Sameday's courier interface as the adapter of bapp-connectors calls it."""

    code = "sameday"

    @route("POST", "/api/authenticate", operation="token")
    def token(self, call: Call) -> Reply:
        return Reply.json({"token": self.world.issue_token(call.headers.get("x-auth-username", ""), 43_200).value})

    @route("POST", "/api/awb", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        if self.world.token(call.headers.get("x-auth-token", "")) is None:
            return self.unauthorised(call)
        booking = self._booked(call, "1ONB")
        parcels = [{"position": 1, "awbNumber": f"{booking.id}001"}]
        return Reply.json({"awbNumber": booking.id, "awbCost": 5.0, "parcels": parcels, "pdfLink": ""})

    @route("GET", "/api/awb/download/{number}/{format}/pdf/inline", operation="documents")
    def label(self, call: Call) -> Reply:
        self.world.booking(call.params["number"])
        return Reply.raw(_PDF, "application/pdf")

    def failure(self, status: int, call: Call) -> Reply:
        return Reply.json({"error": {"code": status, "message": "simulated"}}, status)


class ShippoDialect(_Small):
    """Shippo's transactions."""

    code = "shippo"

    @route("POST", "/transactions", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        if not call.headers.get("authorization"):
            return self.unauthorised(call)
        booking = self._booked(call, "9205590164917")
        link = self.world.publish(f"/labels/{booking.id}.pdf", _PDF, "application/pdf")
        return Reply.json(
            {
                "object_id": f"{booking.id}".ljust(32, "0"),
                "object_state": "VALID",
                "status": "SUCCESS",
                "tracking_number": booking.id,
                "label_url": call.base_url + link,
                "messages": [],
                # Without it the client's own model cannot be read back.
                "created_by": {"first_name": "A", "last_name": "B", "username": "a@example.org"},
            },
            201,
        )

    def failure(self, status: int, call: Call) -> Reply:
        return Reply.json({"detail": "simulated"}, status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        """A transaction that failed is one all the same: status ERROR (docs.goshippo.com, transactions)."""
        return Reply.json({"object_id": "0" * 32, "object_state": "VALID", "status": "ERROR", "created_by": None}, 201)


class ShipEngineDialect(_Small):
    """ShipEngine's labels."""

    code = "shipengine"

    @route("POST", "/v1/labels", operation="create_shipment", purchase=True)
    def create(self, call: Call) -> Reply:
        if not call.headers.get("api-key"):
            return self.unauthorised(call)
        booking = self._booked(call, "9400111899223")
        link = call.base_url + self.world.publish(f"/labels/{booking.id}.pdf", _PDF, "application/pdf")
        answer: dict[str, Any] = {
            "label_id": f"se-{booking.id}",
            "status": "completed",
            "tracking_number": booking.id,
            "label_download": {"href": link, "pdf": link},
        }
        return Reply.json(answer)

    def failure(self, status: int, call: Call) -> Reply:
        return Reply.json(self._errors(status), status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        return Reply.json(self._errors(500 if committed else 400))

    def _errors(self, status: int) -> dict[str, Any]:
        error = {
            "error_source": "shipengine",
            "error_type": "system" if status >= 500 else "validation",
            "error_code": "unspecified",
            "message": "simulated",
        }
        return {"request_id": "00000000-0000-0000-0000-000000000000", "errors": [error]}


DIALECTS = {dialect.code: dialect for dialect in (SamedayDialect, ShippoDialect, ShipEngineDialect)}
