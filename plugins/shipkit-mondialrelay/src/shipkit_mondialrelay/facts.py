"""What Mondial Relay takes, offers and promises over its SOAP service; each fact with its source.

[wsdl]    https://api.mondialrelay.com/Web_Services.asmx?WSDL, as published in 2025
[module]  Mondial Relay's own PrestaShop module 3.4.5
[gem]     vinted's Ruby client mondial_relay, which restates the manual's table of members
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from shipkit.model import (
    CarrierFacts,
    Direction,
    DocumentFormat,
    Environment,
    FieldRule,
    FindMethod,
    Handling,
    IdempotencyMode,
    LabelFormatFacts,
    Lane,
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
    Rounding,
    ServiceLevel,
    ServiceTraits,
    Support,
    Weight,
    WeightFacts,
    WeightUnit,
)

from .codes import LABELS, REFUSALS, RETURN_SERVICE, SERVICES, Service
from .fields import INSTRUCTIONS_MAX, LINE_MAX, MAIL_MAX, REFERENCE_MAX, TOWN_MAX
from .wire import CODE

__all__ = ["FACTS"]

_HOSTS: Final = frozenset({"api.mondialrelay.com"})
# The countries of the manual's table of postal codes (see `fields`), and Monaco, which has French ones.
_COUNTRIES: Final = frozenset(["AT", "BE", "DE", "ES", "FR", "GB", "IE", "IT", "LU", "MC", "NL", "PT"])
_DOCUMENT_HOSTS: Final = frozenset({"www.mondialrelay.com"})  # [module] Mondialrelay::URL_DOMAIN


def _reads(note: str | None = None) -> OperationFacts:
    return OperationFacts(support=Support.YES, idempotency=IdempotencyMode.READ_ONLY, note=note)


def _none(note: str = "the interface has no such operation") -> OperationFacts:
    return OperationFacts(support=Support.NO, note=note)


# [wsdl]: fifteen operations, five of them used here; the others are older forms of these, the list of STAT texts, and
# WSI2_CreationExpedition, which books without making a label.
_OPERATIONS: Final = {
    Operation.RATES: _none(),
    Operation.TRANSIT_TIMES: _none(),
    Operation.CREATE_SHIPMENT: OperationFacts(support=Support.YES, note="the label lies behind a link"),
    Operation.FIND_SHIPMENTS: _none(
        "every look-up wants the carrier's shipment number, which a lost answer does not give: NDossier and NClient"
        " are printed and cannot be searched, and there is no list of the day"
    ),
    Operation.CANCEL_SHIPMENT: _none(),
    Operation.REFUND: _none(),
    Operation.DOCUMENTS: _reads("the label in A4, A5 or 10 x 15 cm, behind links"),
    Operation.TRACK: _reads("texts without codes, asked for in French; the usual test contract books nothing to trace"),
    Operation.TRACK_MANY: _none(),
    Operation.SERVICE_POINTS: _reads("at most 30"),
    Operation.CHECK_ADDRESS: _reads("postal code and town only"),
    Operation.BOOK_PICKUP: _none(),
    Operation.CANCEL_PICKUP: _none(),
    Operation.CLOSE_MANIFEST: _none(),
    Operation.CREATE_RETURN: OperationFacts(
        support=Support.YES, note="printed by the customer, handed over at a point"
    ),
    Operation.INSURE: _none(
        "a level is part of the booking (carrier option Assurance); what it covers, the contract says"
    ),
    Operation.READ_WEBHOOK: _none("the interface pushes nothing: its parcels are asked for"),
    Operation.SUBSCRIBE: _none("the interface pushes nothing: its parcels are asked for"),
    Operation.INVOICES: _none(),
}


def _service(code: str, service: Service) -> ServiceLevel:
    heaviest = service.weight_max_g
    return ServiceLevel(
        carrier=CODE,
        code=code,
        name=service.name,
        traits=ServiceTraits(
            last_mile=LastMile.SERVICE_POINT if service.to_point else LastMile.DOOR,
            direction=Direction.RETURN if code == RETURN_SERVICE else Direction.OUTBOUND,
            tracked=True,
            multi_piece=not service.to_point,
        ),
        limits=Limits(
            packages_max=1 if service.to_point else 99,  # STAT 48; NbColis has two digits
            weight_max=Weight(Decimal(heaviest) / 1000, WeightUnit.KG) if heaviest else None,
        ),
    )


def _party_rules(party: str) -> tuple[FieldRule, ...]:
    """[module] MondialrelayServiceCreationEtiquette: Ad1 to Ad4 of 32, Ville of 26, Mail of 70 characters."""
    wrap = OnOverflow.WRAP
    return (
        FieldRule(path=f"/{party}/contact/name", max_length=2 * LINE_MAX),
        FieldRule(path=f"/{party}/contact/company", max_length=2 * LINE_MAX),
        FieldRule(path=f"/{party}/contact/email", max_length=MAIL_MAX),
        FieldRule(path=f"/{party}/address/lines/*", max_length=LINE_MAX, max_count=3, on_overflow=wrap),
        FieldRule(path=f"/{party}/address/city", max_length=TOWN_MAX),
    )


FACTS: Final = CarrierFacts(
    code=CODE,
    name="Mondial Relay",
    interface="SOAP service Web_Services.asmx (manual V5.7, 2020-10; WSDL as published in 2025)",
    operations=_OPERATIONS,
    services=tuple(_service(code, service) for code, service in SERVICES.items()),
    label_formats=tuple(
        LabelFormatFacts(format=DocumentFormat.PDF, size=PageSize(format=size), wire=member)
        for size, member in LABELS.items()
    ),
    options=(
        # [gem] "notification request"; O or N, the channel is the carrier's.
        OptionFacts(code=OptionCode.NOTIFY, wire="TAvisage"),
        # [gem]: in cents.
        OptionFacts(code=OptionCode.COD, wire="CRT_Valeur"),
    ),
    field_rules=(
        *_party_rules("ship_from"),
        *_party_rules("ship_to"),
        # Small letters are printed as capitals; a host that numbers with slashes is told what to put in their place.
        FieldRule(path="/reference", pattern=r"[0-9A-Za-z_ \-]*"),
        FieldRule(path="/instructions", max_length=INSTRUCTIONS_MAX),
    ),
    # The service has no member for how a parcel is to be treated.
    limits=Limits(handling_refused=frozenset(Handling)),
    lanes=(Lane(origins=_COUNTRIES, destinations=_COUNTRIES),),
    weight=WeightFacts(unit=WeightUnit.G, decimals=0, rounding=Rounding.UP),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0, rounding=Rounding.UP),
    reference_max=REFERENCE_MAX,  # NDossier
    # No operation finds a booking by what we send: a person decides. The codes: `codes.STATS`.
    recovery=RecoveryFacts(mode=RecoveryMode.NONE, find=FindMethod.BY_NUMBER, refusal_codes=REFUSALS),
    hosts=dict.fromkeys(Environment, _HOSTS),
    document_hosts=dict.fromkeys(Environment, _DOCUMENT_HOSTS),
    languages=frozenset({"fr"}),
    links={
        "tracking": "https://www.mondialrelay.fr/suivi-de-colis/",
        "wsdl": "https://api.mondialrelay.com/Web_Services.asmx?WSDL",
    },
)
