"""Hypothesis strategies for any value of the model, made from the annotations of its fields."""

from __future__ import annotations

import string
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
from hypothesis import strategies as st

from shipkit import errors, model
from shipkit.codec.roots import VERSIONS
from shipkit.model import ClosedEnum, OpenEnum, Value
from shipkit.model._fit import Shape, resolve, shape_of
from shipkit.model.scalars import TEXT_NAMES
from shipkit.model.shipments import OPTION_TYPES

CLASSES = sorted(
    (
        found
        for name in model.__all__
        if isinstance(found := getattr(model, name), type) and issubclass(found, Value) and found is not Value
    ),
    key=lambda cls: cls.__name__,
)
ROOTS = [cls for cls in CLASSES if cls.__name__ in VERSIONS]

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3)
POSITIVE = st.decimals(allow_nan=False, allow_infinity=False, min_value="0.001", max_value=10**6, places=3)
MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(timezone.utc))
LOCALS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)).map(
    lambda t: t.replace(microsecond=0)
)
UNKNOWN = "xyz_unknown_" + string.ascii_lowercase
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT | DECIMALS,
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
EXTRAS = st.dictionaries(st.text("abcxyz_", min_size=1, max_size=6).map(lambda name: f"x_{name}"), JSON, max_size=2)
ERRORS = st.builds(errors.RejectedError, TEXT, carrier_code=TEXT, request_id=TEXT) | st.builds(
    errors.NotSentError, TEXT
)

_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-5, 10**6),
    "bool": st.booleans(),
    "bytes": st.binary(max_size=20),
    "Decimal": DECIMALS,
    "date": st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    "time": st.times().map(lambda t: t.replace(microsecond=0)),
    "datetime": MOMENTS,
    "LocalDateTime": LOCALS,
    "Json": JSON,
    "T": st.none(),
    "ShipkitError": ERRORS,
}


def of_shape(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    """Values that fit *shape*; deep ones are left out where they may be."""
    if shape.optional:
        return st.none() | of_shape(shape._replace(optional=False), depth) if depth else st.none()
    if shape.kind == "union":
        return st.one_of(*(of_shape(part, depth) for part in shape.args))
    if shape.kind == "map":
        key, item = shape.args
        return st.dictionaries(of_shape(key, depth), of_shape(item, depth - 1), max_size=2 if depth > 0 else 0)
    if shape.kind == "tuple":
        return st.lists(of_shape(shape.args[0], depth - 1), max_size=2 if depth > 0 else 0).map(tuple)
    if shape.kind == "set":
        return st.frozensets(of_shape(shape.args[0], depth - 1), max_size=3)
    if shape.name in TEXT_NAMES:
        return TEXT
    if shape.name in _SCALARS:
        return _SCALARS[shape.name]
    found = resolve(shape.name)
    if isinstance(found, Shape):
        return of_shape(found, depth)
    if issubclass(found, OpenEnum):
        return st.sampled_from([*found, found(UNKNOWN)])
    if issubclass(found, ClosedEnum):
        return st.sampled_from(list(found))
    return values(found, depth - 1)


@cache
def values(cls: Any, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of *cls*, with unknown members at every level."""
    if cls is model.Option:
        return _options(depth)
    given: dict[str, st.SearchStrategy[Any]] = {}
    for field in attrs.fields(cls):
        if field.name == "extras":
            given["extras"] = EXTRAS
            continue
        shape = shape_of(field.type)
        if cls in (model.Weight, model.Length, model.Volume) and field.name == "value":
            given[field.name] = POSITIVE
            continue
        strategy = st.deferred(lambda shape=shape: of_shape(shape, depth))
        given[field.name] = strategy if field.default is attrs.NOTHING else st.just(field.default) | strategy
    return st.builds(cls, **given)


def _options(depth: int) -> st.SearchStrategy[Any]:
    one = [
        st.builds(
            model.Option,
            code=st.just(code),
            value=of_shape(shape_of(name), max(depth, 1)) if name else st.none(),
            extras=EXTRAS,
        )
        for code, name in OPTION_TYPES.items()
    ]
    return st.one_of(*one)


def event_times() -> st.SearchStrategy[model.EventTime]:
    """Times as carriers print them: with an offset, without, of the day only."""
    base = datetime(2026, 3, 1)
    local = st.integers(0, 60 * 24 * 20).map(lambda minutes: base + timedelta(minutes=minutes))
    timed = st.builds(
        model.EventTime,
        local=local,
        precision=st.just(model.TimePrecision.MINUTE),
        offset_min=st.sampled_from([0, 60, -300, 600]),
        basis=st.sampled_from([model.TimeBasis.OFFSET, model.TimeBasis.LOCATION]),
    )
    bare = st.builds(model.EventTime, local=local, precision=st.just(model.TimePrecision.MINUTE))
    days = st.builds(model.EventTime, local=local.map(datetime.date), precision=st.just(model.TimePrecision.DAY))
    return timed | bare | days


__all__ = ["CLASSES", "DECIMALS", "Decimal", "EXTRAS", "MOMENTS", "ROOTS", "TEXT", "event_times", "time", "values"]
