"""Hypothesis strategies for requests, made from a carrier's facts: what it takes, and what it must refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, cast

from hypothesis import strategies as st

from shipkit import model as m
from shipkit.carrier import Carrier, ChecksRequests
from shipkit.constraints import lane_kind, problems
from shipkit.constraints.wrapping import rewrapped

from .places import PLACES, Place

__all__ = [
    "parties",
    "pickup_requests",
    "rate_requests",
    "return_requests",
    "shipment_requests",
]

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LATIN: Final = "àâçéèêëîïôùûüÀÉÈßñøå"
_SOME_DAY: Final = date(2026, 1, 16)


class _Facts:
    """The facts of one carrier as strategies."""

    def __init__(self, of: Carrier | m.CarrierFacts) -> None:
        self.carrier: Carrier | None = None if isinstance(of, m.CarrierFacts) else of
        self.facts: m.CarrierFacts = of if isinstance(of, m.CarrierFacts) else of.facts()
        self._rules: dict[str, list[m.FieldRule]] = {}
        self._texts: dict[tuple[str, int], st.SearchStrategy[str]] = {}
        for rule in self.facts.field_rules:
            self._rules.setdefault(rule.path, []).append(rule)

    def rules(self, path: str) -> list[m.FieldRule]:
        """The rules for one canonical path, with ``*`` for an index."""
        return self._rules.get(path, [])

    def accepts(self, request: Any) -> bool:
        """Whether nothing is wrong with *request*, as the client finds it."""
        schema = self.carrier.options_schema() if self.carrier is not None else None
        if problems(request, self.facts, schema=schema):
            return False
        subject, carrier = getattr(request, "shipment", request), cast(object, self.carrier)
        if not isinstance(carrier, ChecksRequests) or not isinstance(subject, (m.ShipmentRequest, m.RateRequest)):
            return True
        return not any(carrier.problems(subject))

    def text(self, path: str, most: int = 35) -> st.SearchStrategy[str]:
        """Text that the carrier takes at *path*, blanks only inside."""
        made = self._texts.get((path, most))
        if made is None:
            made = self._texts[path, most] = self._text(path, most)
        return made

    def _text(self, path: str, most: int) -> st.SearchStrategy[str]:
        rules = self.rules(path)
        pattern = next((rule.pattern for rule in rules if rule.pattern), None)
        width = min([most, *[rule.max_length for rule in rules if rule.max_length is not None]])
        if pattern is not None:
            exact = re.compile(rf"(?:{pattern})\Z", re.ASCII)
            return st.from_regex(exact, fullmatch=True).filter(lambda text: 0 < len(text) <= width)
        charsets = [rule.charset for rule in rules if rule.charset]
        extra = "" if "ascii" in charsets else "".join(c for c in _LATIN if all(_prints(c, name) for name in charsets))
        words = st.text(_LETTERS + extra, min_size=1, max_size=min(9, width))
        return st.lists(words, min_size=1, max_size=5).map(lambda parts: _joined(parts, width))

    def codes(self, path: str, most: int) -> st.SearchStrategy[str]:
        """Digits and letters for a number of the host's at *path*."""
        return st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-", min_size=1, max_size=most).filter(
            lambda text: all(
                (rule.max_length is None or len(text) <= rule.max_length)
                and (rule.pattern is None or re.fullmatch(rule.pattern, text))
                for rule in self.rules(path)
            )
        )


