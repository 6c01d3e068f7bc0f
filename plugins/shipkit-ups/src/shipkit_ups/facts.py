"""What UPS takes, offers and promises, each fact with its source.

Files are those of github.com/UPS-API/api-documentation at e6f36df4da (2026); "recorded" is traffic of 2024 with UPS's
own test server.
"""

from __future__ import annotations

from typing import Final

from shipkit.model import (
    BillingMoment,
    CarrierFacts,
    Dimensions,
    DocumentKind,
    Environment,
    FieldRule,
    FindMethod,
    FormFactor,
    GirthFormula,
    GirthLimit,
    Handling,
    IdempotencyMode,
    LabelFormatFacts,
    Length,
    LengthFacts,
    LengthUnit,
    Limits,
    OnOverflow,
    Operation,
    OperationFacts,
    OptionCode,
    OptionFacts,
    PackagingFacts,
    PackagingKind,
    PageFormat,
    PageSize,
    PollFacts,
    Predicate,
    PredicateOperator,
    PredicateSubject,
    RecoveryFacts,
    RecoveryMode,
    Rounding,
    ServiceLevel,
    ServiceTraits,
    Support,
    TrustLevel,
    VoidPolicy,
    WebhookFacts,
    Weight,
    WeightFacts,
    WeightUnit,
)

from .codes import SERVICES, SHIP_FORMATS

__all__ = ["FACTS"]

_YES, _NO = Support.YES, Support.NO
_READ = IdempotencyMode.READ_ONLY

_OPERATIONS: Final = {
    Operation.RATES: OperationFacts(support=_YES, idempotency=_READ, sandbox=True),
    Operation.TRANSIT_TIMES: OperationFacts(support=_YES, idempotency=_READ, sandbox=True),
    # Shipping.yaml has no key and no unique reference: two requests are two shipments.
    Operation.CREATE_SHIPMENT: OperationFacts(support=_YES, sandbox=True),
    Operation.FIND_SHIPMENTS: OperationFacts(
        support=_YES,
        idempotency=_READ,
        note="by the mark: label recovery (labels), then tracking by reference (none, voided)",
    ),
    Operation.CANCEL_SHIPMENT: OperationFacts(support=_YES, sandbox=True),
    Operation.REFUND: OperationFacts(support=_NO, note="a void is the refund"),
    Operation.DOCUMENTS: OperationFacts(support=_YES, idempotency=_READ),
    Operation.TRACK: OperationFacts(support=_YES, idempotency=_READ, note="kept for 120 days (Tracking.yaml)"),
    Operation.TRACK_MANY: OperationFacts(support=_NO, note="one number a request"),
    Operation.SERVICE_POINTS: OperationFacts(support=_YES, idempotency=_READ, note="UPS Access Points"),
    # AddressValidation.yaml: US and Puerto Rico; the test environment knows New York and California only.
    Operation.CHECK_ADDRESS: OperationFacts(support=_YES, idempotency=_READ, sandbox=True, note="US and PR only"),
    Operation.BOOK_PICKUP: OperationFacts(support=_YES, note="on-call pickup, paid by the account"),
    Operation.CANCEL_PICKUP: OperationFacts(support=_YES),
    Operation.CLOSE_MANIFEST: OperationFacts(support=_NO, note="the interface has none"),
    Operation.CREATE_RETURN: OperationFacts(support=_YES, sandbox=True),
    Operation.INSURE: OperationFacts(support=_NO, note="the option insurance, when booking (declared value)"),
    Operation.READ_WEBHOOK: OperationFacts(
        support=_YES, idempotency=_READ, note="the files name no time for the answer, and no further tries"
    ),
    Operation.SUBSCRIBE: OperationFacts(
        support=_YES, batch_max=100, sandbox=False, note="Track Alert v1; the test environment keeps no subscription"
    ),
    Operation.INVOICES: OperationFacts(
        support=_YES, idempotency=_READ, note="reads the billing data file; the interface has no call for it"
    ),
}

# Traits: Shipping.yaml and Rating.yaml name the services; "express" is what they call Air or Express, and 65, which
# the latter also calls "UPS Express Saver".
_EXPRESS: Final = frozenset({"01", "02", "07", "13", "14", "54", "59", "65", "74", "85", "86"})


def _service(code: str, name: str) -> ServiceLevel:
    traits = ServiceTraits(form_factor=FormFactor.PARCEL, tracked=True, multi_piece=True, express=code in _EXPRESS)
    return ServiceLevel(carrier="ups", code=code, name=name, traits=traits)


