"""What UPS says of a parcel, as tables, each with its source.

"UPSTrackAlertEnhanced.yaml" is the file of github.com/UPS-API/api-documentation at e6f36df4da (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shipkit.model import Milestone, Reason

__all__ = ["FURTHER", "FURTHER_TYPES", "MAPPING_VERSION", "MILESTONES", "TYPES", "is_mapped", "status"]

# Which state of these tables decided a mapping: year and month of their last change, and a number where there are more.
MAPPING_VERSION: Final = "ups-2026.11.1"

# Activity status: `type` + `code`. UPSTrackAlertEnhanced.yaml (examples), and public recorded answers (confidence:
# fixture); read as domain/status_map.csv, vocabulary ups.type+code. The code alone says nothing: it repeats under other
# types.
MILESTONES: Final[Mapping[tuple[str, str], tuple[Milestone | None, Reason | None]]] = {
    ("M", "MP"): (Milestone.ANNOUNCED, Reason.DATA_RECEIVED),
    ("I", "OR"): (Milestone.ACCEPTED, Reason.RECEIVED_AT_ORIGIN),
    ("I", "DP"): (Milestone.IN_TRANSIT, Reason.DEPARTED_FACILITY),
    ("I", "AR"): (Milestone.IN_TRANSIT, Reason.ARRIVED_AT_FACILITY),
    ("I", "DS"): (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    ("I", "OT"): (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    ("D", "FS"): (Milestone.DELIVERED, Reason.DELIVERED),
    ("I", "SR"): (Milestone.IN_TRANSIT, Reason.CUSTOMS_CLEARED),
}

# Beyond that vocabulary. Tracking.yaml, Status: the examples of `type`, `code` and `description` are "X", "SR" and
# "Your package was released by the customs agency." (confidence: public-doc)
FURTHER: Final[Mapping[tuple[str, str], tuple[Milestone | None, Reason | None]]] = {
    ("X", "SR"): (Milestone.IN_TRANSIT, Reason.CUSTOMS_CLEARED),
}

# Activity status: `type` alone. UPSTrackAlertEnhanced.yaml, "What types of event data" (confidence: public-doc);
# vocabulary ups.status_type. "D" is loaded, out or delivered, so it moves nothing by itself; "U" and "X" may still be
# on time.
TYPES: Final[Mapping[str, tuple[Milestone | None, Reason | None]]] = {
    "M": (Milestone.ANNOUNCED, Reason.DATA_RECEIVED),
    "MV": (Milestone.CANCELLED, Reason.CANCELLED),
    "I": (Milestone.IN_TRANSIT, None),
    "D": (None, None),
    "U": (None, Reason.DELIVERY_RESCHEDULED),
    "X": (None, Reason.DELIVERY_EXCEPTION),
}

# Beyond that vocabulary: types of tracking that UPS's older document has, restated alike in public clients, among them
# the C# client UPSRestApi (Common/Enums, PackageActivityStatusType) and RocketShipIt's documentation (confidence:
# public-code). "P" is pickup, "O" out for delivery, "RS" returned to shipper: on its way back, as far as that says; its
# other types, W, DO and DD, are of freight, and NA is "not available".
FURTHER_TYPES: Final[Mapping[str, tuple[Milestone | None, Reason | None]]] = {
    "P": (Milestone.ACCEPTED, Reason.PICKED_UP),
    "O": (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    "RS": (Milestone.RETURNING, Reason.RETURNING_TO_SENDER),
}

_CODES: Final = {**MILESTONES, **FURTHER}
_TYPES: Final = {**TYPES, **FURTHER_TYPES}

# Whatever their code, these mean one thing. "I" is anything on the way, out for delivery too.
_PLAIN: Final = frozenset({"MV", *FURTHER_TYPES})


def is_mapped(kind: str, code: str) -> bool:
    """Whether the tables have this status; the type alone decides where there is no code, or where it is plain."""
    return (kind, code) in _CODES or (kind in _TYPES and (not code or kind in _PLAIN)) or not (kind or code)


def status(kind: str, code: str) -> tuple[Milestone | None, Reason | None]:
    """What an activity means for the parcel; a code that the table does not have moves nothing.

    "I" is anything on the way, out for delivery too: with a code of its own that is not known, it could only move a
    parcel back. Of such a code no more is known than the reason that its type has.
    """
    known = _CODES.get((kind, code))
    if known is not None:
        return known
    milestone, reason = _TYPES.get(kind, (None, None))
    return (milestone, reason) if is_mapped(kind, code) else (None, reason or Reason.UNMAPPED)
