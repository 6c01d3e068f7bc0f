"""What is published: CloudEvents 1.0 in their structured JSON form, one type for each kind of news."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any, Final

from shipkit.codec import Profile, dumps, schema_name, to_dict
from shipkit.model import Value
from shipkit.ports.events import Announcement, Parcel

__all__ = ["SCHEMAS", "News", "announcement"]

SCHEMAS: Final = "https://shipkit.io/schema/"
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
    """Who took the parcel, and where it was left."""
    ANOMALY = "io.shipkit.anomaly.seen.v1"
    """Evidence that does not fit, such as a voided label that was used."""


def announcement(
    news: News, data: Value, *, parcel: Parcel, key: str, sequence: int, happened_at: datetime | None
) -> Announcement:
    """The CloudEvent for *data*, the *sequence*-th of its scope.

    Personal data is masked: who may know it asks the store. ``time`` is when it happened, where that is known.
    """
    name = f"{parcel.scope}|{key}"
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": sha256(name.encode()).hexdigest()[:32],
        "source": f"/shipkit/{parcel.carrier}/{parcel.account}",
        "type": news.value,
        "subject": parcel.number or parcel.key,
        "datacontenttype": "application/json",
        "dataschema": f"{SCHEMAS}{schema_name(type(data))}",
        "partitionkey": parcel.scope,
        "sequence": f"{sequence:010d}",
    }
    if happened_at is not None:
        envelope["time"] = happened_at.isoformat().replace("+00:00", "Z")
    if parcel.key:
        envelope["shipkitkey"] = parcel.key
    envelope["data"] = to_dict(data, profile=Profile.MASKED)
    return Announcement(key=name, scope=parcel.scope, sequence=sequence, type=news.value, body=dumps(envelope))
