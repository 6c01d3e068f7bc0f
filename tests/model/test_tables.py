"""The model is what the tables say: every class, field, default, enum value and mark."""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs

from shipkit import errors, model
from shipkit.codec.roots import VERSIONS
from shipkit.model import FrozenMap, Milestone, OpenEnum, OptionCode, Value
from shipkit.model._fit import Shape, shape_of
from shipkit.model.marks import PERSONAL
from shipkit.model.scalars import TEXT_NAMES
from shipkit.model.shipments import OPTION_TYPES
from tests.model.tables import ADDED, ADDED_CLASSES, ADDED_VALUES, classes, table


def spelled(shape: Shape) -> str:
    """A shape in the words of the table."""
    if shape.kind == "union":
        return " | ".join(spelled(part) for part in shape.args)
    if shape.kind == "map":
        return f"map[{spelled(shape.args[0])}, {spelled(shape.args[1])}]"
    if shape.kind in ("tuple", "set"):
        return f"{'tuple' if shape.kind == 'tuple' else 'frozenset'}[{spelled(shape.args[0])}]"
    return shape.name


def written(default: Any) -> str:
    """A default in the words of the table."""
    if default is None or default in ((), frozenset()) or isinstance(default, FrozenMap):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value if isinstance(default, Enum) else default)


def fields_of_the_table(shared: Path) -> dict[str, list[dict[str, str]]]:
    wanted = {row["type"] for row in classes(shared, "value")}
    found: dict[str, list[dict[str, str]]] = {}
    for row in table(shared, "entities"):
        if row["entity"] in wanted:
            found.setdefault(row["entity"], []).append(row)
    return found


def test_every_value_and_enum_of_the_table_exists_in_its_room_and_no_other_does(shared: Path) -> None:
    wanted = {row["type"]: row["room"] for kind in ("value", "enum") for row in classes(shared, kind)}
    built = {name: getattr(model, name) for name in model.__all__}
    found = {
        name: cls.__module__.removeprefix("shipkit.model.")
        for name, cls in built.items()
        if isinstance(cls, type)
        and issubclass(cls, (Value, Enum))
        and cls.__module__ not in ("shipkit.model.scalars", "shipkit.model.base")
    }
    assert found == wanted | ADDED_CLASSES


def test_every_class_has_the_fields_of_the_table_in_its_order_with_types_and_defaults(shared: Path) -> None:
    for name, rows in fields_of_the_table(shared).items():
        cls = getattr(model, name)
        found = [
            (
                field.name,
                spelled(shape_of(field.type)),
                field.default is attrs.NOTHING,
                written(field.default) if field.default is not attrs.NOTHING else "",
            )
            for field in attrs.fields(cls)
            if field.name != "extras" and field.name not in ADDED.get(name, ())
        ]
        wanted = [
            (row["field"], row["type"], row["required"] == "required" and not row["default"], row["default"])
            for row in rows
            if row["required"] != "derived"
        ]
        assert found == wanted, name


def test_what_the_model_has_beyond_the_table_can_be_left_out() -> None:
    for name, fields in ADDED.items():
        for field in fields:
            assert attrs.fields_dict(getattr(model, name))[field].default is not attrs.NOTHING, f"{name}.{field}"


def test_every_derived_field_is_computed_and_cannot_be_given(shared: Path) -> None:
    for name, rows in fields_of_the_table(shared).items():
        for row in rows:
            if row["required"] == "derived":
                assert hasattr(getattr(model, name), row["field"]), f"{name}.{row['field']}"
                assert row["field"] not in attrs.fields_dict(getattr(model, name))


def test_optional_fields_without_a_default_are_none_or_empty(shared: Path) -> None:
    for name, rows in fields_of_the_table(shared).items():
        for row in rows:
            if row["required"] == "optional" and not row["default"]:
                field = attrs.fields_dict(getattr(model, name))[row["field"]]
                empty = {"tuple": (), "set": frozenset(), "map": FrozenMap()}
                assert field.default == empty.get(shape_of(field.type).kind), f"{name}.{row['field']}"
                assert shape_of(field.type).optional == (field.default is None)


