"""Rooms load when a name of theirs is used, and the lists of names agree."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import shipkit.codec
import shipkit.events
import shipkit.invoices
import shipkit.model

LAZY = [shipkit.model, shipkit.codec, shipkit.events, shipkit.invoices]


def declared_to_checkers(module: ModuleType) -> dict[str, str]:
    """The names that the type checkers see imported, with the module they come from."""
    tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    return {
        alias.name: (node.module or "").removeprefix(f"{module.__name__}.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("module", LAZY, ids=lambda module: module.__name__)
def test_the_three_lists_of_names_agree(module: ModuleType) -> None:
    assert declared_to_checkers(module) == module._ROOMS
    assert module.__all__ == sorted(module._ROOMS, key=module.__all__.index)
    assert set(module.__all__) == set(module._ROOMS)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("module", LAZY, ids=lambda module: module.__name__)
def test_every_name_is_there_and_comes_from_its_room(module: ModuleType) -> None:
    for name, room in module._ROOMS.items():
        assert getattr(module, name) is getattr(import_module(f"{module.__name__}.{room}"), name)


@pytest.mark.parametrize("module", LAZY, ids=lambda module: module.__name__)
def test_a_misspelt_name_is_an_attribute_error(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match="Nosuch"):
        module.Nosuch  # noqa: B018


def test_every_public_name_of_a_room_is_a_name_of_the_model() -> None:
    for room in set(shipkit.model._ROOMS.values()) - {"scalars"}:
        assert set(import_module(f"shipkit.model.{room}").__all__) == {
            n for n, r in shipkit.model._ROOMS.items() if r == room
        }


def loaded_after(code: str) -> set[str]:
    program = (
        f"{code}\nimport json, sys\nprint(json.dumps([name for name in sys.modules if name.startswith('shipkit')]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.process
def test_one_package_loads_two_rooms_and_not_the_others() -> None:
    loaded = loaded_after(
        "from shipkit.model import Package, ShipmentRequest, Weight\nPackage(ref='1', weight=Weight(1, 'kg'))"
    )
    rooms = {name.removeprefix("shipkit.model.") for name in loaded if name.startswith("shipkit.model.")}
    assert rooms == {"base", "scalars", "marks", "_fit", "shipments", "measures"}


@pytest.mark.process
def test_reading_a_request_loads_the_rooms_that_it_speaks_of() -> None:
    weight = '{"value": "1", "unit": "kg"}'
    text = f'{{"ship_from": {{}}, "ship_to": {{}}, "reference": "1", "packages": [{{"ref": "1", "weight": {weight}}}]}}'
    loaded = loaded_after(
        "from shipkit.codec import from_json\nfrom shipkit.model import ShipmentRequest\n"
        f"from_json({text!r}, ShipmentRequest)"
    )
    assert "shipkit.model.places" in loaded
    assert not loaded & {
        "shipkit.model.dangerous_goods",
        "shipkit.model.tracking",
        "shipkit.model.facts",
        "shipkit.model.customs",
    }
