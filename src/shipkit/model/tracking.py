"""Evidence of where a parcel is, and the state that follows from it."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from unicodedata import combining, normalize

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import personal
from shipkit.model.scalars import ClosedEnum, CountryCode, LanguageTag, OpenEnum

if TYPE_CHECKING:
    from shipkit.model.bookings import TrackingNumber
    from shipkit.model.documents import Document
    from shipkit.model.measures import GeoPoint, Weight
    from shipkit.model.messages import Message
    from shipkit.model.rates import TransitEstimate
    from shipkit.model.shipments import DocumentFormat
    from shipkit.model.time import EventTime

__all__ = [
    "ActionRequired",
    "Actor",
    "Anomaly",
    "AnomalyKind",
    "BlobRef",
    "ChangeKind",
    "Classifier",
    "DeliveryException",
    "DropPlace",
    "EventNature",
    "EventPlace",
    "EventSource",
    "Milestone",
    "MilestoneChange",
    "MilestoneEntry",
    "ProofOfDelivery",
    "Reason",
    "RecipientRelation",
    "Severity",
    "Timeline",
    "TrackQuery",
    "TrackResult",
    "TrackingEvent",
]


class Milestone(ClosedEnum):
    """Where a parcel is. A state only: an event that says nothing of it has no milestone, never ``UNKNOWN``."""

    UNKNOWN = "unknown"  # nothing usable is known yet
    ANNOUNCED = "announced"  # shipment data or label exists; carrier has no physical custody
    ACCEPTED = "accepted"  # first physical custody by the carrier or its agent
    IN_TRANSIT = "in_transit"  # moving or resting inside the carrier network, customs included
    OUT_FOR_DELIVERY = "out_for_delivery"  # on the final vehicle or round for this attempt
    DELIVERY_ATTEMPTED = (
        "delivery_attempted"  # an attempt at the recipient was made and failed; parcel still held by the carrier
    )
    READY_FOR_PICKUP = "ready_for_pickup"  # waiting for the recipient at a counter, shop or locker
    DELIVERED = "delivered"  # handed over, left as agreed, or collected by the recipient
    RETURNING = "returning"  # on its way back to the sender
    RETURNED = "returned"  # back with the sender
    LOST = "lost"  # carrier declares it cannot be found
    DESTROYED = "destroyed"  # destroyed, disposed of or seized for good
    CANCELLED = "cancelled"  # shipment voided before custody

    @property
    def rank(self) -> int:
        """How far along, for display and as a tie-break; never the rule by which states are merged."""
        return _MILESTONES[self._value_][0]

    @property
    def terminal(self) -> bool:
        """Whether the journey ends here."""
        return _MILESTONES[self._value_][1]

    @property
    def phase(self) -> str:
        """Part of the journey: none, pre, first_mile, network, last_mile, final or return."""
        return _MILESTONES[self._value_][2]


_MILESTONES: Final[dict[str, tuple[int, bool, str]]] = {
    "unknown": (0, False, "none"),
    "announced": (10, False, "pre"),
    "accepted": (20, False, "first_mile"),
    "in_transit": (30, False, "network"),
    "out_for_delivery": (40, False, "last_mile"),
    "delivery_attempted": (45, False, "last_mile"),
    "ready_for_pickup": (50, False, "last_mile"),
    "delivered": (60, True, "final"),
    "returning": (70, False, "return"),
    "returned": (80, True, "return"),
    "lost": (90, True, "final"),
    "destroyed": (91, True, "final"),
    "cancelled": (95, True, "pre"),
}


class Reason(OpenEnum):
    """Why, and so who must act. Open: a value this version does not know is kept raw."""

    LABEL_CREATED = "label_created"
    DATA_RECEIVED = "data_received"
    NO_ADVANCE_DATA = "no_advance_data"
    AWAITING_HANDOVER = "awaiting_handover"
    NOT_RECEIVED_BY_CARRIER = "not_received_by_carrier"
    PICKUP_SCHEDULED = "pickup_scheduled"
    PICKUP_FAILED = "pickup_failed"
    PICKED_UP = "picked_up"
    DROPPED_OFF = "dropped_off"
    RECEIVED_AT_ORIGIN = "received_at_origin"
    ARRIVED_AT_FACILITY = "arrived_at_facility"
    DEPARTED_FACILITY = "departed_facility"
    PROCESSED_AT_FACILITY = "processed_at_facility"
    DEPARTED_ORIGIN_COUNTRY = "departed_origin_country"
    ARRIVED_IN_DESTINATION_COUNTRY = "arrived_in_destination_country"
    ARRIVED_AT_DELIVERY_DEPOT = "arrived_at_delivery_depot"
    HANDED_TO_PARTNER = "handed_to_partner"
    RECEIVED_BY_PARTNER = "received_by_partner"
    RELABELLED = "relabelled"
    REPACKED = "repacked"
    MISSORTED = "missorted"
    FORWARDED = "forwarded"
    REDIRECTED = "redirected"
    REDIRECTED_BY_CARRIER = "redirected_by_carrier"
    SPLIT_STATUS = "split_status"
    INFORMATION = "information"
    RECIPIENT_NOTIFIED = "recipient_notified"
    PROBLEM_RESOLVED = "problem_resolved"
    CUSTOMS_PROCESSING = "customs_processing"
    CUSTOMS_CLEARED = "customs_cleared"
    EXPORT_CLEARED = "export_cleared"
    CUSTOMS_HELD = "customs_held"
    CUSTOMS_INSPECTION = "customs_inspection"
    CUSTOMS_DOCUMENTS_MISSING = "customs_documents_missing"
    CUSTOMS_DATA_INCORRECT = "customs_data_incorrect"
    DUTIES_UNPAID = "duties_unpaid"
    GOODS_PROHIBITED = "goods_prohibited"
    IMPORT_REFUSED = "import_refused"
    DELIVERY_SCHEDULED = "delivery_scheduled"
    DELIVERY_RESCHEDULED = "delivery_rescheduled"
    LOADED_FOR_DELIVERY = "loaded_for_delivery"
    AWAITING_COLLECTION = "awaiting_collection"
    COLLECTION_EXPIRING = "collection_expiring"
    NOT_ATTEMPTED = "not_attempted"
    ATTEMPT_FAILED = "attempt_failed"
    FINAL_ATTEMPT_FAILED = "final_attempt_failed"
    NOTICE_LEFT = "notice_left"
    RECIPIENT_ABSENT = "recipient_absent"
    BUSINESS_CLOSED = "business_closed"
    ACCESS_RESTRICTED = "access_restricted"
    NO_SECURE_LOCATION = "no_secure_location"
    MAILBOX_BLOCKED = "mailbox_blocked"
    REFUSED_BY_RECIPIENT = "refused_by_recipient"
    IDENTITY_CHECK_FAILED = "identity_check_failed"
    COD_NOT_PAID = "cod_not_paid"
    ADDRESS_INCORRECT = "address_incorrect"
    ADDRESS_INCOMPLETE = "address_incomplete"
    ADDRESS_NOT_FOUND = "address_not_found"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    RECIPIENT_MOVED = "recipient_moved"
    RECIPIENT_DECEASED = "recipient_deceased"
    DELAYED = "delayed"
    DELAYED_CARRIER = "delayed_carrier"
    DELAYED_WEATHER = "delayed_weather"
    DELAYED_EXTERNAL = "delayed_external"
    DELAYED_HOLIDAY = "delayed_holiday"
    HELD_BY_CARRIER = "held_by_carrier"
    HELD_ON_REQUEST = "held_on_request"
    HELD_FOR_PAYMENT = "held_for_payment"
    SECURITY_CHECK = "security_check"
    UNDER_INVESTIGATION = "under_investigation"
    DELIVERY_EXCEPTION = "delivery_exception"
    CONTACT_CARRIER = "contact_carrier"
    DAMAGED = "damaged"
    LOST = "lost"
    DESTROYED = "destroyed"
    DISPOSED = "disposed"
    SEIZED = "seized"
    OUTSIDE_SERVICE_LIMITS = "outside_service_limits"
    DELIVERED = "delivered"
    DELIVERED_SIGNED = "delivered_signed"
    DELIVERED_TO_NEIGHBOUR = "delivered_to_neighbour"
    DELIVERED_SAFE_PLACE = "delivered_safe_place"
    DELIVERED_MAILBOX = "delivered_mailbox"
    DELIVERED_RECEPTION = "delivered_reception"
    DELIVERED_ALTERNATIVE_LOCATION = "delivered_alternative_location"
    DELIVERED_TO_AGENT = "delivered_to_agent"
    DELIVERED_TO_PICKUP_POINT = "delivered_to_pickup_point"
    COLLECTED_BY_RECIPIENT = "collected_by_recipient"
    DELIVERED_PARTIAL = "delivered_partial"
    DELIVERED_DAMAGED = "delivered_damaged"
    COD_COLLECTED = "cod_collected"
    PROOF_RECORDED = "proof_recorded"
    RETURN_REQUESTED = "return_requested"
    RETURNING_TO_SENDER = "returning_to_sender"
    RETURNED_TO_SENDER = "returned_to_sender"
    UNCOLLECTED = "uncollected"
    UNDELIVERABLE = "undeliverable"
    CANCELLED_BY_SHIPPER = "cancelled_by_shipper"
    CANCELLED_BY_CARRIER = "cancelled_by_carrier"
    CANCELLED = "cancelled"
    CANCELLATION_REQUESTED = "cancellation_requested"
    CANCELLATION_FAILED = "cancellation_failed"
    ANNOUNCEMENT_FAILED = "announcement_failed"
    TRACKING_EXPIRED = "tracking_expired"
    TRACKING_UNAVAILABLE = "tracking_unavailable"
    UNMAPPED = "unmapped"
    ERROR = "error"


class Classifier(ClosedEnum):
    """Whether it happened."""

    ACTUAL = "actual"
    ESTIMATED = "estimated"
    PLANNED = "planned"
    REQUESTED = "requested"


class EventNature(ClosedEnum):
    """Whether a thing was scanned, or an entry made in a system."""

    PHYSICAL = "physical"
    LOGICAL = "logical"


class EventSource(ClosedEnum):
    """How an event reached us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    IMPORT = "import"
    MANUAL = "manual"
    DERIVED = "derived"


