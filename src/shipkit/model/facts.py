"""What a plugin declares of its carrier: limits, services, options, recovery."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.scalars import EMPTY, CarrierCode, ClosedEnum, CountryCode, LanguageTag, Url, optional_decimal
from shipkit.model.shipments import DocumentKind

if TYPE_CHECKING:
    from shipkit.model.dangerous_goods import DgLevel
    from shipkit.model.measures import Dimensions, IntRange, Length, LengthUnit, Money, Volume, Weight, WeightUnit
    from shipkit.model.service_points import ServicePointKind
    from shipkit.model.shipments import DocumentFormat, Handling, OptionCode, PackagingKind, PageSize
    from shipkit.model.time import CutOff
    from shipkit.model.webhooks import TrustLevel

__all__ = [
    "Audience",
    "BillingMoment",
    "CarrierFacts",
    "Direction",
    "Environment",
    "FieldRule",
    "FindMethod",
    "FirstMile",
    "FormFactor",
    "GirthFormula",
    "GirthLimit",
    "IdempotencyMode",
    "LabelFormatFacts",
    "Lane",
    "LaneKind",
    "LastMile",
    "LengthFacts",
    "Limits",
    "OnOverflow",
    "Operation",
    "OperationFacts",
    "OptionFacts",
    "PackagingFacts",
    "PollFacts",
    "Predicate",
    "PredicateOperator",
    "PredicateSubject",
    "RateLimit",
    "RecoveryFacts",
    "RecoveryMode",
    "RefundMode",
    "Rounding",
    "ServiceLevel",
    "ServiceTraits",
    "Support",
    "VoidBy",
    "VoidPolicy",
    "WebhookFacts",
    "WeightFacts",
]


class Operation(ClosedEnum):
    """What a carrier can be asked to do."""

    RATES = "rates"  # price it for every service offered; the client collects a RateAnswer over accounts
    TRANSIT_TIMES = "transit_times"  # when it would arrive, by service
    CREATE_SHIPMENT = "create_shipment"  # book it; the carrier expects the goods from then on
    FIND_SHIPMENTS = (
        "find_shipments"  # every booking under the request's mark, voided ones included; empty where there is none
    )
    CANCEL_SHIPMENT = "cancel_shipment"  # undo it, or ask for the money back
    REFUND = "refund"  # money back by tracking number, where it is another call than cancel_shipment
    DOCUMENTS = "documents"  # fetch papers again or in another format
    TRACK = "track"  # what the carrier knows of one number; the client fans out and keeps one outcome per input
    TRACK_MANY = "track_many"  # the same, only where the carrier has a batch call
    SERVICE_POINTS = "service_points"  # places near somewhere, nearest first
    CHECK_ADDRESS = "check_address"  # does it exist, is it residential
    BOOK_PICKUP = "book_pickup"  # ask the carrier to collect
    CANCEL_PICKUP = "cancel_pickup"  # call the collection off
    CLOSE_MANIFEST = "close_manifest"  # end of day
    CREATE_RETURN = "create_return"  # a way back
    INSURE = "insure"  # insure a booked parcel
    READ_WEBHOOK = "read_webhook"  # turn a verified push into events; sends nothing
    SUBSCRIBE = "subscribe"  # ask for pushes
    INVOICES = "invoices"  # what was billed


class Support(ClosedEnum):
    """Whether a plugin offers an operation."""

    YES = "yes"
    NO = "no"  # the carrier's interface has none
    EMULATED = "emulated"  # from other calls
    NOT_YET = "not_yet"  # the carrier has it, the plugin not


class IdempotencyMode(ClosedEnum):
    """What makes a repeat harmless."""

    NONE = "none"  # nothing
    NATIVE_KEY = "native_key"  # the carrier honours a key
    UNIQUE_REFERENCE = "unique_reference"  # the carrier refuses a second booking under our reference
    READ_ONLY = "read_only"  # nothing is changed


class RecoveryMode(ClosedEnum):
    """What can be done when a booking was sent and not answered."""

    NATIVE_KEY = "native_key"  # the carrier keeps a key and answers a repeat with the same booking
    UNIQUE_REFERENCE = "unique_reference"  # the carrier refuses a reference it has seen
    FIND = "find"  # any reference is taken and can be looked up
    NONE = "none"  # a person decides


class FindMethod(ClosedEnum):
    """How a booking is looked up."""

    EXACT_ALL = "exact_all"  # by the mark, every hit
    EXACT_ONE = "exact_one"  # by the mark, one hit
    BY_LIST = "by_list"  # the day's shipments, matched on mark and recipient
    BY_NUMBER = "by_number"  # only by the carrier's number, which a lost answer does not give


class BillingMoment(ClosedEnum):
    """When a booking costs money."""

    ON_PURCHASE = "on_purchase"
    ON_SCAN = "on_scan"


class Environment(ClosedEnum):
    """Which world an account talks to."""

    PRODUCTION = "production"
    CERTIFICATION = "certification"
    TEST = "test"


class LaneKind(ClosedEnum):
    """What the border means for a lane."""

    ANY = "any"
    DOMESTIC = "domestic"
    CUSTOMS_UNION = "customs_union"
    INTERNATIONAL = "international"


class GirthFormula(ClosedEnum):
    """Formulas of a combined size, over sorted sides."""

    LENGTH_PLUS_GIRTH = "length_plus_girth"  # length + 2 x (width + height)
    GIRTH = "girth"  # 2 x (width + height)
    SUM_OF_SIDES = "sum_of_sides"  # length + width + height


class FirstMile(ClosedEnum):
    """How a parcel gets to the carrier."""

    PICKUP = "pickup"
    DROP_OFF = "drop_off"
    EITHER = "either"


class LastMile(ClosedEnum):
    """How a parcel gets to the recipient."""

    DOOR = "door"
    SERVICE_POINT = "service_point"
    MAILBOX = "mailbox"
    EITHER = "either"


class FormFactor(ClosedEnum):
    """What is sent."""

    PARCEL = "parcel"
    LETTER = "letter"
    PALLET = "pallet"
    LONG_ITEM = "long_item"


class Audience(ClosedEnum):
    """For whom a service is."""

    CONSUMER = "consumer"
    BUSINESS = "business"


class Direction(ClosedEnum):
    """Which way a service goes."""

    OUTBOUND = "outbound"
    RETURN = "return"


class PredicateSubject(ClosedEnum):
    """What a condition looks at."""

    LANE = "lane"
    DESTINATION = "destination"
    ORIGIN = "origin"
    VALUE = "value"
    WEIGHT = "weight"
    SERVICE = "service"
    OPTION = "option"
    DANGEROUS_GOODS = "dangerous_goods"
    DOCUMENT_ONLY = "document_only"


class PredicateOperator(ClosedEnum):
    """How a condition compares."""

    IS = "is"
    ONE_OF = "one_of"
    ABOVE = "above"
    BELOW = "below"
    PRESENT = "present"


class OnOverflow(ClosedEnum):
    """What happens to text that is too long; nothing is ever cut."""

    REFUSE = "refuse"
    WRAP = "wrap"  # into further lines


class VoidBy(ClosedEnum):
    """What a cancellation needs."""

    NUMBER = "number"
    KEY = "key"  # the key of the booking suffices


class RefundMode(ClosedEnum):
    """How the money comes back."""

    NONE = "none"
    AUTOMATIC = "automatic"
    ON_REQUEST = "on_request"


class Rounding(ClosedEnum):
    """How a carrier rounds at its boundary."""

    UP = "up"
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RecoveryFacts(Value):
    """How an unanswered booking is found. What a plugin does not know stays at the default."""

    mode: RecoveryMode = RecoveryMode.NONE
    find: FindMethod | None = None
    """Needed for ``FIND`` and ``UNIQUE_REFERENCE``."""
    settle_s: int = 900
    """Seconds from the last moment of sending before which "not found" proves nothing. A host may raise it, never lower
    it."""
    mark_field: str | None = None
    """Where the mark goes; needed unless the mode is ``NONE``."""
    mark_max: int | None = None
    """The longest mark that the field keeps."""
    key_ttl_s: int | None = None
    """How long the carrier keeps a key of its own scheme."""
    stores_refusals: bool | None = None
    """Whether the carrier gives a refusal again under the same key."""
    refusal_codes: frozenset[str] = frozenset()
    """Only these prove that nothing was booked; any other answer to a purchase is in doubt. ``12*`` is a prefix,
    ``http:400`` a status."""
    duplicate_codes: frozenset[str] = frozenset()
    """Codes that mean "look", never "refused"."""
    in_progress_codes: frozenset[str] = frozenset()
    """Codes that mean "look", never "refused"."""
    billing: BillingMoment | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RateLimit(Value):
    """So many calls in so many seconds."""

    calls: int
    per_s: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OperationFacts(Value):
    """One operation of one carrier."""

    support: Support
    asynchronous: bool = False
    """Whether the answer can be "later"."""
    idempotency: IdempotencyMode = IdempotencyMode.NONE
    batch_max: int = 1
    """How many inputs one call takes."""
    rate_limit: RateLimit | None = None
    timeout_s: int | None = None
    """Where the carrier is slower than the default deadline."""
    sandbox: bool | None = None
    """Whether the test environment has it."""
    note: str | None = None
    """Why not, or what is odd."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Lane(Value):
    """From where to where."""

    origins: frozenset[CountryCode] = frozenset()
    """Empty means anywhere."""
    destinations: frozenset[CountryCode] = frozenset()
    """Empty means anywhere."""
    kind: LaneKind = LaneKind.ANY


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GirthLimit(Value):
    """A limit on a combined size."""

    formula: GirthFormula
    most: Length


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Limits(Value):
    """What a service or a place takes."""

    packages_max: int | None = None
    packages_per_booking: int | None = None
    """How many packages one call books; a shipment of more becomes several bookings under one key."""
    weight_min: Weight | None = None
    weight_max: Weight | None = None
    """Per package."""
    shipment_weight_max: Weight | None = None
    dimensions_max: Dimensions | None = None
    girth: GirthLimit | None = None
    volume_max: Volume | None = None
    dim_divisor: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    billing_step: Weight | None = None
    """Weights are billed rounded up to it."""
    declared_value_max: Money | None = None
    cod_max: Money | None = None
    dangerous_goods: frozenset[DgLevel] = frozenset()
    """Empty means none."""
    handling_refused: frozenset[Handling] = frozenset()
    lanes: tuple[Lane, ...] = ()
    """Empty means any."""
    service_point_kinds: frozenset[ServicePointKind] = frozenset()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServiceTraits(Value):
    """What kind of service it is; None means that it is not said."""

    first_mile: FirstMile | None = None
    last_mile: LastMile | None = None
    form_factor: FormFactor | None = None
    audience: frozenset[Audience] = frozenset()
    direction: Direction | None = None
    tracked: bool | None = None
    signature: bool | None = None
    age_check: bool | None = None
    express: bool | None = None
    weekend: bool | None = None
    multi_piece: bool | None = None
    dangerous_goods: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServiceLevel(Value):
    """One product of a carrier."""

    carrier: CarrierCode
    code: str
    """The carrier's; at an aggregator, ``carrier/code``."""
    name: str
    aliases: tuple[str, ...] = ()
    """Canonical names, such as ``express_1030``."""
    traits: ServiceTraits | None = None
    limits: Limits | None = None
    transit_days: IntRange | None = None
    """The usual business days."""
    cutoffs: tuple[CutOff, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PackagingFacts(Value):
    """One kind of packaging that the carrier knows."""

    code: str
    """The carrier's."""
    kind: PackagingKind
    name: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LabelFormatFacts(Value):
    """One label that the carrier can make."""

    kind: DocumentKind = DocumentKind.LABEL
    format: DocumentFormat
    dpi: int | None = None
    """As the carrier states it."""
    size: PageSize | None = None
    wire: str
    """The carrier's name of it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OptionFacts(Value):
    """One option that the carrier offers."""

    code: OptionCode
    wire: str
    """The carrier's name of it."""
    values: frozenset[str] = frozenset()
    """Where only some values are offered."""
    per_package: bool = False


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Predicate(Value):
    """One comparison. The set is closed, so that hosts can show it and tests enumerate it."""

    subject: PredicateSubject
    operator: PredicateOperator
    values: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FieldRule(Value):
    """What a carrier demands of one field."""

    path: str
    """A canonical path with ``*`` for any index, such as ``/ship_to/address/lines/*``."""
    required_when: tuple[Predicate, ...] = ()
    """All of them must hold; empty means never."""
    max_length: int | None = None
    max_count: int | None = None
    printed: int | None = None
    """How many characters reach the label; a longer text gives the notice ``printed_shortened``."""
    charset: str | None = None
    """Such as ascii, latin-1 or latin-2."""
    pattern: str | None = None
    """A regular expression."""
    on_overflow: OnOverflow = OnOverflow.REFUSE


@attrs.frozen(kw_only=True, eq=False, repr=False)
class VoidPolicy(Value):
    """When a booking can be undone."""

    window_h: int | None = None
    """Hours after the booking."""
    until_manifested: bool | None = None
    until_first_scan: bool | None = None
    by: VoidBy = VoidBy.NUMBER
    per_package: bool | None = None
    refund: RefundMode | None = None
    closes: tuple[CutOff, ...] = ()
    """When the carrier closes the day by itself: from then on what was booked before stands. Empty where it states no
    time."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebhookFacts(Value):
    """How a carrier pushes."""

    trust: TrustLevel
    scheme: str
    """The name of the way it is verified."""
    answer_within_s: int | None = None
    attempts: int | None = None
    """How often the carrier tries."""
    subscribe_max: int | None = None
    """How many numbers one call takes."""
    subscription_days: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PollFacts(Value):
    """What a carrier says of being asked for parcels again and again; None where it says nothing."""

    history_days: int | None = None
    """How long it answers for a number."""
    wait_min_s: int | None = None
    """The shortest time that it wants between two questions for one number."""
    known_after_h: int | None = None
    """How long after the booking a number may be unknown to it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WeightFacts(Value):
    """How a carrier wants weights."""

    unit: WeightUnit
    decimals: int
    rounding: Rounding = Rounding.UP


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LengthFacts(Value):
    """How a carrier wants lengths."""

    unit: LengthUnit
    decimals: int
    rounding: Rounding = Rounding.UP


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CarrierFacts(Value):
    """What a plugin declares of its carrier: a claim that the conformance kit checks."""

    code: CarrierCode
    name: str
    interface: str
    """The documents and versions that the plugin was written to."""
    api: int = 1
    """The version of the core's interface for plugins."""
    operations: Mapping[Operation, OperationFacts]
    """One entry for each operation there is."""
    services: tuple[ServiceLevel, ...] = ()
    """Empty where only the account knows them."""
    packagings: tuple[PackagingFacts, ...] = ()
    label_formats: tuple[LabelFormatFacts, ...] = ()
    options: tuple[OptionFacts, ...] = ()
    """What is not listed is refused."""
    field_rules: tuple[FieldRule, ...] = ()
    limits: Limits | None = None
    """For all services."""
    lanes: tuple[Lane, ...] = ()
    weight: WeightFacts
    length: LengthFacts
    reference_max: int = 30
    """The longest reference that the carrier keeps."""
    recovery: RecoveryFacts
    void: VoidPolicy | None = None
    webhooks: WebhookFacts | None = None
    polling: PollFacts | None = None
    hosts: Mapping[Environment, frozenset[str]]
    """The only hosts that the plugin talks to."""
    document_hosts: Mapping[Environment, frozenset[str]] = EMPTY
    """The only hosts that documents may lie on."""
    vocabularies: frozenset[str] = frozenset()
    """The public status vocabularies that its tables come from."""
    languages: frozenset[LanguageTag] = frozenset()
    """Of the carrier's texts."""
    links: Mapping[str, Url] = EMPTY
    """The tracking page, the status page, the developer portal."""
