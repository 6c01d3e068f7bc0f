"""Requests that DPD France takes, as Hypothesis makes them up; whatever slips through is left out by the checks."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import attrs
from hypothesis import assume
from hypothesis import strategies as st

from shipkit.constraints import problems, wrapped
from shipkit.model import (
    AccessInfo,
    Address,
    CancelRequest,
    Contact,
    DocumentQuery,
    LabelSpec,
    Money,
    Notify,
    NotifyChannel,
    Option,
    OptionCode,
    Package,
    PageSize,
    Party,
    PickupRequest,
    PickupWindow,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    ReturnSpec,
    ServicePointRef,
    ShipmentRequest,
    TrackingNumber,
    Weight,
    WeightUnit,
)
from shipkit_dpd_fr.codes import LABELS
from shipkit_dpd_fr.terms import product
from tests.dpd_fr.samples import DPD

__all__ = ["cancellations", "label_queries", "pickups", "returns", "shipments"]

_LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"])


def texts(most: int) -> st.SearchStrategy[str]:
    return st.text(_LETTERS | st.sampled_from(" éè&<>'\""), min_size=1, max_size=most).map(str.strip).filter(bool)


def words(most: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=most)


def contacts() -> st.SearchStrategy[Contact]:
    maybe = st.none() | texts(32)
    return st.builds(
        Contact, name=texts(32), company=maybe, phone=st.just("+33600000000"), email=st.just("a@example.com")
    )


def parties() -> st.SearchStrategy[Party]:
    access = st.builds(
        AccessInfo,
        door_codes=st.lists(words(8), max_size=2).map(tuple),
        intercom=st.none() | words(10),
        floor=st.none() | words(6),
        building=st.none() | words(6),
    )
    address = st.builds(
        Address,
        lines=st.lists(texts(32), min_size=1, max_size=4).map(tuple),
        postal_code=st.just("75004"),
        city=texts(30),
        country=st.just("FR"),
        access=st.none() | access,
    )
    return st.builds(Party, address=address, contact=contacts())


def places() -> st.SearchStrategy[Party]:
    """Where there is room for a street and no more."""
    address = st.builds(
        Address, lines=texts(32).map(lambda line: (line,)), postal_code=st.just("69100"), city=texts(30),
        country=st.just("FR"),
    )  # fmt: skip
    return st.builds(Party, address=address, contact=contacts())


def labels() -> st.SearchStrategy[LabelSpec | None]:
    def spec(wire: str) -> LabelSpec:
        offered = LABELS[wire]
        size = PageSize(format=offered.page) if offered.page else None
        return LabelSpec(format=offered.format, dpi=offered.dpi, size=size)

    return st.none() | st.sampled_from(list(LABELS)).map(spec)


def weights() -> st.SearchStrategy[Weight]:
    kilograms = st.decimals("0.001", "31.5", places=3).map(lambda value: Weight(value, WeightUnit.KG))
    ounces = st.decimals("0.01", "1000", places=2).map(lambda value: Weight(value, WeightUnit.OZ))
    return kilograms | ounces


@st.composite
def packages(draw: st.DrawFn, count: int) -> tuple[Package, ...]:
    numbers = st.builds(Reference, type=st.just(ReferenceType.INVOICE), value=words(35))
    return tuple(
        Package(
            ref=f"p{index}",
            weight=draw(weights()),
            references=tuple(draw(st.lists(numbers, max_size=2))),
            label_text=tuple(draw(st.lists(texts(30), max_size=2))),
        )
        for index in range(count)
    )


@st.composite
def options(draw: st.DrawFn, refs: tuple[str, ...]) -> tuple[Option, ...]:
    told = draw(st.sampled_from(["", "predict", "email", "sms"]))
    chosen: list[Option] = []
    if told == "predict":
        chosen.append(Option(code=OptionCode.PREDICT))
    elif told:
        chosen.append(Option(code=OptionCode.NOTIFY, value=Notify(channels=frozenset({NotifyChannel(told)}))))
    if draw(st.booleans()):
        amount = Money(draw(st.decimals("0.001", "20000", places=3)), "EUR")
        covered = refs if len(refs) > 1 else draw(st.sampled_from([(), refs]))
        chosen.append(Option(code=OptionCode.INSURANCE, value=amount, package_refs=covered))
    return tuple(chosen)


@st.composite
def shipments(draw: st.DrawFn, **fixed: Any) -> ShipmentRequest:
    """Bookings of every kind, as the client hands them over: checked, and wrapped into the carrier's lines."""
    count = draw(st.integers(1, 3))
    parcels = draw(packages(count))
    spec = ReturnSpec(kind=ReturnLabelKind.PRINTED, return_to=draw(st.none() | places()))
    values: dict[str, Any] = {
        "ship_from": draw(places() if count == 1 else parties()),
        "ship_to": draw(parties()),
        "return_to": draw(st.none() | places()),
        "packages": parcels,
        "reference": draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)),
        "mark": draw(st.none() | st.just("ABCDEFGHIJKLM-1")),
        "ship_on": draw(st.dates(date(2024, 1, 1), date(2030, 1, 1))),
        "options": draw(options(tuple(parcel.ref for parcel in parcels))),
        "service_point": draw(st.none() | st.just(ServicePointRef(id="P32500", country="FR"))) if count == 1 else None,
        "label": draw(labels()),
        "return_label": draw(st.none() | st.just(spec)) if count == 1 else None,
        "instructions": draw(st.none() | texts(20)),
    }
    request = ShipmentRequest(**(values | fixed))
    request = attrs.evolve(request, service=product(request))
    assume(not problems(request, DPD.facts()) and not list(DPD.problems(request)))
    return wrapped(request, DPD.facts())


def _bare(package: Package) -> Package:
    return attrs.evolve(package, references=())


def returns() -> st.SearchStrategy[ReturnRequest]:
    return st.builds(
        ReturnRequest,
        shipment=shipments(service_point=None, return_label=None)
        .filter(lambda shipment: len(shipment.packages) == 1)
        .map(lambda shipment: attrs.evolve(shipment, references=(), packages=(_bare(shipment.packages[0]),))),
        kind=st.just(ReturnLabelKind.PRINTED),
        valid_days=st.none() | st.integers(7, 999),
    )


_NUMBER = st.from_regex(r"\d{14}", fullmatch=True).map(lambda value: TrackingNumber(value=value, carrier="dpd_fr"))
_NUMBERS = st.lists(_NUMBER, min_size=1, max_size=3).map(tuple)


def pickups() -> st.SearchStrategy[PickupRequest]:
    window = st.builds(
        PickupWindow,
        day=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
        ready=st.times(max_value=time(12)),
        close=st.times(time(12, 1)),
    )
    return st.builds(
        PickupRequest,
        reference=words(30),
        pickup_from=places(),
        window=window,
        package_count=st.integers(1, 9),
        tracking_numbers=st.just(()) | _NUMBERS,
        instructions=st.none() | texts(60),
    )


def cancellations() -> st.SearchStrategy[CancelRequest]:
    return st.builds(
        CancelRequest,
        shipment_id=st.just("10774000248377"),
        reference=words(30),
        tracking_numbers=_NUMBERS,
        reason=st.none() | texts(40),
    )


def label_queries() -> st.SearchStrategy[DocumentQuery]:
    return st.builds(DocumentQuery, shipment_id=st.just("1"), tracking_numbers=_NUMBERS, label=labels())
