"""The pages that are made out of the code say what the code says."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import errors
from shipkit.carrier import Carrier
from shipkit.events import TRANSITIONS
from shipkit.flow import secret
from shipkit.ledger import TABLE
from shipkit.model import (
    CarrierFacts,
    DocumentFormat,
    Environment,
    LabelFormatFacts,
    LengthFacts,
    LengthUnit,
    Limits,
    Milestone,
    Operation,
    OperationFacts,
    OptionCode,
    OptionFacts,
    Reason,
    RecoveryFacts,
    RecoveryMode,
    ServiceLevel,
    Support,
    VoidPolicy,
    Weight,
    WeightFacts,
    WeightUnit,
)
from shipkit.ports import LedgerStore, Phase
from shipkit.ports.events import EventStore
from shipkit.settings import Settings
from shipkit.simulator import FAULTS
from shipkit.simulator.admin import PAGES
from shipkit.telemetry import ATTRIBUTES, INSTRUMENTS
from shipkit.testing import CarrierConformance, EventStoreContract, StoreContract

ROOT = Path(__file__).resolve().parent.parent

FACTS = CarrierFacts(
    code="acme",
    name="Acme Parcel",
    interface="REST v2 | guide 2.14",
    operations={
        Operation.RATES: OperationFacts(support=Support.NO, note="its interface has *no* prices"),
        Operation.CREATE_SHIPMENT: OperationFacts(support=Support.YES),
    },
    services=(ServiceLevel(carrier="acme", code="HOME_24", name="Home by tomorrow"),),
    label_formats=(LabelFormatFacts(format=DocumentFormat.PDF, wire="pdf/a6"),),
    options=(OptionFacts(code=OptionCode.SIGNATURE, wire="SIG"),),
    limits=Limits(weight_max=Weight("31.5", WeightUnit.KG)),
    weight=WeightFacts(unit=WeightUnit.KG, decimals=3),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0),
    recovery=RecoveryFacts(mode=RecoveryMode.NONE),
    void=VoidPolicy(window_h=48),
    hosts={Environment.TEST: frozenset({"test.acme.example"})},
)


@attrs.frozen(kw_only=True)
class Acme(Carrier):
    """Acme Parcel, v2."""

    code = "acme"
    api_key: str = secret()


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    monkeypatch.delitem(sys.modules, "generated", raising=False)
    monkeypatch.delitem(sys.modules, "states", raising=False)
    import generated

    return generated


@pytest.fixture
def page(generated: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(Acme, "facts", classmethod(lambda cls: FACTS))
    text = generated.page(Acme, "shipkit-acme")
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    "told",
    [
        "# Acme Parcel",
        "| `rates` | `no` | `none` | its interface has \\*no\\* prices |",
        "| `create_shipment` | `yes` |",
        "| HOME_24 | Home by tomorrow |",
        "| `pdf` | pdf/a6 |",
        "| `signature` | SIG |",
        "| `weight_max` | 31.5 kg |",
        "| `settle_s` | 900 |",
        "| `window_h` | 48 |",
        "| `test` | test.acme.example |",
        "| `api_key` | required | secret |",
        "REST v2 \\| guide 2.14",
    ],
)
def test_the_page_of_a_carrier_tells_its_facts(page: str, told: str) -> None:
    assert told in page


def test_what_a_carrier_does_not_say_takes_no_room(page: str) -> None:
    assert "## Lanes" not in page
    assert "## Webhooks" not in page


def test_every_error_stands_in_the_table(generated: Any) -> None:
    table = generated.errors_table()

    for name in errors.__all__:
        if issubclass(getattr(errors, name), Exception):
            assert f"`{name}`" in table


def test_every_setting_stands_in_the_table_with_its_default(generated: Any) -> None:
    table = generated.settings_table()

    for field in attrs.fields(Settings):
        default = "yes" if field.default is True else field.default if field.default != "" else "(empty)"
        assert f"| `{field.name}` | {default} |" in table


def test_every_measurement_and_attribute_stands_in_its_table(generated: Any) -> None:
    assert all(f"| `{name}` | " in generated.telemetry_table() for name in INSTRUMENTS)
    assert "| `shipkit_bookings_total` | " in generated.telemetry_table()
    assert all(f"| `{name}` | " in generated.attributes_table() for name in ATTRIBUTES)


def test_every_fault_page_and_check_stands_in_its_table(generated: Any) -> None:
    assert all(f"| `{name}` | " in generated.faults_table() for name in FAULTS)
    assert all(
        f"`{method} /_sim/{name}` | " in generated.admin_table() for name, page in PAGES.items() for method in page
    )
    assert all(row.count(" | ") == 1 and not row.endswith("|  |") for row in generated.admin_table().splitlines())
    for name in vars(CarrierConformance):
        assert not name.startswith("test_") or f"| `{name[5:]}` | " in generated.checks_table()


@pytest.mark.parametrize("package", ["shipkit_ups", "shipkit_easypost", "shipkit_dpd_fr", "shipkit_mondialrelay"])
def test_the_readme_of_a_plugin_names_what_it_offers_and_its_account(package: str) -> None:
    (carrier,) = importlib.import_module(package).shipkit_carriers()
    readme = (ROOT / "plugins" / package.replace("_", "-") / "README.md").read_text("utf-8")
    offered = re.search(r"It offers: (.*?)\.", readme, re.DOTALL)
    configured = re.search(r"\[accounts\.[\w-]+\]\n(.*?)```", readme, re.DOTALL)
    facts = carrier.facts()

    assert getattr(importlib.import_module(package), carrier.__name__) is carrier
    assert f"`{package}.{carrier.__name__}(...)`" in readme
    assert offered and configured
    assert set(re.findall(r"`(\w+)`", offered[1])) == {
        operation.value
        for operation, about in facts.operations.items()
        if about.support in (Support.YES, Support.EMULATED)
    }
    given = dict(re.findall(r'^(\w+) = "?([^"\n]*)', configured[1], re.MULTILINE))
    required = {field.name for field in attrs.fields(carrier) if field.default is attrs.NOTHING}
    assert given.pop("carrier") == facts.code == carrier.code
    assert required <= set(given) <= {field.name for field in attrs.fields(carrier)}


def test_every_event_of_the_ledger_stands_in_one_drawing_and_every_phase_has_a_place(generated: Any) -> None:
    states = generated.states
    drawn = [event for events in states.DRAWINGS.values() for event in events]

    assert sorted(drawn) == sorted({row.event for row in TABLE})
    assert set(states.PLACES) == {None, *Phase}
    assert len(set(states.PLACES.values())) == len(states.PLACES)
    for name, events in states.DRAWINGS.items():
        lines = {(row.phase, row.then) for row in TABLE if row.event in events}
        assert states.drawing(name).count('class="event"') == len(lines)
    for row in TABLE:
        assert f"| {row.event} | `{row.then.value}` | {row.guard} |" in states.table()


def test_the_drawing_of_milestones_has_each_of_them_and_the_table_every_step(generated: Any) -> None:
    milestones = generated.milestones
    drawn = milestones.drawing()

    assert set(milestones.PLACES) == set(Milestone)
    assert len(set(milestones.PLACES.values())) == len(milestones.PLACES)
    assert all(f">{milestone.value}</text>" in drawn for milestone in Milestone)
    table = milestones.transitions()
    for effect, sign in milestones.SIGNS.items():
        assert table.count(f"| {sign} ") == sum(step.effect is effect for step in TRANSITIONS.values())
    assert milestones.reasons().count("\n") == len(Reason) + 2


def test_the_guide_for_stores_has_every_method_and_every_check(generated: Any) -> None:
    ledger = generated.port_table(LedgerStore)
    assert "| `claim(claim)` | Take the key" in ledger and "`look_again(entry, in_s)`" in ledger
    for port in (LedgerStore, EventStore):
        methods = [name for name in vars(port) if not name.startswith("_") and name != "blocking"]
        assert [name for name in methods if f"| `{name}(" not in generated.port_table(port)] == []
    checks = generated.store_checks_table(StoreContract)
    assert "a row of the state table" in checks and "a shared limit is never exceeded" in checks
    checks = generated.store_checks_table(EventStoreContract)
    assert "a commit is made on what was read or not at all" in checks and "no delivery is lent to two" in checks