def _prints(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _joined(words: Sequence[str], width: int) -> str:
    text = words[0]
    for word in words[1:]:
        if len(text) + 1 + len(word) <= width:
            text += f" {word}"
    return text


# Places and people


def parties(
    of: Carrier | m.CarrierFacts, role: str = "ship_to", places: Sequence[Place] = PLACES
) -> st.SearchStrategy[m.Party]:
    """Somebody at one of *places*, as the carrier takes them in the field *role* of a request."""
    return st.sampled_from(places).flatmap(lambda place: _party(_Facts(of), role, place))


@st.composite
def _party(draw: st.DrawFn, facts: _Facts, role: str, place: Place) -> m.Party:
    contact = m.Contact(
        name=draw(facts.text(f"/{role}/contact/name", 30)),
        company=draw(st.none() | facts.text(f"/{role}/contact/company", 30)),
        phone=_kept(facts, f"/{role}/contact/phone", place.phone, place.phone.lstrip("+")),
        email=_kept(facts, f"/{role}/contact/email", "ada@example.com", "a@ex.com"),
    )
    return m.Party(address=draw(_address(facts, role, place)), contact=contact)


@st.composite
def _address(draw: st.DrawFn, facts: _Facts, role: str, place: Place) -> m.Address:
    path = f"/{role}/address"
    lines = [place.street, *draw(st.lists(facts.text(f"{path}/lines/*", 30), max_size=2))]
    for rule in (*facts.rules(f"{path}/lines/*"), *facts.rules(f"{path}/lines")):
        count = rule.max_count or len(lines)
        wraps = rule.on_overflow is m.OnOverflow.WRAP
        lines = lines if wraps and rewrapped(lines, rule.max_length or 100, count) else lines[:count]
    return m.Address(
        lines=tuple(lines),
        city=_kept(facts, f"{path}/city", place.city, place.city.encode("ascii", "ignore").decode()),
        postal_code=place.postal_code,
        region=place.region,
        country=place.country,
        kind=draw(st.sampled_from(m.AddressKind)),
    )


def _kept(facts: _Facts, path: str, *values: str) -> str | None:
    """The first of *values* that the carrier takes at *path*."""
    rules = facts.rules(path)
    for value in values:
        fits = [
            (rule.max_length is None or len(value) <= rule.max_length)
            and (rule.pattern is None or re.fullmatch(rule.pattern, value) is not None)
            and all(_prints(character, rule.charset) for character in value if rule.charset)
            for rule in rules
        ]
        if all(fits):
            return value
    return None


def _journeys(facts: _Facts, limits: Sequence[m.Limits]) -> list[tuple[Place, Place]]:
    wanted = [lanes for lanes in (facts.facts.lanes, *[limit.lanes for limit in limits]) if lanes]
    return [
        (origin, there)
        for origin in PLACES
        for there in PLACES
        if origin is not there and all(any(_serves(lane, origin, there) for lane in lanes) for lanes in wanted)
    ]


def _serves(lane: m.Lane, origin: Place, there: Place) -> bool:
    return (
        (not lane.origins or origin.country in lane.origins)
        and (not lane.destinations or there.country in lane.destinations)
        and lane.kind in (m.LaneKind.ANY, lane_kind(origin.country, there.country))
    )


# Packages


def _packages(facts: _Facts, limits: Sequence[m.Limits], most: int) -> st.SearchStrategy[tuple[m.Package, ...]]:
    # What a flow is handed is one booking, whatever the client makes bookings of.
    given = [most for limit in limits for most in (limit.packages_max, limit.packages_per_booking) if most is not None]
    count = min([most, *given])
    return st.integers(1, max(1, count)).flatmap(
        lambda size: st.tuples(*[_package(facts, limits, f"P{index + 1}", size) for index in range(size)])
    )


@st.composite
def _package(draw: st.DrawFn, facts: _Facts, limits: Sequence[m.Limits], ref: str, count: int) -> m.Package:
    return m.Package(
        ref=ref,
        weight=draw(_weights(limits, count)),
        dimensions=draw(st.none() | _sizes(limits)),
        description=draw(st.none() | facts.text("/packages/*/description", 35)),
        references=draw(
            st.lists(
                st.builds(
                    m.Reference,
                    type=st.sampled_from(m.ReferenceType),
                    value=facts.codes("/packages/*/references/*/value", 12),
                ),
                max_size=1,
            ).map(tuple)
        ),
        declared_value=draw(st.none() | st.builds(m.Money, st.integers(1, 90).map(Decimal), st.just("EUR"))),
    )


def _weights(limits: Sequence[m.Limits], count: int) -> st.SearchStrategy[m.Weight]:
    least = max([Decimal("0.1"), *[_kg(limit.weight_min) for limit in limits if limit.weight_min]])
    most = min(
        [
            Decimal(30),
            *[_kg(limit.weight_max) for limit in limits if limit.weight_max],
            *[_kg(limit.shipment_weight_max) / count for limit in limits if limit.shipment_weight_max],
        ]
    )
    kilograms = st.decimals(least, max(least, most), places=3)
    return st.tuples(kilograms, st.sampled_from(m.WeightUnit)).map(lambda pair: _weight(*pair, least))


def _weight(kilograms: Decimal, unit: m.WeightUnit, least: Decimal) -> m.Weight:
    weight = m.Weight(m.Weight(kilograms, m.WeightUnit.KG).to(unit, ROUND_DOWN, "0.001"), unit)
    # Rounded down to a unit's thousandth it may be lighter than the carrier takes.
    return m.Weight(kilograms, m.WeightUnit.KG) if _kg(weight) < least else weight


def _kg(weight: m.Weight) -> Decimal:
    return weight.to(m.WeightUnit.KG, ROUND_DOWN, "0.000001")


def _sizes(limits: Sequence[m.Limits]) -> st.SearchStrategy[m.Dimensions]:
    """Boxes so small that no usual limit on sides, girth or volume is met by chance."""
    sides = [limit.dimensions_max for limit in limits if limit.dimensions_max is not None]
    most = min(
        [
            Decimal(300),
            *[
                side.to(m.LengthUnit.MM, ROUND_DOWN, "1")
                for size in sides
                for side in (size.length, size.width, size.height)
                if side is not None
            ],
        ]
    )
    inches = m.LengthUnit.IN

    def length(millimetres: int, unit: m.LengthUnit) -> m.Length:
        return m.Length(m.Length(Decimal(millimetres), m.LengthUnit.MM).to(unit, ROUND_DOWN, "0.01"), unit)

    edges = st.tuples(*[st.integers(20, int(most)) for _ in range(3)])
    return st.tuples(edges, st.sampled_from((m.LengthUnit.CM, inches, m.LengthUnit.MM))).map(
        lambda pair: m.Dimensions(
            length=length(pair[0][0], pair[1]),
            width=length(pair[0][1], pair[1]),
            height=length(pair[0][2], pair[1]),
        )
    )


# Goods, options, labels


@st.composite
def _customs(draw: st.DrawFn, facts: _Facts) -> m.CustomsDeclaration:
    lines = tuple(
        m.CommodityLine(
            line=index + 1,
            description=draw(facts.text("/customs/lines/*/description", 30)),
            quantity=Decimal(draw(st.integers(1, 20))),
            unit_value=m.Money(draw(st.decimals("0.01", "200", places=2)), "EUR"),
            net_weight=m.Weight(Decimal("0.1"), m.WeightUnit.KG),
            gross_weight=m.Weight(Decimal("0.2"), m.WeightUnit.KG),
            hs_code=draw(st.sampled_from(("610910", "490199", "84713000"))),
            origin_country=draw(st.sampled_from(("FR", "US", "DE"))),
            sku=draw(st.none() | facts.codes("/customs/lines/*/sku", 10)),
        )
        for index in range(draw(st.integers(1, 3)))
    )
    return m.CustomsDeclaration(
        purpose=draw(st.sampled_from((m.CustomsPurpose.SALE, m.CustomsPurpose.GIFT, m.CustomsPurpose.SAMPLE))),
        lines=lines,
        incoterm=draw(st.sampled_from((m.Incoterm.DAP, m.Incoterm.DDP))),
        invoice=m.InvoiceRef(number="F2026-1", issued_on=_SOME_DAY),
        certify=m.Certification(signer=draw(facts.text("/customs/certify/signer", 20))),
    )


def _options(facts: _Facts) -> st.SearchStrategy[tuple[m.Option, ...]]:
    """At most one option: which of them go together, only the carrier knows."""
    values = {option.code: _value(option) for option in facts.facts.options}
    choices = [_option(code, value) for code, value in values.items() if value is not None]
    return st.one_of(st.just(()), *choices)


def _option(code: m.OptionCode, value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[m.Option, ...]]:
    return value.map(lambda drawn: (m.Option(code=code, value=drawn),))


def _value(option: m.OptionFacts) -> st.SearchStrategy[Any] | None:
    listed, code = option.values, m.OptionCode
    channels = [channel for channel in m.NotifyChannel if not listed or channel in listed]
    levels = [level for level in m.SignatureLevel if not listed or level in listed]
    money = st.integers(1, 200).map(lambda amount: m.Money(Decimal(amount), "EUR"))
    made: dict[m.OptionCode, st.SearchStrategy[Any]] = {
        code.SIGNATURE: st.sampled_from(levels) if levels else st.nothing(),
        code.SATURDAY_DELIVERY: st.none(),
        code.DELIVERY_ON: st.just(_SOME_DAY),
        code.SAFE_PLACE: st.just("garage"),
        code.NO_NEIGHBOUR: st.none(),
        code.NOTIFY: st.sampled_from(channels).map(lambda channel: m.Notify(channels=frozenset({channel}))),
        code.PREDICT: st.none(),
        code.INSURANCE: money,
        code.COD: money.map(lambda amount: m.CashOnDelivery(amount=amount)),
        code.CARBON_NEUTRAL: st.none(),
        code.DIRECT_DELIVERY_ONLY: st.none(),
    }
    return made.get(option.code)


def _labels(facts: _Facts) -> st.SearchStrategy[m.LabelSpec | None]:
    labels = [label for label in facts.facts.label_formats if label.kind is m.DocumentKind.LABEL]
    if not labels:
        return st.none()
    return st.none() | st.sampled_from(labels).map(
        lambda label: m.LabelSpec(format=label.format, dpi=label.dpi, size=label.size)
    )


# Requests


def shipment_requests(
    of: Carrier | m.CarrierFacts,
    *,
    services: Sequence[str] = (),
    packages_max: int = 3,
    change: Callable[[m.ShipmentRequest], m.ShipmentRequest] = lambda request: request,
) -> st.SearchStrategy[m.ShipmentRequest]:
    """Bookings that the carrier takes, filled in as the client hands them to a flow.

    *services* are codes to choose from, where the facts list none or not all fit. *change* adds what no facts can say,
    such as a service point; what is refused after it is not drawn.
    """
    facts = _Facts(of)

    @st.composite
    def request(draw: st.DrawFn) -> m.ShipmentRequest:
        parts = draw(_parts(facts, services, packages_max))
        service = parts.pop("service")
        made = m.ShipmentRequest(
            **parts,
            service=service,
            reference=draw(facts.codes("/reference", min(20, facts.facts.reference_max))),
            mark=draw(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=16, max_size=16)),
            label=draw(_labels(facts)),
            description=draw(st.none() | facts.text("/description", 35)),
            instructions=draw(st.none() | facts.text("/instructions", 35)),
        )
        return change(made)

    return request().filter(facts.accepts)


