"""Requests with one thing wrong, and the problem that must be found: the other half of "valid by capability"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import strategies as st

from shipkit import model as m
from shipkit.carrier import Carrier
from shipkit.model.messages import ProblemCode as Code

__all__ = ["Broken", "broken", "breakages"]

_NOBODYS_LETTERS = "漢字漢字"


@attrs.frozen(kw_only=True)
class Broken:
    """A request with one thing wrong: what, where the problem must point, and which rule it must name."""

    name: str
    request: m.ShipmentRequest
    path: str
    code: m.ProblemCode


def broken(of: Carrier | m.CarrierFacts, requests: st.SearchStrategy[m.ShipmentRequest]) -> st.SearchStrategy[Broken]:
    """One of *requests*, which the carrier takes, with one thing made wrong that it must refuse."""
    facts = of if isinstance(of, m.CarrierFacts) else of.facts()
    return requests.flatmap(lambda request: st.sampled_from(list(breakages(request, facts))))


def breakages(request: m.ShipmentRequest, facts: m.CarrierFacts) -> Iterator[Broken]:
    """Everything that can be made wrong with *request*, one thing at a time."""
    for name, path, code, value in (
        *_of_the_model(request),
        *_of_the_facts(request, facts),
        *_of_the_rules(request, facts),
    ):
        where, _, what = path.partition(" <- ")
        yield Broken(name=name, request=put(request, what or where, value), path=where, code=code)


_Breakage = tuple[str, str, m.ProblemCode, Any]


def _of_the_model(request: m.ShipmentRequest) -> Iterator[_Breakage]:
    first, party = request.packages[0], request.ship_to
    yield "no package", "/packages", Code.TOO_FEW, ()
    yield "two packages of one ref", "/packages/1/ref <- /packages", Code.DUPLICATE, (first, first)
    yield "a package without a ref", "/packages/0/ref", Code.TOO_SHORT, ""
    yield "a long ref", "/packages/0/ref", Code.TOO_LONG, "x" * 41
    if first.packaging != m.PackagingKind.LETTER:
        weightless = m.Weight(Decimal(0), first.weight.unit)
        yield "no weight", "/packages/0/weight/value <- /packages/0/weight", Code.NOT_POSITIVE, weightless
    fine = m.Weight(Decimal("1.1234567"), first.weight.unit)
    yield "too fine a weight", "/packages/0/weight/value <- /packages/0/weight", Code.OUT_OF_RANGE, fine
    yield "no reference", "/reference", Code.TOO_SHORT, ""
    yield "a long reference", "/reference", Code.TOO_LONG, "x" * 31
    yield "a reference of other letters", "/reference", Code.BAD_CHARACTERS, "commande-é"
    yield "no service", "/service", Code.MISSING, None
    yield "no contact", "/ship_to/contact", Code.MISSING, None
    yield "no address", "/ship_from/address", Code.MISSING, None
    yield "nobody", "/ship_to/contact/name <- /ship_to/contact", Code.MISSING, m.Contact(phone="1")
    yield "a bell in a name", "/ship_to/contact/name", Code.BAD_CHARACTERS, "Ada\a"
    yield "an empty line", "/ship_to/address/lines/0 <- /ship_to/address/lines", Code.TOO_SHORT, ("",)
    yield "five lines", "/ship_from/address/lines", Code.TOO_MANY, ("1", "2", "3", "4", "5")
    yield "a country that is none", "/ship_to/address/country", Code.UNKNOWN_VALUE, "ZZ"
    if party.address is not None and party.address.postal_code is not None:
        yield "no postal code", "/ship_to/address/postal_code", Code.MISSING, None
    half = m.Dimensions(length=m.Length(Decimal(1), m.LengthUnit.CM))
    yield "one side only", "/packages/0/dimensions/width <- /packages/0/dimensions", Code.MISSING, half
    unpaid = m.Payment(payer=m.Payer.THIRD_PARTY)
    yield "a payer without an account", "/payment/account <- /payment", Code.MISSING, unpaid
    if request.customs is not None:
        yield "no goods", "/customs/lines", Code.TOO_FEW, ()
        yield "half a tariff number", "/customs/lines/0/hs_code", Code.MALFORMED, "12"
        yield "no pieces", "/customs/lines/0/quantity", Code.NOT_POSITIVE, Decimal(0)


def _of_the_facts(request: m.ShipmentRequest, facts: m.CarrierFacts) -> Iterator[_Breakage]:
    first, limits = request.packages[0], facts.limits or m.Limits()
    if facts.services:
        yield "a service that is none", "/service", Code.UNKNOWN_VALUE, "no-such-service"
    offered = {option.code for option in facts.options}
    for code in m.OptionCode:
        if code not in offered:
            yield f"the option {code}", "/options/0/code <- /options", Code.NOT_OFFERED, (m.Option(code=code),)
            break
    formats = {label.format for label in facts.label_formats}
    for form in m.DocumentFormat:
        if form not in formats:
            yield f"a label in {form}", "/label/format <- /label", Code.NOT_OFFERED, m.LabelSpec(format=form)
            break
    own = {facts.code: {"no_such_option_of_this_carrier": 1}}
    where = f"/carrier_options/{facts.code}/no_such_option_of_this_carrier"
    yield "an option of its own that is none", f"{where} <- /carrier_options", Code.UNKNOWN_VALUE, own
    if limits.weight_max is not None:
        heavy = m.Weight(limits.weight_max.value + Decimal("0.000001"), limits.weight_max.unit)
        yield "a millionth too heavy", "/packages/0/weight", Code.TOO_HEAVY, heavy
    if limits.packages_max is not None:
        many = tuple(attrs.evolve(first, ref=f"N{index}") for index in range(limits.packages_max + 1))
        yield "a package too many", "/packages", Code.TOO_MANY, many
    if limits.dimensions_max is not None and limits.dimensions_max.width is not None:
        side = limits.dimensions_max.length
        longer = m.Length(side.value + Decimal("0.000001"), side.unit)
        yield (
            "a millionth too long",
            "/packages/0/dimensions",
            Code.TOO_BIG,
            attrs.evolve(limits.dimensions_max, length=longer),
        )


def _of_the_rules(request: m.ShipmentRequest, facts: m.CarrierFacts) -> Iterator[_Breakage]:
    for rule in facts.field_rules:
        path = rule.path.replace("*", "0")
        given = _at(request, path)
        if isinstance(given, str) and rule.max_length is not None and rule.pattern is None:
            if rule.on_overflow is m.OnOverflow.REFUSE:
                yield f"{path} is too long", path, Code.TOO_LONG, "x" * (rule.max_length + 1)
            elif rule.max_count is not None:
                lines = path.rpartition("/")[0] if path.endswith("/0") else path
                words = ("x" * (rule.max_length + 1),)
                yield f"{lines} cannot be wrapped", lines, Code.TOO_LONG, words
        if isinstance(given, str) and rule.charset is not None and _NOBODYS_LETTERS[0] not in _printable(rule.charset):
            yield f"{path} cannot be printed", path, Code.BAD_CHARACTERS, _NOBODYS_LETTERS
        if given is not None and path == "/customs" and rule.required_when:
            yield "no customs data", path, Code.LANE_REQUIRES, None


def _printable(charset: str) -> str:
    try:
        return _NOBODYS_LETTERS.encode(charset).decode(charset)
    except UnicodeEncodeError:
        return ""


def _at(value: Any, path: str) -> Any:
    for step in path.strip("/").split("/"):
        if value is None:
            return None
        if step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = getattr(value, step, None)
    return value


def put(value: Any, path: str, new: Any) -> Any:
    """*value* with the part at *path* (a JSON pointer) replaced."""
    step, _, rest = path.strip("/").partition("/")
    if not step:
        return new
    change: Callable[[Any], Any] = lambda old: put(old, rest, new) if rest else new  # noqa: E731
    if step.isdigit():
        items = list(value)
        items[int(step)] = change(items[int(step)])
        return tuple(items)
    return attrs.evolve(value, **{step: change(getattr(value, step))})