def test_only_what_the_table_lists_can_stand_in_a_field(shared: Path) -> None:
    rows = table(shared, "types")
    scalars = {row["type"] for row in rows if row["kind"] == "scalar"}
    text = {row["type"] for row in rows if row["kind"] == "scalar" and row["meaning"].startswith("str")}
    assert text | {"str"} == TEXT_NAMES
    assert text - {"str"} <= scalars


def test_every_enum_has_the_values_of_the_table(shared: Path) -> None:
    wanted: dict[str, list[str]] = {}
    for row in table(shared, "enums"):
        wanted.setdefault(row["enum"], []).append(row["value"])
    wanted["Milestone"] = [row["milestone"] for row in table(shared, "milestones")]
    wanted["Reason"] = [row["reason"] for row in table(shared, "reasons")]
    wanted["OptionCode"] = [row["option"] for row in table(shared, "options")]
    wanted["Operation"] = [row["operation"] for row in table(shared, "operations")]
    rooms = {row["type"]: row["room"] for row in table(shared, "types") if row["kind"] == "enum"}
    for name, values in wanted.items():
        owner = errors if rooms[name] == "errors" else model
        known = [member.value for member in getattr(owner, name)]
        assert [value for value in known if value not in ADDED_VALUES.get(name, ())] == values, name


def test_enums_are_open_where_the_table_says_so_and_nowhere_else(shared: Path) -> None:
    for row in classes(shared, "enum"):
        is_open = row["meaning"].endswith("open") or "open (" in row["meaning"]
        assert issubclass(getattr(model, row["type"]), OpenEnum) == is_open, row["type"]


def test_members_are_named_after_their_values() -> None:
    renamed = {"4x6in": "IN_4X6", "4x8in": "IN_4X8", "10x15cm": "CM_10X15"}
    for name in model.__all__:
        cls = getattr(model, name)
        if (
            isinstance(cls, type)
            and issubclass(cls, Enum)
            and cls.__module__ not in ("shipkit.model.scalars", "shipkit.model.base")
        ):
            for member in cls:
                assert member.name == renamed.get(member.value, member.value.upper())


def test_milestones_know_rank_end_and_phase(shared: Path) -> None:
    for row in table(shared, "milestones"):
        milestone = Milestone(row["milestone"])
        found = (str(milestone.rank), {True: "yes", False: "no"}[milestone.terminal], milestone.phase)
        assert found == (row["rank"], row["terminal"], row["phase"])


def test_every_option_has_the_value_type_of_the_table(shared: Path) -> None:
    wanted = {OptionCode(row["option"]): row["value_type"] for row in table(shared, "options")}
    assert wanted == OPTION_TYPES


def test_every_personal_field_is_marked_as_the_table_says_and_no_other_is(shared: Path) -> None:
    wanted = {
        row["field"]: (row["class"], row["sensitivity"], row["mask_in_logs"], row["mask_by_default"] == "yes")
        for row in table(shared, "pii_fields")
    }
    found = {}
    for row in classes(shared, "value"):
        for field in attrs.fields(getattr(model, row["type"])):
            mark = field.metadata.get(PERSONAL)
            if mark is not None:
                found[f"{row['type']}.{field.name}"] = (mark.kind, mark.sensitivity, mark.mask, mark.by_default)
    assert found == wanted


def test_the_roots_are_those_of_the_table(shared: Path) -> None:
    wanted = {row["type"] for row in table(shared, "types") if row["root"] == "yes"}
    assert set(VERSIONS) == wanted


def test_units_are_worth_what_the_table_says(shared: Path) -> None:
    worth = {
        "gram": 1,
        "kilogram": 1000,
        "millimetre": 1,
        "centimetre": 10,
        "millilitre": 1,
        "litre": 1000,
        "cubic metre": 10**6,
    }
    parts = {"g": 1, "mm": 1, "ml": 1, "l": 1000}
    bases = {
        "WeightUnit": (model.Weight, "grams"),
        "LengthUnit": (model.Length, "millimetres"),
        "VolumeUnit": (model.Volume, "millilitres"),
    }
    for row in table(shared, "enums"):
        if row["enum"] in bases:
            cls, base = bases[row["enum"]]
            if row["meaning"] in worth:
                wanted = Fraction(worth[row["meaning"]])
            else:
                number, unit = row["meaning"].split(", ")[1].split()
                wanted = Fraction(number) * parts[unit]
            assert getattr(cls(1, row["value"]), base) == wanted, row
