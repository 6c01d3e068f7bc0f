"""The exported schemas describe what is written, and a change that breaks a reader is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shipkit.codec import roots, schema_name, to_json
from shipkit.codec.schema import breaks, export, main, schemas
from shipkit.model import Value
from tests.model.making import ROOTS, values

SCHEMAS = schemas()
VALIDATORS = {schema["title"]: Draft202012Validator(schema) for schema in SCHEMAS.values()}
REQUEST = SCHEMAS["shipment-request.json"]


def test_every_schema_is_a_schema() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_there_is_one_schema_per_root() -> None:
    assert {schema["title"] for schema in SCHEMAS.values()} == {schema_name(cls) for cls in ROOTS}


@given(st.sampled_from(ROOTS).flatmap(values))
def test_what_is_written_validates(value: Value) -> None:
    VALIDATORS[schema_name(type(value))].validate(json.loads(to_json(value)))


def test_a_number_where_text_is_wanted_does_not_validate() -> None:
    bad = {
        "ship_from": {},
        "ship_to": {},
        "reference": "1",
        "packages": [{"ref": "1", "weight": {"value": 1.5, "unit": "kg"}}],
    }
    errors = list(VALIDATORS["shipkit/shipment-request"].iter_errors(bad))
    assert [list(error.absolute_path) for error in errors] == [["packages", 0, "weight", "value"]]


def test_the_committed_schemas_are_those_of_the_model(root: Path) -> None:
    assert main(["--check", str(root / "docs" / "schema")]) == 0


def removed(schema: dict[str, Any]) -> None:
    del schema["$defs"]["Package"]["properties"]["description"]


def renamed(schema: dict[str, Any]) -> None:
    properties = schema["$defs"]["Address"]["properties"]
    properties["zip"] = properties.pop("postal_code")


def retyped(schema: dict[str, Any]) -> None:
    schema["$defs"]["Weight"]["properties"]["value"] = {"type": "number"}


def newly_required(schema: dict[str, Any]) -> None:
    schema["required"].append("service")


def no_longer_required(schema: dict[str, Any]) -> None:
    schema["$defs"]["Package"]["required"].remove("weight")


def value_removed(schema: dict[str, Any]) -> None:
    schema["$defs"]["Weight"]["properties"]["unit"]["enum"].remove("lb")


def opened(schema: dict[str, Any]) -> None:
    unit = schema["$defs"]["Weight"]["properties"]["unit"]
    unit["type"], unit["x-known-values"] = "string", unit.pop("enum")


def other_default(schema: dict[str, Any]) -> None:
    schema["$defs"]["LabelSpec"]["properties"]["copies"]["default"] = 2


def type_removed(schema: dict[str, Any]) -> None:
    del schema["$defs"]["CutOff"]
    schema["$defs"]["CutOff2"] = {}


def item_retyped(schema: dict[str, Any]) -> None:
    schema["properties"]["packages"]["items"] = {"$ref": "#/$defs/Party"}


def list_instead_of_one(schema: dict[str, Any]) -> None:
    schema["properties"]["reference"] = {"type": "array", "items": {"type": "string"}}


def alternative_removed(schema: dict[str, Any]) -> None:
    schema["$defs"]["DangerousGood"]["properties"]["net"]["anyOf"].pop()


def closed_to_others(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False


BREAKING = [
    removed, renamed, retyped, newly_required, no_longer_required, value_removed, opened, other_default, item_retyped,
    list_instead_of_one, alternative_removed, closed_to_others,
]  # fmt: skip


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__)
def test_a_planted_incompatible_change_is_refused(
    change: Callable[[dict[str, Any]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = copy.deepcopy(REQUEST)
    change(new)
    assert breaks(REQUEST, new)
    # The committed file is the one that differs here, so the change runs the other way round.
    export(tmp_path)
    (tmp_path / "gone.json").write_text(json.dumps(REQUEST))
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 1
    assert "gone.json" in capsys.readouterr().err


def optional_field(schema: dict[str, Any]) -> None:
    schema["properties"]["gift_wrap"] = {"type": "boolean"}


def further_type(schema: dict[str, Any]) -> None:
    schema["$defs"]["Gift"] = {"type": "object"}


def further_value(schema: dict[str, Any]) -> None:
    schema["$defs"]["Weight"]["properties"]["unit"]["enum"].append("t")
    schema["$defs"]["Package"]["properties"]["packaging"]["x-known-values"].append("sack")


def further_alternative(schema: dict[str, Any]) -> None:
    schema["$defs"]["DangerousGood"]["properties"]["net"]["anyOf"].append({"type": "string"})


def other_words(schema: dict[str, Any]) -> None:
    schema["description"] = "Otherwise."
    schema["properties"]["reference"]["x-personal"] = "high"


@pytest.mark.parametrize(
    "change",
    [optional_field, further_type, further_value, further_alternative, other_words],
    ids=lambda change: change.__name__,
)
def test_an_additive_change_passes(change: Callable[[dict[str, Any]], None]) -> None:
    new = copy.deepcopy(REQUEST)
    change(new)
    assert breaks(REQUEST, new) == ()
    assert breaks(REQUEST, REQUEST) == ()


def test_a_raised_version_may_break_where_an_upcaster_leads_up(monkeypatch: pytest.MonkeyPatch) -> None:
    new = copy.deepcopy(REQUEST)
    removed(new)
    new["properties"]["v"]["x-current"] = 2
    assert breaks(REQUEST, new)
    monkeypatch.setitem(roots.upcasters, ("ShipmentRequest", 1), lambda members: members)
    assert breaks(REQUEST, new) == ()


def test_stale_files_are_named_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    path = tmp_path / "pickup.json"
    older = json.loads(path.read_text())
    del older["properties"]["messages"]
    path.write_text(json.dumps(older))
    assert main(["--check", str(tmp_path)]) == 1
    assert "not up to date: pickup.json" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0


def test_a_break_with_the_committed_file_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 0
    path = tmp_path / "pickup.json"
    committed = json.loads(path.read_text())
    committed["properties"]["driver"] = {"type": "string"}  # a field that the model has lost since
    path.write_text(json.dumps(committed))
    before = path.read_bytes()
    assert main([str(tmp_path)]) == 1
    assert path.read_bytes() == before
    assert "driver: removed or renamed" in capsys.readouterr().err


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
