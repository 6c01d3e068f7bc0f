"""Whether a carrier's facts make sense by themselves: paths exist, codes are known, limits can be read."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator

import attrs

from shipkit import model as m
from shipkit.constraints.codes import COUNTRIES
from shipkit.model._fit import Shape, shape_of

__all__ = ["unsound"]

_REQUESTS = (m.ShipmentRequest, m.RateRequest, m.PickupRequest)
_MEASURED = frozenset({"weight", "value"})


def unsound(facts: m.CarrierFacts) -> list[str]:
    """What cannot be right in *facts*, each with its place."""
    return [*_operations(facts), *_listed(facts), *_rules(facts), *_lanes(facts), *_recovery(facts)]


def _operations(facts: m.CarrierFacts) -> Iterator[str]:
    silent = [str(operation) for operation in m.Operation if operation not in facts.operations]
    if silent:
        yield f"operations: nothing is said of {', '.join(silent)}"


def _listed(facts: m.CarrierFacts) -> Iterator[str]:
    for name, codes in (
        ("services", [service.code for service in facts.services]),
        ("options", [str(option.code) for option in facts.options]),
        ("packagings", [f"{packaging.code} as {packaging.kind}" for packaging in facts.packagings]),
    ):
        for code, count in Counter(codes).items():
            if count > 1:
                yield f"{name}: {code} is listed {count} times"
    for service in facts.services:
        if service.carrier != facts.code and "/" not in service.code:
            yield f"services: {service.code} is said to be of {service.carrier}"


def _rules(facts: m.CarrierFacts) -> Iterator[str]:
    for rule in facts.field_rules:
        if not any(_exists(cls, rule.path.strip("/").split("/")) for cls in _REQUESTS):
            yield f"field_rules: no request has {rule.path}"
        if rule.pattern is not None and not _compiles(rule.pattern):
            yield f"field_rules: the pattern of {rule.path} is no regular expression"
        if rule.charset is not None and not _known(rule.charset):
            yield f"field_rules: the charset of {rule.path} is unknown"
        for condition in rule.required_when:
            if condition.subject in _MEASURED and not re.fullmatch(r"[0-9.]+ \w+", "".join(condition.values[:1])):
                yield f"field_rules: {rule.path} compares the {condition.subject} with no amount and unit"
            if condition.operator is not m.PredicateOperator.PRESENT and not condition.values:
                yield f"field_rules: {rule.path} compares the {condition.subject} with nothing"


def _exists(cls: type, steps: list[str]) -> bool:
    if not steps:
        return True
    fields = {field.name: field for field in attrs.fields(cls)}
    if steps[0] not in fields:
        return False
    shape, rest = shape_of(fields[steps[0]].type), steps[1:]
    if rest[:1] == ["*"]:
        if shape.kind not in ("tuple", "set"):
            return False
        shape, rest = shape.args[0], rest[1:]
    return not rest or any(_exists(inner, rest) for inner in _classes(shape))


def _classes(shape: Shape) -> Iterator[type]:
    for part in shape.args if shape.kind == "union" else (shape,):
        found = getattr(m, part.name, None)
        if isinstance(found, type) and attrs.has(found):
            yield found


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _known(charset: str) -> bool:
    try:
        codecs.lookup(charset)
    except LookupError:
        return False
    return True


def _lanes(facts: m.CarrierFacts) -> Iterator[str]:
    limits = [facts.limits, *[service.limits for service in facts.services]]
    lanes = [*facts.lanes, *[lane for limit in limits if limit is not None for lane in limit.lanes]]
    for code in sorted({code for lane in lanes for code in lane.origins | lane.destinations} - COUNTRIES):
        yield f"lanes: {code} is no country"


def _recovery(facts: m.CarrierFacts) -> Iterator[str]:
    recovery = facts.recovery
    if recovery.mode is m.RecoveryMode.NONE:
        return
    if not recovery.mark_field:
        yield "recovery: where does the mark go (mark_field)?"
    if recovery.mode is not m.RecoveryMode.NATIVE_KEY and recovery.find is None:
        yield "recovery: how is a booking looked up (find)?"
    if recovery.settle_s <= 0:
        yield "recovery: a booking can always be on its way (settle_s)"
