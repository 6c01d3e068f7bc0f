"""What DPD France takes, offers and promises; `codes` has the sources."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from shipkit.model import (
    CarrierFacts,
    FieldRule,
    FindMethod,
    Handling,
    IdempotencyMode,
    LabelFormatFacts,
    Lane,
    LaneKind,
    LastMile,
    LengthFacts,
    LengthUnit,
    Limits,
    OnOverflow,
    Operation,
    OperationFacts,
    OptionCode,
    OptionFacts,
    PageSize,
    RecoveryFacts,
    RecoveryMode,
    ServiceLevel,
    ServiceTraits,
    Support,
    VoidPolicy,
    Weight,
    WeightFacts,
    WeightUnit,
)

from .codes import (
    INFO_MAX,
    INTERCOM_MAX,
    LABELS,
    LINE_MAX,
    LINES_MAX,
    NAME_MAX,
    PHONE_MAX,
    POSTAL_CODE_MAX,
    REFERENCE_MAX,
    REFUSAL_CODES,
    RELAIS,
    SERVERS,
    SERVICES,
)

__all__ = ["FACTS"]

_NO: Final = OperationFacts(support=Support.NO)
# WSDL: no operation tells where a parcel is, and its fields called Status are of notices, services and tours: texts
# without a list of values.
_NO_TRACKING: Final = OperationFacts(
    support=Support.NO, note="EPrint tells nothing of parcels under way: no tracking, no status codes, no pushes"
)
_LOOK_UP: Final = OperationFacts(support=Support.YES, idempotency=IdempotencyMode.READ_ONLY)

_OPERATIONS: Final = {
    Operation.RATES: _NO,
    Operation.TRANSIT_TIMES: OperationFacts(
        support=Support.NOT_YET, note="GetNationalTransitTime wants two depots, not two addresses"
    ),
    Operation.CREATE_SHIPMENT: OperationFacts(
        support=Support.YES, sandbox=True, note="several packages: the labels are fetched after the booking"
    ),
    Operation.FIND_SHIPMENTS: OperationFacts(
        support=Support.EMULATED,
        idempotency=IdempotencyMode.READ_ONLY,
        note="the lists of the days around the booking, matched on the reference; they do not say what is terminated",
    ),
    Operation.CANCEL_SHIPMENT: OperationFacts(support=Support.YES),
    Operation.REFUND: _NO,
    Operation.DOCUMENTS: _LOOK_UP,
    Operation.TRACK: _NO_TRACKING,
    Operation.TRACK_MANY: _NO_TRACKING,
    Operation.SERVICE_POINTS: _NO,
    Operation.CHECK_ADDRESS: _NO,
    Operation.BOOK_PICKUP: OperationFacts(support=Support.YES),
    Operation.CANCEL_PICKUP: OperationFacts(
        support=Support.NO, note="only collection requests, another product, can be called off"
    ),
    Operation.CLOSE_MANIFEST: _NO,
    Operation.CREATE_RETURN: OperationFacts(support=Support.YES),
    Operation.INSURE: OperationFacts(support=Support.NO, note="insurance is an option of the booking"),
    Operation.READ_WEBHOOK: _NO_TRACKING,
    Operation.SUBSCRIBE: _NO_TRACKING,
    Operation.INVOICES: _NO,
}


def _place_rules(party: str, *, lines: int = 1, width: int = LINE_MAX) -> tuple[FieldRule, ...]:
    """SDK. Most places have a ``street`` and no further line."""
    return (
        FieldRule(path=f"/{party}/address/lines/*", max_length=width, max_count=lines, on_overflow=OnOverflow.WRAP),
        FieldRule(path=f"/{party}/address/city", max_length=NAME_MAX),
        FieldRule(path=f"/{party}/address/postal_code", max_length=POSTAL_CODE_MAX),
        FieldRule(path=f"/{party}/contact/name", max_length=NAME_MAX),
        FieldRule(path=f"/{party}/contact/company", max_length=NAME_MAX),
        FieldRule(path=f"/{party}/contact/phone", max_length=PHONE_MAX),
    )


def _party_rules(party: str) -> tuple[FieldRule, ...]:
    """SDK. The lines after ``street`` go into ``name2`` to ``name4``, which are shorter."""
    return (
        *_place_rules(party, lines=LINES_MAX, width=INFO_MAX),
        FieldRule(path=f"/{party}/address/access/door_codes/*", max_length=INFO_MAX),
        FieldRule(path=f"/{party}/address/access/intercom", max_length=INTERCOM_MAX),
    )


def _services() -> tuple[ServiceLevel, ...]:
    def traits(code: str) -> ServiceTraits:
        last_mile = LastMile.SERVICE_POINT if code == RELAIS else LastMile.DOOR
        return ServiceTraits(last_mile=last_mile, multi_piece=code != RELAIS)

    return tuple(
        ServiceLevel(carrier="dpd_fr", code=code, name=name, traits=traits(code)) for code, name in SERVICES.items()
    )


FACTS: Final = CarrierFacts(
    code="dpd_fr",
    name="DPD France",
    interface="EPrint web service (e-Station), WSDL as published in 2024",
    operations=_OPERATIONS,
    services=_services(),
    label_formats=tuple(
        LabelFormatFacts(
            format=label.format, dpi=label.dpi, size=PageSize(format=label.page) if label.page else None, wire=wire
        )
        for wire, label in LABELS.items()
    ),
    options=(
        OptionFacts(code=OptionCode.NOTIFY, wire="services/contact/type AutomaticMail or AutomaticSMS"),
        OptionFacts(code=OptionCode.PREDICT, wire="services/contact/type Predict"),
        OptionFacts(code=OptionCode.INSURANCE, wire="services/extraInsurance", per_package=True),
    ),
    field_rules=(
        *_party_rules("ship_from"),
        *_party_rules("ship_to"),
        *_place_rules("return_to"),
        *_place_rules("return_label/return_to"),
        *_place_rules("pickup_from"),
        FieldRule(path="/references/*/value", max_length=REFERENCE_MAX),
        FieldRule(path="/packages/*/references/*/value", max_length=REFERENCE_MAX),
    ),
    # Recorded: "Maximum supported weight is 31,5".
    # The interface has no field for how a parcel is to be treated.
    limits=Limits(weight_max=Weight(Decimal("31.5"), WeightUnit.KG), handling_refused=frozenset(Handling)),
    # The interface has no customs data, and accounts are those of a French depot.
    lanes=(
        Lane(origins=frozenset({"FR", "MC"}), kind=LaneKind.DOMESTIC),
        Lane(origins=frozenset({"FR", "MC"}), kind=LaneKind.CUSTOMS_UNION),
    ),
    # SDK: kilograms with two decimals. The interface has no field for lengths.
    weight=WeightFacts(unit=WeightUnit.KG, decimals=2),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0),
    recovery=RecoveryFacts(
        mode=RecoveryMode.FIND,
        find=FindMethod.BY_LIST,
        mark_field="referencenumber",
        mark_max=REFERENCE_MAX - len("/999"),
        refusal_codes=REFUSAL_CODES,
    ),
    void=VoidPolicy(per_package=True),
    hosts={environment: frozenset({url.split("/")[2]}) for environment, url in SERVERS.items()},
    languages=frozenset({"en"}),
)