class Severity(ClosedEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Actor(ClosedEnum):
    """Who must act."""

    SHIPPER = "shipper"
    RECIPIENT = "recipient"
    CARRIER = "carrier"
    CUSTOMS = "customs"
    NOBODY = "nobody"


class RecipientRelation(OpenEnum):
    """Who took the parcel. Open: a value this version does not know is kept raw."""

    RECIPIENT = "recipient"
    NEIGHBOUR = "neighbour"
    RECEPTION = "reception"
    AGENT = "agent"
    CARETAKER = "caretaker"
    UNKNOWN = "unknown"


class DropPlace(OpenEnum):
    """Where the parcel was left. Open: a value this version does not know is kept raw."""

    DOOR = "door"
    MAILBOX = "mailbox"
    SAFE_PLACE = "safe_place"
    LOCKER = "locker"
    COUNTER = "counter"
    RECEPTION = "reception"
    DOCK = "dock"
    OTHER = "other"


class AnomalyKind(ClosedEnum):
    """Why a piece of evidence does not fit."""

    LATE_ANNOUNCEMENT = "late_announcement"  # data of the shipper after custody
    EVENT_AFTER_TERMINAL = "event_after_terminal"  # a scan after the end
    LEFT_TERMINAL = "left_terminal"  # an end that was none
    CANCELLED_WHILE_MOVING = "cancelled_while_moving"  # a void after custody
    MOVED_AFTER_CANCEL = "moved_after_cancel"  # a voided label was used: finance must see it
    PREDATES_SHIPMENT = "predates_shipment"  # older than the shipment: a recycled number
    FUTURE_EVENT = "future_event"  # more than 24 h ahead of its receipt
    WITHDRAWN_CANDIDATE = "withdrawn_candidate"  # missing from two full answers in a row


class ChangeKind(ClosedEnum):
    """A kind of announcement."""

    ENTERED = "entered"  # milestone.entered: a milestone was entered for the k-th time
    CORRECTED = "corrected"  # milestone.corrected: later evidence takes an entry back


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrackQuery(Value):
    """Asks for one parcel."""

    number: TrackingNumber
    postal_code: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="keep_first_3", by_default=True)
    )
    """Where the carrier demands it as proof."""
    country: CountryCode | None = None
    """Of the destination."""
    shipped_on: date | None = None
    """Carriers use numbers again."""
    language: LanguageTag = "en"
    """Of the carrier's texts."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EventPlace(Value):
    """Where an event happened."""

    facility_code: str | None = None
    """The carrier's."""
    name: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    city: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    region: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    postal_code: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="keep_first_3", by_default=True)
    )
    country: CountryCode | None = None
    geo: GeoPoint | None = attrs.field(
        default=None, metadata=personal("high", "location", mask="round_1", by_default=True)
    )
    service_point_id: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrackingEvent(Value):
    """One observed fact."""

    scope: str | None = attrs.field(default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """Filled in by the client: the host's shipment, else carrier, number and the time since which we know it."""
    piece: str | None = attrs.field(default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """The canonical number of the package."""
    time: EventTime
    milestone: Milestone | None = None
    """None where the event does not say where the parcel is; it then moves nothing."""
    reason: Reason | None = None
    code: str
    """The carrier's, exactly as sent, leading zeros kept. Where a carrier sends only text, that text in lower case,
    without accents and digits."""
    subcode: str | None = None
    """The carrier's."""
    code_type: str | None = None
    """The carrier's type or group of codes; ``text`` where the code was made from the text."""
    unmapped: bool = False
    """The code stands in no table: what is said of milestone and reason comes from its type or status alone."""
    text: str | None = attrs.field(default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True))
    """The carrier's words."""
    language: LanguageTag | None = None
    """Of the text."""
    place: EventPlace | None = None
    classifier: Classifier = Classifier.ACTUAL
    """Only what happened moves a milestone."""
    nature: EventNature | None = None
    native_id: str | None = None
    """The carrier's own id of the event, where it is documented as stable."""
    retracts: str | None = None
    """The ``event_id`` of an event that this one withdraws."""
    supersedes: str | None = None
    """The ``event_id`` of an event that this one replaces."""
    transit: TransitEstimate | None = None
    """What the event says of the arrival."""
    signed_by: str | None = attrs.field(
        default=None, metadata=personal("high", "identity", mask="initials", by_default=True)
    )
    source: EventSource | None = None
    """Filled in by the client."""
    observed_at: datetime
    """When the reply or push was received."""
    mapping_version: str
    """Of the status table that chose milestone and reason."""
    raw_ref: str | None = None
    """Where the masked payload is kept."""

    @cached_property
    def event_id(self) -> str:
        """The identity of the fact, the same however often and by whatever way it is told.

        The carrier's own id where it is documented as stable, else a hash over what is printed: scope, piece, codes,
        local time and offset, place, retraction. Left out is what may be re-worded or learnt later: texts, the UTC
        instant and guessed zones, the signer, the channel, and our own mapping.
        """
        if self.native_id:
            return f"n:{self.scope or ''}:{self.native_id}"
        recipe = [
            _RECIPE, self.scope, self.piece, self.code_type, self.code, self.subcode,
            _printed_time(self.time), _printed_offset(self.time), _place_key(self.place), self.retracts,
        ]  # fmt: skip
        return f"h:{sha256(_as_json(recipe).encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_RECIPE: Final = "evt1"  # another recipe is another family of ids, made by hashing the kept fields again


def _printed_time(when: EventTime) -> str:
    local = when.local
    return local.isoformat(timespec="seconds") if isinstance(local, datetime) else local.isoformat()


def _printed_offset(when: EventTime) -> str | None:
    """Only what the carrier printed: an offset concluded from a place may be corrected, and must not rename events."""
    if when.basis in ("offset", "utc_pair"):
        return None if when.offset_min is None else str(when.offset_min)
    return when.zone_text


def _place_key(place: EventPlace | None) -> str | None:
    if place is None:
        return None
    if place.facility_code:
        return place.facility_code
    city = place.city or ""
    if not city.isascii():
        city = "".join(char for char in normalize("NFKD", city) if not combining(char))
    return f"{place.country or ''}|{place.postal_code or ''}|{''.join(city.split()).upper()}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrackResult(Value):
    """What the carrier says of one number now."""

    number: TrackingNumber
    events: tuple[TrackingEvent, ...]
    """As far back as the carrier still has them, in any order."""
    complete: bool
    """False where the list is cut or paged."""
    finished: bool | None = None
    """Whether the carrier says that no more will come."""
    service: str | None = None
    transit: TransitEstimate | None = None
    """As of now."""
    proof: ProofOfDelivery | None = None
    weight: Weight | None = None
    """As the carrier measured it."""
    related: tuple[TrackingNumber, ...] = ()
    """Numbers of pieces, of partners, of a return."""
    documents: tuple[Document, ...] = ()
    messages: tuple[Message, ...] = ()
    received_at: datetime
    """When the reply was received."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActionRequired(Value):
    """What somebody must do."""

    actor: Actor
    """As a rule the one that the reason names; a plugin may know better."""
    what: str | None = attrs.field(default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True))
    """The carrier's words."""
    by: EventTime | None = None
    """Until when."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DeliveryException(Value):
    """A problem on the way, derived from events; open until something resolves it."""

    reason: Reason
    severity: Severity
    """That of the reason."""
    since: EventTime
    attempts: int | None = None
    action: ActionRequired
    event_id: str
    """Of the event that opened it."""
    resolved_by: str | None = None
    """The ``event_id`` of the event that closed it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BlobRef(Value):
    """Bytes that are kept elsewhere, under a retention of their own."""

    key: str
    """In the host's blob store."""
    sha256: str
    size: int
    """In bytes."""
    format: DocumentFormat
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ProofOfDelivery(Value):
    """The evidence of a hand-over. Signatures and photos are never inline."""

    delivered_at: EventTime
    signed_by: str | None = attrs.field(
        default=None, metadata=personal("high", "identity", mask="initials", by_default=True)
    )
    relation: RecipientRelation | None = None
    place: DropPlace | None = None
    signature: BlobRef | None = attrs.field(
        default=None, metadata=personal("critical", "biometric", mask="drop", by_default=True)
    )
    photo: BlobRef | None = attrs.field(
        default=None, metadata=personal("critical", "image_of_home", mask="drop", by_default=True)
    )
    geo: GeoPoint | None = attrs.field(
        default=None, metadata=personal("high", "location", mask="round_1", by_default=True)
    )
    code_verified: bool | None = None
    age_verified: int | None = None
    """In years."""
    document: Document | None = None
    available_until: datetime | None = None
    """At the carrier."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Anomaly(Value):
    """One piece of evidence that does not fit."""

    kind: AnomalyKind
    event_id: str
    milestone: Milestone
    """Where the parcel was at that moment."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MilestoneEntry(Value):
    """The k-th time that a milestone was entered."""

    milestone: Milestone
    ordinal: int
    """Counted from 1."""
    at: EventTime
    event_id: str
    reason: Reason | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Timeline(Value):
    """The state everyone agrees on: a pure projection of the evidence, the same for any order of arrival."""

    scope: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    tracking_number: TrackingNumber | None = None
    """None for a shipment of several pieces."""
    milestone: Milestone = Milestone.UNKNOWN
    """Of a shipment, that of its least advanced open piece."""
    reason: Reason | None = None
    entries: tuple[MilestoneEntry, ...]
    """In order of time."""
    events: tuple[TrackingEvent, ...]
    """In order of time, withdrawn ones left out."""
    exceptions: tuple[DeliveryException, ...]
    """Open ones first."""
    attempts: int = 0
    transit: TransitEstimate | None = None
    """The estimate that was computed last."""
    proof: ProofOfDelivery | None = None
    anomalies: tuple[Anomaly, ...]
    pieces: tuple[Timeline, ...] = ()
    """One for each piece of a shipment."""
    partially_delivered: bool | None = None
    """Some pieces are delivered, others not."""
    evidence_count: int
    mapping_versions: frozenset[str]
    revision: int
    """Rises with every change of the projection."""

    @property
    def terminal(self) -> bool:
        """Whether the journey has ended, as far as the evidence says."""
        return self.milestone.terminal


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MilestoneChange(Value):
    """What is published: each entry once, however often the projection is computed."""

    kind: ChangeKind
    scope: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    tracking_number: TrackingNumber | None = None
    from_milestone: Milestone
    to_milestone: Milestone
    ordinal: int
    """Of the entry into ``to_milestone``."""
    reason: Reason | None = None
    at: EventTime
    """The time of the cause."""
    event_id: str
    """Of the cause."""
    revision: int
    """Of the timeline."""

    @property
    def dedup_key(self) -> str:
        """What makes the announcement once-only; a correction is one per revision."""
        key = f"{self.scope}|{self.kind}|{self.to_milestone}|{self.ordinal}"
        return f"{key}|{self.revision}" if self.kind is ChangeKind.CORRECTED else key
