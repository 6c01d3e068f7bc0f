"""Documents of older versions are brought up, newer ones are read as far as they are additive, golden files stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipkit import model
from shipkit.codec import from_dict, from_json, roots, to_dict, to_json
from shipkit.codec.roots import VERSIONS, class_name, schema_name
from shipkit.errors import InputError
from shipkit.model import PickupCancelRequest

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_file_of_every_version_is_still_read(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    name = class_name(data["schema"])
    assert name is not None
    assert path.stem == f"{data['schema'].removeprefix('shipkit/')}.v{data['v']}"
    value = from_json(path.read_bytes(), getattr(model, name))
    again = json.loads(to_json(value))
    if data["v"] == VERSIONS[name]:
        assert again == data
    else:
        assert again["v"] == VERSIONS[name]


def test_every_version_of_every_root_has_a_golden_file() -> None:
    wanted = {
        f"{schema_name(getattr(model, name)).removeprefix('shipkit/')}.v{version}"
        for name, current in VERSIONS.items()
        for version in range(1, current + 1)
    }
    assert {path.stem for path in GOLDEN} == wanted


def test_every_step_up_has_an_upcaster_and_no_other_has() -> None:
    assert set(roots.upcasters) == {(name, step) for name, current in VERSIONS.items() for step in range(1, current)}


def test_an_older_document_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(members: dict[str, Any]) -> dict[str, Any]:
        members["confirm"] = members.pop("number")
        return members

    def second(members: dict[str, Any]) -> dict[str, Any]:
        return {"confirmation" if key == "confirm" else key: item for key, item in members.items()}

    monkeypatch.setitem(roots.VERSIONS, "PickupCancelRequest", 3)
    monkeypatch.setitem(roots.upcasters, ("PickupCancelRequest", 1), first)
    monkeypatch.setitem(roots.upcasters, ("PickupCancelRequest", 2), second)
    stored = {"schema": "shipkit/pickup-cancel-request", "v": 1, "number": "P1", "extra": 1}
    value = from_dict(stored, PickupCancelRequest)
    assert value == PickupCancelRequest(confirmation="P1", extras={"extra": 1})
    assert to_dict(value)["v"] == 3
    assert stored == {"schema": "shipkit/pickup-cancel-request", "v": 1, "number": "P1", "extra": 1}


def test_a_newer_document_is_read_where_it_only_has_more_and_keeps_its_number() -> None:
    newer = {"schema": "shipkit/pickup-cancel-request", "v": 7, "confirmation": "P1", "driver": {"name": "x"}}
    value = from_dict(newer, PickupCancelRequest)
    assert value.confirmation == "P1"
    assert to_dict(value) == newer


def test_a_newer_document_that_changed_what_we_need_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        from_dict({"schema": "shipkit/pickup-cancel-request", "v": 7, "confirmations": ["P1"]}, PickupCancelRequest)
    assert [(problem.path, str(problem.code)) for problem in caught.value.problems] == [("/confirmation", "missing")]


def test_a_document_without_a_stamp_is_read_as_the_current_version() -> None:
    assert from_dict({"confirmation": "P1"}, PickupCancelRequest).confirmation == "P1"


def test_names_of_schemas_lead_back_to_their_classes() -> None:
    for name in VERSIONS:
        assert class_name(schema_name(getattr(model, name))) == name
    for other in ("shipkit/package", "shipkit/nosuch", "shipment", "other/shipment"):
        assert class_name(other) is None
