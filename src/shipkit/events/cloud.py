"""What is published: CloudEvents 1.0 in their structured JSON form, one type for each kind of news."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from shipkit.codec import Profile, dumps, to_dict
from shipkit.model import (
    Anomaly,
    DeliveryException,
    MilestoneChange,
    ProofOfDelivery,
    TrackingEvent,
    TransitEstimate,
    Value,
)
from shipkit.ports.events import Announcement, Parcel

__all__ = ["DATA", "SCHEMAS", "News", "announcement", "schema_address"]

SCHEMAS: Final = "https://shipkit.io/schema/events/"
"""Where the schema of each type is named; the files are in the documentation, and nothing fetches them."""


class News(str, Enum):
    """The types of what is published. A number at the end rises when a consumer would have to change."""

    EVENT = "io.shipkit.tracking.event.v1"
    """An event became known: evidence, as the carrier told it."""
    ENTERED = "io.shipkit.milestone.entered.v1"
    """A milestone was entered for the k-th time."""
    CORRECTED = "io.shipkit.milestone.corrected.v1"
    """Later evidence changed where the parcel is, other than by going on."""
    OPENED = "io.shipkit.exception.opened.v1"
    """A problem: why, how bad, who must act."""
    RESOLVED = "io.shipkit.exception.resolved.v1"
    """It is over, or was none."""
    TRANSIT = "io.shipkit.transit.changed.v1"
    """Another estimate of the arrival."""
    PROVED = "io.shipkit.delivery.proved.v1"
    """How the parcel was handed over, and where it was left."""
    ANOMALY = "io.shipkit.anomaly.seen.v1"
    """Evidence that does not fit, such as a voided label that was used."""


DATA: Final[Mapping[News, type[Value]]] = {
    News.EVENT: TrackingEvent,
    News.ENTERED: MilestoneChange,
    News.CORRECTED: MilestoneChange,
    News.OPENED: DeliveryException,
    News.RESOLVED: DeliveryException,
    News.TRANSIT: TransitEstimate,
    News.PROVED: ProofOfDelivery,
    News.ANOMALY: Anomaly,
}
"""What each type carries."""

# CloudEvents 1.0.2, "Type System": no control characters, no surrogates, no noncharacters in a String.
_NO_STRING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(17))
    + "]"
)


def announcement(
    news: News, data: Value, *, parcel: Parcel, key: str, sequence: int, happened_at: datetime | None
) -> Announcement:
    """The CloudEvent for *data*, the *sequence*-th of its scope.

    No personal data but pseudonyms (numbers) leaves this way: who may know more asks the store. ``time`` is when it
    happened, where that is known.
    """
    name = f"{parcel.scope}|{key}"
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "source": f"/shipkit/{_segment(parcel.carrier)}/{_segment(parcel.account)}",
        "type": news.value,
        "datacontenttype": "application/json",
        "dataschema": schema_address(news),
        "partitionkey": _string(parcel.scope),
        "sequence": f"{sequence:010d}",
    }
    if subject := _string(parcel.number or parcel.key):
        envelope["subject"] = subject
    if happened_at is not None:
        envelope["time"] = happened_at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if shipment := _string(parcel.key):
        envelope["shipkitkey"] = shipment
    envelope["data"] = _published(data)
    return Announcement(key=name, scope=parcel.scope, sequence=sequence, type=news.value, body=dumps(envelope))


def schema_address(news: News) -> str:
    """The ``dataschema`` of a type."""
    return f"{SCHEMAS}{news.value}.json"


def _published(data: Value) -> dict[str, Any]:
    members = to_dict(data, profile=Profile.PUBLISHED)
    if isinstance(data, TrackingEvent):
        # Its identity is a hash over fields that are left out here, and other announcements refer to it.
        members["event_id"] = data.event_id
        if data.code_type == "text":  # the code is the carrier's sentence
            members["code"] = ""
    return members


def _string(text: str) -> str:
    return _NO_STRING.sub("", text)


def _segment(text: str) -> str:
    return quote(text, safe="", errors="replace")
