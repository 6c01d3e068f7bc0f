"""The documents that are stored and published: their schema names, versions, and the way up from older versions.

Additive change (an optional field, an enum value, a type) does not raise a version. A removal, a new name, another
type or another meaning does, and comes with an upcaster: a pure function from the raw members of version n to those of
version n + 1, which runs before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["VERSIONS", "Upcaster", "class_name", "schema_name", "upcasters", "upgraded"]

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

VERSIONS: Final[dict[str, int]] = {
    "AddressCheck": 1,
    "AddressCheckResult": 1,
    "CancelRequest": 1,
    "CancellationResult": 1,
    "CarrierFacts": 1,
    "DocumentQuery": 1,
    "InsurancePolicy": 1,
    "InsuranceRequest": 1,
    "InvoiceLine": 1,
    "InvoiceQuery": 1,
    "Manifest": 1,
    "ManifestRequest": 1,
    "MilestoneChange": 1,
    "Pickup": 1,
    "PickupCancelRequest": 1,
    "PickupRequest": 1,
    "RateAnswer": 1,
    "RateQuote": 1,
    "RateRequest": 1,
    "RefundRequest": 1,
    "ReturnRequest": 1,
    "ReturnShipment": 1,
    "ServicePoint": 1,
    "ServicePointQuery": 1,
    "Shipment": 1,
    "ShipmentRequest": 1,
    "Subscription": 1,
    "SubscriptionRequest": 1,
    "Timeline": 1,
    "TrackQuery": 1,
    "TrackResult": 1,
    "TrackingEvent": 1,
    "WebhookDelivery": 1,
}
"""The current version of each root document, by the name of its class."""

upcasters: Final[dict[tuple[str, int], Upcaster]] = {}
"""The way from version n to n + 1, by class name and n."""


def schema_name(cls: type) -> str:
    """The name that a document of *cls* is stamped with, such as ``shipkit/shipment-request``."""
    return "shipkit/" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


def class_name(schema: str) -> str | None:
    """The class that *schema* is the name of; None where no root has that name."""
    name = "".join(part.capitalize() for part in schema.removeprefix("shipkit/").split("-"))
    return name if schema.startswith("shipkit/") and name in VERSIONS else None


def upgraded(name: str, version: int, members: dict[str, Any]) -> dict[str, Any]:
    """The members of an older document in the form of the current version.

    Raises:
        LookupError: no upcaster leads up from that version.
    """
    for step in range(version, VERSIONS[name]):
        members = upcasters[name, step](dict(members))
    return members
