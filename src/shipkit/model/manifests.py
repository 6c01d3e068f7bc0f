"""The end of the day: what is handed over together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import personal
from shipkit.model.scalars import EMPTY, CarrierCode, ClosedEnum, Json

if TYPE_CHECKING:
    from shipkit.model.documents import Document
    from shipkit.model.messages import Message
    from shipkit.model.places import Party

__all__ = [
    "Manifest",
    "ManifestEntry",
    "ManifestKind",
    "ManifestRequest",
    "ManifestState",
]


class ManifestKind(ClosedEnum):
    """How the list is handed over."""

    DIGITAL = "digital"
    PHYSICAL = "physical"


class ManifestState(ClosedEnum):
    """The life of a manifest."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ManifestRequest(Value):
    """Closes the day."""

    ship_from: Party
    day: date
    """Local to ``ship_from``."""
    shipment_ids: tuple[str, ...] = attrs.field(
        default=(), metadata=personal("medium", "pseudonym", mask="keep_last_4")
    )
    """Empty means all that are open."""
    kind: ManifestKind | None = None
    carrier_options: Mapping[CarrierCode, Json] = EMPTY


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ManifestEntry(Value):
    """One shipment of a manifest."""

    shipment_id: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    accepted: bool
    carrier_code: str | None = None
    """Why it was not accepted."""
    text: str | None = attrs.field(default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True))
    """The carrier's words."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Manifest(Value):
    """What is handed over together at the end of the day."""

    manifest_id: str
    kind: ManifestKind
    day: date
    """Local to ``ship_from``."""
    state: ManifestState
    entries: tuple[ManifestEntry, ...]
    """One for each shipment asked for, in that order."""
    documents: tuple[Document, ...] = ()
    messages: tuple[Message, ...] = ()
