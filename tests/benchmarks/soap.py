"""Reading a SOAP label: through the plugin's flow, and through zeep alone on the same description."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files
from typing import Any

from shipkit.client.clock import utc_now
from shipkit.flow import Request, Response
from shipkit.testing import Reply

from .requests import french

__all__ = ["bare_zeep", "plugin_reading"]

OPERATION = "CreateShipmentWithLabelsBc"


class _Answer:
    def __init__(self, reply: Reply) -> None:
        self.status_code, self.content, self.encoding = reply.status, reply.content, "utf-8"
        self.headers = {"Content-Type": "text/xml; charset=utf-8"}


def bare_zeep(reply: Reply) -> Callable[[], Any]:
    """zeep's own way from the bytes of *reply* to its objects."""
    import zeep

    with as_file(files("shipkit_dpd_fr") / "dpd_fr.wsdl") as path:
        client = zeep.Client(str(path))  # type: ignore[no-untyped-call]
    binding = client.service._binding
    operation = binding.get(OPERATION)
    answer = _Answer(reply)
    return lambda: binding.process_reply(client, operation, answer)


def plugin_reading(reply: Reply) -> Callable[[], Any]:
    """The plugin's way from the same bytes to a shipment with its label: check, read, map."""
    from shipkit_dpd_fr import wire
    from shipkit_dpd_fr.carrier import DpdFrance

    account = DpdFrance(userid="u", password="p", customer_center=1, customer_number=1)
    request = french()
    sent = Request.xml("https://example.invalid", b"", name="create_shipment", headers={"SOAPAction": OPERATION})

    def read() -> Any:
        response = Response(
            status=reply.status, headers=reply.headers, content=reply.content, request=sent, received_at=utc_now()
        )
        account.check(response)
        booked = account._read(OPERATION, response, wire.BookedReply)
        return wire.shipment_from_wire(request, booked, response)

    return read