# Shipping.yaml Package_Packaging.Code.
_PACKAGINGS: Final = tuple(
    PackagingFacts(code=code, kind=kind, name=name)
    for code, kind, name in (
        ("01", PackagingKind.LETTER, "UPS Letter"),
        ("02", PackagingKind.CUSTOM, "Customer Supplied Package"),
        ("02", PackagingKind.BAG, "Customer Supplied Package"),
        ("02", PackagingKind.CRATE, "Customer Supplied Package"),
        ("03", PackagingKind.TUBE, "Tube"),
        ("04", PackagingKind.PAK, "PAK"),
        ("21", PackagingKind.BOX, "UPS Express Box"),
        ("24", PackagingKind.BOX, "UPS 25KG Box"),
        ("25", PackagingKind.BOX, "UPS 10KG Box"),
        ("2a", PackagingKind.BOX, "Small Express Box"),
        ("2b", PackagingKind.BOX, "Medium Express Box"),
        ("2c", PackagingKind.BOX, "Large Express Box"),
        ("30", PackagingKind.PALLET, "Pallet"),
    )
)

# Shipping.yaml LabelStockSize: 4 wide, 6 or 8 high ("will only scale up to 4 X 6"). GIF first: it needs no printer.
_LABELS: Final = tuple(
    LabelFormatFacts(kind=kind, format=form, size=PageSize(format=size), wire=wire)
    for kind in (DocumentKind.LABEL, DocumentKind.RETURN_LABEL)
    for form, wire in SHIP_FORMATS.items()
    for size in (PageFormat.IN_4X6, PageFormat.IN_4X8)
)

# domain/options.csv. COD is left out: the codes of its funds stand in an appendix that is not published with the files.
_OPTIONS: Final = (
    OptionFacts(
        code=OptionCode.SIGNATURE,
        wire="DeliveryConfirmation/DCISType, ShipperReleaseIndicator",
        values=frozenset({"any", "adult", "none"}),
        per_package=True,
    ),
    OptionFacts(code=OptionCode.SATURDAY_DELIVERY, wire="SaturdayDeliveryIndicator"),
    OptionFacts(code=OptionCode.NOTIFY, wire="ShipmentServiceOptions/Notification", values=frozenset({"email"})),
    OptionFacts(code=OptionCode.INSURANCE, wire="PackageServiceOptions/DeclaredValue", per_package=True),
    OptionFacts(code=OptionCode.CARBON_NEUTRAL, wire="UPScarbonneutralIndicator"),
    OptionFacts(code=OptionCode.HOLD_AT_LOCATION, wire="ShipmentIndicationType 01"),
    OptionFacts(code=OptionCode.DIRECT_DELIVERY_ONLY, wire="DirectDeliveryOnlyIndicator"),
)

_ANYWHERE: Final = Predicate(subject=PredicateSubject.ORIGIN, operator=PredicateOperator.PRESENT)
_STATE_HERE, _STATE_THERE = (
    Predicate(subject=subject, operator=PredicateOperator.ONE_OF, values=("CA", "IE", "US", "VN"))
    for subject in (PredicateSubject.ORIGIN, PredicateSubject.DESTINATION)
)


def _party_rules(name: str, *, printed: int | None, lines_printed: int | None) -> tuple[FieldRule, ...]:
    """Shipping.yaml Shipment_Shipper, Shipment_ShipFrom, Shipment_ShipTo, as in domain/field_limits.csv."""
    return (
        FieldRule(path=f"/{name}/contact/company", max_length=35, printed=printed),
        FieldRule(path=f"/{name}/contact/name", max_length=35, printed=printed),
        FieldRule(path=f"/{name}/contact/email", max_length=50),
        FieldRule(path=f"/{name}/address/lines", max_count=3),
        FieldRule(path=f"/{name}/address/lines/*", max_length=35, printed=lines_printed, on_overflow=OnOverflow.WRAP),
        FieldRule(path=f"/{name}/address/city", max_length=30, printed=15),
        FieldRule(path=f"/{name}/address/region", max_length=5),
    )