def rate_requests(
    of: Carrier | m.CarrierFacts, *, services: Sequence[str] = (), packages_max: int = 3
) -> st.SearchStrategy[m.RateRequest]:
    """Questions for prices that the carrier takes: of one service, or of all."""
    facts = _Facts(of)

    @st.composite
    def request(draw: st.DrawFn) -> m.RateRequest:
        parts = draw(_parts(facts, services, packages_max))
        service = parts.pop("service")
        return m.RateRequest(**parts, services=draw(st.sampled_from(((), (service,)))))

    return request().filter(facts.accepts)


def return_requests(
    of: Carrier | m.CarrierFacts,
    *,
    kinds: Sequence[m.ReturnLabelKind] = (m.ReturnLabelKind.PRINTED,),
    services: Sequence[str] = (),
    change: Callable[[m.ShipmentRequest], m.ShipmentRequest] = lambda request: request,
) -> st.SearchStrategy[m.ReturnRequest]:
    """Ways back that the carrier takes."""
    return st.builds(
        m.ReturnRequest,
        shipment=shipment_requests(of, services=services, packages_max=1, change=change),
        kind=st.sampled_from(kinds),
    )


def pickup_requests(of: Carrier | m.CarrierFacts) -> st.SearchStrategy[m.PickupRequest]:
    """Collections that the carrier takes, on some working day."""
    facts = _Facts(of)
    origins = [place for place, _ in _journeys(facts, _limits(facts, None))]

    @st.composite
    def request(draw: st.DrawFn) -> m.PickupRequest:
        ready = draw(st.integers(8, 14))
        return m.PickupRequest(
            reference=draw(facts.codes("/reference", 12)),
            pickup_from=draw(_party(facts, "pickup_from", draw(st.sampled_from(origins)))),
            window=m.PickupWindow(day=_SOME_DAY, ready=time(ready), close=time(ready + draw(st.integers(2, 5)))),
            package_count=draw(st.integers(1, 9)),
            weight=m.Weight(draw(st.decimals("0.5", "20", places=1)), m.WeightUnit.KG),
            shipment_ids=(draw(st.text("0123456789abcdef", min_size=8, max_size=8)),),
        )

    return request().filter(facts.accepts)


def _limits(facts: _Facts, service: str | None) -> list[m.Limits]:
    of_service = [level.limits for level in facts.facts.services if level.code == service]
    return [limits for limits in (facts.facts.limits, *of_service) if limits is not None]


@st.composite
def _parts(draw: st.DrawFn, facts: _Facts, services: Sequence[str], packages_max: int) -> dict[str, Any]:
    listed = [level.code for level in facts.facts.services if _journeys(facts, _limits(facts, level.code))]
    service = draw(st.sampled_from(services or listed or ["house/Standard"]))
    limits = _limits(facts, service)
    origin, there = draw(st.sampled_from(_journeys(facts, limits)))
    abroad = lane_kind(origin.country, there.country) is m.LaneKind.INTERNATIONAL
    return {
        "service": service,
        "ship_from": draw(_party(facts, "ship_from", origin)),
        "ship_to": draw(_party(facts, "ship_to", there)),
        "packages": draw(_packages(facts, limits, packages_max)),
        "ship_on": _SOME_DAY,
        "options": draw(_options(facts)),
        "customs": draw(_customs(facts)) if abroad else None,
    }
