"""What EasyPost takes, offers and promises; each fact with its source.

Sources: "npm" is @easypost/api 8.9.0, file by file under ``types/``; "PyPI" is easypost 10.7.0; "recording" is a
cassette of EasyPost/easypost-python as named; "docs" is docs.easypost.com as of 2025-05.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shipkit.model import (
    BillingMoment,
    CarrierFacts,
    DocumentFormat,
    DocumentKind,
    Environment,
    FieldRule,
    FindMethod,
    Handling,
    IdempotencyMode,
    LabelFormatFacts,
    LaneKind,
    LengthFacts,
    LengthUnit,
    Limits,
    Operation,
    OperationFacts,
    OptionCode,
    OptionFacts,
    PageFormat,
    PageSize,
    Predicate,
    PredicateOperator,
    PredicateSubject,
    RecoveryFacts,
    RecoveryMode,
    RefundMode,
    Rounding,
    Support,
    TrustLevel,
    VoidBy,
    VoidPolicy,
    WebhookFacts,
    WeightFacts,
    WeightUnit,
)

from . import codes

__all__ = ["FACTS", "HOST", "OPTIONS_SCHEMA"]

# PyPI easypost/constant.py: API_BASE and API_VERSION. Test and production are told apart by the key alone.
HOST: Final = "api.easypost.com"

# Recording test_shipment_buy, test_scanform_create; test_shipment_convert_label has the second spelling for a
# converted label, beside the first one in the same reply.
_DOCUMENT_HOSTS: Final = frozenset(
    {"easypost-files.s3.us-west-2.amazonaws.com", "easypost-files.s3-us-west-2.amazonaws.com"}
)

# npm errors/ErrorCode lists the codes without saying what each proves. Taken here as "nothing was bought" are those
# that judge the request or the account before a carrier is asked, and SHIPMENT.POSTAGE.FAILURE: the carrier's own
# refusal (EasyPost/easypost-csharp#80: "Missing or invalid ship to attention name"); a carrier that does not answer
# has codes of its own. 402 is missing billing information or funds (docs errors-guide).
_REFUSALS: Final = frozenset(
    {
        "ADDRESS.*",
        "BAD_REQUEST",
        "CUSTOMS_INFO.*",
        "CUSTOMS_ITEM.*",
        "FORBIDDEN",
        "MODE.*",
        "PARAMETER.*",
        "PARCEL.*",
        "PAYMENT_REQUIRED",
        "SHIPMENT.CARRIER_ACCOUNTS.CONFLICT",
        "SHIPMENT.CUSTOMS_INFO.*",
        "SHIPMENT.INVALID",
        "SHIPMENT.INVALID_PARAMS",
        "SHIPMENT.MISSING_INFORMATION",
        "SHIPMENT.MISSING_RATE",
        "SHIPMENT.OPTIONS.INVALID",
        "SHIPMENT.POSTAGE.FAILURE",
        "SHIPMENT.RATE.CARRIER_ACCOUNT_INVALID",
        "SHIPMENT.RATES.UNAVAILABLE",
        "USER.CHARGE.NOT_ALLOWED",
    }
)

# EasyPost keeps no key and takes any reference. What recovery has:
# - a shipment is created (free) with the mark in ``reference``, then bought under its id; one shipment cannot be bought
#   twice (npm errors/ErrorCode: SHIPMENT.POSTAGE.EXISTS). A repeated draft under one mark leaves unbought shipments.
# - GET /shipments shows ``reference`` of every bought shipment, newest first, in pages by ``before_id`` (recording
#   test_shipment_get_next_page); without ``start_datetime`` it reaches back one month (npm utils.d.ts).
# - GET /shipments/{id} takes a reference for the id, and says that references are not unique (npm Shipment/Shipment,
#   retrieve). No recording shows it, so what it does not find proves nothing: it only says in which days to look.
# - A quote is a shipment of its own, made before there was a mark: it is looked up by its id.
# How soon the list shows a new purchase is not said anywhere: the default of 900 s stands.
_RECOVERY: Final = RecoveryFacts(
    mode=RecoveryMode.FIND,
    find=FindMethod.BY_LIST,
    mark_field="reference",
    refusal_codes=_REFUSALS,
    duplicate_codes=frozenset({"SHIPMENT.POSTAGE.EXISTS"}),
    in_progress_codes=frozenset({"SHIPMENT.PURCHASE.IN_PROGRESS"}),
    billing=BillingMoment.ON_PURCHASE,
)

_READ_ONLY: Final = OperationFacts(support=Support.YES, idempotency=IdempotencyMode.READ_ONLY, sandbox=True)
_ORDERED: Final = OperationFacts(support=Support.YES, sandbox=True)
_OPERATIONS: Final = {
    Operation.RATES: OperationFacts(
        support=Support.YES,
        idempotency=IdempotencyMode.READ_ONLY,
        sandbox=True,
        note="rates come with a draft, which costs nothing and can be bought: POST /shipments",
    ),
    Operation.TRANSIT_TIMES: OperationFacts(
        support=Support.YES,
        idempotency=IdempotencyMode.READ_ONLY,
        note="SmartRate: within the United States only, beyond 500 calls at a price (docs smartrate-guide)",
    ),
    Operation.CREATE_SHIPMENT: OperationFacts(
        support=Support.YES, sandbox=True, note="one parcel per booking: POST /shipments, POST /shipments/{id}/buy"
    ),
    Operation.FIND_SHIPMENTS: _READ_ONLY,
    Operation.CANCEL_SHIPMENT: OperationFacts(
        support=Support.YES, sandbox=True, note="asks for the money back; the carrier decides within 30 days"
    ),
    Operation.REFUND: _ORDERED,
    Operation.DOCUMENTS: OperationFacts(
        support=Support.YES,
        idempotency=IdempotencyMode.READ_ONLY,
        sandbox=True,
        note="only a label bought as PNG is converted (npm Shipment/Shipment, convertLabelFormat)",
    ),
    Operation.TRACK: OperationFacts(
        support=Support.YES,
        idempotency=IdempotencyMode.READ_ONLY,
        sandbox=True,
        note="POST /trackers: number and carrier give the same tracker for three months (npm Tracker/Tracker)",
    ),
    Operation.TRACK_MANY: OperationFacts(support=Support.NO, note="operations.csv has no batch call"),
    Operation.SERVICE_POINTS: OperationFacts(support=Support.NO, note="the interface has no search for points"),
    Operation.CHECK_ADDRESS: _READ_ONLY,
    Operation.BOOK_PICKUP: OperationFacts(
        support=Support.YES, sandbox=True, note="for one shipment: POST /pickups, POST /pickups/{id}/buy"
    ),
    Operation.CANCEL_PICKUP: _ORDERED,
    Operation.CLOSE_MANIFEST: OperationFacts(support=Support.YES, sandbox=True, note="POST /scan_forms: a paper"),
    Operation.CREATE_RETURN: OperationFacts(
        support=Support.YES,
        sandbox=True,
        note="is_return: the addresses of the way out, travelled to from_address (npm Insurance/Insurance)",
    ),
    Operation.INSURE: OperationFacts(support=Support.YES, sandbox=True, note="in US dollars"),
    Operation.READ_WEBHOOK: _READ_ONLY,
    Operation.SUBSCRIBE: OperationFacts(
        support=Support.YES, sandbox=True, note="a webhook of the account, and a tracker for each number"
    ),
    Operation.INVOICES: OperationFacts(support=Support.NO, note="reports are outside of this plugin"),
}

# npm Shipment/Options; insurance is a member of the purchase (npm Shipment/Shipment, buy).
_OPTIONS: Final = (
    OptionFacts(
        code=OptionCode.SIGNATURE,
        wire="options.delivery_confirmation",
        values=frozenset(level.value for level in codes.SIGNATURES),
    ),
    OptionFacts(code=OptionCode.SATURDAY_DELIVERY, wire="options.saturday_delivery"),
    OptionFacts(code=OptionCode.INSURANCE, wire="insurance"),
    OptionFacts(code=OptionCode.COD, wire="options.cod_amount"),
    OptionFacts(code=OptionCode.CARBON_NEUTRAL, wire="options.carbon_neutral"),
    OptionFacts(code=OptionCode.HOLD_AT_LOCATION, wire="options.hold_for_pickup"),
)

# What ``carrier_options["easypost"]`` may hold: npm Shipment/ShipmentCreateParameters (carrier_accounts), PyPI
# shipment_service.py, buy (end_shipper_id), and any member of npm Shipment/Options.
OPTIONS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "carrier_accounts": {"type": "array", "items": {"type": "string", "pattern": "^ca_"}, "minItems": 1},
        "end_shipper_id": {"type": "string", "pattern": "^es_"},
        "options": {"type": "object", "additionalProperties": {}},
    },
    "additionalProperties": False,
}

# npm Shipment/Shipment, create: "CustomsInfo is required to rate an international Shipment".
_ABROAD: Final = Predicate(
    subject=PredicateSubject.LANE, operator=PredicateOperator.IS, values=(LaneKind.INTERNATIONAL.value,)
)
# npm Pickup/PickupCreateParameters and ScanForm/ScanFormCreateParameters: both are for shipments that are named.
_ALWAYS: Final = Predicate(subject=PredicateSubject.ORIGIN, operator=PredicateOperator.PRESENT)
_RULES: Final = (
    FieldRule(path="/customs", required_when=(_ABROAD,)),
    FieldRule(path="/shipment_ids", required_when=(_ALWAYS,)),
)

# What the carriers behind it refuse, each carrier says itself; EasyPost has an option for two ways of handling.
_HANDLING: Final = frozenset({Handling.NON_MACHINABLE, Handling.ALCOHOL})

FACTS: Final = CarrierFacts(
    code="easypost",
    name="EasyPost",
    interface="EasyPost API v2, after npm @easypost/api 8.9.0, PyPI easypost 10.7.0 and recordings of 2024 to 2026",
    operations=_OPERATIONS,
    label_formats=tuple(
        LabelFormatFacts(
            kind=DocumentKind.LABEL,
            format=form,
            # Recording test_shipment_buy: label_resolution 300 and label_size 4x6, for a PNG.
            dpi=300 if form is DocumentFormat.PNG else None,
            size=PageSize(format=PageFormat.IN_4X6) if form is DocumentFormat.PNG else None,
            wire=name,
        )
        for form, name in codes.LABEL_FORMATS.items()
    ),
    options=_OPTIONS,
    field_rules=_RULES,
    # npm Shipment/Shipment has one ``parcel``; "a collection of packages" is an Order (npm Order/Order), another call.
    limits=Limits(packages_per_booking=1, handling_refused=frozenset(Handling) - _HANDLING),
    # npm Parcel/Parcel: ounces and inches, one decimal each. Rounded up: a parcel declared too light is billed again.
    weight=WeightFacts(unit=WeightUnit.OZ, decimals=1, rounding=Rounding.UP),
    length=LengthFacts(unit=LengthUnit.IN, decimals=1, rounding=Rounding.UP),
    recovery=_RECOVERY,
    # npm Refund/Refund: USPS within 30 days, UPS and FedEx within 90; a scanned parcel is not refunded.
    void=VoidPolicy(until_first_scan=True, by=VoidBy.NUMBER, per_package=False, refund=RefundMode.ON_REQUEST),
    # PyPI easypost/util.py, validate_webhook. Time and number of tries: carrier_limits.csv, after a webhooks guide.
    webhooks=WebhookFacts(trust=TrustLevel.BODY_SIGNED, scheme="hmac-sha256-hex", answer_within_s=7, attempts=7),
    hosts={Environment.PRODUCTION: frozenset({HOST}), Environment.TEST: frozenset({HOST})},
    document_hosts={Environment.PRODUCTION: _DOCUMENT_HOSTS, Environment.TEST: _DOCUMENT_HOSTS},
    vocabularies=frozenset({"easypost.status", "easypost.status_detail"}),
    languages=frozenset({"en"}),
    links={"tracking": "https://track.easypost.com", "portal": "https://docs.easypost.com"},
)