_FIELD_RULES: Final = (
    *_party_rules("account_holder", printed=30, lines_printed=35),
    *_party_rules("ship_from", printed=30, lines_printed=30),
    *_party_rules("ship_to", printed=None, lines_printed=35),
    # StateProvinceCode: "Required for US, Canada, and Vietnam"; Ireland: the county.
    FieldRule(path="/ship_from/address/region", required_when=(_STATE_HERE,)),
    FieldRule(path="/ship_to/address/region", required_when=(_STATE_THERE,)),
    FieldRule(path="/customs/lines", max_count=100),  # InternationalForms_Product: "100: Commercial Invoice"
    FieldRule(path="/customs/lines/*/description", max_length=105),  # three times 35
    FieldRule(path="/customs/lines/*/sku", max_length=35),
    FieldRule(path="/customs/lines/*/hs_code", pattern="[0-9A-Za-z]{6,15}"),
    FieldRule(path="/customs/invoice/number", max_length=35),
    FieldRule(path="/description", max_length=50),
    FieldRule(path="/packages/*/description", max_length=35),
    FieldRule(path="/references/*/value", max_length=35),
    FieldRule(path="/packages/*/references/*/value", max_length=35),
    FieldRule(path="/payment/account/number", pattern="[0-9A-Za-z]{6}"),
    # Pickup.yaml PickupAddress.
    FieldRule(path="/pickup_from/contact/company", max_length=27),
    FieldRule(path="/pickup_from/contact/name", max_length=22, required_when=(_ANYWHERE,)),
    FieldRule(path="/pickup_from/address/lines", max_count=2),  # one line of 73 characters
    FieldRule(path="/pickup_from/address/lines/*", max_length=35, on_overflow=OnOverflow.WRAP),
    FieldRule(path="/pickup_from/contact/phone", required_when=(_ANYWHERE,)),
    FieldRule(path="/pickup_from/address/region", required_when=(_STATE_HERE,)),
    FieldRule(path="/instructions", max_length=57),
)

FACTS: Final = CarrierFacts(
    code="ups",
    name="UPS",
    interface="UPS REST APIs: Rating v2409, Shipping v2409, Label Recovery v1, Tracking v1, Time in Transit v1, "
    "Pickup v2409, Address Validation v2, Locator v3, Track Alert v1, OAuth client credentials v1",
    operations=_OPERATIONS,
    services=tuple(_service(code, name) for code, name in SERVICES.items()),
    packagings=_PACKAGINGS,
    label_formats=_LABELS,
    options=_OPTIONS,
    field_rules=_FIELD_RULES,
    limits=Limits(
        packages_max=200,  # domain/carrier_limits.csv, Shipping.yaml
        weight_max=Weight("70", WeightUnit.KG),  # TimeInTransit.yaml, weight: "70 kilograms or 150 pounds"
        # Shipping.yaml Package_Dimensions: 108 in or 270 cm; length + 2 x (width + height) at most 165 in.
        dimensions_max=Dimensions(
            length=Length("274.32", LengthUnit.CM),
            width=Length("274.32", LengthUnit.CM),
            height=Length("274.32", LengthUnit.CM),
        ),
        girth=GirthLimit(formula=GirthFormula.LENGTH_PLUS_GIRTH, most=Length("165", LengthUnit.IN)),
        # RestrictedArticles has alcohol, perishables and tobacco; there is nothing for these.
        handling_refused=frozenset({Handling.LIVE_ANIMAL, Handling.TEMPERATURE_CONTROLLED}),
    ),
    weight=WeightFacts(unit=WeightUnit.LB, decimals=1, rounding=Rounding.UP),
    length=LengthFacts(unit=LengthUnit.IN, decimals=0, rounding=Rounding.UP),
    reference_max=35,  # ReferenceNumber.Value
    recovery=RecoveryFacts(
        mode=RecoveryMode.FIND,
        find=FindMethod.EXACT_ALL,
        settle_s=900,  # the files name no bound: the model's own
        mark_field="ReferenceNumber[1].Value, of each package within the US or PR, else of the shipment",
        mark_max=35,
        # Shipping.yaml answers 400 "Invalid Request" and 403 "Blocked Merchant" with UPS's own errors (recorded: 120202
        # with 400 for a line too long); the plugin raises a refusal only for a body of that form.
        refusal_codes=frozenset({"http:400", "http:403"}),
        billing=BillingMoment.ON_PURCHASE,
    ),
    # How long a void is possible stands nowhere in the files. PackageLevelResults: each package for itself.
    void=VoidPolicy(per_package=True),
    # UPSTrackAlert.yaml, FAQs; the credential is repeated, the body is not signed.
    webhooks=WebhookFacts(
        trust=TrustLevel.SENDER_AUTHENTICATED, scheme="shared header", subscribe_max=100, subscription_days=14
    ),
    # Tracking.yaml, as at Operation.TRACK above.
    polling=PollFacts(history_days=120),
    hosts={
        Environment.PRODUCTION: frozenset({"onlinetools.ups.com"}),
        Environment.CERTIFICATION: frozenset({"wwwcie.ups.com"}),
        Environment.TEST: frozenset({"wwwcie.ups.com"}),
    },
    vocabularies=frozenset({"ups.status_type", "ups.type+code"}),
    languages=frozenset({"de", "en", "es", "fr", "it", "nl", "pl"}),
    links={"portal": "https://developer.ups.com", "tracking": "https://www.ups.com/track?tracknum={number}"},
)
